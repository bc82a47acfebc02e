//! `bertbench predict`

use std::path::{Path, PathBuf};

use super::run::shown;
use super::trained_model::ModelArgs;
use crate::data::BadRows;
use crate::diagnostic::{Diagnostic, Error};
use crate::infer::{OutputNames, PredictRequest, Predictions};
use crate::settings::TaskFiles;
use crate::task::{PredictionFile, Task};
use crate::terminal::{Column, Output, note_text, read_input, table};

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

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    args.model.threads.compute(|| predict(args))
}

fn predict(args: &Args) -> Result<(), Error> {
    let lossy = args.lossy;
    let task = Task::over(&args.task, &TaskFiles { lossy, ..TaskFiles::default() })?;
    let output = Output::open(&args.output)?;
    let model = args.model.open_for(task.max_length())?;
    let request = PredictRequest {
        task: &task,
        model: &model,
        outputs: OutputNames { names: &args.outputs, probabilities: args.probabilities },
        split: args.split.as_deref(),
        bad_rows: if args.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse },
        batch_size: args.model.batch_size,
    };
    let input = args.input.clone();
    let predictions = request.predict(&move || read_input(&input), note_text)?;
    write(&output, &predictions.files(&task, args.probabilities))?;
    conclude(&output, &task, &predictions)
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
fn conclude(output: &Output, task: &Task, predictions: &Predictions) -> Result<(), Error> {
    let count = predictions.examples();
    let mut text = match output {
        Output::Standard => format!("{count} predictions"),
        Output::File(path) => format!("{}: {count} predictions", path.display()),
    };
    if let Some(scores) = predictions.scores(task) {
        let columns = [Column::Text("metric"), Column::Number("value"), Column::Text("unit")];
        let rows = scores.into_iter().map(|score| vec![score.metric, shown(score.value), score.unit]);
        text = format!("{text}\n\n{}", table(&columns, rows));
    }
    output.tell(&text)
}
