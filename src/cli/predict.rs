//! `bertbench predict`

use std::path::PathBuf;

use super::streams::{Output, read_input};
use super::table::{Column, print, table};
use super::trained_model::{ModelArgs, TrainedModel, note, note_truncated, refused};
use super::{Ended, Error};
use crate::data::{BadRows, LoneTable};
use crate::diagnostic::Diagnostic;
use crate::model::{CheckpointError, HeadShape, OutputOrder, check_head, load_trained_classifier, output_names};
use crate::task::{DevSplit, Gold, HeadKind, Task, features_of};
use crate::text::FeatureSet;
use crate::train::{predict_in_batches, scores};

/// Predict rows of a task with a trained model.
///
/// The input is tab-separated in the task's official layout, with or without labels (dev or test), or a header
/// and the texts alone. The output has a line for every row: its number from 0, the prediction, the label if
/// there is one, and the logits, as the predictions that a run keeps. With labels the scores are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The task that the model was trained for: `bertbench list tasks`.
    #[arg(long, value_name = "TASK")]
    task: String,
    /// The rows; `-` is standard input.
    #[arg(long, value_name = "ROWS.tsv")]
    input: PathBuf,
    /// The predictions; `-` is standard output.
    #[arg(long, value_name = "OUT.tsv")]
    output: PathBuf,
    /// Read the rows as this split of the task is laid out, or as `texts` [default: as the first line says].
    #[arg(long, value_name = "SPLIT")]
    split: Option<String>,
    /// The classes of the model's outputs, first to last, where its config.json does not name them.
    #[arg(long, value_name = "CLASS,…", value_delimiter = ',')]
    outputs: Vec<String>,
    /// Add each class's probability.
    #[arg(long)]
    probabilities: bool,
    /// Leave malformed rows out and count them, instead of refusing the input.
    #[arg(long)]
    skip_bad_rows: bool,
    #[command(flatten)]
    model: ModelArgs,
}

const EXAMPLES: &str = "\
Examples:
  bertbench predict runs/mini/rte/small/ID/model --task rte --input RTE/dev.tsv --output out.tsv
  bertbench predict MODEL --task stsb --input - --output - < rows.tsv > out.tsv
  bertbench predict MODEL --task mnli --input diagnostic.tsv --output ax.tsv
  bertbench predict MODEL --task rte --outputs not_entailment,entailment --input test.tsv --output -";

/// What a file of weights without a head should have been.
const HEAD_IS: &str = "`predict` needs a model that was trained on a task, with its head";

pub(super) fn execute(args: &Args) -> Result<Ended, Error> {
    args.model.threads.compute(|| predict(args))
}

fn predict(args: &Args) -> Result<Ended, Error> {
    let task = Task::find(&args.task)?;
    let output = Output::open(&args.output)?;
    let model = args.model.open()?;
    let (form, features) = rows(args, task, &model)?;
    check_head(&model.folder).map_err(|error| Diagnostic::new(error.to_string()).hint(HEAD_IS))?;
    let mut loaded = load_trained_classifier(&model.checkpoint, HeadShape::Pooled, &model.device.device)
        .map_err(|error| no_head(&error))?;
    loaded.model.bert.precision = model.precision;
    let order = output_order(args, task, &model, loaded.model.outputs())?;
    loaded.notes.iter().for_each(note);
    note_truncated(&features, model.max_length);
    let logits = predict_in_batches(&loaded.model, &features, args.model.batch_size, &model.device.device);
    let logits = order.arrange(&logits);
    if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
        let row = at / task.head.row();
        return Err(Error::System(format!("the model's output for row {row} is not a finite number")));
    }
    output.write(&if args.probabilities {
        task.predictions_and_probabilities_tsv(&logits, features.labels())
    } else {
        task.predictions_tsv(&logits, features.labels())
    })?;
    conclude(&output, task, form, &logits, &features)
}

/// Why a model's weights are refused: said in another way when only the head is not there.
fn no_head(error: &CheckpointError) -> Error {
    if let CheckpointError::Missing { names, .. } = error
        && names.iter().all(|name| name.starts_with("classifier.") || name.starts_with("pooler."))
    {
        return Diagnostic::new(error.to_string()).hint(HEAD_IS).into();
    }
    refused(error)
}

/// The input's rows as features.
fn rows(args: &Args, task: &Task, model: &TrainedModel) -> Result<(LoneTable, FeatureSet), Error> {
    let forms = task.lone_tables()?;
    let named = args.split.as_deref().map(|name| LoneTable::find(&forms, name)).transpose()?;
    let (bytes, name) = read_input(&args.input)?;
    let form = named.map_or_else(|| LoneTable::recognise(&forms, &bytes, &name), Ok)?;
    let bad_rows = if args.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse };
    let rows = form.read(&bytes, &name, bad_rows)?;
    if rows.examples.iter().any(|example| example.second.is_some()) && !model.takes_pairs() {
        let message = format!("`{}` has pairs of texts, but the model has one segment embedding", task.name);
        return Err(Diagnostic::new(message).in_file(&model.folder.join("config.json")).into());
    }
    for (what, count) in [("malformed rows", rows.skipped), ("rows without a gold label", rows.without_gold)] {
        if count > 0 {
            note(&format_args!("{what} that were left out, and that the output does not number: {count}"));
        }
    }
    Ok((form, features_of(&rows, &model.tokenizer, model.max_length)?))
}

/// How the model's outputs become the task's, if they can.
fn output_order(args: &Args, task: &Task, model: &TrainedModel, outputs: usize) -> Result<OutputOrder, Error> {
    let (name, config) = (task.name, model.folder.join("config.json"));
    let wrong = |message: String| Diagnostic::new(message).in_file(&config);
    let HeadKind::Classes(classes) = task.head else {
        return match (outputs, args.outputs.is_empty(), args.probabilities) {
            (1, true, false) => Ok(OutputOrder::as_it_is(1)),
            (1, ..) => {
                let message =
                    format!("`--outputs` and `--probabilities` are about classes, but `{name}` asks for a score");
                Err(Diagnostic::new(message).into())
            }
            _ => Err(wrong(format!("the model has {outputs} outputs, but `{name}` asks for one, a score")).into()),
        };
    };
    let (known, listed) = (classes.len(), classes.join(","));
    if outputs != known {
        let many = if outputs == 1 { "1 output".to_owned() } else { format!("{outputs} outputs") };
        return Err(wrong(format!("the model has {many}, but `{name}` has {known} classes: {listed}")).into());
    }
    let names = if args.outputs.is_empty() {
        output_names(&model.folder).map_err(|error| refused(&error.into()))?
    } else {
        Some(args.outputs.clone())
    };
    let Some(names) = names else {
        note(&format_args!("config.json does not name the outputs; taken as `--outputs {listed}`"));
        return Ok(OutputOrder::as_it_is(known));
    };
    let order = OutputOrder::by_name(&names, classes).ok_or_else(|| {
        let message = format!("the outputs are named {}, but the classes of `{name}` are {listed}", names.join(","));
        let hint = format!("`--outputs {listed}` or another order of these says which output is which, first to last");
        if args.outputs.is_empty() { wrong(message) } else { Diagnostic::new(message) }.hint(hint)
    })?;
    if args.outputs.is_empty() && !order.is_as_it_is() {
        note(&format_args!("the model's outputs are {}; the table has them in the order of `{name}`", names.join(",")));
    }
    Ok(order)
}

/// Says what was done, with the scores where there are labels; on standard error when the table is on standard
/// output.
fn conclude(
    output: &Output,
    task: &Task,
    form: LoneTable,
    logits: &[f32],
    features: &FeatureSet,
) -> Result<Ended, Error> {
    let count = features.len();
    let mut text = match output {
        Output::Standard => format!("{count} predictions"),
        Output::File(path) => format!("{}: {count} predictions", path.display()),
    };
    if !features.labels().iter().any(|label| label.is_nan()) {
        let columns = [Column::Text("metric"), Column::Number("value"), Column::Text("unit")];
        let split = DevSplit { name: form.name, features: features.clone(), gold: Gold::Labels };
        let rows = scores(task, &split, logits, &[]).into_iter().map(|score| {
            let value = score.value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
            vec![score.metric, value, score.unit]
        });
        text = format!("{text}\n\n{}", table(&columns, rows));
    }
    match output {
        Output::Standard => eprintln!("{text}"),
        Output::File(_) => print(&text)?,
    }
    Ok(Ended::Well)
}
