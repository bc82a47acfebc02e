//! What dev sets can show at all, before anything is run.

use std::collections::BTreeSet;

use crate::plan::PlannedRun;
use crate::resolve::Prepared;
use crate::stats::{POWER, SIGNIFICANCE, smallest_difference};
use crate::task::Task;

/// The shares of examples that one model alone may be right on, for which the smallest difference is shown.
pub const DISAGREEING: [f64; 2] = [0.1, 0.2];

/// The dev split that judges a task of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct DevSet {
    /// The task.
    pub task: String,
    /// How right answers are counted, where each example's is right or wrong.
    pub metric: &'static str,
    /// How many examples are judged.
    pub examples: u64,
}

impl DevSet {
    fn of(task: &Task, examples: u64) -> Option<Self> {
        Some(Self { task: task.name.clone().into_owned(), metric: task.share_of_right_answers()?, examples })
    }

    /// The smallest difference between two models that shows (McNemar's test), in the order of [`DISAGREEING`]: `None`
    /// where no difference would.
    #[must_use]
    pub fn smallest(&self) -> [Option<f64>; 2] {
        DISAGREEING.map(|share| smallest_difference(self.examples, share, SIGNIFICANCE, POWER))
    }
}

/// Those of `runs`, in the order of the plan.
pub(super) fn counted(prepared: &Prepared, runs: &[PlannedRun]) -> Vec<DevSet> {
    let mut found: Vec<DevSet> = Vec::new();
    for run in runs {
        let name = run.settings.task_name();
        if found.iter().all(|of| of.task != name)
            && let Ok(task) = prepared.context.task(name)
        {
            found.extend(DevSet::of(&task, run.evaluations.judged));
        }
    }
    found
}

/// Those of the published tasks among `names`, as large as they were published.
#[must_use]
pub fn published_dev_sets<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<DevSet> {
    let mut known = BTreeSet::new();
    let tasks = names.into_iter().filter(|name| known.insert(*name)).filter_map(|name| Task::find(name).ok());
    tasks.filter_map(|task| DevSet::of(task, task.dev().next()?.examples)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_dev_sets_are_as_large_as_published_and_show_what_so_many_can() {
        let found = published_dev_sets(["rte", "stsb", "rte", "squad1", "wnli", "conll2003", "unknown"]);
        let sizes: Vec<(&str, u64)> = found.iter().map(|of| (of.task.as_str(), of.examples)).collect();
        assert_eq!(sizes, [("rte", 277), ("squad1", 10570), ("wnli", 71)], "scores and tags are not right or wrong");
        // n = (1.96 √ψ + 0.84 √(ψ − δ²))² / δ² with n = 277.
        for (share, difference) in DISAGREEING.into_iter().zip(found[0].smallest()) {
            let difference = difference.unwrap();
            let examples = ((1.96 * share.sqrt() + 0.8416 * (share - difference.powi(2)).sqrt()) / difference).powi(2);
            assert!((examples / 277.0 - 1.0).abs() < 0.02, "{share}: {difference} needs {examples} examples");
        }
        assert!(found[2].smallest()[1] > found[0].smallest()[1], "a smaller set shows less");
    }
}
