//! A corpus → a folder that examples are read from.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::ExamplesError;
use super::manifest::{CorpusCounts, MANIFEST, Manifest, VOCABULARY};
use super::passages::PassageSource;
use super::plan::{self, RECORD};
use super::sealed::SealedWriter;
use super::settings::{ExampleSettings, Segments};
use super::tokenise::tokenise;
use super::tokens::{SIZES, Sizes, TokenStore, TokenWriter};
use crate::diagnostic::Diagnostic;
use crate::store::atomic;
use crate::text::{Tokenizer, Vocabulary};

/// What there is to say of documents that all have one sentence.
const ONE_SENTENCE: &str = "documents, and each has one sentence: none has a next one, so every next sentence is random (a blank line ends a document)";

/// How far the preparation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrepareProgress {
    /// Text is being tokenised.
    Tokenising {
        /// Bytes of text so far.
        bytes: u64,
        /// Tokens so far.
        tokens: u64,
    },
    /// Examples are being planned.
    Planning {
        /// Examples so far.
        examples: u64,
    },
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrepareSummary {
    /// What the corpus holds.
    pub counts: CorpusCounts,
    /// What the source had to say: counts by name.
    pub remarks: BTreeMap<String, u64>,
    /// The examples of all times that the corpus was gone through.
    pub examples: u64,
    /// BLAKE3 over everything: the same input, vocabulary and settings give the same.
    pub checksum: String,
}

/// What makes numbers of text.
#[derive(Clone, Copy)]
pub struct TokenizedBy<'a> {
    /// The tokens; they are kept with the corpus.
    pub vocabulary: &'a Vocabulary,
    /// The tokenizer over them.
    pub tokenizer: &'a Tokenizer,
}

/// Whether a prepared corpus can be written to the folder `out` without loss; one that is there is lost where `replace` is
/// set.
///
/// # Errors
/// When something else is there.
pub fn check_output_folder(out: &Path, replace: bool) -> Result<(), ExamplesError> {
    let parent = atomic::parent(out);
    std::fs::create_dir_all(parent)?;
    // What a run that was killed left behind.
    atomic::clean(parent)?;
    let entries = match std::fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Diagnostic::new(error.to_string()).in_file(out).into()),
    };
    let is_corpus = out.join(MANIFEST).is_file();
    let hint = match (entries, is_corpus, replace) {
        (false, ..) | (true, true, true) => return Ok(()),
        (true, true, false) => "`--replace` replaces it",
        (true, false, _) => "name a folder that does not exist yet",
    };
    let what = if is_corpus { "a prepared corpus already exists" } else { "the folder is not empty" };
    Err(Diagnostic::new(what).in_file(out).hint(hint).into())
}

/// Tokenises `source` once and plans the examples, in a folder that appears at `out` when it is whole; a folder
/// that was there is replaced. Memory holds 4 bytes for each document, and a few megabytes for each thread.
/// The same input gives the same bytes, whatever the number of threads.
///
/// # Errors
/// Settings that make no examples; what is wrong with the input; no text at all; pairs of one document only; a
/// disk that cannot be written.
pub fn prepare(
    source: &mut (impl PassageSource + Send),
    by: TokenizedBy<'_>,
    settings: &ExampleSettings,
    out: &Path,
    said: &(dyn Fn(PrepareProgress) + Sync),
) -> Result<PrepareSummary, ExamplesError> {
    settings.check()?;
    fits_vocabulary(settings, by.vocabulary)?;
    let folder = atomic::stage_folder(out)?;
    let written = write(source, by, settings, (&folder, SIZES), said);
    let summary = match written {
        Ok(summary) => summary,
        Err(error) => {
            // The error says more than a left-over that cannot be removed, which the next `clean` finds.
            let _ = std::fs::remove_dir_all(&folder);
            return Err(error);
        }
    };
    atomic::publish_folder(&folder, out)?;
    Ok(summary)
}

/// Everything but the folder's final name.
pub(super) fn write(
    source: &mut (impl PassageSource + Send),
    by: TokenizedBy<'_>,
    settings: &ExampleSettings,
    (folder, sizes): (&Path, Sizes),
    said: &(dyn Fn(PrepareProgress) + Sync),
) -> Result<PrepareSummary, ExamplesError> {
    let mut manifest = new_manifest(by, folder)?;
    let mut writer = TokenWriter::new(folder, manifest.width, sizes);
    let (bytes, tokens) = (AtomicU64::new(0), AtomicU64::new(0));
    let add = |to: &AtomicU64, more: u64| to.fetch_add(more, Ordering::Relaxed) + more;
    let tokenised = |more_bytes, more_tokens| {
        let (bytes, tokens) = (add(&bytes, more_bytes), add(&tokens, more_tokens));
        said(PrepareProgress::Tokenising { bytes, tokens });
    };
    tokenise(source, by.tokenizer, &mut writer, &tokenised)?;
    (manifest.shards, manifest.counts) = writer.finish()?;
    manifest.settings = *settings;
    manifest.remarks = source.remarks();
    enough(&manifest.counts, settings)?;
    let CorpusCounts { documents, sentences, .. } = manifest.counts;
    if settings.segments == Segments::Pairs && sentences == documents {
        manifest.remarks.insert(ONE_SENTENCE.to_owned(), documents);
    }
    let store = TokenStore::open(folder, &manifest)?;
    manifest.plans = plan::write(&store, settings, folder, &|examples| said(PrepareProgress::Planning { examples }))?;
    manifest.write(folder)?;
    let examples: u64 = manifest.plans.iter().map(|plan| plan.bytes / RECORD as u64).sum();
    if examples == 0 {
        return Err(Diagnostic::new("no document of the corpus has two tokens, so no token has a next one").into());
    }
    let checksum = manifest.checksum()?;
    Ok(PrepareSummary { counts: manifest.counts, remarks: manifest.remarks, examples, checksum })
}

fn new_manifest(by: TokenizedBy<'_>, folder: &Path) -> io::Result<Manifest> {
    let (size, lower_case) = (by.vocabulary.len(), by.tokenizer.lower_case());
    let manifest = |vocabulary| Manifest::new(vocabulary, by.vocabulary.sha256(), size, lower_case);
    if let Some(files) = by.vocabulary.byte_pair_files() {
        let [vocabulary, merges] = files.map(|(name, bytes)| {
            let mut file = SealedWriter::create(folder, name.to_owned())?;
            file.write(bytes)?;
            file.finish()
        });
        let mut manifest = manifest(vocabulary?);
        manifest.merges = Some(merges?);
        return Ok(manifest);
    }
    let mut vocabulary = SealedWriter::create(folder, VOCABULARY.to_owned())?;
    for id in 0..by.vocabulary.len() as u32 {
        vocabulary.write(by.vocabulary.token(id).unwrap_or_default().as_bytes())?;
        vocabulary.write(b"\n")?;
    }
    Ok(manifest(vocabulary.finish()?))
}

/// Refuses special tokens in examples of a GPT, which knows none before it is fine-tuned.
fn fits_vocabulary(settings: &ExampleSettings, vocabulary: &Vocabulary) -> Result<(), Diagnostic> {
    if !vocabulary.is_byte_pair() || settings.segments == Segments::Contiguous {
        return Ok(());
    }
    let message = "a GPT's vocabulary has no special tokens to put around segments";
    Err(Diagnostic::new(message).hint("`--segments contiguous --causal-lm` makes examples of text alone"))
}

/// Whether examples can be made of so much text.
fn enough(counts: &CorpusCounts, settings: &ExampleSettings) -> Result<(), Diagnostic> {
    match (counts.documents, settings.segments) {
        (0, _) => Err(Diagnostic::new("the corpus has no text")),
        (1, Segments::Pairs) => Err(Diagnostic::new("the corpus is one document, and next-sentence prediction needs \
                                                     a segment of another one")
        .hint("a blank line ends a document in text with one sentence per line; `--documents blank-line` ends them so in running text; `--segments single` makes examples without next sentences")),
        _ => Ok(()),
    }
}
