//! The settings of a run as names and values in one list.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::store::RunSettings;

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

/// What a person asks for first, by the names of the experiment file.
pub(super) fn main_parameters(settings: &RunSettings) -> BTreeMap<String, Value> {
    let optimization = &settings.optimization;
    let mut found = BTreeMap::from([
        ("task".to_owned(), Value::from(settings.task_name())),
        ("model".to_owned(), Value::from(settings.model.as_str())),
        ("batch_size".to_owned(), Value::from(optimization.batch_size)),
        ("learning_rate".to_owned(), Value::from(optimization.learning_rate)),
        ("seed".to_owned(), Value::from(settings.seed)),
    ]);
    if let Some(task) = settings.task() {
        found.insert("epochs".to_owned(), task.epochs.into());
        found.insert("max_length".to_owned(), task.max_length.into());
    }
    if let Some(pretraining) = settings.pretraining() {
        found.insert("steps".to_owned(), pretraining.steps().into());
    }
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
