//! `bertbench predict`

mod input;

use std::path::{Path, PathBuf};

use super::error::{CommandOutcome, Error};
use super::error::{note, say};
use super::streams::Output;
use super::table::{Column, print, table};
use super::trained_model::ModelArgs;
use crate::diagnostic::Diagnostic;
use crate::infer::{OutputNames, output_order, output_tags, refused};
use crate::model::{CheckpointError, Encoder, Head, check_head, load_trained_classifier};
use crate::task::{DevSplit, Gold, PredictionFile, Task, TaskFiles};
use crate::train::{predict_in_batches, scores};

/// Predict a file of a task with a trained model.
///
/// The input is in the task's official format, with or without gold answers: tab-separated rows (or a header and the
/// texts alone), SQuAD's JSON, SWAG's CSV, or one word and its tag per line. The output has the format of a run's own
/// predictions: a table with a line for every row (its number from 0, the prediction, the label if there is one, and
/// the logits); `predictions.json` of SQuAD, with `nbest_predictions.json` and, where questions may have no answer,
/// `null_odds.json` beside it; the columns `word gold predicted` of a task that tags words. With gold answers the
/// scores are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The task that the model was trained for: `bertbench list tasks`.
    #[arg(long, value_name = "TASK")]
    task: String,
    /// What to predict; `-` is standard input.
    #[arg(long, value_name = "INPUT")]
    input: PathBuf,
    /// The predictions; `-` is standard output.
    #[arg(long, value_name = "OUTPUT")]
    output: PathBuf,
    /// Read the input in the layout of this split of the task, or as `texts`, without answers [default: detected from
    /// the first line].
    #[arg(long, value_name = "SPLIT")]
    split: Option<String>,
    /// The classes of the model's outputs, first to last, where its config.json does not name them.
    #[arg(long, value_name = "CLASS,…", value_delimiter = ',')]
    outputs: Vec<String>,
    /// Add each class's probability.
    #[arg(long)]
    probabilities: bool,
    /// Skip and count malformed rows instead of refusing the input.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Read bytes of column files that are not UTF-8 as U+FFFD instead of refusing the input.
    #[arg(long)]
    lossy: bool,
    #[command(flatten)]
    model: ModelArgs,
}

const EXAMPLES: &str = "\
Examples:
  bertbench predict runs/mini/rte/small/ID/model --task rte --input RTE/dev.tsv --output out.tsv
  bertbench predict MODEL --task stsb --input - --output - < rows.tsv > out.tsv
  bertbench predict MODEL --task mnli --input diagnostic.tsv --output ax.tsv
  bertbench predict MODEL --task rte --outputs not_entailment,entailment --input test.tsv --output -
  bertbench predict MODEL --task squad1 --input dev-v1.1.json --output predictions.json
  bertbench predict MODEL --task conll2003 --input eng.testb --output tagged.txt";

/// What a file of weights without a head should have been.
const HEAD_IS: &str = "`predict` needs a model that was trained on a task, with its head";

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    args.model.threads.compute(|| predict(args))
}

fn predict(args: &Args) -> Result<CommandOutcome, Error> {
    let lossy = args.lossy;
    let task = Task::over(&args.task, &TaskFiles { lossy, ..TaskFiles::default() })?;
    let output = Output::open(&args.output)?;
    let model = args.model.open_for(task.max_length())?;
    let head = task.head;
    check_head(&model.folder, head).map_err(|error| Diagnostic::new(error.to_string()).hint(head_is(head)))?;
    let asked = OutputNames { names: &args.outputs, probabilities: args.probabilities };
    let tags = output_tags(asked, &task, &model)?;
    let split = input::read(args, &task, &model, &tags)?;
    let mut loaded = load_trained_classifier(&model.checkpoint, head, &model.device.device)
        .map_err(|error| no_head(&error, head))?;
    loaded.model.encoder.set_precision(model.precision);
    let mut notes = Vec::new();
    let order = output_order(asked, &task, &model, loaded.model.outputs(), &tags, &mut notes)?;
    notes.iter().chain(&loaded.notes).for_each(note);
    input::note_truncated(&split, model.max_length);
    let logits = predict_in_batches(&loaded.model, &split.features, args.model.batch_size, &model.device.device)
        .map_err(|fault| Error::System(fault.to_string()))?;
    let logits = order.arrange(&logits);
    if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
        let what = match task.row() {
            0 => format!("output for token {}", at / task.outputs(&tags).max(1)),
            outputs => format!("output for row {}", at / outputs),
        };
        return Err(Error::System(format!("the model's {what} is not a finite number")));
    }
    let files = files(args, &task, &logits, &split, &tags);
    write(&output, &files)?;
    conclude(&output, &task, &logits, &split, &tags)
}

/// What a checkpoint should have been that has no head for a task of this shape.
fn head_is(head: Head) -> &'static str {
    match head {
        Head::Classes | Head::Regression => HEAD_IS,
        Head::Choices => "`predict` needs a model that was trained to choose: on `swag`",
        Head::Tags => "`predict` needs a model that was trained to tag words: on `conll2003` or another NER task",
        Head::Spans => "`predict` needs a model that was trained to find answers: on `squad1` or `squad2`",
    }
}

/// Why a model's weights are refused: said in another way when only the head is not there.
fn no_head(error: &CheckpointError, head: Head) -> Error {
    const OF_HEADS: [&str; 3] = ["classifier.", "qa_outputs.", "pooler."];
    if let CheckpointError::Missing { names, .. } = error
        && names.iter().all(|name| OF_HEADS.iter().any(|of| name.starts_with(of)))
    {
        return Diagnostic::new(error.to_string()).hint(head_is(head)).into();
    }
    refused(error).into()
}

/// The predictions as a run keeps them, the file that was asked for first.
fn files(args: &Args, task: &Task, logits: &[f32], split: &DevSplit, tags: &[String]) -> Vec<PredictionFile> {
    // Tables of scores are printed, and stand in no file of the input's examples.
    const OF_SCORES: [&str; 2] = ["scores", "entities"];
    if args.probabilities && matches!(split.gold, Gold::Labels) {
        let content = task.predictions_tsv(logits, split.features.labels(), true);
        return vec![PredictionFile { name: String::new(), content }];
    }
    let mut files = task.prediction_files(logits, split, tags);
    files.retain(|file| !OF_SCORES.iter().any(|of| file.name.starts_with(of)));
    files
}

/// Writes the first file to the output and the others beside it, under their own names; standard output has room for
/// one.
fn write(output: &Output, files: &[PredictionFile]) -> Result<(), Error> {
    let [first, others @ ..] = files else { return Ok(()) };
    if let Output::File(path) = output {
        let beside: Vec<PathBuf> = others.iter().map(|file| path.with_file_name(&file.name)).collect();
        if let Some(taken) = beside.iter().find(|other| *other == path) {
            let message = format!("{} is the name of another output file", taken.display());
            return Err(Diagnostic::new(message).hint("such as `--output predictions.json`").into());
        }
        // A device has no neighbours.
        if is_file_to_be(path) {
            for (path, file) in beside.iter().zip(others) {
                Output::File(path.clone()).write(&file.content)?;
            }
        }
    }
    output.write(&first.content)
}

fn is_file_to_be(path: &Path) -> bool {
    path.metadata().map_or(true, |found| found.is_file())
}

/// Says what was done, with the scores where there are gold answers; on standard error when the predictions are on
/// standard output.
fn conclude(
    output: &Output,
    task: &Task,
    logits: &[f32],
    split: &DevSplit,
    tags: &[String],
) -> Result<CommandOutcome, Error> {
    let count = split.examples();
    let mut text = match output {
        Output::Standard => format!("{count} predictions"),
        Output::File(path) => format!("{}: {count} predictions", path.display()),
    };
    if split.has_gold() {
        let columns = [Column::Text("metric"), Column::Number("value"), Column::Text("unit")];
        let rows = scores(task, split, logits, tags).into_iter().map(|score| {
            let value = score.value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
            vec![score.metric, value, score.unit]
        });
        text = format!("{text}\n\n{}", table(&columns, rows));
    }
    match output {
        Output::Standard => say(&text),
        Output::File(_) => print(&text)?,
    }
    Ok(CommandOutcome::Success)
}
