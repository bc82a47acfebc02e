//! Two systems side by side, paired by point and seed.

use serde::Serialize;

use super::group::Group;
use super::primary_metric::PrimaryMetric;
use super::run::Run;
use super::system::System;
use crate::stats::{self, Interval, PairedTest};

/// Random signs are drawn from this seed; a report shows the same p-value every time.
const TEST_SEED: u64 = 0;

/// System `b` against system `a`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Versus {
    /// Index of the reference.
    pub(crate) a: usize,
    /// Index of the other.
    pub(crate) b: usize,
    /// By task, those that both have runs of.
    pub(crate) rows: Vec<VersusRow>,
}

/// Two systems on one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct VersusRow {
    /// Index of the task.
    #[serde(skip)]
    pub(crate) task: usize,
    /// The best point's score of the reference.
    pub(crate) best_a: Option<f64>,
    /// The best point's score of the other.
    pub(crate) best_b: Option<f64>,
    /// Mean of the reference over the pairs.
    pub(crate) mean_a: Option<f64>,
    /// Mean of the other over the pairs.
    pub(crate) mean_b: Option<f64>,
    /// Other minus reference, pair by pair, in the report's order.
    pub(crate) differences: Vec<f64>,
    /// Their mean's interval by Student's t, at 95 % for all intervals of this comparison together.
    pub(crate) interval: Option<Interval>,
    /// Sign-flip test of the differences.
    pub(crate) test: Option<PairedTest>,
    /// The test's p-value times the number of tests of this comparison (Bonferroni), at most 1.
    pub(crate) adjusted_p: Option<f64>,
}

/// Each system against the first before it that it shares a task with.
pub(crate) fn all(
    runs: &[Run<'_>],
    systems: &[System],
    primary_metrics: &[Option<PrimaryMetric>],
    groups: &[Group<'_>],
) -> Vec<Versus> {
    let of = |a: usize, b: usize| pair(runs, primary_metrics, groups, a, b);
    (1..systems.len()).filter_map(|b| (0..b).map(|a| of(a, b)).find(|versus| !versus.rows.is_empty())).collect()
}

/// System `b` against system `a` on every task that both have.
pub(crate) fn pair(
    runs: &[Run<'_>],
    primary_metrics: &[Option<PrimaryMetric>],
    groups: &[Group<'_>],
    a: usize,
    b: usize,
) -> Versus {
    let group = |task: usize, system: usize| groups.iter().find(|group| group.task == task && group.system == system);
    let mut rows: Vec<VersusRow> = primary_metrics
        .iter()
        .enumerate()
        .filter_map(|(task, primary_metric)| {
            Some(row(runs, primary_metric.as_ref()?, task, group(task, a)?, group(task, b)?))
        })
        .collect();
    // Bonferroni's correction serves intervals and p-values alike, so that the two say the same thing.
    let tests = rows.iter().filter(|row| row.test.is_some()).count() as f64;
    for row in &mut rows {
        row.adjusted_p = row.test.map(|test| (test.p_value * tests).min(1.0));
        row.interval = stats::t_interval(&row.differences, 1.0 - 0.05 / tests.max(1.0));
    }
    Versus { a, b, rows }
}

fn row(runs: &[Run<'_>], primary_metric: &PrimaryMetric, task: usize, a: &Group<'_>, b: &Group<'_>) -> VersusRow {
    let of = |group: &Group<'_>| -> Vec<usize> { group.points.iter().flat_map(|point| point.runs.clone()).collect() };
    let (lefts, rights) = (of(a), of(b));
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    for left in &lefts {
        let only = |runs_of: &[usize], with: usize| -> Option<usize> {
            let mut partners = runs_of.iter().filter(|other| is_pair(&runs[with], &runs[**other]));
            partners.next().filter(|_| partners.next().is_none()).copied()
        };
        // Two fixed settings may share a label; then no single partner exists, and none is taken.
        if let Some(right) = only(&rights, *left)
            && only(&lefts, right) == Some(*left)
            && let (Some(x), Some(y)) = (primary_metric.score(&runs[*left]), primary_metric.score(&runs[right]))
        {
            pairs.push((x, y));
        }
    }
    let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let differences: Vec<f64> = pairs.iter().map(|(x, y)| y - x).collect();
    VersusRow {
        task,
        best_a: a.best_score().map(|score| score.mean),
        best_b: b.best_score().map(|score| score.mean),
        mean_a: stats::mean(&xs),
        mean_b: stats::mean(&ys),
        interval: None,
        test: (differences.len() > 1).then(|| stats::sign_flip_test(&differences, TEST_SEED)).flatten(),
        differences,
        adjusted_p: None,
    }
}

/// Runs that differ by their model alone, as far as the sweep is concerned, and read the same data.
fn is_pair(a: &Run<'_>, b: &Run<'_>) -> bool {
    let point = |run: &Run<'_>| {
        let of = &run.settings.optimization;
        (of.batch_size, run.settings.epochs(), run.settings.seed, of.learning_rate.to_bits())
    };
    let data = |run: &Run<'_>| run.settings.task().map(|of| of.data_sha256.clone());
    point(a) == point(b) && data(a) == data(b)
}
