//! Features of sentences that are words already, each of which is to get a class: named-entity recognition.
//!
//! A word's class is predicted from its first token (Devlin et al. 2018, §5.3). Sentences that are too long are
//! divided rather than cut, so that every word is predicted exactly once.

mod pieces;
mod window;

use std::ops::Range;

use rayon::prelude::*;

use self::pieces::Pieces;
use self::window::{parts, window};
use super::features::{NO_OFFSET, Parts};
use super::tokenizer::Tokenizer;
use crate::diagnostic::Diagnostic;
use crate::settings::Context;

/// Tokens of each sequence that are no word's: `[CLS]` and `[SEP]`.
const ADDED: usize = 2;

/// A sentence as features are built from it.
#[derive(Clone, Copy, Debug)]
pub struct WordSentence<'a> {
    /// Its words.
    pub words: &'a [String],
    /// The class of each word, `None` where it has none that the model knows; or nothing at all when no word
    /// has one.
    pub classes: &'a [Option<u32>],
    /// The document that it belongs to; sentences of one document follow each other.
    pub document: u32,
}

impl Parts {
    /// Sequences `[CLS]`, context, words, context, `[SEP]` in the order of the sentences that they, or parts of them, are
    /// there for. Every word is tokenised by itself on all threads; one of which the tokeniser leaves nothing, such as a
    /// space, becomes `[UNK]`. Context is, of [`Context::Sentence`], what fits of the other parts of a divided sentence; of
    /// [`Context::Document`], as many words of the same document before and after as fit: "the maximal document context
    /// provided by the data" (Devlin et al. 2018, §5.3). No sequence is longer than `max_length` tokens, `[CLS]` and `[SEP]` included. The
    /// result does not depend on the number of threads.
    ///
    /// Labels are the class of a word on its first token, and NaN everywhere else and where a word has no class.
    /// `offset_mapping` has, of the tokens of a sequence's own words, the word's index in its sentence, and 1 on the first
    /// token and 0 on the others. All tokens are of segment 0. Truncated are words that alone are longer than a sequence,
    /// which kept their beginning.
    ///
    /// # Errors
    /// A `max_length` that leaves no token of a word; a failure of the tokeniser.
    ///
    /// # Panics
    /// When a sentence has classes, but not one per word.
    pub fn of_words(
        tokenizer: &Tokenizer,
        sentences: &[WordSentence<'_>],
        max_length: u32,
        context: Context,
    ) -> Result<Self, Diagnostic> {
        let room = (max_length as usize).saturating_sub(ADDED);
        if room == 0 {
            return Err(Diagnostic::new(format!("a max_length of {max_length} leaves no token of a word"))
                .hint(format!("{ADDED} tokens of each sequence are [CLS] and [SEP]")));
        }
        let pieces = Pieces::new(tokenizer, sentences.iter().map(|sentence| sentence.words), room)?;
        let special = tokenizer.special();
        let built: Vec<Self> = stretches(sentences, context)
            .into_par_iter()
            .zip(sentences)
            .enumerate()
            .map(|(owner, ((own, scope), sentence))| {
                let classes = sentence.classes;
                assert!(classes.is_empty() || classes.len() == own.len(), "a class per word");
                let mut features = Self::default();
                for part in parts(&pieces, own.clone(), room) {
                    let shown = window(&pieces, part.clone(), scope.clone(), room);
                    features.source_index.push(owner as u32);
                    features.push(special.cls, f32::NAN, NO_OFFSET);
                    for word in shown {
                        let index = part.contains(&word).then(|| word - own.start);
                        let class = index.and_then(|index| *classes.get(index)?);
                        features.push_word(pieces.of(word), index, class);
                    }
                    features.push(special.end, f32::NAN, NO_OFFSET);
                    features.offsets.push(features.ids.len() as u64);
                }
                features
            })
            .collect();
        Ok(Self { truncated: pieces.cut(), ..Self::concatenated(built) })
    }

    /// The tokens of a word: of the sequence's own with its `index` in the sentence, or of the context.
    fn push_word(&mut self, ids: &[u32], index: Option<usize>, class: Option<u32>) {
        for (at, id) in ids.iter().enumerate() {
            let place = index.map_or(NO_OFFSET, |index| [index as u32, u32::from(at == 0)]);
            // Some dozen classes: exact in f32.
            let label = class.filter(|_| at == 0).map_or(f32::NAN, |class| class as f32);
            self.push(*id, label, place);
        }
    }

    fn push(&mut self, id: u32, label: f32, place: [u32; 2]) {
        self.ids.push(id);
        self.labels.push(label);
        self.offset_mapping.push(place);
    }

    fn concatenated(sentences: Vec<Self>) -> Self {
        let tokens = sentences.iter().map(|sentence| sentence.ids.len()).sum();
        let mut all = Self { offsets: vec![0], ..Self::default() };
        all.ids.reserve(tokens);
        all.labels.reserve(tokens);
        all.offset_mapping.reserve(tokens);
        for sentence in sentences {
            let before = all.ids.len() as u64;
            all.offsets.extend(sentence.offsets.iter().map(|end| before + end));
            all.source_index.extend(sentence.source_index);
            all.ids.extend(sentence.ids);
            all.labels.extend(sentence.labels);
            all.offset_mapping.extend(sentence.offset_mapping);
        }
        all.segments = vec![0; tokens];
        all
    }
}

/// For each sentence, its own words and those that its sequences may show, as ranges over the words of all
/// sentences.
fn stretches(sentences: &[WordSentence<'_>], context: Context) -> Vec<(Range<usize>, Range<usize>)> {
    let mut stretches = Vec::with_capacity(sentences.len());
    let mut end = 0;
    for document in sentences.chunk_by(|a, b| a.document == b.document) {
        let whole = end..end + document.iter().map(|sentence| sentence.words.len()).sum::<usize>();
        for sentence in document {
            let own = end..end + sentence.words.len();
            end = own.end;
            let scope = match context {
                Context::Sentence => own.clone(),
                Context::Document => whole.clone(),
            };
            stretches.push((own, scope));
        }
    }
    stretches
}

#[cfg(test)]
mod tests;
