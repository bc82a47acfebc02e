//! What is to be predicted: a file in the format of the task's dataset, as a split with its gold answers if there are
//! some.

use std::path::PathBuf;

use super::outputs::OutputNames;
use super::trained_model::TrainedModel;
use crate::data::{BadRows, Content, LoneTable};
use crate::diagnostic::{Diagnostic, Error};
use crate::model::Head;
use crate::store::TaskOptions;
use crate::task::{DevSplit, Gold, Task};

/// What a file that is no table is called in messages about its answers.
const INPUT: &str = "input";

/// What is to be predicted, and by which model.
#[derive(Clone, Copy)]
pub struct PredictRequest<'a> {
    /// The task that the model was trained for.
    pub task: &'a Task,
    /// The model.
    pub model: &'a TrainedModel,
    /// What its outputs mean.
    pub outputs: OutputNames<'a>,
    /// The split of the task in whose layout the input is, or `texts`; detected where none is named.
    pub split: Option<&'a str>,
    /// What malformed rows of the input are.
    pub bad_rows: BadRows,
    /// Sequences in a batch.
    pub batch_size: u32,
}

/// Gives the bytes of the input, and its name for messages.
pub type Open = dyn Fn() -> Result<(Vec<u8>, PathBuf), Error>;

/// The input as the model reads it; `tags` are the classes of a model that tags words.
pub(super) fn read(
    asked: &PredictRequest<'_>,
    tags: &[String],
    open: &Open,
    note: fn(&str),
) -> Result<DevSplit, Error> {
    let PredictRequest { task, model, .. } = *asked;
    let (name, read) = match task.head {
        Head::Classes | Head::Regression => rows(asked, open)?,
        Head::Choices | Head::Spans | Head::Tags => {
            let (bytes, path) = open()?;
            (INPUT, task.dataset.read_lone(&bytes, &path, asked.split, asked.bad_rows)?)
        }
    };
    let pairs = match &read {
        Content::Texts(split) => split.examples.iter().any(|example| example.second.is_some()),
        Content::Choices(_) | Content::Questions(_) => true,
        Content::Sentences(_) => false,
    };
    if pairs && !model.takes_pairs() {
        let message = format!("`{}` has pairs of texts, but the model has one segment embedding", task.name);
        return Err(Diagnostic::new(message).in_file(&model.folder.join("config.json")).into());
    }
    note_left_out(&read, note);
    let usage = model.config.usage.as_ref();
    let options = usage.and_then(|usage| usage.options.as_ref()).filter(|of| fit(of, task.head));
    Ok(task.split_of(name, read, &model.tokenizer, model.max_length, options, tags)?)
}

/// The rows of a table, and what their form is called.
fn rows(asked: &PredictRequest<'_>, open: &Open) -> Result<(&'static str, Content), Error> {
    let forms = asked.task.lone_tables();
    let named = asked.split.map(|name| LoneTable::find(&forms, name)).transpose()?;
    let (bytes, path) = open()?;
    let form = named.map_or_else(|| LoneTable::recognise(&forms, &bytes, &path), Ok)?;
    Ok((form.name, Content::Texts(form.read(&bytes, &path, asked.bad_rows)?)))
}

/// Whether a model's options are those of such tasks: it may have been trained on another task.
fn fit(options: &TaskOptions, head: Head) -> bool {
    match options {
        TaskOptions::Spans(_) => head == Head::Spans,
        TaskOptions::Tags(_) => head == Head::Tags,
    }
}

/// Says what of the input is not in the output, and what is there otherwise than in the input.
fn note_left_out(read: &Content, note: fn(&str)) {
    let note_count = |what: &str, count: u64| {
        if count > 0 {
            note(&format!("{what}: {count}"));
        }
    };
    let (what, skipped) = match read {
        Content::Texts(split) => {
            let without_gold = "rows without a gold label were skipped, and have no number in the output";
            note_count(without_gold, split.without_gold);
            ("malformed rows were skipped, and have no number in the output", split.skipped)
        }
        Content::Choices(choices) => ("malformed rows were skipped, and have no number in the output", choices.skipped),
        Content::Questions(questions) => ("malformed questions were skipped", questions.skipped),
        Content::Sentences(sentences) => {
            note_count("lines have bytes that are not UTF-8, which were read as U+FFFD", sentences.replaced);
            ("sentences with malformed lines were skipped", sentences.skipped)
        }
    };
    note_count(what, skipped);
}

/// How much did not fit, if anything. Passages and sentences that are too long are divided, not cut.
pub(super) fn truncated(split: &DevSplit, max_length: u32) -> Option<String> {
    let (cut, all) = (split.features.parts().truncated, split.examples());
    (cut > 0).then(|| match &split.gold {
        Gold::Labels => format!("{cut} of {all} examples were truncated to {max_length} tokens"),
        Gold::Questions { options, .. } => {
            format!("{cut} of {all} questions were truncated to {} tokens", options.max_query_length)
        }
        Gold::Sentences(_) => {
            format!("{cut} words are longer than {max_length} tokens by themselves and were truncated")
        }
    })
}
