//! How often two models are right together and apart.

use super::sides::Sides;
use crate::report::Error;
use crate::report::answers::{all, score};
use crate::report::block::{Block, Fact, Tone};
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
    /// Neither.
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

/// What becomes of an example.
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

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    if !pair.is_pair() {
        return Ok(of_one(pair));
    }
    let totals = Totals::of(pair);
    let share = |count: usize| format!("{} of the examples", percent(count as f64 / pair.len() as f64));
    let fact =
        |label: &str, value: String, detail: String| Fact { label: label.to_owned(), value, detail, tone: Tone::Plain };
    let side = |side: usize| {
        let value = score(pair.answers[side], &pair.metric.metric, &all(pair.answers[side]));
        fact(pair.labels[side], pair.metric.unit.shown(value), pair.metric.metric_name())
    };
    let counted = |label: &str, count: usize| fact(label, grouped(count as u64), share(count));
    let mut facts: Vec<Fact> = pair.sides().map(side).collect();
    facts.push(counted(Change::Gained.words(pair), totals.gained));
    facts.push(counted(Change::Lost.words(pair), totals.lost));
    if pair.residual(0, 0).is_none() {
        facts.push(counted("right by both", totals.both));
        facts.push(counted("wrong by both", totals.neither));
    }
    let (a, b) = (pair.labels[0], pair.labels[1]);
    let what = match pair.answers[0] {
        Answers::Scores { .. } => {
            "A prediction is nearer when it lies closer to the gold score than the other model's."
        }
        Answers::Tags { .. } | Answers::Spans { .. } | Answers::Classes { .. } => what_is_right(pair),
    };
    let text = format!("From {a}, the reference, to {b}, on {} examples. {what}", grouped(pair.len() as u64));
    let mut blocks = vec![Block::Facts { facts }, Block::paragraph(text.trim_end())];
    blocks.extend(why_no_texts(pair));
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

/// The score of one model, and how often it is right.
fn of_one(of: &Sides<'_>) -> Vec<Block> {
    let value = score(of.answers[0], &of.metric.metric, &all(of.answers[0]));
    let fact =
        |label: &str, value: String, detail: String| Fact { label: label.to_owned(), value, detail, tone: Tone::Plain };
    let mut facts = vec![fact(of.labels[0], of.metric.unit.shown(value), of.metric.metric_name())];
    let right = (0..of.len()).map(|at| of.is_right(0, at)).collect::<Option<Vec<_>>>();
    if let Some(right) = right {
        let count = right.iter().filter(|right| **right).count();
        for (label, count) in [("right", count), ("wrong", right.len() - count)] {
            let share = format!("{} of the examples", percent(count as f64 / right.len() as f64));
            facts.push(fact(label, grouped(count as u64), share));
        }
    }
    let text = format!("{} on {} examples. {}", of.labels[0], grouped(of.len() as u64), what_is_right(of));
    let mut blocks = vec![Block::Facts { facts }, Block::paragraph(text.trim_end())];
    blocks.extend(why_no_texts(of));
    blocks
}
