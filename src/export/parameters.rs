//! The settings of a run as names and values in one list.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::store::{PretrainingObjective, RunSettings};

/// Every setting by its dotted path, such as `optimization.learning_rate`; lists as JSON.
pub(super) fn parameters(settings: &RunSettings) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    flatten("", serde_json::to_value(settings).unwrap_or(Value::Null), &mut found);
    found
}

fn flatten(path: &str, value: Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(of) => {
            for (key, value) in of {
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                flatten(&path, value, into);
            }
        }
        Value::Null => {}
        Value::Array(list) => drop(into.insert(path.to_owned(), Value::String(Value::Array(list).to_string()))),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => drop(into.insert(path.to_owned(), value)),
    }
}

/// What a person asks for first, by the names of the experiment file; an objective that lacks a setting has none.
pub(super) fn main_parameters(settings: &RunSettings) -> BTreeMap<String, Value> {
    let (optimization, task) = (&settings.optimization, settings.task());
    let all = json!({
        "task": settings.task_name(),
        "model": settings.model,
        "batch_size": optimization.batch_size,
        "learning_rate": optimization.learning_rate,
        "seed": settings.seed,
        "epochs": task.map(|task| task.epochs),
        "max_length": task.map(|task| task.max_length),
        "steps": settings.pretraining().map(PretrainingObjective::steps),
    });
    let mut found = BTreeMap::new();
    flatten("", all, &mut found);
    found
}

/// The paths in which these settings differ and that [`main_parameters`] does not have.
pub(super) fn varying<'a>(all: impl IntoIterator<Item = &'a RunSettings>) -> BTreeSet<String> {
    /// What [`main_parameters`] calls by another name, and what follows from the task.
    const KNOWN: [&str; 5] = ["model", "seed", "optimization.batch_size", "optimization.learning_rate", "objective."];
    let lists: Vec<BTreeMap<String, Value>> = all.into_iter().map(parameters).collect();
    let Some((first, others)) = lists.split_first() else { return BTreeSet::new() };
    let keys: BTreeSet<&String> = lists.iter().flat_map(BTreeMap::keys).collect();
    let differs = |key: &&String| others.iter().any(|other| other.get(*key) != first.get(*key));
    let is_known =
        |key: &str| KNOWN.iter().any(|known| key == *known || known.ends_with('.') && key.starts_with(known));
    keys.into_iter().filter(|key| !is_known(key)).filter(differs).cloned().collect()
}
