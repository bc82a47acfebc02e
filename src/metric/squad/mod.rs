//! SQuAD's exact match and F1, digit for digit those of the official `evaluate-v1.1.py` and `evaluate-v2.0.py`:
//! float64, summed in the order of the questions. (From Python 3.12 on `sum` compensates its rounding, so that
//! `evaluate-v2.0.py` there may differ from itself, and from us, in the last digit. Version 1.1 adds by hand.)

mod normalize;

use std::cmp::Ordering;
use std::collections::HashMap;

pub use normalize::normalize;

/// A question's prediction and what it is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<'a> {
    /// The predicted text; empty when the paragraph is taken not to answer. `None` when nothing was predicted.
    pub prediction: Option<&'a str>,
    /// The annotators' answers; none for an impossible question.
    pub references: Vec<&'a str>,
}

/// Sums over questions, each of which scores from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// The questions whose prediction equals an answer, after [`normalize()`].
    pub exact: f64,
    /// The sum of F1 over the words that prediction and answer share, for the answer where it is largest.
    pub f1: f64,
    /// The number of questions.
    pub total: u64,
}

/// What `evaluate-v2.0.py` reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tallies {
    /// All predicted questions.
    pub all: Tally,
    /// Those with answers; `None` when the set has none. (The script stops when such a question has no prediction;
    /// here it is left out, as it is of `all`.)
    pub has_answer: Option<Tally>,
    /// Those without answers, in the same way.
    pub no_answer: Option<Tally>,
    /// The best that a threshold could do; `None` without odds.
    pub best: Option<BestThresholds>,
}

/// The thresholds of the odds above which an empty prediction would have scored best, chosen by the gold answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestThresholds {
    /// The sum of exact matches.
    pub exact: f64,
    /// The threshold for it.
    pub exact_threshold: f64,
    /// The sum of F1.
    pub f1: f64,
    /// The threshold for it.
    pub f1_threshold: f64,
    /// The number of questions in either sum.
    pub total: u64,
}

/// How likely each question is to have no answer, in any unit.
#[derive(Clone, Copy, Debug)]
pub struct NullOdds<'a> {
    /// One per question. NaN counts as more than any number where questions are ordered.
    pub odds: &'a [f64],
    /// Above it, a prediction is taken for empty. `evaluate-v2.0.py` has 1.0 when it is told nothing.
    pub threshold: f64,
}

impl Tally {
    /// Exact match in percent: the digits that the official scripts print. NaN without questions.
    #[must_use]
    pub fn exact_percent(&self) -> f64 {
        percent(self.exact, self.total)
    }

    /// F1 in percent: the digits that the official scripts print. NaN without questions.
    #[must_use]
    pub fn f1_percent(&self) -> f64 {
        percent(self.f1, self.total)
    }

    /// Exact match as a fraction. 100 times as much may differ from [`Tally::exact_percent`] in the 16th digit:
    /// not every percentage is 100 times a float64.
    #[must_use]
    pub fn exact_fraction(&self) -> f64 {
        self.exact / self.total as f64
    }

    /// F1 as a fraction, as [`Tally::exact_fraction`].
    #[must_use]
    pub fn f1_fraction(&self) -> f64 {
        self.f1 / self.total as f64
    }

    fn of(scores: impl IntoIterator<Item = Score>) -> Self {
        scores.into_iter().fold(Self::default(), |sum, score| Self {
            exact: sum.exact + score.exact,
            f1: sum.f1 + score.f1,
            total: sum.total + 1,
        })
    }
}

impl BestThresholds {
    /// The best exact match in percent.
    #[must_use]
    pub fn exact_percent(&self) -> f64 {
        percent(self.exact, self.total)
    }

    /// The best F1 in percent.
    #[must_use]
    pub fn f1_percent(&self) -> f64 {
        percent(self.f1, self.total)
    }
}

/// In the official scripts' order of operations, which decides the last digit.
fn percent(sum: f64, total: u64) -> f64 {
    100.0 * sum / total as f64
}

/// The scores of version 1.1. A question without prediction scores 0, as does one without references, which the
/// script cannot judge.
#[must_use]
pub fn score_v1(judged: &[Judged<'_>]) -> Tally {
    Tally::of(judged.iter().map(|one| match one.prediction {
        None => Score::default(),
        Some(prediction) => Score::best(prediction, &one.references, f1_v1),
    }))
}

/// Exact match (1 or 0) and F1 of each question, whose means are those of [`score_v1`] or, for a set in which questions
/// may have no answer, of [`score_v2`] without odds. A question without prediction scores 0.
#[must_use]
pub fn question_scores(judged: &[Judged<'_>], may_be_unanswerable: bool) -> Vec<(u8, f64)> {
    let score = |one: &Judged<'_>| match (may_be_unanswerable, one.prediction) {
        (true, _) => one.score_v2().unwrap_or_default(),
        (false, Some(prediction)) => Score::best(prediction, &one.references, f1_v1),
        (false, None) => Score::default(),
    };
    judged.iter().map(score).map(|score| (u8::from(score.exact > 0.5), score.f1)).collect()
}

/// The scores of version 2.0. A question without prediction is left out of every sum.
///
/// # Panics
/// When there are odds, but not one per question.
#[must_use]
pub fn score_v2(judged: &[Judged<'_>], null_odds: Option<NullOdds<'_>>) -> Tallies {
    let raw: Vec<Option<Score>> = judged.iter().map(Judged::score_v2).collect();
    let mut kept = raw.clone();
    if let Some(NullOdds { odds, threshold }) = null_odds {
        assert_eq!(odds.len(), judged.len(), "one odds per question");
        for ((score, one), odds) in kept.iter_mut().zip(judged).zip(odds) {
            if *odds > threshold {
                let right = f64::from(u8::from(!one.has_answer()));
                *score = score.map(|_| Score { exact: right, f1: right });
            }
        }
    }
    let part = |has_answer: bool| {
        let mine = |one: &Judged<'_>| one.has_answer() == has_answer;
        let scores = kept.iter().zip(judged).filter(|(_, one)| mine(one)).filter_map(|(score, _)| *score);
        judged.iter().any(mine).then(|| Tally::of(scores))
    };
    Tallies {
        all: Tally::of(kept.iter().filter_map(|score| *score)),
        has_answer: part(true),
        no_answer: part(false),
        best: null_odds.map(|NullOdds { odds, .. }| best_thresholds(judged, &raw, odds)),
    }
}

/// The scores of one prediction.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    exact: f64,
    f1: f64,
}

impl Score {
    /// The largest of each over the references; 0 without any.
    fn best(prediction: &str, references: &[&str], f1: fn(&[&str], &[&str]) -> f64) -> Self {
        let predicted = normalize(prediction);
        let words = words_of(&predicted);
        references.iter().map(|reference| normalize(reference)).fold(Self::default(), |best, gold| Self {
            exact: best.exact.max(f64::from(u8::from(gold == predicted))),
            f1: best.f1.max(f1(&words, &words_of(&gold))),
        })
    }
}

impl Judged<'_> {
    /// Whether there is an answer, be it one that normalises to nothing.
    fn has_answer(&self) -> bool {
        !self.references.is_empty()
    }

    fn score_v2(&self) -> Option<Score> {
        let told = |reference: &&str| !normalize(reference).is_empty();
        let mut references: Vec<&str> = self.references.iter().copied().filter(told).collect();
        if references.is_empty() {
            references.push("");
        }
        self.prediction.map(|prediction| Score::best(prediction, &references, f1_v2))
    }
}

fn words_of(normalized: &str) -> Vec<&str> {
    normalized.split(' ').filter(|word| !word.is_empty()).collect()
}

/// The harmonic mean of the share of predicted words that are gold and the share of gold words that are predicted,
/// each word as often as it stands on both sides.
fn f1_v1(predicted: &[&str], gold: &[&str]) -> f64 {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in gold {
        *counts.entry(word).or_default() += 1;
    }
    let mut same = 0;
    for word in predicted {
        if let Some(left) = counts.get_mut(word).filter(|left| **left > 0) {
            *left -= 1;
            same += 1;
        }
    }
    if same == 0 {
        return 0.0;
    }
    let precision = f64::from(same) / predicted.len() as f64;
    let recall = f64::from(same) / gold.len() as f64;
    (2.0 * precision * recall) / (precision + recall)
}

/// As [`f1_v1`], but two empty sides agree.
fn f1_v2(predicted: &[&str], gold: &[&str]) -> f64 {
    if predicted.is_empty() && gold.is_empty() { 1.0 } else { f1_v1(predicted, gold) }
}

fn best_thresholds(judged: &[Judged<'_>], scores: &[Option<Score>], odds: &[f64]) -> BestThresholds {
    let mut order: Vec<usize> = (0..odds.len()).collect();
    order.sort_by(|a, b| ascending(odds[*a], odds[*b]));
    let best = |score: fn(&Score) -> f64| {
        // Everything taken for impossible at first; then one question more is answered at a time.
        let mut sum = judged.iter().filter(|one| !one.has_answer()).count() as f64;
        let (mut best, mut threshold) = (sum, 0.0);
        for (i, scored) in order.iter().filter_map(|i| scores[*i].as_ref().map(|scored| (*i, scored))) {
            sum += match (judged[i].has_answer(), judged[i].prediction) {
                (true, _) => score(scored),
                (false, Some("") | None) => 0.0,
                (false, Some(_)) => -1.0,
            };
            if sum > best {
                (best, threshold) = (sum, odds[i]);
            }
        }
        (best, threshold)
    };
    let ((exact, exact_threshold), (f1, f1_threshold)) = (best(|score| score.exact), best(|score| score.f1));
    let total = scores.iter().flatten().count() as u64;
    BestThresholds { exact, exact_threshold, f1, f1_threshold, total }
}

/// Numbers in order, NaN after all of them.
fn ascending(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[cfg(test)]
mod tests;
