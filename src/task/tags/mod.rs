//! Tagging words: the classes of a training split, from a model's outputs to tags, and the files and tables
//! that hold them. Outputs are row-major, `[tokens, classes]`.

mod output;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use output::{kinds_tsv, predictions};

use super::score::largest;
use crate::data::Sentence;
use crate::metric::EntityScores;

/// The tag of words that are in no entity, which is class 0.
const OUTSIDE: &str = "O";

/// The tags that a model tells apart. A tag's class is its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSet {
    tags: Vec<Arc<str>>,
}

impl TagSet {
    /// The tags of a training split: `O`, then the `B` of every type in it and then the `I` of every type, in the
    /// order of their letters. Both of each type, whether or not both occur: a type that has only entities of
    /// one word there may have longer ones elsewhere.
    #[must_use]
    pub fn of(training: &[Sentence]) -> Self {
        let tags = training.iter().flat_map(|sentence| &sentence.tags);
        let kinds: BTreeSet<&str> = tags.filter_map(|tag| tag.split_once('-')).map(|(_, kind)| kind).collect();
        let of = |prefix: &'static str| kinds.iter().map(move |kind| format!("{prefix}-{kind}"));
        Self { tags: std::iter::once(OUTSIDE.to_owned()).chain(of("B")).chain(of("I")).map(Arc::from).collect() }
    }

    /// The tags of a trained model, in the order of its outputs.
    #[must_use]
    pub fn from_names<T: AsRef<str>>(names: &[T]) -> Self {
        Self { tags: names.iter().map(|name| Arc::from(name.as_ref())).collect() }
    }

    /// The tags, in the order of the classes.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.tags
    }

    /// The class of a tag; `None` for one that is not in the set, which only other splits than the training
    /// split can have.
    #[must_use]
    pub fn class(&self, tag: &str) -> Option<u32> {
        self.tags.iter().position(|known| **known == *tag).map(|class| class as u32)
    }

    /// The class of each word of a sentence; nothing when it has no tags.
    #[must_use]
    pub fn classes(&self, sentence: &Sentence) -> Vec<Option<u32>> {
        sentence.tags.iter().map(|tag| self.class(tag)).collect()
    }

    /// The predicted tag of every word of every sentence: of the class with the largest output on the word's
    /// first token. Of equal outputs the first class answers, NaN never does, and a word without outputs is `O`.
    ///
    /// `outputs` is `[tokens, classes]`; `offsets` `[sequences + 1]`, `owners` `[sequences]` and `places`
    /// `[tokens]` are those of [`WordFeatures`](crate::text::WordFeatures), built from the same sentences.
    ///
    /// # Panics
    /// When `outputs` has not one row per token, or a place is in none of the sentences.
    #[must_use]
    pub fn decode(
        &self,
        sentences: &[Sentence],
        outputs: &[f32],
        offsets: &[u64],
        owners: &[u32],
        places: &[[u32; 2]],
    ) -> Vec<Vec<Arc<str>>> {
        assert_eq!(outputs.len(), places.len() * self.tags.len(), "one row of outputs per token");
        let outside = self.tags.first().cloned().unwrap_or_else(|| OUTSIDE.into());
        let mut predicted: Vec<Vec<Arc<str>>> =
            sentences.iter().map(|sentence| vec![Arc::clone(&outside); sentence.words.len()]).collect();
        for (ends, owner) in offsets.windows(2).zip(owners) {
            for token in ends[0] as usize..ends[1] as usize {
                if let [word, 1] = places[token] {
                    let row = &outputs[token * self.tags.len()..][..self.tags.len()];
                    predicted[*owner as usize][word as usize] = Arc::clone(&self.tags[largest(row) as usize]);
                }
            }
        }
        predicted
    }
}

/// The scores of predicted tags against the sentences' own.
///
/// # Panics
/// When a sentence has not one tag and one predicted tag per word.
#[must_use]
pub fn tag_scores<T: AsRef<str>>(sentences: &[Sentence], predicted: &[Vec<T>]) -> EntityScores {
    assert_eq!(sentences.len(), predicted.len(), "predictions for every sentence");
    let mut scores = EntityScores::default();
    for (sentence, predicted) in sentences.iter().zip(predicted) {
        scores.add(&sentence.tags, predicted);
    }
    scores
}

#[cfg(test)]
mod tests;
