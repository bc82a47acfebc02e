//! Entities by type, and what the models take them for.

use std::collections::{BTreeMap, BTreeSet};

use super::sides::Sides;
use crate::metric::{Confusion, EntityCounts, EntityScores, confusions};
use crate::report::Error;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::grouped;
use crate::report::predictions::TaggedSentence;

/// As many confusions are shown at most.
const SHOWN: usize = 20;

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let sides = pair.sides().map(|side| pair.sentences(side)).collect::<Option<Vec<_>>>();
    let Some(sides) = sides else { return Ok(Vec::new()) };
    let mut blocks = vec![Block::Table(types(pair, &sides))];
    blocks.extend(commonest(pair, &sides).map(Block::Table));
    Ok(blocks)
}

fn scores(sentences: &[TaggedSentence]) -> EntityScores {
    let mut scores = EntityScores::default();
    for sentence in sentences {
        scores.add(&sentence.gold, &sentence.predicted);
    }
    scores
}

fn types(pair: &Sides<'_>, sides: &[&[TaggedSentence]]) -> Table {
    let sides: Vec<EntityScores> = sides.iter().map(|sentences| scores(sentences)).collect();
    let kinds: BTreeSet<&String> = sides.iter().flat_map(|side| side.kinds.keys()).collect();
    let mut columns = Column::list(&["Type"], &["Gold"]);
    for what in ["precision", "recall", "F1"] {
        columns.extend(pair.labels.iter().map(|label| Column::number(&format!("{label}, {what}"))));
    }
    let row = |name: &str, of: Vec<EntityCounts>, tone: Tone| {
        let gold = of[0].gold;
        let mut row = vec![Cell::text(name).tone(tone), Cell::number(grouped(gold), gold as f64)];
        let shown = |value: f64| Cell::number(format!("{:.1}", 100.0 * value), value);
        for value in [EntityCounts::precision, EntityCounts::recall, EntityCounts::f1] {
            row.extend(of.iter().map(|side| shown(value(side))));
        }
        row
    };
    let of = |kind: &String| sides.iter().map(|side| side.kinds.get(kind).copied().unwrap_or_default()).collect();
    let mut rows: Vec<Vec<Cell>> = kinds.into_iter().map(|kind| row(kind, of(kind), Tone::Plain)).collect();
    rows.push(row("all", sides.iter().map(|side| side.overall).collect(), Tone::Quiet));
    Table { caption: "Entity types, × 100".into(), columns, rows, interactive: false }
}

fn commonest(pair: &Sides<'_>, sides: &[&[TaggedSentence]]) -> Option<Table> {
    let counted = |sentences: &&[TaggedSentence]| {
        confusions(sentences.iter().map(|sentence| (sentence.gold.as_slice(), sentence.predicted.as_slice())))
    };
    let counts: Vec<_> = sides.iter().map(counted).collect();
    let mut all: BTreeMap<&Confusion, Vec<u64>> = BTreeMap::new();
    for (side, counts) in counts.iter().enumerate() {
        for (confusion, count) in counts {
            all.entry(confusion).or_insert_with(|| vec![0; sides.len()])[side] = *count;
        }
    }
    let mut order: Vec<(&Confusion, Vec<u64>)> = all.into_iter().collect();
    order.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    let different = order.len();
    let rows: Vec<Vec<Cell>> = order
        .into_iter()
        .take(SHOWN)
        .map(|(confusion, counts)| {
            let change = |a: u64, b: u64| {
                let change = b as f64 - a as f64;
                Cell::number(format!("{change:+}").replace('-', "−").replace("+0", "0"), change)
            };
            let mut row = vec![Cell::text(words(confusion))];
            row.extend(counts.iter().map(|count| Cell::number(grouped(*count), *count as f64)));
            row.extend(counts.windows(2).map(|pair| change(pair[0], pair[1])));
            row
        })
        .collect();
    let mut columns = Column::list(&["What becomes of an entity"], &pair.labels);
    columns.extend(pair.is_pair().then(|| Column::number("Diff.")));
    let shown = if different > SHOWN {
        format!("The {SHOWN} commonest of {different} confusions")
    } else {
        "Confusions".into()
    };
    (!rows.is_empty()).then_some(Table { caption: shown, columns, rows, interactive: true })
}

/// `PER taken for ORG`.
fn words(of: &Confusion) -> String {
    match (&of.gold, &of.predicted, of.same_words) {
        (Some(gold), Some(predicted), _) if gold == predicted => format!("{gold} with other ends"),
        (Some(gold), Some(predicted), true) => format!("{gold} taken for {predicted}"),
        (Some(gold), Some(predicted), false) => format!("{gold} taken for {predicted}, with other ends"),
        (Some(gold), None, _) => format!("{gold} not found"),
        (None, Some(predicted), _) => format!("{predicted} where there is none"),
        (None, None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confusions_are_named() {
        let of = |gold: &str, predicted: &str, same_words| {
            let kind = |kind: &str| (!kind.is_empty()).then(|| kind.to_owned());
            words(&Confusion { gold: kind(gold), predicted: kind(predicted), same_words })
        };
        assert_eq!(of("PER", "ORG", true), "PER taken for ORG");
        assert_eq!(of("PER", "ORG", false), "PER taken for ORG, with other ends");
        assert_eq!(of("PER", "PER", false), "PER with other ends");
        assert_eq!(of("PER", "", false), "PER not found");
        assert_eq!(of("", "LOC", false), "LOC where there is none");
    }
}
