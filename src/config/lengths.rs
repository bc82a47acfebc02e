//! The checks of `max_length`.

use super::document::Document;
use super::limits::SHORTEST_SEQUENCE;
use super::task::Task;
use crate::diagnostic::Diagnostic;

/// Refuses a longest sequence that says nothing.
pub(super) fn long_enough(document: &Document, key: &str, length: Option<u32>) -> Result<(), Diagnostic> {
    match length {
        Some(length) if length < SHORTEST_SEQUENCE => {
            let message = format!("`max_length` takes at least 3: `[CLS]`, one token and `[SEP]`, found `{length}`");
            Err(document.at_key(key, message).hint("without it each task has its own, such as `128`"))
        }
        Some(_) | None => Ok(()),
    }
}

/// A model cannot read sequences as long as a task's. Points at what was written: the task's own length, the
/// length for all, the model's positions, the model.
pub(super) fn too_long(document: &Document, task: &Task, model: &str, positions: u32) -> Diagnostic {
    let own = format!("task_settings.{}.max_length", task.name);
    let (length, name) = (task.max_length, &task.name);
    let is_written = |key: &str| document.spot(key).is_some();
    let for_all = "training.max_length".to_owned();
    let of_task = if is_written(&own) || !is_written(&for_all) { format!(" of `{name}`") } else { String::new() };
    let message = format!("`max_length`{of_task} is {length}, but the model `{model}` has {positions} positions");
    let hint = if is_written(&own) {
        format!("set `task_settings: {{{name}: {{max_length: {positions}}}}}` or less")
    } else {
        format!("set `training: {{max_length: {positions}}}` or less")
    };
    let keys = [
        own,
        for_all,
        format!("models.{model}.architecture.max_positions"),
        format!("models.{model}.checkpoint"),
        format!("models.{model}"),
    ];
    let written = keys.iter().find(|key| is_written(key));
    document.at_key(written.map_or("models", String::as_str), message).hint(hint)
}
