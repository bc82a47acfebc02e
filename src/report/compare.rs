//! Experiments, models or runs against each other: `bertbench compare`.

use std::fmt::Write as _;

use serde::Serialize;

use super::Error;
use super::analysis::Analysis;
use super::block::Table;
use super::by_example::{ByExample, OverSeeds};
use super::input::Input;
use super::results_csv::csv_of;
use super::section::versus_tables;
use super::versus::{self, Versus, VersusRow};
use super::versus_summary::{Summary, Verdict};
use super::{latex, markdown};

/// Raised when the JSON of a comparison changes.
const FORMAT: u32 = 1;

/// What was named against the baseline, as a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    format: u32,
    /// One for each pair of models.
    comparisons: Vec<ModelComparison>,
    /// Tasks that were not compared, and why.
    refused: Vec<String>,
    /// What else a reader should know.
    pub notes: Vec<String>,
}

/// Two models, task by task.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ModelComparison {
    reference: String,
    model: String,
    sentence: String,
    summary: Summary,
    tasks: Vec<TaskComparison>,
    #[serde(skip)]
    tables: Vec<Table>,
}

/// One task. Scores, differences and ends of intervals are in `unit`: of `fraction` and `correlation`, 0.7 is 70 %.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TaskComparison {
    task: String,
    benchmark: String,
    metric: String,
    split: String,
    unit: super::primary_metric::Unit,
    verdict: Verdict,
    #[serde(flatten)]
    row: VersusRow,
}

/// A column of CSV: its name and a task's value.
type CsvColumn = (&'static str, fn(&ModelComparison, &TaskComparison) -> String);

const CSV_COLUMNS: [CsvColumn; 25] = [
    ("reference", |one, _| one.reference.clone()),
    ("model", |one, _| one.model.clone()),
    ("task", |_, of| of.task.clone()),
    ("benchmark", |_, of| of.benchmark.clone()),
    ("metric", |_, of| of.metric.clone()),
    ("split", |_, of| of.split.clone()),
    ("unit", |_, of| of.unit.name().to_owned()),
    ("verdict", |_, of| if of.verdict == Verdict::NotTested { String::new() } else { of.verdict.word().to_owned() }),
    ("reference_best", |_, of| number(of.row.best_a)),
    ("model_best", |_, of| number(of.row.best_b)),
    ("examples", |_, of| by_example(of, |of| Some(of.examples as f64))),
    ("reference_run_score", |_, of| by_example(of, |of| Some(of.reference))),
    ("model_run_score", |_, of| by_example(of, |of| Some(of.model))),
    ("difference", |_, of| by_example(of, |of| Some(of.difference))),
    ("interval_low", |_, of| by_example(of, |of| Some(of.interval?.low))),
    ("interval_high", |_, of| by_example(of, |of| Some(of.interval?.high))),
    ("p_value", |_, of| by_example(of, |of| of.p_value)),
    ("p_holm", |_, of| by_example(of, |of| of.adjusted_p)),
    ("seeds_difference", |_, of| over_seeds(of, |of| Some(of.difference))),
    ("seeds_interval_low", |_, of| over_seeds(of, |of| Some(of.interval?.low))),
    ("seeds_interval_high", |_, of| over_seeds(of, |of| Some(of.interval?.high))),
    ("seeds_p_value", |_, of| over_seeds(of, |of| of.p_value)),
    ("seeds_p_holm", |_, of| over_seeds(of, |of| of.adjusted_p)),
    ("reference_wall_seconds", |_, of| number(of.row.wall_seconds[0])),
    ("model_wall_seconds", |_, of| number(of.row.wall_seconds[1])),
];

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn by_example(of: &TaskComparison, value: fn(&ByExample) -> Option<f64>) -> String {
    number(of.row.examples.as_ref().and_then(value))
}

fn over_seeds(of: &TaskComparison, value: fn(&OverSeeds) -> Option<f64>) -> String {
    number(of.row.seeds.as_ref().and_then(value))
}

/// Compares each of `input`'s experiments, which may be parts of experiments, with the one at `baseline`: models of the same
/// name, and those that are left by the tasks that they share. `labels` are what the user calls each, where that is
/// not its model's or experiment's name.
///
/// # Errors
/// When the aggregates cannot be computed.
pub fn compare(input: &Input, labels: &[Option<String>], baseline: usize) -> Result<Comparison, Error> {
    let analysis = Analysis::of(input)?;
    let of = |experiment: usize| -> Vec<usize> {
        (0..analysis.systems.len()).filter(|at| analysis.systems[*at].experiment == experiment).collect()
    };
    let label = |experiment: usize| labels.get(experiment).and_then(Option::as_deref);
    let reference = of(baseline);
    let mut found = Comparison { format: FORMAT, comparisons: Vec::new(), refused: Vec::new(), notes: Vec::new() };
    for other in (0..input.experiments.len()).filter(|other| *other != baseline) {
        let own = of(other);
        let sides = versus::sides(analysis.compared(), (&reference, label(baseline)), (&own, label(other)));
        for (experiment, systems, against) in [(baseline, &reference, other), (other, &own, baseline)] {
            let met = |at: &usize| sides.iter().any(|(a, b)| a.systems.contains(at) || b.systems.contains(at));
            for system in systems.iter().filter(|system| !met(system)) {
                let (model, against) = (&analysis.systems[*system].model, &input.experiments[against].name);
                found.notes.push(format!("model {model} has no counterpart in {against}"));
            }
            if systems.is_empty() {
                let name = &input.experiments[experiment].name;
                found.refused.push(format!("{} has no runs", label(experiment).unwrap_or(name)));
            }
        }
        for (a, b) in sides {
            let versus = versus::between(analysis.compared(), a, b);
            found.notes.extend(unshared_tasks(&analysis, &versus));
            found.refused.extend(versus.refused.iter().cloned());
            if !versus.rows.is_empty() {
                found.comparisons.push(model_comparison(&analysis, versus));
            }
        }
    }
    Ok(found)
}

/// Tasks that only one of two sides has runs of.
fn unshared_tasks(analysis: &Analysis<'_>, versus: &Versus) -> Vec<String> {
    // By name: what both have on other data was refused.
    let has = |task: usize, systems: &[usize]| {
        let mut same =
            (0..analysis.tasks.len()).filter(|other| analysis.tasks[*other].name == analysis.tasks[task].name);
        same.any(|task| systems.iter().any(|system| analysis.group(task, *system).is_some()))
    };
    let mut notes = Vec::new();
    for (task, named) in analysis.tasks.iter().enumerate() {
        match (has(task, &versus.a.systems), has(task, &versus.b.systems)) {
            (true, false) => notes.push(format!("only {} has runs of {}", versus.a.label, named.label)),
            (false, true) => notes.push(format!("only {} has runs of {}", versus.b.label, named.label)),
            (true, true) | (false, false) => {}
        }
    }
    notes
}

fn model_comparison(analysis: &Analysis<'_>, versus: Versus) -> ModelComparison {
    let tables = versus_tables(analysis, &versus, true);
    let summary = Summary::of(&versus, &analysis.primary_metrics);
    let sentence = summary.sentence(&versus);
    let task = |row: VersusRow| {
        let metric = analysis.primary_metrics[row.task].as_ref()?;
        Some(TaskComparison {
            task: analysis.tasks[row.task].name.clone(),
            benchmark: analysis.tasks[row.task].benchmark.clone(),
            metric: metric.metric.clone(),
            split: metric.split.clone(),
            unit: metric.unit,
            verdict: Verdict::of(&row, metric),
            row,
        })
    };
    let tasks = versus.rows.into_iter().filter_map(task).collect();
    ModelComparison { reference: versus.a.label, model: versus.b.label, sentence, summary, tasks, tables }
}

impl Comparison {
    /// Why nothing was compared, when nothing was.
    #[must_use]
    pub fn nothing(&self) -> Option<String> {
        let reasons = || self.refused.iter().chain(&self.notes).cloned().collect::<Vec<_>>().join("; ");
        self.comparisons.is_empty().then(reasons)
    }

    /// What was not compared, and what else a reader should know.
    pub fn remarks(&self) -> impl Iterator<Item = String> + '_ {
        let refused = self.refused.iter().map(|why| format!("not compared: {why}"));
        refused.chain(self.notes.iter().cloned())
    }

    /// The comparison for a terminal of 80 columns.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for one in &self.comparisons {
            let _ = writeln!(text, "{} against {}", one.model, one.reference);
            for table in &one.tables {
                let _ = write!(text, "\n{}\n{}", table.caption, table.to_text());
            }
            let _ = writeln!(text, "\n{}", wrapped(&one.sentence));
        }
        text
    }

    /// The tables in Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        self.formatted(markdown::table, |sentence| format!("{sentence}\n"))
    }

    /// The tables in LaTeX, for `\usepackage{booktabs}`.
    #[must_use]
    pub fn to_latex(&self) -> String {
        self.formatted(latex::table, |sentence| format!("% {sentence}\n"))
    }

    fn formatted(&self, table: fn(&Table) -> String, sentence: fn(&str) -> String) -> String {
        let of = |one: &ModelComparison| {
            let tables: Vec<String> = one.tables.iter().map(table).collect();
            format!("{}\n{}", tables.join("\n"), sentence(&one.sentence))
        };
        self.comparisons.iter().map(of).collect::<Vec<_>>().join("\n")
    }

    /// A row per task; scores, differences and ends of intervals in the unit of the row, unrounded.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn to_csv(&self) -> Result<String, Error> {
        let tasks = self.comparisons.iter().flat_map(|one| one.tasks.iter().map(move |task| (one, task)));
        let rows = tasks.map(|(one, task)| CSV_COLUMNS.map(|(_, value)| value(one, task)));
        Ok(String::from_utf8_lossy(&csv_of(&CSV_COLUMNS.map(|(name, _)| name), rows)?).into_owned())
    }

    /// The comparison for a program; numbers unrounded, null where there is none.
    ///
    /// # Errors
    /// Never, as far as `serde_json` knows these types.
    pub fn to_json(&self) -> Result<String, Error> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

/// Lines of at most 80 characters.
fn wrapped(text: &str) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 80 {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    lines.push(line);
    lines.join("\n")
}
