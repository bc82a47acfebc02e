//! Two experiments against each other: `bertbench compare X Y`.

use std::fmt::Write as _;

use serde::Serialize;

use super::Error;
use super::analysis::Analysis;
use super::block::Table;
use super::input::{ExperimentInput, Input};
use super::section::versus_table;
use super::versus::{self, Versus, VersusRow};

/// The comparison of two experiments, as a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The reference experiment.
    pub reference: String,
    /// The experiment that is held against it.
    pub other: String,
    /// One for each pair of models.
    models: Vec<ModelComparison>,
    /// What was not compared, and why.
    pub notes: Vec<String>,
}

/// Two models, task by task.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ModelComparison {
    reference: String,
    other: String,
    tasks: Vec<TaskComparison>,
    #[serde(skip)]
    table: Table,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TaskComparison {
    task: String,
    benchmark: String,
    metric: String,
    #[serde(flatten)]
    row: VersusRow,
}

/// Compares `y` with `x`: models of the same name, or the only two when none share a name; task by
/// task; runs paired by batch size, learning rate, epochs, seed and data.
///
/// # Errors
/// When the aggregates cannot be computed.
pub fn compare(x: &ExperimentInput, y: &ExperimentInput) -> Result<Comparison, Error> {
    let input = Input { title: String::new(), experiments: vec![x.clone(), y.clone()] };
    let analysis = Analysis::of(&input)?;
    let of = |experiment: usize| -> Vec<usize> {
        (0..analysis.systems.len()).filter(|at| analysis.systems[*at].experiment == experiment).collect()
    };
    let (left, right) = (of(0), of(1));
    let name = |at: &usize| analysis.systems[*at].model.as_str();
    let mut pairs: Vec<(usize, usize)> =
        left.iter().filter_map(|a| Some((*a, *right.iter().find(|b| name(b) == name(a))?))).collect();
    if let ([a], [b], []) = (&left[..], &right[..], &pairs[..]) {
        pairs.push((*a, *b));
    }
    let mut notes = Vec::new();
    for (own, other, at) in [(&left, &y.name, 0), (&right, &x.name, 1)] {
        for system in own.iter().filter(|system| !pairs.iter().any(|pair| [pair.0, pair.1][at] == **system)) {
            notes.push(format!("model {} has no counterpart in {other}", name(system)));
        }
    }
    let mut models = Vec::new();
    for (a, b) in pairs {
        let versus = versus::pair(&analysis.runs, &analysis.primary_metrics, &analysis.groups, a, b);
        notes.extend(unshared_tasks(&analysis, a, b));
        models.push(model_comparison(&analysis, versus));
    }
    Ok(Comparison { reference: x.name.clone(), other: y.name.clone(), models, notes })
}

/// Tasks that only one of two systems has runs of.
fn unshared_tasks(analysis: &Analysis<'_>, a: usize, b: usize) -> Vec<String> {
    let experiment = |system: usize| &analysis.input.experiments[analysis.systems[system].experiment].name;
    let mut notes = Vec::new();
    for (task, named) in analysis.tasks.iter().enumerate() {
        match (analysis.group(task, a).is_some(), analysis.group(task, b).is_some()) {
            (true, false) => notes.push(format!("task {} is in {} only", named.label, experiment(a))),
            (false, true) => notes.push(format!("task {} is in {} only", named.label, experiment(b))),
            (true, true) if analysis.primary_metrics[task].is_none() => {
                notes.push(format!("task {} has no finished run", named.label));
            }
            (true, true) | (false, false) => {}
        }
    }
    notes
}

fn model_comparison(analysis: &Analysis<'_>, versus: Versus) -> ModelComparison {
    let table = versus_table(analysis, &versus);
    let label = |at: usize| analysis.systems[at].label.clone();
    let tasks = versus
        .rows
        .into_iter()
        .map(|row| TaskComparison {
            task: analysis.tasks[row.task].name.clone(),
            benchmark: analysis.tasks[row.task].benchmark.clone(),
            metric: analysis.primary_metrics[row.task]
                .as_ref()
                .map_or_else(String::new, |primary_metric| primary_metric.metric.clone()),
            row,
        })
        .collect();
    ModelComparison { reference: label(versus.a), other: label(versus.b), tasks, table }
}

impl Comparison {
    /// The comparison for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for model in &self.models {
            let _ = writeln!(text, "{} against {}\n\n{}", model.other, model.reference, model.table.to_text());
        }
        if self.models.iter().any(|model| !model.tasks.is_empty()) {
            text += "scores × 100, on dev; p: two-sided sign-flip permutation test over the pairs; intervals and p corrected for the number of tasks\n";
        } else {
            text += "nothing to compare\n";
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }

    /// The comparison for a program; numbers unrounded, null where there is none.
    ///
    /// # Errors
    /// Never, as far as `serde_json` knows these types.
    pub fn to_json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}
