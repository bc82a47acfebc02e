//! Passages → token files, on all threads, in the order of the input.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::prelude::*;

use super::error::ExamplesError;
use super::passages::{PassageKind, PassageSource, Passages, Step};
use super::sentences::split_sentences;
use super::tokens::{TokenWriter, Tokenised};
use super::words::WordCache;
use crate::diagnostic::Diagnostic;
use crate::text::Tokenizer;

/// Tokenises all of `source` into `writer`; after each piece `said` gets the bytes of text and the tokens in it.
/// The result depends neither on the number of threads nor on how the source cuts its blocks.
pub(super) fn tokenise(
    source: &mut (impl PassageSource + Send),
    tokenizer: &Tokenizer,
    writer: &mut TokenWriter<'_>,
    said: &(dyn Fn(u64, u64) + Sync),
) -> Result<(), ExamplesError> {
    let at_once = 2 * rayon::current_num_threads();
    let encoder = Encoder { tokenizer, spare: Mutex::new(Vec::new()) };
    thread::scope(|scope| {
        let (send, blocks) = sync_channel(at_once);
        scope.spawn(move || read_all(source, &send));
        let mut finished: Vec<Tokenised> = Vec::new();
        loop {
            let next = gather(&blocks, at_once)?;
            // What is done is written while the next is tokenised.
            let (written, tokenised) = rayon::join(
                || finished.iter().try_for_each(|block| writer.append(block)),
                || next.par_iter().map(|block| encoder.encode(block)).collect::<Result<Vec<_>, _>>(),
            );
            written?;
            finished = tokenised?;
            if next.is_empty() {
                return Ok(());
            }
            let bytes: usize = next.iter().map(Passages::bytes).sum();
            let tokens: usize = finished.iter().map(|block| block.ids.len()).sum();
            said(bytes as u64, tokens as u64);
        }
    })
}

/// Reads ahead as far as the channel lets it, to the end or to the first fault.
fn read_all(source: &mut impl PassageSource, send: &SyncSender<Result<Passages, Diagnostic>>) {
    while let Some(block) = source.next_block().transpose() {
        let failed = block.is_err();
        // A receiver that is gone met an error, which it reports.
        if send.send(block).is_err() || failed {
            return;
        }
    }
}

/// The next blocks, one at least unless there are no more. How many they are changes nothing but the speed.
fn gather(blocks: &Receiver<Result<Passages, Diagnostic>>, at_once: usize) -> Result<Vec<Passages>, Diagnostic> {
    let first = blocks.recv().into_iter();
    first.chain(blocks.try_iter()).take(at_once).collect()
}

/// Tokenises blocks on any thread. A cache is taken by one block at a time and then put back.
struct Encoder<'a> {
    tokenizer: &'a Tokenizer,
    spare: Mutex<Vec<WordCache<'a>>>,
}

impl Encoder<'_> {
    fn encode(&self, passages: &Passages) -> Result<Tokenised, Diagnostic> {
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = spare().pop();
        let mut cache = taken.unwrap_or_else(|| WordCache::new(self.tokenizer));
        let result = encode_with(&mut cache, passages, self.tokenizer.special().unk);
        spare().push(cache);
        result
    }
}

fn encode_with(cache: &mut WordCache<'_>, passages: &Passages, unknown: u32) -> Result<Tokenised, Diagnostic> {
    let mut into = Tokenised::default();
    for step in passages.steps() {
        match step {
            Step::DocumentEnd => into.document_ends.push(into.sentence_ends.len()),
            Step::Passage(text) => match passages.kind() {
                PassageKind::Sentence => encode_sentence(cache, text, &mut into)?,
                PassageKind::Running => {
                    let mut result = Ok(());
                    split_sentences(text, |sentence| {
                        if result.is_ok() {
                            result = encode_sentence(cache, sentence, &mut into);
                        }
                    });
                    result?;
                }
            },
        }
    }
    into.unknown_tokens = into.ids.iter().filter(|id| **id == unknown).count() as u64;
    Ok(into)
}

fn encode_sentence(cache: &mut WordCache<'_>, text: &str, into: &mut Tokenised) -> Result<(), Diagnostic> {
    let before = into.ids.len();
    cache.encode(text, &mut into.ids)?;
    if into.ids.len() > before {
        into.sentence_ends.push(into.ids.len());
    } else {
        into.empty_sentences += 1;
    }
    Ok(())
}
