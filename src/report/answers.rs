//! Scores of any sample of examples, from what runs answered to each of them.

use crate::metric::{EntityCounts, Function, Metric};
use crate::random::Stream;
use crate::stats::{CrossedEstimate, Interval, Resampling, SeedScores, percentile_interval, wilson_interval};
use crate::store::Answers;

/// The level of all intervals.
pub(crate) const LEVEL: f64 = 0.95;

/// Seed of the streams that samples are drawn from; a report shows the same numbers every time.
const SEED: u64 = 0;

/// The samples called `name` of so many examples.
pub(crate) fn resampling(examples: usize, name: &str) -> Resampling {
    Resampling::of(examples, Stream::new(SEED, name))
}

/// A metric over the examples at these indices; NaN where it is not defined, or the answers do not tell.
pub(crate) fn score(answers: &Answers, metric: &str, sample: &[u32]) -> f64 {
    match answers {
        Answers::Classes { gold, predicted } => match Metric::find(metric).map(|found| found.function) {
            Some(Function::Classes(function)) => function(&picked(predicted, sample), &picked(gold, sample)),
            Some(Function::Scores(_) | Function::Whole) | None => f64::NAN,
        },
        Answers::Scores { gold, predicted } => match Metric::find(metric).map(|found| found.function) {
            Some(Function::Scores(function)) => function(&picked(predicted, sample), &picked(gold, sample)),
            Some(Function::Classes(_) | Function::Whole) | None => f64::NAN,
        },
        Answers::Spans { exact, f1 } => {
            let of = |sum: f64| sum / sample.len() as f64;
            match metric {
                "exact_match" => of(sample.iter().map(|at| f64::from(exact[*at as usize])).sum()),
                "f1" => of(sample.iter().map(|at| f1[*at as usize]).sum()),
                _ => f64::NAN,
            }
        }
        Answers::Tags { gold, found, correct } => {
            let sum = |of: &[u32]| sample.iter().map(|at| u64::from(of[*at as usize])).sum();
            let counts = EntityCounts { gold: sum(gold), found: sum(found), correct: sum(correct) };
            match metric {
                "precision" => counts.precision(),
                "recall" => counts.recall(),
                "f1" => counts.f1(),
                _ => f64::NAN,
            }
        }
    }
}

fn picked<T: Copy>(of: &[T], sample: &[u32]) -> Vec<T> {
    sample.iter().map(|at| of[*at as usize]).collect()
}

/// Every example once.
pub(crate) fn all(answers: &Answers) -> Vec<u32> {
    (0..answers.examples() as u32).collect()
}

/// Which examples are right, where the metric is the share of those.
pub(crate) fn right(answers: &Answers, metric: &str) -> Option<Vec<bool>> {
    match answers {
        Answers::Classes { gold, predicted } if metric == "accuracy" => {
            Some(gold.iter().zip(predicted).map(|(gold, predicted)| gold == predicted).collect())
        }
        Answers::Spans { exact, .. } if metric == "exact_match" => Some(exact.iter().map(|exact| *exact > 0).collect()),
        Answers::Classes { .. } | Answers::Scores { .. } | Answers::Spans { .. } | Answers::Tags { .. } => None,
    }
}

/// What the runs of one point answered, which differ by their seed, and what the other points tell of seeds.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeedAnswers<'r> {
    /// By seed.
    pub(crate) answers: Vec<&'r Answers>,
    /// The primary scores of the same seeds, in the same order, at each of the other points.
    pub(crate) other_points: Vec<Vec<f64>>,
}

impl SeedAnswers<'_> {
    /// These scores by seed, with those of the other points.
    pub(crate) fn with_scores<'s>(&'s self, scores: &'s [f64]) -> SeedScores<'s> {
        SeedScores { scores, other_points: &self.other_points }
    }
}

/// The 95 % interval of the mean score of runs that differ by their seed. Of one run: Wilson's for a share of right
/// examples, else between the percentiles of the bootstrap over examples. Of several: over examples and seeds
/// ([`CrossedEstimate`]), for a share Wilson's again, of as many examples as would have that standard error.
pub(crate) fn score_interval(of: &SeedAnswers<'_>, metric: &str) -> Option<Interval> {
    let seeds = &of.answers[..];
    let first = *seeds.first()?;
    let examples = first.examples();
    if let ([one], Some(right)) = (seeds, right(first, metric)) {
        let share = right.iter().filter(|right| **right).count() as f64 / right.len() as f64;
        return wilson_interval(share, one.examples() as f64, LEVEL);
    }
    if !seeds.iter().all(|other| first.is_of_same_examples(other)) {
        return None;
    }
    let by = resampling(examples, "score");
    if seeds.len() == 1 {
        return percentile_interval(&by.bootstrap(examples, |sample| score(first, metric, sample)), LEVEL);
    }
    let scores = scores(seeds, metric, &all(first));
    let samples = by.bootstrap(examples, |sample| self::scores(seeds, metric, sample));
    let found = CrossedEstimate::of(&[of.with_scores(&scores)], &samples)?;
    if right(first, metric).is_some() {
        return found.share_interval(examples as f64, LEVEL);
    }
    // No score is above 1; a correlation may be below 0.
    found.interval(LEVEL).map(|Interval { low, high }| Interval { low, high: high.min(1.0) })
}

pub(crate) fn scores(runs: &[&Answers], metric: &str, sample: &[u32]) -> Vec<f64> {
    runs.iter().map(|run| score(run, metric, sample)).collect()
}
