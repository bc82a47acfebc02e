//! The corpora of pretraining experiments: prepared once from their text, and kept beside the runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::config::Pretraining;
use crate::corpus::examples::{ExampleSet, ExampleSettings, ExamplesError, MANIFEST, TokenizedBy, prepare};
use crate::corpus::text::{BadBytes, Corpus, CorpusOptions, DocumentEnds, TextFormat, input_files};
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::{CorpusInput, CorpusSize, Sizes};
use crate::resolve::progress::{Access, Progress};
use crate::settings::LmLoss;
use crate::store::{Architecture, atomic};
use crate::text::{ModelTokenizer, Tokenizer};
use crate::train::{PreparedCorpus, corpus_fits};

/// The folder of prepared corpora, inside the folder of all runs. No experiment's name starts with a dot.
const CORPORA: &str = ".corpora";
/// Raised when the same text and settings are prepared otherwise.
const KEY_VERSION: u32 = 1;
/// Bytes of a token of English in BERT's vocabulary, with the space before it, for estimates (4.3 in WikiText-2).
const BYTES_PER_TOKEN: u64 = 4;
/// Examples whose mean length stands for all.
const SAMPLE: u64 = 512;

/// Text, and how it is read.
pub(super) struct Text {
    pub(super) files: Vec<PathBuf>,
    pub(super) options: CorpusOptions,
}

/// The vocabulary that text is cut up by.
#[derive(Clone)]
pub(super) struct Words {
    pub(super) path: PathBuf,
    pub(super) tokenizer: ModelTokenizer,
}

/// What the examples of a corpus are made of.
enum Source {
    /// A folder that `corpus prepare` wrote.
    Folder(PathBuf),
    /// Text that is prepared for the experiment.
    Text { text: Box<Text>, words: Box<Words>, settings: ExampleSettings },
}

/// A model that learns from a corpus.
struct Learner {
    /// Where the experiment names the corpus.
    key: String,
    corpus: String,
    architecture: Architecture,
    vocabulary_sha256: String,
    loss: LmLoss,
}

/// The corpora of an experiment.
#[derive(Default)]
pub(super) struct Sources {
    /// BLAKE3 of files that were read, for a file may be in several corpora.
    read: BTreeMap<PathBuf, blake3::Hash>,
    /// By what identifies them.
    corpora: BTreeMap<String, Source>,
    learners: Vec<Learner>,
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

impl Sources {
    /// A folder that `corpus prepare` wrote: its checksum identifies it.
    pub(super) fn folder(&mut self, folder: &Path) -> Result<(CorpusInput, ExampleSettings), Error> {
        let set = ExampleSet::open(folder)?;
        self.corpora.insert(set.checksum().to_owned(), Source::Folder(folder.to_path_buf()));
        let id = set.checksum().to_owned();
        Ok((CorpusInput { id, max_length: set.settings().max_length }, *set.settings()))
    }

    /// The examples of `text`: a hash of its bytes and of all that decides what becomes of them identifies them.
    pub(super) fn text(&mut self, text: Text, words: &Words, settings: &ExampleSettings) -> Result<CorpusInput, Error> {
        settings.check()?;
        let id = self.key(&text, words, settings)?;
        let source = Source::Text { text: Box::new(text), words: Box::new(words.clone()), settings: *settings };
        self.corpora.insert(id.clone(), source);
        Ok(CorpusInput { id, max_length: settings.max_length })
    }

    /// A model that learns from `corpus`, which the experiment names at `key`, or is evaluated on it.
    pub(super) fn learner(
        &mut self,
        key: &str,
        corpus: &CorpusInput,
        words: &Words,
        (architecture, loss): (Architecture, LmLoss),
    ) {
        let (key, corpus) = (key.to_owned(), corpus.id.clone());
        let vocabulary_sha256 = words.tokenizer.vocabulary.sha256().to_owned();
        self.learners.push(Learner { key, corpus, architecture, vocabulary_sha256, loss });
    }

    /// Where the corpora are and how large they are, by what identifies them; text is prepared in the folder of runs
    /// `runs` when it is not there, or its size is estimated where nothing may be kept.
    pub(super) fn prepare(
        &self,
        experiment: &Pretraining,
        runs: &Path,
        access: Access<'_>,
    ) -> Result<(BTreeMap<String, PreparedCorpus>, Sizes), Error> {
        let (mut places, mut sizes) = (BTreeMap::new(), Sizes::default());
        let mut is_estimate = false;
        for (id, source) in &self.corpora {
            let set = match source {
                Source::Folder(folder) => ExampleSet::open(folder)?,
                Source::Text { text, words, settings } => {
                    let place = runs.join(CORPORA).join(id);
                    match ExampleSet::open(&place) {
                        Ok(found) => found,
                        Err(_) if access.scratch.is_some() => {
                            sizes.corpora.insert(id.clone(), estimate(text, settings)?);
                            is_estimate = true;
                            continue;
                        }
                        Err(_) => prepared(&place, text, words, settings, access.progress)?,
                    }
                }
            };
            for learner in self.learners.iter().filter(|learner| learner.corpus == *id) {
                let Learner { architecture, vocabulary_sha256, loss, .. } = learner;
                corpus_fits(architecture, vocabulary_sha256, *loss, &set).map_err(|found| Diagnostic {
                    hint: found.hint,
                    ..experiment.base.finding(&learner.key, format!("{}: {}", set.folder().display(), found.message))
                })?;
            }
            sizes.corpora.insert(id.clone(), size(&set)?);
            let (folder, checksum) = (set.folder().to_path_buf(), set.checksum().to_owned());
            places.insert(id.clone(), PreparedCorpus { folder, checksum });
        }
        if is_estimate {
            let name = &experiment.base.name;
            access.progress.note(&format!(
                "the text of `{name}` is not prepared yet: its times are a forecast from the size of the files, as if \
                 every example were full (`bertbench check` prepares the text)"
            ));
        }
        Ok((places, sizes))
    }

    /// A hash of the text's bytes and of all that decides what becomes of them.
    fn key(&mut self, text: &Text, words: &Words, settings: &ExampleSettings) -> Result<String, Error> {
        let mut hasher = blake3::Hasher::new();
        let CorpusOptions { format, column, documents, bad_bytes } = &text.options;
        let settings = serde_json::to_string(settings).map_err(std::io::Error::from)?;
        let (sha256, lower_case) = (words.tokenizer.vocabulary.sha256(), words.tokenizer.lower_case);
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

/// The examples of `text` in the folder `place`, which are prepared when they are not there.
fn prepared(
    place: &Path,
    text: &Text,
    words: &Words,
    settings: &ExampleSettings,
    progress: &dyn Progress,
) -> Result<ExampleSet, Error> {
    let folder = place.parent().unwrap_or(place);
    std::fs::create_dir_all(folder)?;
    // Processes that start together need the same corpus: one prepares it, the others wait and open it.
    let _lock = atomic::lock(&place.with_extension("lock"))?;
    if let Ok(found) = ExampleSet::open(place) {
        return Ok(found);
    }
    atomic::clean(folder)?;
    let (length, shown) = (settings.max_length, place.display());
    progress.line(&format!("preparing examples of up to {length} tokens in {shown}"));
    let tokenizer = Tokenizer::new(&words.tokenizer.vocabulary, words.tokenizer.lower_case)?;
    let mut corpus = Corpus::open(&text.files, text.options.clone())?;
    let by = TokenizedBy { vocabulary: &words.tokenizer.vocabulary, tokenizer: &tokenizer };
    let made = prepare(&mut corpus, by, settings, place, &|_| {})?;
    let (examples, documents, tokens) = (made.examples, made.counts.documents, made.counts.tokens);
    progress.line(&format!("{examples} examples of {documents} documents, {tokens} tokens"));
    for (name, count) in made.remarks.iter().filter(|(_, count)| **count > 0) {
        progress.note(&format!("{count} {name}"));
    }
    Ok(ExampleSet::open(place)?)
}

fn hash_of(file: &Path) -> Result<blake3::Hash, Error> {
    let mut hasher = blake3::Hasher::new();
    File::open(file)
        .and_then(|open| hasher.update_reader(open).map(|_| ()))
        .map_err(|error| Diagnostic::new(error.to_string()).in_file(file))?;
    Ok(hasher.finalize())
}

/// How much there is in a prepared corpus.
fn size(set: &ExampleSet) -> Result<CorpusSize, ExamplesError> {
    let stride = (set.len() / SAMPLE).max(1);
    let sample: Vec<(u64, u64)> = (0..set.len().min(SAMPLE)).map(|number| (number * stride, 0)).collect();
    let tokens: usize = set.examples(&sample)?.iter().map(|example| example.ids.len()).sum();
    Ok(CorpusSize { examples: set.len(), mean_length: tokens as f64 / sample.len().max(1) as f64 })
}

/// About as much as there will be in the examples of `text`: they are full, and a token has so many bytes.
fn estimate(text: &Text, settings: &ExampleSettings) -> Result<CorpusSize, Error> {
    let mut bytes = 0;
    for file in &text.files {
        bytes += std::fs::metadata(file).map_err(|error| Diagnostic::new(error.to_string()).in_file(file))?.len();
    }
    let length = u64::from(settings.max_length);
    let examples = (bytes / BYTES_PER_TOKEN / length.max(1)).max(1) * u64::from(settings.dupe_factor);
    Ok(CorpusSize { examples, mean_length: length as f64 })
}

/// Whether `paths` are one folder that `corpus prepare` wrote.
pub(super) fn prepared_folder(paths: &[PathBuf]) -> Option<&Path> {
    match paths {
        [folder] if folder.join(MANIFEST).is_file() => Some(folder),
        _ => None,
    }
}
