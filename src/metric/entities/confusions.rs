//! What became of entities that were not found as they are.

use std::collections::BTreeMap;

use super::chunks::{Entity, entities};

/// A way in which predicted entities differ from the gold ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confusion {
    /// The gold type; `None` where no gold entity is.
    pub gold: Option<String>,
    /// The predicted type; `None` where nothing was predicted.
    pub predicted: Option<String>,
    /// Whether both have the same words; of two that only overlap not.
    pub same_words: bool,
}

/// How often each confusion occurs in sentences, given as their gold and their predicted tags. A gold entity that was not
/// found is held against the predicted one that has most words in common with it, of equals the first; a predicted one that
/// has no word in common with any gold entity is held against nothing.
///
/// # Panics
/// When a sentence has other numbers of gold and predicted tags.
pub fn confusions<'a, T: AsRef<str> + 'a>(
    sentences: impl Iterator<Item = (&'a [T], &'a [T])>,
) -> BTreeMap<Confusion, u64> {
    let mut counts = BTreeMap::new();
    for (gold, predicted) in sentences {
        assert_eq!(gold.len(), predicted.len(), "one predicted tag per gold tag");
        let (gold, predicted) = (entities(gold), entities(predicted));
        for entity in gold.iter().filter(|entity| !predicted.contains(entity)) {
            let nearest = predicted.iter().filter(|other| overlap(entity, other) > 0).rev();
            let nearest = nearest.max_by_key(|other| overlap(entity, other));
            add(&mut counts, Some(entity), nearest);
        }
        for entity in predicted.iter().filter(|entity| !gold.iter().any(|other| overlap(entity, other) > 0)) {
            add(&mut counts, None, Some(entity));
        }
    }
    counts
}

fn add(counts: &mut BTreeMap<Confusion, u64>, gold: Option<&Entity<'_>>, predicted: Option<&Entity<'_>>) {
    let kind = |of: Option<&Entity<'_>>| of.map(|entity| entity.kind.to_owned());
    let words = |of: Option<&Entity<'_>>| of.map(|entity| (entity.start, entity.end));
    let same_words = words(gold) == words(predicted);
    *counts.entry(Confusion { gold: kind(gold), predicted: kind(predicted), same_words }).or_default() += 1;
}

/// Words that two entities have in common.
fn overlap(a: &Entity<'_>, b: &Entity<'_>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_entity_is_counted_by_what_became_of_it() {
        let tags = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let sentences = [
            // Right, another type, and missed.
            ("B-PER I-PER O B-LOC O B-ORG", "B-PER I-PER O B-ORG O O"),
            // Other ends of the same type, other ends and type, spurious.
            ("B-PER I-PER O B-ORG I-ORG O", "B-PER O O B-LOC O B-LOC"),
            // The longer overlap counts.
            ("B-ORG I-ORG I-ORG", "B-PER B-LOC I-LOC"),
        ]
        .map(|(gold, predicted)| (tags(gold), tags(predicted)));
        let found = confusions(sentences.iter().map(|(gold, predicted)| (&gold[..], &predicted[..])));
        let count = |gold: &str, predicted: &str, same_words| {
            let kind = |kind: &str| (!kind.is_empty()).then(|| kind.to_owned());
            found.get(&Confusion { gold: kind(gold), predicted: kind(predicted), same_words }).copied()
        };
        assert_eq!(count("LOC", "ORG", true), Some(1));
        assert_eq!(count("ORG", "", false), Some(1));
        assert_eq!(count("PER", "PER", false), Some(1));
        assert_eq!(count("ORG", "LOC", false), Some(2));
        assert_eq!(count("", "LOC", false), Some(1));
        assert_eq!(found.values().sum::<u64>(), 6);
    }
}
