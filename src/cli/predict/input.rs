//! What is to be predicted: a file in the format of the task's dataset, as a split with its gold answers if there are
//! some.

use super::Args;
use crate::cli::error::Error;
use crate::cli::error::note;
use crate::cli::streams::read_input;
use crate::data::{BadRows, Content, LoneTable};
use crate::diagnostic::Diagnostic;
use crate::infer::TrainedModel;
use crate::model::Head;
use crate::store::TaskOptions;
use crate::task::{DevSplit, Gold, Task};

/// What a file that is no table is called in messages about its answers.
const INPUT: &str = "input";

/// The input as the model reads it; `tags` are the classes of a model that tags words.
pub(super) fn read(args: &Args, task: &Task, model: &TrainedModel, tags: &[String]) -> Result<DevSplit, Error> {
    let bad_rows = if args.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse };
    let (name, read) = match task.head {
        Head::Classes | Head::Regression => rows(args, task, bad_rows)?,
        Head::Choices | Head::Spans | Head::Tags => {
            let (bytes, path) = read_input(&args.input)?;
            (INPUT, task.dataset.read_lone(&bytes, &path, args.split.as_deref(), bad_rows)?)
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
    note_left_out(&read);
    let usage = model.config.usage.as_ref();
    let options = usage.and_then(|usage| usage.options.as_ref()).filter(|of| fit(of, task.head));
    Ok(task.split_of(name, read, &model.tokenizer, model.max_length, options, tags)?)
}

/// The rows of a table, and what their form is called.
fn rows(args: &Args, task: &Task, bad_rows: BadRows) -> Result<(&'static str, Content), Error> {
    let forms = task.lone_tables();
    let named = args.split.as_deref().map(|name| LoneTable::find(&forms, name)).transpose()?;
    let (bytes, path) = read_input(&args.input)?;
    let form = named.map_or_else(|| LoneTable::recognise(&forms, &bytes, &path), Ok)?;
    Ok((form.name, Content::Texts(form.read(&bytes, &path, bad_rows)?)))
}

/// Whether a model's options are those of such tasks: it may have been trained on another task.
fn fit(options: &TaskOptions, head: Head) -> bool {
    match options {
        TaskOptions::Spans(_) => head == Head::Spans,
        TaskOptions::Tags(_) => head == Head::Tags,
    }
}

/// Says what of the input is not in the output, and what is there otherwise than in the input.
fn note_left_out(read: &Content) {
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

fn note_count(what: &str, count: u64) {
    if count > 0 {
        note(&format_args!("{what}: {count}"));
    }
}

/// Says how much did not fit. Passages and sentences that are too long are divided, not cut.
pub(super) fn note_truncated(split: &DevSplit, max_length: u32) {
    let (cut, all) = (split.features.truncated(), split.examples());
    if cut == 0 {
        return;
    }
    match &split.gold {
        Gold::Labels => note(&format_args!("{cut} of {all} examples were truncated to {max_length} tokens")),
        Gold::Questions { options, .. } => {
            note(&format_args!("{cut} of {all} questions were truncated to {} tokens", options.max_query_length));
        }
        Gold::Sentences(_) => {
            note(&format_args!("{cut} words are longer than {max_length} tokens by themselves and were truncated"));
        }
    }
}
