//! What dev sets can show at all: a part of `plan`, before anything is run.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::table::{Column, table, wrapped};
use crate::model::Head;
use crate::plan::PlannedRun;
use crate::resolve::Prepared;
use crate::stats::{POWER, SIGNIFICANCE, smallest_difference};
use crate::task::Task;

/// The shares of examples that one model alone may be right on, for which the smallest difference is shown.
const DISAGREEING: [f64; 2] = [0.1, 0.2];

/// The dev split that judges a task of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DevSet {
    task: String,
    /// How right answers are counted, where each example's is right or wrong.
    metric: &'static str,
    examples: u64,
}

impl DevSet {
    fn of(task: &Task, examples: u64) -> Option<Self> {
        let metric = match task.head {
            Head::Classes | Head::Choices => "accuracy",
            Head::Spans => "exact match",
            Head::Regression | Head::Tags => return None,
        };
        Some(Self { task: task.name.clone().into_owned(), metric, examples })
    }

    /// In the same order as [`DISAGREEING`]: `None` where no difference would show.
    fn smallest(&self) -> [Option<f64>; 2] {
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
pub(super) fn published<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<DevSet> {
    let mut known = BTreeSet::new();
    let tasks = names.into_iter().filter(|name| known.insert(*name)).filter_map(|name| Task::find(name).ok());
    tasks.filter_map(|task| DevSet::of(task, task.dev().next()?.examples)).collect()
}

pub(super) fn as_json(sets: &[DevSet]) -> Value {
    let row = |of: &DevSet| {
        let differences: Vec<Value> = DISAGREEING
            .iter()
            .zip(of.smallest())
            .map(|(disagreeing, difference)| json!({"disagreeing": disagreeing, "difference": difference}))
            .collect();
        json!({"task": of.task, "metric": of.metric, "examples": of.examples, "smallest_differences": differences})
    };
    Value::Array(sets.iter().map(row).collect())
}

/// A table with a sentence above it, after an empty line; nothing without dev sets.
pub(super) fn lines(sets: &[DevSet]) -> Option<String> {
    if sets.is_empty() {
        return None;
    }
    let what = format!(
        "the smallest difference between two models, in points, that a dev set shows (McNemar's test, p < {SIGNIFICANCE}, \
         power {POWER}) when only one of them is right on 10 or 20 % of its examples:"
    );
    let columns = [
        Column::Text("task"),
        Column::Text("of"),
        Column::Number("dev examples"),
        Column::Number("at 10 %"),
        Column::Number("at 20 %"),
    ];
    let points = |difference: Option<f64>| difference.map_or_else(|| "–".to_owned(), |of| format!("{:.1}", 100.0 * of));
    let rows = sets.iter().map(|set| {
        let [few, many] = set.smallest().map(points);
        vec![set.task.clone(), set.metric.to_owned(), set.examples.to_string(), few, many]
    });
    Some(format!("\n{}\n{}", wrapped(&what, 0), table(&columns, rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_dev_sets_are_as_large_as_published_and_show_what_so_many_can() {
        let found = published(["rte", "stsb", "rte", "squad1", "wnli", "conll2003", "unknown"]);
        let sizes: Vec<(&str, u64)> = found.iter().map(|of| (of.task.as_str(), of.examples)).collect();
        assert_eq!(sizes, [("rte", 277), ("squad1", 10570), ("wnli", 71)], "scores and tags are not right or wrong");
        let shown = lines(&found).unwrap();
        let row = |task: &str| {
            let line = shown.lines().find(|line| line.starts_with(task)).unwrap();
            line.split_whitespace().rev().take(2).map(str::to_owned).collect::<Vec<_>>()
        };
        let [at_20, at_10] = &row("rte")[..] else { panic!("{shown}") };
        let (at_10, at_20): (f64, f64) = (at_10.parse().unwrap(), at_20.parse().unwrap());
        // n = (1.96 √ψ + 0.84 √(ψ − δ²))² / δ² with n = 277.
        for (share, points) in [(0.1_f64, at_10), (0.2, at_20)] {
            let difference = points / 100.0;
            let examples = ((1.96 * share.sqrt() + 0.8416 * (share - difference.powi(2)).sqrt()) / difference).powi(2);
            assert!((examples / 277.0 - 1.0).abs() < 0.02, "{share}: {points} needs {examples} examples");
        }
        assert!(row("wnli")[0].parse::<f64>().unwrap() > at_20, "{shown}");
        assert!(lines(&[]).is_none());
    }
}
