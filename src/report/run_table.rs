//! Runs as a table with a row each, to be filtered and sorted: `bertbench runs list`.

use polars::prelude::{AnyValue, Column, DataFrame, IntoLazy, PolarsResult, SortMultipleOptions, col};
use serde_json::{Map, Value, json};

use super::listed_run::ListedRun;
use super::phrase::moment;
use super::run_filter::{Condition, Kind, parse};
use crate::store::{Record, RunSettings};

/// A run's values in all columns: much smaller than its record.
#[derive(Clone, Debug)]
pub struct RunRow(Vec<Cell>);

impl RunRow {
    fn text(&self, column: usize) -> Option<&str> {
        match self.0.get(column) {
            Some(Cell::Text(text)) => text.as_deref(),
            Some(Cell::Number(_)) | None => None,
        }
    }

    fn number(&self, column: usize) -> Option<f64> {
        match self.0.get(column) {
            Some(Cell::Number(number)) => *number,
            Some(Cell::Text(_)) | None => None,
        }
    }
}

impl From<&ListedRun> for RunRow {
    fn from(run: &ListedRun) -> Self {
        Self(COLUMNS.iter().map(|(_, _, value)| value(run)).collect())
    }
}

/// A condition on the columns of runs, such as `task == "rte" and score > 0.6`.
#[derive(Clone, Debug)]
pub struct RunCondition(Condition);

impl RunCondition {
    /// Reads it.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, RunTableError> {
        let kinds: Vec<(&'static str, Kind)> = COLUMNS.iter().map(|(name, kind, _)| (*name, *kind)).collect();
        let parsed = parse(text, &kinds);
        parsed.map(Self).map_err(|cause| RunTableError::Condition { condition: text.to_owned(), cause })
    }

    /// Whether a run of this experiment, task and model, and with this id when it is known, may meet it: what the
    /// other columns say is open.
    #[must_use]
    pub fn may_meet(&self, [experiment, task, model]: [&str; 3], id: Option<&str>) -> bool {
        let known = |column: &str| match column {
            "experiment" => Some(experiment),
            "task" => Some(task),
            "model" => Some(model),
            "id" => id,
            _ => None,
        };
        self.0.truth(&known) != Some(false)
    }
}

/// A value of a run.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Text(Option<String>),
    Number(Option<f64>),
}

/// A column: its name, what it holds, and a run's value.
type RunColumn = (&'static str, Kind, fn(&ListedRun) -> Cell);

/// All columns, in the order of JSON.
const COLUMNS: [RunColumn; 20] = [
    ("id", Kind::Text, |run| text(Some(run.id.clone()))),
    ("experiment", Kind::Text, |run| text(Some(run.experiment.clone()))),
    ("task", Kind::Text, |run| text(Some(run.task.clone()))),
    ("model", Kind::Text, |run| text(Some(run.model.clone()))),
    ("batch_size", Kind::Number, |run| number(run, |of| Some(f64::from(of.optimization.batch_size)))),
    ("learning_rate", Kind::Number, |run| number(run, |of| Some(of.optimization.learning_rate))),
    ("epochs", Kind::Number, |run| number(run, |of| of.task().map(|task| f64::from(task.epochs)))),
    ("seed", Kind::Number, |run| number(run, |of| Some(of.seed as f64))),
    ("max_length", Kind::Number, |run| number(run, |of| of.task().map(|task| f64::from(task.max_length)))),
    ("device", Kind::Text, |run| text(run.settings().map(|of| of.device.clone()))),
    ("state", Kind::Text, |run| text(Some(run.state.to_owned()))),
    ("metric", Kind::Text, |run| {
        recorded_text(run, |of| (!of.scores.is_empty()).then(|| of.primary_metric().to_owned()))
    }),
    ("score", Kind::Number, |run| recorded(run, Record::primary_score)),
    ("best", Kind::Number, |run| recorded(run, best)),
    ("steps", Kind::Number, |run| recorded(run, |of| Some(of.steps as f64))),
    ("seconds", Kind::Number, |run| recorded(run, |of| Some(of.timings.wall.0))),
    ("peak_memory", Kind::Number, |run| recorded(run, |of| Some(of.peak_memory.0 as f64))),
    ("host", Kind::Text, |run| recorded_text(run, |of| Some(of.host.name.clone()))),
    ("commit", Kind::Text, |run| recorded_text(run, |of| of.provenance.git_commit.clone())),
    ("finished", Kind::Text, |run| recorded_text(run, |of| Some(moment(of.provenance.finished_unix)))),
];

fn text(value: Option<String>) -> Cell {
    Cell::Text(value)
}

fn number(run: &ListedRun, of: fn(&RunSettings) -> Option<f64>) -> Cell {
    Cell::Number(run.settings().and_then(of))
}

fn recorded(run: &ListedRun, of: fn(&Record) -> Option<f64>) -> Cell {
    Cell::Number(run.record().and_then(of))
}

fn recorded_text(run: &ListedRun, of: fn(&Record) -> Option<String>) -> Cell {
    Cell::Text(run.record().and_then(of))
}

/// The best primary score of all evaluations.
fn best(record: &Record) -> Option<f64> {
    let split = record.task().map_or("held_out", |task| &task.primary_split);
    let is_primary = |score: &&crate::store::Score| score.metric == record.primary_metric() && score.split == split;
    let on_the_way = record.evaluations.iter().flat_map(|evaluation| &evaluation.scores);
    let scores = on_the_way.chain(&record.scores).filter(is_primary);
    let values = scores.filter_map(|score| Some((score.value?, score.higher_is_better)));
    values.reduce(|best, next| if (next.0 > best.0) == next.1 { next } else { best }).map(|(value, _)| value)
}

/// Runs with the columns that are asked for.
#[derive(Debug)]
pub struct RunTable {
    frame: DataFrame,
}

/// Why a table cannot be made as asked for.
#[derive(Debug, thiserror::Error)]
pub enum RunTableError {
    /// The condition is not one.
    #[error("the condition `{condition}` is not understood: {cause}")]
    Condition {
        /// The condition.
        condition: String,
        /// What is wrong with it.
        cause: String,
    },
    /// There is no such column.
    #[error("there is no column `{0}`")]
    Column(String),
    /// Polars could not carry it out.
    #[error("cannot list the runs: {0}")]
    Frame(#[from] polars::prelude::PolarsError),
}

/// The names of all columns.
#[must_use]
pub fn run_columns() -> Vec<&'static str> {
    COLUMNS.iter().map(|(name, ..)| *name).collect()
}

impl RunTable {
    /// A row for each run.
    ///
    /// # Errors
    /// Never, as far as Polars knows these columns.
    pub fn of(runs: &[RunRow]) -> Result<Self, RunTableError> {
        let column = |(at, (name, kind, _)): (usize, &RunColumn)| -> Column {
            match kind {
                Kind::Text => Column::new((*name).into(), runs.iter().map(|row| row.text(at)).collect::<Vec<_>>()),
                Kind::Number => Column::new((*name).into(), runs.iter().map(|row| row.number(at)).collect::<Vec<_>>()),
            }
        };
        Ok(Self { frame: DataFrame::new(runs.len(), COLUMNS.iter().enumerate().map(column).collect())? })
    }

    /// The runs that meet a condition.
    ///
    /// # Errors
    /// Never, as far as Polars knows these columns.
    pub fn filtered(self, condition: &RunCondition) -> Result<Self, RunTableError> {
        Ok(Self { frame: self.frame.lazy().filter(condition.0.expression()).collect()? })
    }

    /// The runs by a column, upwards, or with `-` before it downwards; runs without a value last, equal ones as they were.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn sorted(self, by: &str) -> Result<Self, RunTableError> {
        let column = known(by.strip_prefix('-').unwrap_or(by))?;
        let order = SortMultipleOptions::default()
            .with_order_descending(by.starts_with('-'))
            .with_nulls_last(true)
            .with_maintain_order(true);
        Ok(Self { frame: self.frame.lazy().sort([column], order).collect()? })
    }

    /// These columns alone, in this order.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn selected(self, columns: &[&str]) -> Result<Self, RunTableError> {
        let columns = columns.iter().map(|name| known(name)).collect::<Result<Vec<_>, _>>()?;
        let columns: Vec<_> = columns.into_iter().map(col).collect();
        Ok(Self { frame: self.frame.lazy().select(columns).collect()? })
    }

    /// The names of the columns, and whether each holds numbers.
    #[must_use]
    pub fn columns(&self) -> Vec<(&'static str, bool)> {
        let is_here = |name: &str| self.frame.column(name).is_ok();
        let mut found: Vec<(usize, (&'static str, bool))> = COLUMNS
            .iter()
            .filter(|(name, ..)| is_here(name))
            .filter_map(|(name, kind, _)| Some((self.frame.get_column_index(name)?, (*name, *kind == Kind::Number))))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, column)| column).collect()
    }

    /// Runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frame.height()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An object per run; whole numbers without a point, null where there is no value.
    ///
    /// # Errors
    /// Never, as far as Polars knows these columns.
    pub fn rows(&self) -> PolarsResult<Vec<Map<String, Value>>> {
        let columns = self.columns();
        let columns =
            columns.iter().map(|(name, _)| Ok((*name, self.frame.column(name)?))).collect::<PolarsResult<Vec<_>>>()?;
        let row = |at: usize| {
            let cell = |(name, column): &(&'static str, &Column)| Ok(((*name).to_owned(), json_of(&column.get(at)?)));
            columns.iter().map(cell).collect::<PolarsResult<Map<String, Value>>>()
        };
        (0..self.len()).map(row).collect()
    }
}

fn known(name: &str) -> Result<&'static str, RunTableError> {
    let found = COLUMNS.iter().find(|(known, ..)| *known == name);
    found.map(|(name, ..)| *name).ok_or_else(|| RunTableError::Column(name.to_owned()))
}

fn json_of(value: &AnyValue<'_>) -> Value {
    if let Some(text) = value.get_str() {
        return json!(text);
    }
    match value.extract::<f64>() {
        // Below 2^53, whole numbers are exact.
        Some(whole) if whole.fract() == 0.0 && whole.abs() < 9e15 => json!(whole as i64),
        Some(number) => json!(number),
        None => Value::Null,
    }
}
