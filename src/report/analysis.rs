//! Everything that a report says, as values: sections and files only write it down.

use super::Error;
use super::aggregates::{Aggregates, Cost, PointScore, SeedBest, Spread};
use super::frame;
use super::input::Input;
use super::pretraining::{self, PretrainRun};
use super::primary_metric::PrimaryMetric;
use super::run::{self, Run, State, Task};
use super::system::System;
use super::versus::{self, Versus};
use crate::stats;
use crate::store::RunSettings;

/// The records of one report, joined and aggregated.
pub(crate) struct Analysis<'a> {
    /// What it was made from.
    pub(crate) input: &'a Input,
    /// Every run, in the report's order.
    pub(crate) runs: Vec<Run<'a>>,
    /// Models, by experiment and size.
    pub(crate) systems: Vec<System>,
    /// Tasks, in the report's order.
    pub(crate) tasks: Vec<Task>,
    /// By task: the score that counts, once a record tells it.
    pub(crate) primary_metrics: Vec<Option<PrimaryMetric>>,
    /// One per task and system with at least one run, in that order.
    pub(crate) cells: Vec<Cell<'a>>,
    /// By system, those with a finished run.
    pub(crate) costs: Vec<Cost>,
    /// Each further system against the first that shares a task with it.
    pub(crate) versus: Vec<Versus>,
    /// Records outside the plan, by experiment.
    pub(crate) unplanned: Vec<usize>,
    /// Every pretraining run, in the report's order.
    pub(crate) pretraining: Vec<PretrainRun<'a>>,
    /// Records outside the plan, by pretraining experiment.
    pub(crate) unplanned_pretraining: Vec<usize>,
}

/// How many runs are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Counts {
    /// Finished runs.
    pub(crate) done: usize,
    /// Runs that ended without a record.
    pub(crate) failed: usize,
    /// Runs of the plan that have left nothing.
    pub(crate) missing: usize,
    /// Finished runs whose primary score is not a number.
    pub(crate) unscored: usize,
}

impl Counts {
    /// All runs.
    pub(crate) fn total(self) -> usize {
        self.done + self.failed + self.missing
    }

    /// Whether every run finished with a score.
    pub(crate) fn is_complete(self) -> bool {
        self.failed + self.missing + self.unscored == 0
    }
}

/// One system on one task.
#[derive(Clone, Debug)]
pub(crate) struct Cell<'a> {
    /// Index of the task.
    pub(crate) task: usize,
    /// Index of the system.
    pub(crate) system: usize,
    /// What became of its runs.
    pub(crate) counts: Counts,
    /// Its points, in the report's order.
    pub(crate) points: Vec<Point<'a>>,
    /// Index into `points`.
    pub(crate) best: Option<usize>,
    /// How far the points lie apart.
    pub(crate) spread: Option<Spread>,
    /// The best run of each seed.
    pub(crate) seeds: Vec<SeedBest>,
    /// What the best run's record knows about the task.
    pub(crate) majority: Option<f64>,
    /// The best score that any model can expect.
    pub(crate) ceiling: Option<f64>,
    /// Examples of the dev split that is judged.
    pub(crate) dev_examples: Option<u64>,
    /// The other scores of the best point, means over its seeds: metric, split, unit, value.
    pub(crate) others: Vec<(String, String, super::primary_metric::Unit, f64)>,
}

/// One point of the sweep.
#[derive(Clone, Debug)]
pub(crate) struct Point<'a> {
    /// The settings of its first run.
    pub(crate) settings: &'a RunSettings,
    /// Indices of its runs, one per seed.
    pub(crate) runs: Vec<usize>,
    /// Its score, when a seed has one.
    pub(crate) score: Option<PointScore>,
}

impl Cell<'_> {
    /// The score of the best point.
    pub(crate) fn best_score(&self) -> Option<&PointScore> {
        self.points[self.best?].score.as_ref()
    }

    /// Mean and standard deviation over the seeds of the best run of each seed, from two seeds on.
    pub(crate) fn over_seeds(&self) -> Option<(f64, f64)> {
        let values: Vec<f64> = self.seeds.iter().map(|seed| seed.value).collect();
        Some((stats::mean(&values)?, stats::sample_sd(&values)?))
    }
}

impl<'a> Analysis<'a> {
    /// Joins and aggregates `input`.
    pub(crate) fn of(input: &'a Input) -> Result<Self, Error> {
        let run::Collected { runs, systems, tasks, unplanned } = run::collect(input);
        let primary_metrics: Vec<Option<PrimaryMetric>> = (0..tasks.len())
            .map(|task| PrimaryMetric::of(runs.iter().filter(|run| run.task == task).filter_map(Run::record)))
            .collect();
        let aggregates = frame::aggregate(&runs, &primary_metrics)?;
        let mut cells = Vec::new();
        for (task, primary_metric) in primary_metrics.iter().enumerate() {
            for system in 0..systems.len() {
                cells.extend(cell(&runs, primary_metric.as_ref(), &aggregates, task, system));
            }
        }
        let versus = versus::all(&runs, &systems, &primary_metrics, &cells);
        let (pretraining, unplanned_pretraining) = pretraining::collect(input);
        let costs = aggregates.costs;
        Ok(Self {
            input,
            runs,
            systems,
            tasks,
            primary_metrics,
            cells,
            costs,
            versus,
            unplanned,
            pretraining,
            unplanned_pretraining,
        })
    }

    /// The cell of a system on a task, when a run of it is known.
    pub(crate) fn cell(&self, task: usize, system: usize) -> Option<&Cell<'a>> {
        self.cells.iter().find(|cell| cell.task == task && cell.system == system)
    }

    /// What became of the runs that `of` picks.
    pub(crate) fn counts(&self, of: impl Fn(&Run<'_>) -> bool) -> Counts {
        count(self.runs.iter().filter(|run| of(run)), &self.primary_metrics)
    }

    /// The run of a cell's best point that scored best.
    pub(crate) fn best_run(&self, cell: &Cell<'_>) -> Option<usize> {
        let primary_metric = self.primary_metrics[cell.task].as_ref()?;
        let signed_score = |run: &usize| {
            primary_metric.score(&self.runs[*run]).map_or(f64::NEG_INFINITY, |score| primary_metric.signed_score(score))
        };
        let runs = &cell.points[cell.best?].runs;
        // The first of equals, as everywhere.
        runs.iter().rev().max_by(|a, b| signed_score(a).total_cmp(&signed_score(b))).copied()
    }

    /// The systems with the best score on a task.
    pub(crate) fn winners(&self, task: usize) -> Vec<usize> {
        let Some(primary_metric) = &self.primary_metrics[task] else { return Vec::new() };
        let scores: Vec<(usize, f64)> = self
            .cells
            .iter()
            .filter(|cell| cell.task == task)
            .filter_map(|cell| Some((cell.system, primary_metric.signed_score(cell.best_score()?.mean))))
            .collect();
        let best = scores.iter().map(|(_, signed_score)| *signed_score).fold(f64::NEG_INFINITY, f64::max);
        scores.iter().filter(|(_, signed_score)| *signed_score >= best).map(|(system, _)| *system).collect()
    }

    /// The largest number of seeds of any point.
    pub(crate) fn seeds(&self) -> usize {
        self.cells.iter().flat_map(|cell| &cell.points).map(|point| point.runs.len()).max().unwrap_or(0)
    }
}

fn count<'r, 'a: 'r>(runs: impl Iterator<Item = &'r Run<'a>>, primary_metrics: &[Option<PrimaryMetric>]) -> Counts {
    let mut counts = Counts::default();
    for run in runs {
        match run.state {
            State::Done(_) => {
                counts.done += 1;
                let scored = primary_metrics[run.task]
                    .as_ref()
                    .is_some_and(|primary_metric| primary_metric.score(run).is_some());
                counts.unscored += usize::from(!scored);
            }
            State::Failed(_) => counts.failed += 1,
            State::Missing => counts.missing += 1,
        }
    }
    counts
}

fn cell<'a>(
    runs: &[Run<'a>],
    primary_metric: Option<&PrimaryMetric>,
    aggregates: &Aggregates,
    task: usize,
    system: usize,
) -> Option<Cell<'a>> {
    let own: Vec<usize> = (0..runs.len()).filter(|at| runs[*at].task == task && runs[*at].system == system).collect();
    if own.is_empty() {
        return None;
    }
    let mut points: Vec<Point<'a>> = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    for at in own {
        let run = &runs[at];
        if let Some(known) = keys.iter().position(|key| *key == run.point) {
            points[known].runs.push(at);
            continue;
        }
        let is_own = |score: &&PointScore| (score.system, score.task, &score.point) == (system, task, &run.point);
        let score = aggregates.points.iter().find(is_own).cloned();
        keys.push(&run.point);
        points.push(Point { settings: run.settings, runs: vec![at], score });
    }
    let spread = aggregates.spreads.iter().find(|spread| (spread.system, spread.task) == (system, task)).cloned();
    let best = spread.as_ref().and_then(|spread| keys.iter().position(|key| *key == spread.best));
    let record = best.and_then(|best| points[best].runs.iter().find_map(|at| runs[*at].record()));
    let all = points.iter().flat_map(|point| &point.runs).map(|at| &runs[*at]);
    let of_task = record.and_then(|record| record.task());
    Some(Cell {
        task,
        system,
        counts: count(all, &vec![primary_metric.cloned(); task + 1]),
        best,
        spread,
        seeds: aggregates.seeds.iter().filter(|seed| (seed.system, seed.task) == (system, task)).cloned().collect(),
        majority: of_task.map(|of| of.majority).filter(|value| value.is_finite()),
        ceiling: of_task.and_then(|of| of.ceiling).filter(|value| value.is_finite()),
        dev_examples: of_task.and_then(|of| of.examples.get(&primary_metric?.split).copied()),
        others: best.map(|best| others(runs, &points[best], primary_metric)).unwrap_or_default(),
        points,
    })
}

/// The scores of a point that do not primary_metric it, as means over its seeds.
fn others(
    runs: &[Run<'_>],
    point: &Point<'_>,
    primary_metric: Option<&PrimaryMetric>,
) -> Vec<(String, String, super::primary_metric::Unit, f64)> {
    let records: Vec<_> = point.runs.iter().filter_map(|at| runs[*at].record()).collect();
    let Some(first) = records.first() else { return Vec::new() };
    let is_primary = |metric: &str, split: &str| primary_metric.is_some_and(|j| j.metric == metric && j.split == split);
    first
        .scores
        .iter()
        .filter(|score| !is_primary(&score.metric, &score.split))
        .filter_map(|score| {
            let values: Vec<f64> = records.iter().filter_map(|r| r.score(&score.metric, &score.split)).collect();
            let unit = super::primary_metric::Unit::named(&score.unit);
            Some((score.metric.clone(), score.split.clone(), unit, stats::mean(&values)?))
        })
        .collect()
}
