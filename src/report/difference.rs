//! Whether the best scores of two systems on one task differ by more than their error.

use serde::Serialize;

use super::group::Group;
use super::primary_metric::{PrimaryMetric, Unit};
use crate::stats::{Interval, correlation_error, share_error};

/// The two-sided 95 % point of the normal distribution.
const NORMAL_95: f64 = 1.959_964;

/// The difference of the best scores of two systems on one task.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// The difference.
    #[serde(rename = "difference")]
    pub(crate) value: f64,
    /// Its 95 % interval by a normal approximation, when the number of dev examples is known.
    pub(crate) interval: Option<Interval>,
    /// What that says.
    pub(crate) verdict: Verdict,
}

impl Difference {
    /// `b` minus `a`, when both have a score.
    pub(crate) fn between(primary_metric: &PrimaryMetric, a: &Group<'_>, b: &Group<'_>) -> Option<Self> {
        let value = b.best_score()?.mean - a.best_score()?.mean;
        let error = variance(primary_metric, a).zip(variance(primary_metric, b)).map(|(a, b)| (a + b).sqrt());
        let interval = error.map(|error| Interval { low: value - NORMAL_95 * error, high: value + NORMAL_95 * error });
        let verdict = match interval {
            None => Verdict::Unknown,
            Some(Interval { low, high }) if low <= 0.0 && high >= 0.0 => Verdict::WithinError,
            Some(_) if primary_metric.signed_score(value) > 0.0 => Verdict::Better,
            Some(_) => Verdict::Worse,
        };
        Some(Self { value, interval, verdict })
    }
}

/// What a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Better by more than the error.
    Better,
    /// Worse by more than the error.
    Worse,
    /// 0 lies in the interval.
    WithinError,
    /// The error is not known.
    Unknown,
}

/// The squared standard error of a group's best score.
fn variance(primary_metric: &PrimaryMetric, group: &Group<'_>) -> Option<f64> {
    let score = group.best_score()?;
    score_variance(primary_metric.unit, score.mean, group.dev_examples?, score.sd.map(|sd| (sd, score.seeds)))
}

/// The squared standard error of a score on so many examples, with its standard deviation over so many seeds.
pub(crate) fn score_variance(unit: Unit, score: f64, examples: u64, over_seeds: Option<(f64, usize)>) -> Option<f64> {
    let of_examples = match unit {
        Unit::Correlation => correlation_error(score, examples),
        // An F1 is taken as if it were the share of examples that are right.
        Unit::Fraction => share_error(score, examples),
        Unit::Plain => None,
    }?;
    let of_seeds = over_seeds.map_or(0.0, |(sd, seeds)| sd * sd / seeds as f64);
    Some(of_examples * of_examples + of_seeds)
}

/// Whether a difference of this size is more than the error, by these squared standard errors.
pub(crate) fn is_clear(difference: f64, variances: [Option<f64>; 2]) -> bool {
    matches!(variances, [Some(a), Some(b)] if difference.abs() > NORMAL_95 * (a + b).sqrt())
}
