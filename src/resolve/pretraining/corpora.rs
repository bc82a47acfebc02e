//! The corpora of pretraining experiments: prepared once from their text, and kept beside the runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::corpus::examples::{ExampleSet, ExampleSettings, MANIFEST, PretrainingError, TokenizedBy, prepare};
use crate::corpus::text::{BadBytes, Corpus, CorpusOptions, DocumentEnds, TextFormat, input_files};
use crate::diagnostic::Diagnostic;
use crate::plan::CorpusInput;
use crate::resolve::error::ResolveError;
use crate::resolve::progress::Progress;
use crate::store::atomic;
use crate::text::{Tokenizer, Vocabulary};

/// The folder of prepared corpora, inside the folder of all runs. No experiment's name starts with a dot.
const CORPORA: &str = ".corpora";
/// Raised when the same text and settings are prepared otherwise.
const KEY_VERSION: u32 = 1;
/// Examples whose mean length stands for all.
const SAMPLE: u64 = 512;

/// Text, and how it is read.
pub(super) struct Text {
    pub(super) files: Vec<PathBuf>,
    pub(super) options: CorpusOptions,
}

/// The vocabulary that text is cut up by.
pub(super) struct Words {
    pub(super) path: PathBuf,
    pub(super) vocabulary: Vocabulary,
    pub(super) lower_case: bool,
}

/// The prepared corpora of an experiment.
pub(super) struct Corpora {
    folder: PathBuf,
    /// BLAKE3 of files that were read, for a file may be in several corpora.
    read: BTreeMap<PathBuf, blake3::Hash>,
    /// Folders, by the checksums of what is in them.
    pub(super) places: BTreeMap<String, PathBuf>,
}

impl Text {
    /// The text of `paths`, files and folders.
    pub(super) fn of(paths: &[PathBuf], format: Option<TextFormat>, column: &str) -> Result<Self, Diagnostic> {
        let options = CorpusOptions {
            format,
            column: column.to_owned(),
            documents: DocumentEnds::File,
            bad_bytes: BadBytes::Refuse,
        };
        Ok(Self { files: input_files(paths)?, options })
    }
}

impl Words {
    pub(super) fn read(path: PathBuf, lower_case: Option<bool>) -> Result<Self, Diagnostic> {
        let vocabulary = Vocabulary::load(&path)?;
        let lower_case = lower_case.unwrap_or_else(|| !vocabulary.looks_cased());
        Ok(Self { path, vocabulary, lower_case })
    }
}

impl Corpora {
    /// Corpora in the folder of runs `runs`.
    pub(super) fn beside(runs: &Path) -> Self {
        Self { folder: runs.join(CORPORA), read: BTreeMap::new(), places: BTreeMap::new() }
    }

    /// Opens a folder that `corpus prepare` wrote.
    pub(super) fn open(&mut self, folder: &Path) -> Result<(CorpusInput, ExampleSet), ResolveError> {
        let set = ExampleSet::open(folder)?;
        self.places.insert(set.checksum().to_owned(), folder.to_path_buf());
        Ok((input(&set)?, set))
    }

    /// The examples of `text`, which are prepared when they are not there.
    pub(super) fn prepared(
        &mut self,
        text: &Text,
        words: &Words,
        settings: &ExampleSettings,
        progress: &dyn Progress,
    ) -> Result<(CorpusInput, ExampleSet), ResolveError> {
        settings.check()?;
        let key = self.key(text, words, settings)?;
        let place = self.folder.join(key);
        if let Ok(found) = self.open(&place) {
            return Ok(found);
        }
        std::fs::create_dir_all(&self.folder)?;
        // Processes that start together need the same corpus: one prepares it, the others wait and open it.
        let _lock = atomic::lock(&place.with_extension("lock"))?;
        if let Ok(found) = self.open(&place) {
            return Ok(found);
        }
        atomic::clean(&self.folder)?;
        let (length, shown) = (settings.max_length, place.display());
        progress.line(&format!("preparing examples of up to {length} tokens in {shown}"));
        let tokenizer = Tokenizer::new(&words.vocabulary, words.lower_case)?;
        let mut corpus = Corpus::open(&text.files, text.options.clone())?;
        let by = TokenizedBy { vocabulary: &words.vocabulary, tokenizer: &tokenizer };
        let made = prepare(&mut corpus, by, settings, &place, &|_| {})?;
        let (examples, documents, tokens) = (made.examples, made.counts.documents, made.counts.tokens);
        progress.line(&format!("{examples} examples of {documents} documents, {tokens} tokens"));
        for (name, count) in made.remarks.iter().filter(|(_, count)| **count > 0) {
            progress.note(&format!("{count} {name}"));
        }
        self.open(&place)
    }

    /// The name of the folder of such a corpus: a hash of the text's bytes and of all that decides what becomes of them.
    fn key(&mut self, text: &Text, words: &Words, settings: &ExampleSettings) -> Result<String, ResolveError> {
        let mut hasher = blake3::Hasher::new();
        let CorpusOptions { format, column, documents, bad_bytes } = &text.options;
        let settings = serde_json::to_string(settings).map_err(std::io::Error::from)?;
        let (sha256, lower_case) = (words.vocabulary.sha256(), words.lower_case);
        let decisive =
            format!("{KEY_VERSION} {settings} {sha256} {lower_case} {format:?} {column} {documents:?} {bad_bytes:?}");
        hasher.update(decisive.as_bytes());
        for file in &text.files {
            // Formats are told by endings as well.
            let ending = file.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
            hasher.update(ending.as_bytes());
            let known = self.read.get(file).copied();
            let hash = known.map_or_else(|| hash_of(file), Ok)?;
            self.read.insert(file.clone(), hash);
            hasher.update(hash.as_bytes());
        }
        Ok(hasher.finalize().to_hex()[..24].to_owned())
    }
}

fn hash_of(file: &Path) -> Result<blake3::Hash, ResolveError> {
    let mut hasher = blake3::Hasher::new();
    File::open(file)
        .and_then(|open| hasher.update_reader(open).map(|_| ()))
        .map_err(|error| Diagnostic::new(error.to_string()).in_file(file))?;
    Ok(hasher.finalize())
}

/// What planning needs to know of a prepared corpus.
fn input(set: &ExampleSet) -> Result<CorpusInput, PretrainingError> {
    let stride = (set.len() / SAMPLE).max(1);
    let sample: Vec<(u64, u64)> = (0..set.len().min(SAMPLE)).map(|number| (number * stride, 0)).collect();
    let tokens: usize = set.examples(&sample)?.iter().map(|example| example.ids.len()).sum();
    Ok(CorpusInput {
        checksum: set.checksum().to_owned(),
        max_length: set.settings().max_length,
        examples: set.len(),
        mean_length: tokens as f64 / sample.len().max(1) as f64,
    })
}

/// Whether `paths` are one folder that `corpus prepare` wrote.
pub(super) fn prepared_folder(paths: &[PathBuf]) -> Option<&Path> {
    match paths {
        [folder] if folder.join(MANIFEST).is_file() => Some(folder),
        _ => None,
    }
}
