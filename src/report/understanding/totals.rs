//! How often two models are right together and apart.

use super::sides::Sides;
use crate::report::Error;
use crate::report::answers::{all, score};
use crate::report::block::{Block, Fact};
use crate::report::phrase::{grouped, percent};
use crate::store::Answers;

/// Examples by which model is right; of scores, by which is nearer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Wrong by the reference, right by the other; of scores, nearer by the other.
    pub(crate) gained: usize,
    /// Right by the reference, wrong by the other; of scores, nearer by the reference.
    pub(crate) lost: usize,
    /// Right by both; of scores, as near by both.
    pub(crate) both: usize,
    /// Wrong by both.
    pub(crate) neither: usize,
}

impl Totals {
    /// Of all examples of a pair.
    pub(crate) fn of(pair: &Sides<'_>) -> Self {
        let mut totals = Self::default();
        for at in 0..pair.len() {
            match change(pair, at) {
                Change::Gained => totals.gained += 1,
                Change::Lost => totals.lost += 1,
                Change::None if pair.is_right(0, at) == Some(false) => totals.neither += 1,
                Change::None => totals.both += 1,
            }
        }
        totals
    }
}

/// What becomes of an example from the reference to the other model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It gets right, or its score nearer.
    Gained,
    /// It gets wrong, or its score farther.
    Lost,
    None,
}

impl Change {
    /// In words, of right answers or of scores.
    pub(super) fn words(self, pair: &Sides<'_>) -> &'static str {
        let has_scores = pair.residual(0, 0).is_some();
        match (self, has_scores) {
            (Self::Gained, false) => "wrong → right",
            (Self::Lost, false) => "right → wrong",
            (Self::Gained, true) => "nearer",
            (Self::Lost, true) => "farther",
            (Self::None, _) => "no change",
        }
    }
}

pub(super) fn change(pair: &Sides<'_>, at: usize) -> Change {
    let ordering = match (pair.residual(0, at), pair.residual(1, at)) {
        (Some(a), Some(b)) => a.abs().total_cmp(&b.abs()),
        _ => pair.is_right(1, at).cmp(&pair.is_right(0, at)),
    };
    match ordering {
        std::cmp::Ordering::Greater => Change::Gained,
        std::cmp::Ordering::Less => Change::Lost,
        std::cmp::Ordering::Equal => Change::None,
    }
}

pub(super) fn build(of: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let score = |side: usize| {
        let value = score(of.answers[side], &of.metric.metric, &all(of.answers[side]));
        Fact::plain(of.labels[side], of.metric.unit.shown(value), of.metric.metric_name())
    };
    let mut counts = Vec::new();
    if of.is_pair() {
        let totals = Totals::of(of);
        counts.extend([(Change::Gained.words(of), totals.gained), (Change::Lost.words(of), totals.lost)]);
        if of.residual(0, 0).is_none() {
            counts.extend([("right by both", totals.both), ("wrong by both", totals.neither)]);
        }
    } else if let Some(right) = of.all_right(0) {
        let count = right.iter().filter(|right| **right).count();
        counts.extend([("right", count), ("wrong", right.len() - count)]);
    }
    let counts = counts.into_iter().map(|(label, count)| {
        let share = format!("{} of the examples", percent(count as f64 / of.len() as f64));
        Fact::plain(label, grouped(count as u64), share)
    });
    let facts = of.sides().map(score).chain(counts).collect();
    let examples = grouped(of.len() as u64);
    let text = match (&of.labels[..], of.answers[0]) {
        ([a, b], Answers::Scores { .. }) => format!(
            "From {a}, the reference, to {b}, on {examples} examples. A prediction is nearer when it lies closer to the gold \
             score than the other model's."
        ),
        ([a, b], _) => format!("From {a}, the reference, to {b}, on {examples} examples. {}", what_is_right(of)),
        (labels, _) => format!("{} on {examples} examples. {}", labels[0], what_is_right(of)),
    };
    let mut blocks = vec![Block::Facts(facts), Block::paragraph(text.trim_end())];
    blocks.extend(why_no_texts(of));
    Ok(blocks)
}

/// When an example is right, where that is not plain.
fn what_is_right(of: &Sides<'_>) -> &'static str {
    match of.answers[0] {
        Answers::Tags { .. } => "A sentence is right when all its entities are, and no other was predicted.",
        Answers::Spans { .. } => "A question is right when its answer is an annotator's, word for word.",
        Answers::Scores { .. } | Answers::Classes { .. } => "",
    }
}

fn why_no_texts(of: &Sides<'_>) -> Option<Block> {
    (of.examples.is_none() && !matches!(of.answers[0], Answers::Tags { .. })).then(|| {
        Block::paragraph(
            "The texts are not shown: they are not in the copy of the runs that this report was made from, or the data \
             changed while the runs were at work.",
        )
    })
}
