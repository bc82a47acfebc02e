//! `bertbench export`

use std::io::Cursor;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::CommandOutcome;
use super::check_submission::{is_rejected, said};
use super::export_runs;
use super::run::shown;
use super::threads::ThreadArgs;
use crate::config::{self, Experiment};
use crate::data::BadRows;
use crate::data::submission::{FILES, Packed, Severity, check_archive, pack};
use crate::diagnostic::{Diagnostic, Error};
use crate::gather::gathered;
use crate::infer::{GlueAnswers, GlueRequest, Source};
use crate::plan;
use crate::resolve::{DataRoot, data_root};
use crate::store::{Record, RunId, RunsRoot};
use crate::terminal::{Column, Output, note, note_text, table};
use crate::train::open_device;

/// The name of the zip in the report's folder.
const ZIP: &str = "glue-submission.zip";

/// Hand an experiment's runs to other tools: a benchmark's server, TensorBoard, MLflow.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    GlueSubmission(GlueArgs),
    Tensorboard(export_runs::TensorboardArgs),
    Mlflow(export_runs::MlflowArgs),
}

/// Write the zip of test predictions that GLUE's server scores.
///
/// For each task, the finished run with the best dev score over all models predicts the test files; MNLI's also
/// predicts AX. Files that no run can answer are filled with a constant, and the table shows which.
#[derive(Debug, clap::Args)]
pub(super) struct GlueArgs {
    /// The experiment file.
    #[arg(value_name = "EXPERIMENT.yaml")]
    file: PathBuf,
    /// The zip to write; `-` is standard output [default: reports/NAME/glue-submission.zip].
    #[arg(short, long, value_name = "FILE.zip")]
    out: Option<PathBuf>,
    /// Override a setting of the file, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Answer malformed rows of test files with a constant instead of refusing the file.
    #[arg(long)]
    skip_bad_rows: bool,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
    #[command(flatten)]
    threads: ThreadArgs,
}

pub(super) fn execute(command: &Command) -> Result<CommandOutcome, Error> {
    match command {
        Command::GlueSubmission(args) => args.threads.compute(|| glue_submission(args)),
        Command::Tensorboard(args) => Ok(export_runs::tensorboard(args)?.into()),
        Command::Mlflow(args) => Ok(export_runs::mlflow(args)?.into()),
    }
}

fn glue_submission(args: &GlueArgs) -> Result<CommandOutcome, Error> {
    let experiment = config::load(&args.file, &plan::known_tasks(), &args.set)?.with_tasks()?;
    let named = args.out.as_deref().map(Output::open).transpose()?;
    let DataRoot { folder: data, mini, .. } = data_root(&experiment)?;
    let answers = answers(args, &experiment, &data)?;
    let output = named.map_or_else(|| beside_the_report(&experiment.base.name), Ok)?;
    let (zip, packed) = pack(&answers.parts)?;
    output.write(&zip)?;
    conclude(&output, &answers, &packed, &zip, mini)
}

/// The zip of an experiment where the user names none.
fn beside_the_report(experiment: &str) -> Result<Output, Error> {
    let folder = Path::new("reports").join(experiment);
    std::fs::create_dir_all(&folder)?;
    Output::open(&folder.join(ZIP))
}

/// The predictions for all files that runs of the experiment can answer.
///
/// # Errors
/// [`Error::Input`] when that is none.
fn answers(args: &GlueArgs, experiment: &Experiment, data: &Path) -> Result<GlueAnswers, Error> {
    let root = RunsRoot::new(&args.runs);
    let found = gathered(&root, experiment, &args.file)?;
    found.notes.iter().for_each(note);
    // Scores over files that the experiment names in place of the benchmark's choose no model for it.
    let replaced = |name: &str| {
        let of = experiment.tasks.iter().find(|task| task.name == name);
        of.is_some_and(|task| task.files.train.is_some() || task.files.dev.is_some())
    };
    let records: Vec<Record> =
        found.records.into_iter().filter(|record| !replaced(record.settings.task_name())).collect();
    let request = GlueRequest {
        root: &root,
        records: &records,
        data,
        device: open_device(&experiment.base.device.to_string()).map_err(|error| Diagnostic::new(error.to_string()))?,
        bad_rows: if args.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse },
        made_again: &|run| made_again(args, run),
    };
    let answers = request.answers(note_text)?;
    if answers.parts.is_empty() {
        let message = format!("no run of `{}` can answer GLUE's test files", found.name);
        let data = data.display();
        return Err(Diagnostic::new(message)
            .in_file(&args.file)
            .hint(format!("each file needs a finished run that kept its weights, and the test file in {data}"))
            .into());
    }
    Ok(answers)
}

/// How the weights of a run that is done come back.
fn made_again(args: &GlueArgs, run: &RunId) -> String {
    let mut command = vec![format!("bertbench run {}", args.file.display())];
    command.extend(args.set.iter().map(|set| format!("--set '{set}'")));
    format!("`bertbench runs rm {run}` and `{}` make them again", command.join(" "))
}

const COLUMNS: [Column; 4] =
    [Column::Word("file"), Column::Number("rows"), Column::Word("predicted by"), Column::Text("chosen by")];

/// Says what is in the zip, and whether the server would take it; on standard error when the zip is on standard
/// output.
fn conclude(
    output: &Output,
    answers: &GlueAnswers,
    packed: &[Packed],
    zip: &[u8],
    is_mini: bool,
) -> Result<CommandOutcome, Error> {
    let rows = packed.iter().map(|packed| {
        let (by, why) = match answers.sources.get(packed.file.name) {
            Some(Source::Run { model, id, split, metric, score }) => {
                (format!("{model} {id}"), format!("{split} {metric} {}", shown(*score)))
            }
            Some(Source::Constant(reason)) => (format!("constant `{}`", packed.file.constant()), reason.clone()),
            None => <(String, String)>::default(),
        };
        vec![packed.file.name.to_owned(), packed.rows.to_string(), by, why]
    });
    let name = match output {
        Output::Standard => PathBuf::from("<stdout>"),
        Output::File(path) => path.clone(),
    };
    let mut lines = vec![table(&COLUMNS, rows), String::new()];
    let (parts, files, shown) = (answers.parts.len(), FILES.len(), name.display());
    lines.push(format!("{shown}: {parts} of {files} files predicted, {} filled with a constant", files - parts));
    let mut ended = CommandOutcome::Success;
    if is_mini {
        lines.push("not a submission: these are the test sets of the mini benchmark, not GLUE's".to_owned());
    } else {
        let findings = check_archive(Cursor::new(zip), &name)?;
        if is_rejected(&findings) {
            let rejected = findings.iter().filter(|finding| finding.severity == Severity::Rejected);
            lines.extend(rejected.map(said));
            lines.push("not a submission: the server would reject this".to_owned());
            ended = CommandOutcome::Failures;
        }
    }
    output.tell(&lines.join("\n"))?;
    Ok(ended)
}
