//! Scores of any sample of examples, from what runs answered to each of them.

use crate::metric::{EntityCounts, Function, Metric};
use crate::random::Stream;
use crate::stats::{Interval, Resampling, mean, percentile_interval, wilson_interval};
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

/// The 95 % interval of the mean score of runs that differ by their seed: Wilson's for a share of one run, else between the
/// percentiles of the bootstrap over examples, and over seeds where there are several.
pub(crate) fn score_interval(seeds: &[&Answers], metric: &str) -> Option<Interval> {
    let first = *seeds.first()?;
    if let ([one], Some(right)) = (seeds, right(first, metric)) {
        let share = right.iter().filter(|right| **right).count() as f64 / right.len() as f64;
        return wilson_interval(share, one.examples() as u64, LEVEL);
    }
    if !seeds.iter().all(|other| first.is_of_same_examples(other)) {
        return None;
    }
    let by = resampling(first.examples(), "score");
    if seeds.len() == 1 {
        return percentile_interval(&by.bootstrap(first.examples(), |sample| score(first, metric, sample)), LEVEL);
    }
    let samples = by.bootstrap_crossed(first.examples(), [seeds.len(), 0], |sample, drawn, _| {
        mean_score(seeds, metric, sample, drawn)
    });
    percentile_interval(&samples, LEVEL)
}

/// The mean score of the runs at the indices `drawn`, each scored once however often it was drawn.
pub(crate) fn mean_score(seeds: &[&Answers], metric: &str, sample: &[u32], drawn: &[u32]) -> f64 {
    let mut scores = vec![None; seeds.len()];
    let of = |at: &u32| *scores[*at as usize].get_or_insert_with(|| score(seeds[*at as usize], metric, sample));
    mean(&drawn.iter().map(of).collect::<Vec<_>>()).unwrap_or(f64::NAN)
}
