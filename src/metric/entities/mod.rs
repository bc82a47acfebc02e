//! Precision, recall and F1 of whole entities: one counts when its type and both its ends are right.
//!
//! As conlleval and, in its default mode, seqeval compute them (`tests/golden/entities.py`). Nothing found and
//! nothing to find both give 0, as in the original `conlleval`.

mod chunks;
mod confusions;

use std::collections::BTreeMap;

pub use chunks::{Entity, entities};
pub use confusions::{Confusion, confusions};

/// How many entities were found, how many there are, and how many of these were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntityCounts {
    /// Predicted entities.
    pub found: u64,
    /// Gold entities, also called support.
    pub gold: u64,
    /// Entities that are both, with the same type and ends.
    pub correct: u64,
}

impl EntityCounts {
    /// The share of the predicted entities that are right; 0 when none is predicted.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.correct, self.found)
    }

    /// The share of the gold entities that were found; 0 when there is none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.correct, self.gold)
    }

    /// The harmonic mean of precision and recall; 0 when there is no entity on either side.
    #[must_use]
    pub fn f1(&self) -> f64 {
        share(2 * self.correct, self.found + self.gold)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The scores of a split, sentence by sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityScores {
    /// Over all types: the micro average.
    pub overall: EntityCounts,
    /// By type; every type that is gold or predicted anywhere.
    pub kinds: BTreeMap<String, EntityCounts>,
}

impl EntityScores {
    /// Adds a sentence: the tag of each of its words, gold and predicted.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add<G: AsRef<str>, P: AsRef<str>>(&mut self, gold: &[G], predicted: &[P]) {
        assert_eq!(gold.len(), predicted.len(), "one predicted tag per gold tag");
        let (gold, predicted) = (entities(gold), entities(predicted));
        for entity in &gold {
            self.count(entity, |counts| counts.gold += 1);
        }
        // Both are in order and each starts anew, so those of one start are found by halving.
        for entity in &predicted {
            let same = gold.binary_search_by_key(&entity.start, |gold| gold.start).is_ok_and(|at| gold[at] == *entity);
            self.count(entity, |counts| {
                counts.found += 1;
                counts.correct += u64::from(same);
            });
        }
    }

    fn count(&mut self, entity: &Entity<'_>, change: impl Fn(&mut EntityCounts)) {
        change(&mut self.overall);
        if let Some(counts) = self.kinds.get_mut(entity.kind) {
            change(counts);
        } else {
            change(self.kinds.entry(entity.kind.to_owned()).or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Two divisions of small whole numbers in another order.
    const TOLERANCE: f64 = 1e-12;

    fn cases() -> Vec<Value> {
        let golden: Value = serde_json::from_str(include_str!("../../../tests/golden/entities.json")).unwrap();
        golden["cases"].as_array().unwrap().clone()
    }

    fn sentences(text: &Value) -> Vec<Vec<&str>> {
        text.as_array().unwrap().iter().map(|tags| tags.as_str().unwrap().split_whitespace().collect()).collect()
    }

    fn agree(name: &Value, ours: &EntityCounts, theirs: &Value) {
        for (what, count) in [("found", ours.found), ("gold", ours.gold), ("correct", ours.correct)] {
            assert_eq!(Some(count), theirs[what].as_u64(), "{what}, {name}");
        }
        for (what, value) in [("precision", ours.precision()), ("recall", ours.recall()), ("f1", ours.f1())] {
            let theirs = theirs[what].as_f64().unwrap();
            assert!((value - theirs).abs() < TOLERANCE, "{what}, {name}: {value}, golden {theirs}");
        }
    }

    #[test]
    fn every_case_is_scored_as_seqeval_and_conlleval_score_it() {
        let cases = cases();
        assert!(cases.len() > 400);
        for case in &cases {
            let name = &case["case"];
            let mut scores = EntityScores::default();
            for (gold, predicted) in sentences(&case["gold"]).iter().zip(sentences(&case["predicted"])) {
                scores.add(gold, &predicted);
            }
            agree(name, &scores.overall, &case["overall"]);
            let kinds = case["kinds"].as_object().unwrap();
            assert_eq!(scores.kinds.keys().collect::<Vec<_>>(), kinds.keys().collect::<Vec<_>>(), "{name}");
            for (kind, counts) in &scores.kinds {
                agree(name, counts, &kinds[kind]);
            }
        }
    }

    #[test]
    fn every_sequence_has_the_entities_that_seqeval_finds() {
        let mut found = 0;
        for case in cases() {
            for (tags, expected) in sentences(&case["gold"]).iter().zip(case["entities"].as_array().unwrap()) {
                let ours: Vec<_> = entities(tags).iter().map(|e| (e.kind.to_owned(), e.start, e.end)).collect();
                let theirs: Vec<(String, usize, usize)> = serde_json::from_value(expected.clone()).unwrap();
                assert_eq!(ours, theirs, "{tags:?}");
                found += ours.len();
            }
        }
        assert!(found > 2000);
    }

    #[test]
    fn nothing_found_and_nothing_to_find_are_zero() {
        let mut scores = EntityScores::default();
        scores.add(&["O", "O"], &["O", "O"]);
        assert_eq!(scores.overall, EntityCounts::default());
        let counts = scores.overall;
        for value in [counts.precision(), counts.recall(), counts.f1()] {
            assert!(value.abs() < f64::EPSILON);
        }
    }

    #[test]
    #[should_panic(expected = "one predicted tag per gold tag")]
    fn sentences_of_different_lengths_are_a_mistake_of_the_caller() {
        EntityScores::default().add(&["O"], &["O", "O"]);
    }
}
