//! Everything that a report says, as values: sections and files only write it down.

use super::Error;
use super::aggregates::Cost;
use super::difference::{Difference, Verdict};
use super::frame;
use super::group::{Compared, Counts, Group};
use super::input::Input;
use super::primary_metric::PrimaryMetric;
use super::run::{self, Run};
use super::system::System;
use super::task::Task;
use super::versus::{self, Versus};

/// The records of one report, joined and aggregated.
pub(crate) struct Analysis<'a> {
    pub(crate) input: &'a Input,
    /// Every run on a task, by experiment, task, system, batch size, learning rate, epochs and seed.
    pub(crate) runs: Vec<Run<'a>>,
    /// Models, by experiment and size.
    pub(crate) systems: Vec<System>,
    /// Tasks, in the order of the plans.
    pub(crate) tasks: Vec<Task>,
    /// By task: the score that counts, once a record tells it.
    pub(crate) primary_metrics: Vec<Option<PrimaryMetric>>,
    /// One per task and system with at least one run, in that order.
    pub(crate) groups: Vec<Group<'a>>,
    /// By system, those with a finished run.
    pub(crate) costs: Vec<Cost>,
    /// Each further system against the first that shares a task with it.
    pub(crate) versus: Vec<Versus>,
    /// Records and failures that the experiment's plan does not contain, by experiment.
    pub(crate) unplanned: Vec<usize>,
    /// Every run that pretrains, by experiment, size, name and seed.
    pub(crate) pretraining: Vec<Run<'a>>,
}

impl<'a> Analysis<'a> {
    pub(crate) fn of(input: &'a Input) -> Result<Self, Error> {
        let run::Collected { runs, pretraining, systems, tasks, unplanned } = run::collect(input);
        let primary_metrics: Vec<Option<PrimaryMetric>> = (0..tasks.len())
            .map(|task| PrimaryMetric::of(runs.iter().filter(|run| run.task == Some(task)).filter_map(Run::record)))
            .collect();
        let aggregates = frame::aggregate(&runs, &primary_metrics)?;
        let mut groups = Vec::new();
        for (task, primary_metric) in primary_metrics.iter().enumerate() {
            for system in 0..systems.len() {
                groups.extend(Group::of(&runs, primary_metric.as_ref(), &aggregates, task, system));
            }
        }
        let (costs, versus) = (aggregates.costs, Vec::new());
        let mut analysis =
            Self { input, runs, systems, tasks, primary_metrics, groups, costs, versus, unplanned, pretraining };
        let intervals: Vec<_> = analysis.groups.iter().map(|group| group.best_interval(analysis.compared())).collect();
        analysis.groups.iter_mut().zip(intervals).for_each(|(group, interval)| group.interval = interval);
        analysis.versus = versus::all(analysis.compared());
        Ok(analysis)
    }

    /// What comparisons are made from.
    pub(crate) fn compared(&self) -> Compared<'_, 'a> {
        let Self { input, runs, systems, tasks, primary_metrics, groups, .. } = self;
        Compared { input, runs, systems, tasks, primary_metrics, groups }
    }

    /// The runs of a system on a task, when there are any.
    pub(crate) fn group(&self, task: usize, system: usize) -> Option<&Group<'a>> {
        self.groups.iter().find(|group| group.task == task && group.system == system)
    }

    pub(crate) fn all_runs(&self) -> impl Iterator<Item = &Run<'a>> + Clone {
        self.runs.iter().chain(&self.pretraining)
    }

    /// The label of a run's task.
    pub(crate) fn task_label(&self, run: &Run<'_>) -> &str {
        run.task.map_or("pretraining", |task| &self.tasks[task].label)
    }

    /// What became of the runs that `of` picks.
    pub(crate) fn counts(&self, of: impl Fn(&Run<'_>) -> bool) -> Counts {
        Counts::of(self.all_runs().filter(|run| of(run)), &self.primary_metrics)
    }

    /// The system that is better on a task than every other one by more than the error. `None` for ties, for
    /// differences within the error, and where nothing competes.
    pub(crate) fn clear_winner(&self, task: usize) -> Option<usize> {
        let primary_metric = self.primary_metrics[task].as_ref()?;
        let scored = || self.groups.iter().filter(|group| group.task == task && group.best_score().is_some());
        let beats = |a: &Group<'_>, b: &Group<'_>| {
            Difference::between(primary_metric, b, a).is_some_and(|difference| difference.verdict == Verdict::Better)
        };
        let is_winner = |a: &&Group<'_>| scored().all(|b| a.system == b.system || beats(a, b));
        if scored().count() > 1 { scored().find(is_winner).map(|winner| winner.system) } else { None }
    }

    /// The largest number of seeds of any point.
    pub(crate) fn seeds(&self) -> usize {
        self.groups.iter().flat_map(|group| &group.points).map(|point| point.runs.len()).max().unwrap_or(0)
    }
}
