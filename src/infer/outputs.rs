//! What a model's outputs mean, and whether they are those of the task.

use super::{TrainedModel, refused};
use crate::diagnostic::Diagnostic;
use crate::model::{Head, OutputOrder, output_names};
use crate::task::Task;

/// What the user says of a model's outputs.
#[derive(Clone, Copy, Debug)]
pub struct OutputNames<'a> {
    /// The classes of the outputs, first to last; empty where `config.json` is to name them.
    pub names: &'a [String],
    /// Whether each class's probability is asked for.
    pub probabilities: bool,
}

/// The names of the outputs, by the user's or else by `config.json`'s word.
fn names(asked: OutputNames<'_>, model: &TrainedModel) -> Result<Option<Vec<String>>, Diagnostic> {
    if asked.names.is_empty() {
        return output_names(&model.folder).map_err(|error| refused(&error.into()));
    }
    Ok(Some(asked.names.to_vec()))
}

/// The tags that the model's outputs stand for, in their order; none for a task that has no tags.
///
/// # Errors
/// A model whose `config.json` does not name them, where the user does not.
pub(super) fn tags(asked: OutputNames<'_>, task: &Task, model: &TrainedModel) -> Result<Vec<String>, Diagnostic> {
    if task.head != Head::Tags {
        return Ok(Vec::new());
    }
    names(asked, model)?.ok_or_else(|| {
        let hint = "`id2label` names them, or `--outputs O,B-PER,…`, first to last";
        Diagnostic::new("the model's outputs have no names, so they cannot be read as tags")
            .in_file(&model.folder.join("config.json"))
            .hint(hint)
    })
}

/// How the model's outputs become the task's, if they can; `tags` are what [`tags`] gave.
pub(super) fn order(
    asked: OutputNames<'_>,
    task: &Task,
    model: &TrainedModel,
    outputs: usize,
    tags: &[String],
    notes: &mut Vec<String>,
) -> Result<OutputOrder, Diagnostic> {
    let (name, config) = (&task.name, model.folder.join("config.json"));
    let wrong = |message: String| Diagnostic::new(message).in_file(&config);
    let unasked = |what: &str| Diagnostic::new(what.to_owned());
    let many = if outputs == 1 { "1 output".to_owned() } else { format!("{outputs} outputs") };
    let (named, probabilities) = (!asked.names.is_empty(), asked.probabilities);
    let (expected, what, about) = match task.head {
        Head::Classes => return classes_in_order(asked, task, model, outputs, task.classes(), notes),
        Head::Regression => (1, "one, a score", "a score"),
        Head::Choices => (1, "one, the score of a choice", "choices, which have no names"),
        Head::Spans => (2, "two, the start and the end of an answer", "answers"),
        Head::Tags if outputs != tags.len() => {
            let listed = tags.join(",");
            return Err(wrong(format!("the model has {many}, but {} tags are named: {listed}", tags.len())));
        }
        Head::Tags if probabilities => {
            return Err(unasked(&format!("`--probabilities` is about classes of rows, but `{name}` asks for tags")));
        }
        Head::Tags => return Ok(OutputOrder::as_it_is(outputs)),
    };
    if outputs != expected {
        return Err(wrong(format!("the model has {many}, but `{name}` asks for {what}")));
    }
    if named || (probabilities && task.head != Head::Choices) {
        let asks = format!("`--outputs` and `--probabilities` are about classes, but `{name}` asks for {about}");
        return Err(unasked(&asks));
    }
    Ok(OutputOrder::as_it_is(outputs))
}

fn classes_in_order(
    asked: OutputNames<'_>,
    task: &Task,
    model: &TrainedModel,
    outputs: usize,
    classes: &[&str],
    notes: &mut Vec<String>,
) -> Result<OutputOrder, Diagnostic> {
    let (name, config) = (&task.name, model.folder.join("config.json"));
    let wrong = |message: String| Diagnostic::new(message).in_file(&config);
    let (known, listed) = (classes.len(), classes.join(","));
    if outputs != known {
        let many = if outputs == 1 { "1 output".to_owned() } else { format!("{outputs} outputs") };
        return Err(wrong(format!("the model has {many}, but `{name}` has {known} classes: {listed}")));
    }
    let Some(names) = names(asked, model)? else {
        notes.push(format!("config.json does not name the outputs; taken as `--outputs {listed}`"));
        return Ok(OutputOrder::as_it_is(known));
    };
    let order = OutputOrder::by_name(&names, classes).ok_or_else(|| {
        let message = format!("the outputs are named {}, but the classes of `{name}` are {listed}", names.join(","));
        let hint = format!("`--outputs {listed}` or another order of these says which output is which, first to last");
        if asked.names.is_empty() { wrong(message) } else { Diagnostic::new(message) }.hint(hint)
    })?;
    if asked.names.is_empty() && !order.is_as_it_is() {
        notes.push(format!("the model's outputs are {}; the table has them in the order of `{name}`", names.join(",")));
    }
    Ok(order)
}
