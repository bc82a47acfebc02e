//! Runs as a table with a row each, to be filtered and sorted: `bertbench runs list`.

use polars::prelude::{
    AnyValue, Column, DataFrame, DataType, IntoColumn, IntoLazy, PolarsResult, Series, SortMultipleOptions, col,
};
use serde_json::{Map, Value, json};

use super::phrase::moment;
use super::run_filter::{Condition, Kind, parse};
use crate::store::{Record, RunFolder, RunSettings, RunsRoot, Score, StoreError};

/// A run's values in all columns: much smaller than its record.
#[derive(Clone, Debug)]
pub struct RunRow([AnyValue<'static>; COLUMNS.len()]);

impl RunRow {
    /// A run as its folder tells of it; a record that cannot be read counts as none, as everywhere, and `note` says so.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn read(folder: &RunFolder, note: fn(&str)) -> Result<Self, StoreError> {
        let run = if let Ok(Some(record)) = folder.record() {
            ListedRun { folder, state: "done", settings: Some(record.settings.clone()), record: Some(record) }
        } else {
            let state = folder.state()?;
            state.damage().iter().for_each(|damage| note(damage));
            ListedRun { folder, state: state.word(), settings: folder.settings().ok().flatten(), record: None }
        };
        Ok(Self(COLUMNS.map(|(_, _, value)| value(&run).unwrap_or(AnyValue::Null))))
    }
}

/// A run on disk.
struct ListedRun<'a> {
    folder: &'a RunFolder,
    /// `done`, `running`, `failed`, `damaged` or `missing`.
    state: &'static str,
    /// As far as they can be read.
    settings: Option<RunSettings>,
    record: Option<Record>,
}

/// The folders of an experiment, without those whose names tell already that their runs miss the condition.
///
/// # Errors
/// A folder that cannot be listed.
pub fn listed_folders(
    root: &RunsRoot,
    experiment: &str,
    condition: Option<&RunCondition>,
) -> Result<Vec<RunFolder>, StoreError> {
    let Some(condition) = condition else { return root.folders(experiment) };
    let mut folders =
        root.folders_where(experiment, |task, model| condition.may_meet([experiment, task, model], None))?;
    folders.retain(|run| condition.may_meet([experiment, run.task(), run.model()], Some(&run.id().0)));
    Ok(folders)
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

/// A column: its name, what it holds, and a run's value.
type RunColumn = (&'static str, Kind, fn(&ListedRun<'_>) -> Option<AnyValue<'static>>);

/// All columns, in the order of JSON.
const COLUMNS: [RunColumn; 20] = [
    ("id", Kind::Text, |run| Some(text(&run.folder.id().0))),
    ("experiment", Kind::Text, |run| Some(text(run.folder.experiment()))),
    ("task", Kind::Text, |run| Some(text(run.folder.task()))),
    ("model", Kind::Text, |run| Some(text(run.folder.model()))),
    ("batch_size", Kind::Number, |run| Some(number(run.settings.as_ref()?.optimization.batch_size))),
    ("learning_rate", Kind::Number, |run| Some(number(run.settings.as_ref()?.optimization.learning_rate))),
    ("epochs", Kind::Number, |run| Some(number(run.settings.as_ref()?.task()?.epochs))),
    ("seed", Kind::Number, |run| Some(number(run.settings.as_ref()?.seed as f64))),
    ("max_length", Kind::Number, |run| Some(number(run.settings.as_ref()?.task()?.max_length))),
    ("device", Kind::Text, |run| Some(text(&run.settings.as_ref()?.device))),
    ("state", Kind::Text, |run| Some(text(run.state))),
    ("metric", Kind::Text, |run| Some(text(run.record.as_ref().filter(|of| !of.scores.is_empty())?.primary_metric()))),
    ("score", Kind::Number, |run| Some(number(run.record.as_ref()?.primary_score()?))),
    ("best", Kind::Number, |run| Some(number(best(run.record.as_ref()?)?))),
    ("steps", Kind::Number, |run| Some(number(run.record.as_ref()?.steps as f64))),
    ("seconds", Kind::Number, |run| Some(number(run.record.as_ref()?.timings.wall.0))),
    ("peak_memory", Kind::Number, |run| Some(number(run.record.as_ref()?.peak_memory.0 as f64))),
    ("host", Kind::Text, |run| Some(text(&run.record.as_ref()?.host.name))),
    ("commit", Kind::Text, |run| Some(text(run.record.as_ref()?.provenance.git_commit.as_ref()?))),
    ("finished", Kind::Text, |run| Some(text(&moment(run.record.as_ref()?.provenance.finished_unix)))),
];

fn text(value: &str) -> AnyValue<'static> {
    AnyValue::StringOwned(value.into())
}

fn number(value: impl Into<f64>) -> AnyValue<'static> {
    AnyValue::Float64(value.into())
}

/// The best primary score of all evaluations.
fn best(record: &Record) -> Option<f64> {
    let split = record.task().map_or("held_out", |task| &task.primary_split);
    let is_primary = |score: &&Score| score.metric == record.primary_metric() && score.split == split;
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
        let column = |(at, (name, kind, _)): (usize, &RunColumn)| {
            let values: Vec<AnyValue<'_>> = runs.iter().map(|row| row.0[at].clone()).collect();
            let kind = if *kind == Kind::Text { DataType::String } else { DataType::Float64 };
            Ok(Series::from_any_values_and_dtype((*name).into(), &values, &kind, true)?.into_column())
        };
        let columns = COLUMNS.iter().enumerate().map(column).collect::<PolarsResult<Vec<_>>>()?;
        Ok(Self { frame: DataFrame::new(runs.len(), columns)? })
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
