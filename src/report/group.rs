//! The runs of one system on one task, grouped by the points of the sweep.

use super::aggregates::{Aggregates, PointScore, SeedBest, Spread};
use super::answers::{SeedAnswers, score_interval};
use super::input::Input;
use super::phrase::listed;
use super::primary_metric::{PrimaryMetric, Unit};
use super::run::{Run, State};
use super::system::System;
use super::task::Task;
use crate::stats::{self, Interval};
use crate::store::{Answers, RunSettings};

/// How many runs are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Counts {
    pub(crate) done: usize,
    /// Runs that ended without a record.
    pub(crate) failed: usize,
    /// Runs that have begun, and neither finished nor failed.
    pub(crate) unfinished: usize,
    /// Runs of the plan that have left nothing.
    pub(crate) missing: usize,
    /// Finished runs whose primary score is not a number.
    pub(crate) unscored: usize,
}

impl Counts {
    /// Why a group of runs has no score.
    pub(crate) fn why_no_score(self) -> String {
        let parts = self.shortfalls("without a number");
        if parts.is_empty() { "no run".to_owned() } else { format!("no score: {}", listed(&parts)) }
    }

    /// `1 failed, 2 not run`, or nothing when all is done.
    pub(crate) fn shortfall(self) -> Option<String> {
        let parts = self.shortfalls("without score");
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn shortfalls(self, unscored: &str) -> Vec<String> {
        let Self { failed, unfinished, missing, .. } = self;
        [(failed, "failed"), (unfinished, "not finished"), (missing, "not run"), (self.unscored, unscored)]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect()
    }

    pub(crate) fn of<'r, 'a: 'r>(
        runs: impl Iterator<Item = &'r Run<'a>>,
        primary_metrics: &[Option<PrimaryMetric>],
    ) -> Self {
        let mut counts = Self::default();
        for run in runs {
            match run.state {
                State::Done(_) => {
                    counts.done += 1;
                    let is_scored =
                        |task: usize| primary_metrics[task].as_ref().is_some_and(|metric| metric.score(run).is_some());
                    counts.unscored += usize::from(run.task.is_some_and(|task| !is_scored(task)));
                }
                State::Failed(_) => counts.failed += 1,
                State::Missing if run.last_step().is_some() => counts.unfinished += 1,
                State::Missing => counts.missing += 1,
            }
        }
        counts
    }

    pub(crate) fn total(self) -> usize {
        self.done + self.failed + self.unfinished + self.missing
    }

    /// Whether every run finished with a score.
    pub(crate) fn is_complete(self) -> bool {
        self.total() == self.done && self.unscored == 0
    }
}

/// One system on one task.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    pub(crate) task: usize,
    pub(crate) system: usize,
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
    /// The 95 % interval of the best point's score, when its runs' answers to single examples are at hand.
    pub(crate) interval: Option<Interval>,
    /// Finished runs that learned nothing to speak of: their primary score is undefined, or no better than that of the
    /// majority answer.
    pub(crate) collapsed: usize,
    /// The other scores of the best point, means over its seeds: metric, split, unit, value.
    pub(crate) others: Vec<(String, String, Unit, f64)>,
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

/// What comparisons are made from.
#[derive(Clone, Copy)]
pub(crate) struct Compared<'r, 'a> {
    pub(crate) input: &'r Input,
    pub(crate) runs: &'r [Run<'a>],
    pub(crate) systems: &'r [System],
    pub(crate) tasks: &'r [Task],
    pub(crate) primary_metrics: &'r [Option<PrimaryMetric>],
    pub(crate) groups: &'r [Group<'a>],
}

impl<'r> Compared<'r, '_> {
    /// What a run answered to each example, where that is at hand.
    pub(crate) fn answers(self, run: &Run<'_>) -> Option<&'r Answers> {
        self.input.experiments[run.experiment].answers.get(&run.id)
    }
}

impl<'a> Group<'a> {
    /// The runs of a system on a task, if there are any.
    pub(crate) fn of(
        runs: &[Run<'a>],
        primary_metric: Option<&PrimaryMetric>,
        aggregates: &Aggregates,
        task: usize,
        system: usize,
    ) -> Option<Self> {
        let own: Vec<usize> =
            (0..runs.len()).filter(|at| runs[*at].task == Some(task) && runs[*at].system == system).collect();
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
        let done = all.clone().filter(|run| run.record().is_some());
        let collapsed = primary_metric.map_or(0, |metric| done.filter(|run| is_collapsed(run, metric)).count());
        Some(Self {
            task,
            system,
            counts: Counts::of(all, &vec![primary_metric.cloned(); task + 1]),
            best,
            spread,
            seeds: aggregates.seeds.iter().filter(|seed| (seed.system, seed.task) == (system, task)).cloned().collect(),
            majority: of_task.map(|of| of.majority).filter(|value| value.is_finite()),
            ceiling: of_task.and_then(|of| of.ceiling).filter(|value| value.is_finite()),
            dev_examples: of_task.and_then(|of| of.examples.get(&primary_metric?.split).copied()),
            interval: None,
            collapsed,
            others: best.map(|best| others(runs, &points[best], primary_metric)).unwrap_or_default(),
            points,
        })
    }

    /// The run of the best point that scored best, of equals the first.
    pub(crate) fn best_run(&self, of: Compared<'_, '_>) -> Option<usize> {
        let metric = of.primary_metrics[self.task].as_ref()?;
        let signed_score =
            |run: &usize| metric.score(&of.runs[*run]).map_or(f64::NEG_INFINITY, |score| metric.signed_score(score));
        let of_best = &self.points[self.best?].runs;
        // The first of equals, as everywhere.
        of_best.iter().rev().max_by(|a, b| signed_score(a).total_cmp(&signed_score(b))).copied()
    }

    /// The answers of the best point's runs to single examples, of those runs that have a record; none when one of them
    /// lacks its answers. With the scores of the other points at which no run of these seeds is missing or has collapsed.
    pub(crate) fn best_answers<'r>(&self, of: Compared<'r, '_>) -> SeedAnswers<'r> {
        let (Some(best), Some(metric)) = (self.best, &of.primary_metrics[self.task]) else {
            return SeedAnswers::default();
        };
        let runs = |point: &Point<'_>| point.runs.iter().map(|at| &of.runs[*at]).collect::<Vec<_>>();
        let mut done = runs(&self.points[best]);
        done.retain(|run| run.record().is_some());
        let of_seed = |point: &Point<'_>, seed: u64| {
            let run = runs(point).into_iter().find(|run| run.settings.seed == seed)?;
            metric.score(run).filter(|_| !is_collapsed(run, metric))
        };
        let of_point = |point: &Point<'_>| done.iter().map(|run| of_seed(point, run.settings.seed)).collect();
        let others = self.points.iter().enumerate().filter(|(at, _)| *at != best);
        SeedAnswers {
            answers: done.iter().map(|run| of.answers(run)).collect::<Option<Vec<_>>>().unwrap_or_default(),
            other_points: others.filter_map(|(_, point)| of_point(point)).collect(),
        }
    }

    /// The interval of its best score.
    pub(crate) fn best_interval(&self, of: Compared<'_, '_>) -> Option<Interval> {
        score_interval(&self.best_answers(of), &of.primary_metrics[self.task].as_ref()?.metric)
    }

    /// Median seconds of its finished runs.
    pub(crate) fn median_wall(&self, runs: &[Run<'_>]) -> Option<f64> {
        let own = self.points.iter().flat_map(|point| &point.runs);
        let walls: Vec<f64> = own.filter_map(|at| runs[*at].record()).map(|record| record.timings.wall.0).collect();
        stats::median(&walls)
    }

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

/// Whether a finished run's primary score is undefined, or no better than that of the majority answer.
fn is_collapsed(run: &Run<'_>, primary_metric: &PrimaryMetric) -> bool {
    let majority = run.record().and_then(|record| record.task()).map_or(f64::NAN, |of| of.majority);
    primary_metric.score(run).is_none_or(|score| primary_metric.higher_is_better && score <= majority)
}

/// The further scores of a point, as means over its seeds.
fn others(
    runs: &[Run<'_>],
    point: &Point<'_>,
    primary_metric: Option<&PrimaryMetric>,
) -> Vec<(String, String, Unit, f64)> {
    let records: Vec<_> = point.runs.iter().filter_map(|at| runs[*at].record()).collect();
    let Some(first) = records.first() else { return Vec::new() };
    let is_primary = |metric: &str, split: &str| primary_metric.is_some_and(|j| j.metric == metric && j.split == split);
    first
        .scores
        .iter()
        .filter(|score| !is_primary(&score.metric, &score.split))
        .filter_map(|score| {
            let values: Vec<f64> = records.iter().filter_map(|r| r.score(&score.metric, &score.split)).collect();
            let unit = Unit::named(&score.unit);
            Some((score.metric.clone(), score.split.clone(), unit, stats::mean(&values)?))
        })
        .collect()
}
