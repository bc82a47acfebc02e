//! What pretraining gives: systems of one architecture, from pretrained weights and from random ones.

use serde::Serialize;

use super::analysis::Analysis;
use super::difference::{Difference, Verdict};
use super::primary_metric::PrimaryMetric;
use super::system::System;
use crate::store::InitialWeights;

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
    #[serde(flatten)]
    pub(crate) difference: Difference,
}

/// How many rows say what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
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
        if system.initial_weights == InitialWeights::Random {
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
    other.initial_weights == InitialWeights::Random
        && (other.architecture, other.approach) == (system.architecture, system.approach)
}

fn rows(analysis: &Analysis<'_>, random: usize, pretrained: usize) -> Vec<GainRow> {
    let row = |(task, primary_metric): (usize, &Option<PrimaryMetric>)| {
        let (primary_metric, a, b) =
            (primary_metric.as_ref()?, analysis.group(task, random)?, analysis.group(task, pretrained)?);
        let difference = Difference::between(primary_metric, a, b)?;
        Some(GainRow { task, random: a.best_score()?.mean, pretrained: b.best_score()?.mean, difference })
    };
    analysis.primary_metrics.iter().enumerate().filter_map(row).collect()
}

pub(crate) fn tally(analysis: &Analysis<'_>, rows: &[GainRow]) -> Tally {
    let helps = |row: &&GainRow| {
        analysis.primary_metrics[row.task]
            .as_ref()
            .is_some_and(|primary_metric| primary_metric.signed_score(row.difference.value) > 0.0)
    };
    let of = |verdict: Verdict| rows.iter().filter(|row| row.difference.verdict == verdict).count();
    Tally {
        tasks: rows.len(),
        helped: rows.iter().filter(helps).count(),
        clearly: of(Verdict::Better),
        hurt: of(Verdict::Worse),
    }
}
