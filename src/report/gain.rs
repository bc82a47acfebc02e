//! What pretraining gives: systems of one architecture, from pretrained weights and from random ones.

use serde::Serialize;

use super::analysis::{Analysis, Cell};
use super::primary_metric::{PrimaryMetric, Unit};
use super::system::System;
use crate::stats::{Interval, correlation_error, share_error};
use crate::store::InitialWeights;

/// The two-sided 95 % point of the normal distribution.
const NORMAL_95: f64 = 1.959_964;

/// Systems that start from pretrained weights, against the same architecture from random ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gain {
    /// Index of the system from random weights.
    pub(crate) random: usize,
    /// Those from pretrained ones, by system, with their rows.
    pub(crate) pretrained: Vec<(usize, Vec<GainRow>)>,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct GainRow {
    /// Index of the task.
    #[serde(skip)]
    pub(crate) task: usize,
    /// The best point's score from random weights.
    pub(crate) random: f64,
    /// The best point's score from pretrained weights.
    pub(crate) pretrained: f64,
    /// Pretrained minus random.
    pub(crate) difference: f64,
    /// Its 95 % interval by a normal approximation, when the number of dev examples is known.
    pub(crate) interval: Option<Interval>,
    /// What that says.
    pub(crate) verdict: Verdict,
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

/// How many rows say what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Rows.
    pub(crate) tasks: usize,
    /// Those with a better score, however little.
    pub(crate) helped: usize,
    /// Those that are better by more than the error.
    pub(crate) clearly: usize,
    /// Those that are worse by more than the error.
    pub(crate) hurt: usize,
}

/// A group for each system from random weights that another one can be held against, in the report's order.
pub(crate) fn all(analysis: &Analysis<'_>) -> Vec<Gain> {
    let systems = &analysis.systems;
    let mut gains: Vec<Gain> = Vec::new();
    for (pretrained, system) in systems.iter().enumerate() {
        if system.start == InitialWeights::Random {
            continue;
        }
        let is_partner = |at: &usize| is_partner(&systems[*at], system);
        let same_experiment = |at: &usize| systems[*at].experiment == system.experiment;
        let partners: Vec<usize> = (0..systems.len()).filter(is_partner).collect();
        let (near, far): (Vec<usize>, Vec<usize>) = partners.into_iter().partition(same_experiment);
        let compared = near.into_iter().chain(far).find_map(|random| {
            let rows = rows(analysis, random, pretrained);
            (!rows.is_empty()).then_some((random, rows))
        });
        let Some((random, rows)) = compared else { continue };
        match gains.iter_mut().find(|gain| gain.random == random) {
            Some(gain) => gain.pretrained.push((pretrained, rows)),
            None => gains.push(Gain { random, pretrained: vec![(pretrained, rows)] }),
        }
    }
    gains
}

/// Whether `other` is `system` from random weights.
fn is_partner(other: &System, system: &System) -> bool {
    other.start == InitialWeights::Random
        && (other.architecture, other.approach) == (system.architecture, system.approach)
}

fn rows(analysis: &Analysis<'_>, random: usize, pretrained: usize) -> Vec<GainRow> {
    let row = |(task, primary_metric): (usize, &Option<PrimaryMetric>)| {
        let (primary_metric, a, b) =
            (primary_metric.as_ref()?, analysis.cell(task, random)?, analysis.cell(task, pretrained)?);
        // Other data is another task.
        let data = |of: &crate::store::RunSettings| of.task().map(|of| of.data_sha256.clone());
        let same_data = data(a.points[a.best?].settings) == data(b.points[b.best?].settings);
        same_data.then(|| row(primary_metric, task, a, b))?
    };
    analysis.primary_metrics.iter().enumerate().filter_map(row).collect()
}

fn row(primary_metric: &PrimaryMetric, task: usize, random: &Cell<'_>, pretrained: &Cell<'_>) -> Option<GainRow> {
    let (a, b) = (random.best_score()?.mean, pretrained.best_score()?.mean);
    let difference = b - a;
    let error = variance(primary_metric, random).zip(variance(primary_metric, pretrained)).map(|(a, b)| (a + b).sqrt());
    let interval =
        error.map(|error| Interval { low: difference - NORMAL_95 * error, high: difference + NORMAL_95 * error });
    let verdict = match interval {
        None => Verdict::Unknown,
        Some(Interval { low, high }) if low <= 0.0 && high >= 0.0 => Verdict::WithinError,
        Some(_) if primary_metric.signed_score(difference) > 0.0 => Verdict::Better,
        Some(_) => Verdict::Worse,
    };
    Some(GainRow { task, random: a, pretrained: b, difference, interval, verdict })
}

/// The squared standard error of a cell's best score: of so many dev examples, and of so many seeds.
fn variance(primary_metric: &PrimaryMetric, cell: &Cell<'_>) -> Option<f64> {
    let (score, examples) = (cell.best_score()?, cell.dev_examples?);
    let of_examples = match (primary_metric.unit, primary_metric.metric.as_str()) {
        (Unit::Hundredths, "mcc" | "pearson" | "spearman") => correlation_error(score.mean, examples),
        // An F1 is taken as if it were the share of examples that are right.
        (Unit::Hundredths, _) => share_error(score.mean, examples),
        (Unit::Plain, _) => None,
    }?;
    let of_seeds = score.sd.map_or(0.0, |sd| sd * sd / score.seeds as f64);
    Some(of_examples * of_examples + of_seeds)
}

/// Counts the rows of a system.
pub(crate) fn tally(analysis: &Analysis<'_>, rows: &[GainRow]) -> Tally {
    let helps = |row: &&GainRow| {
        analysis.primary_metrics[row.task]
            .as_ref()
            .is_some_and(|primary_metric| primary_metric.signed_score(row.difference) > 0.0)
    };
    let of = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    Tally {
        tasks: rows.len(),
        helped: rows.iter().filter(helps).count(),
        clearly: of(Verdict::Better),
        hurt: of(Verdict::Worse),
    }
}
