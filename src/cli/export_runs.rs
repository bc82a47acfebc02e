//! `bertbench export tensorboard` and `bertbench export mlflow`

use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;

use indicatif::ProgressBar;

use super::completions;
use crate::diagnostic::{Diagnostic, Error};
use crate::download::RetryPolicy;
use crate::export::mlflow::{self, MlflowError, Target};
use crate::export::{exported, tensorboard};
use crate::gather::gathered_files;
use crate::report::ExperimentInput;
use crate::store::RunsRoot;
use crate::terminal::{bar_style, note, print};

/// Which runs.
#[derive(Debug, clap::Args)]
struct Runs {
    /// The experiment file.
    #[arg(value_name = "EXPERIMENT.yaml", add = ArgValueCompleter::new(completions::experiment_files))]
    file: PathBuf,
    /// Override a setting of the file, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder of all runs [default: runs].
    #[arg(long = "runs", default_value = "runs", value_name = "DIR", hide_default_value = true)]
    folder: PathBuf,
}

/// Write TensorBoard event files: curves, final scores, and settings for the hparams page.
///
/// Each run is a folder, TASK/MODEL/ID. Only records and logs are read; exporting again replaces the files.
#[derive(Debug, clap::Args)]
pub(super) struct TensorboardArgs {
    #[command(flatten)]
    runs: Runs,
    /// The folder to write [default: reports/NAME/tensorboard].
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Send finished and failed runs to an MLflow tracking server.
///
/// The experiment is a parent run, and each run one below it, with its settings as parameters, its log and scores as
/// metrics, and its machine, code and notes as tags. Exporting again sends what is new or has changed, and nothing twice.
#[derive(Debug, clap::Args)]
#[command(after_help = "A bearer token for the server is taken from the variable MLFLOW_TRACKING_TOKEN.")]
pub(super) struct MlflowArgs {
    #[command(flatten)]
    runs: Runs,
    /// The tracking server, such as `http://127.0.0.1:5000` [default: the variable `MLFLOW_TRACKING_URI`].
    #[arg(long, value_name = "URL")]
    tracking_uri: Option<String>,
}

/// Carries out `export tensorboard`.
pub(super) fn tensorboard(args: &TensorboardArgs) -> Result<(), Error> {
    let found = gathered(&args.runs)?;
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("reports").join(&found.name).join("tensorboard"));
    let count = tensorboard::write(&found.name, &exported(&found), &folder).map_err(Error::system)?;
    Ok(print(&format_args!("{}: {count} runs", folder.display()))?)
}

/// Carries out `export mlflow`.
pub(super) fn mlflow(args: &MlflowArgs) -> Result<(), Error> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let tracking_uri = args.tracking_uri.clone().or_else(|| variable("MLFLOW_TRACKING_URI"));
    let tracking_uri = tracking_uri.ok_or_else(|| {
        Diagnostic::new("no tracking server is named").hint("such as `--tracking-uri http://127.0.0.1:5000`")
    })?;
    let found = gathered(&args.runs)?;
    let runs = exported(&found);
    let token = variable("MLFLOW_TRACKING_TOKEN");
    let target = Target { tracking_uri, token, retry: RetryPolicy::default() };
    let bar = ProgressBar::new(runs.len() as u64).with_style(bar_style("{pos} of {len} runs, {eta} left"));
    let done = mlflow::export(&target, &found.name, &runs, &mut |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    let done = done.map_err(|error| refused(&error))?;
    if done.left_out > 0 {
        note(&format_args!("{} runs have not ended: they are left out", done.left_out));
    }
    Ok(print(&format_args!("{}: {} runs sent, {} there before", found.name, done.sent, done.kept))?)
}

fn refused(error: &MlflowError) -> Error {
    let found = Diagnostic::new(error.to_string());
    match error {
        MlflowError::Address(_) => found.hint("such as `--tracking-uri http://127.0.0.1:5000`").into(),
        MlflowError::Unreachable { .. } => {
            found.hint("is the server there? What was sent before stays: the same command sends the rest").into()
        }
        MlflowError::Refused { .. } | MlflowError::Answer { .. } => {
            found.hint("`--tracking-uri` takes an MLflow tracking server; this speaks its REST API 2.0").into()
        }
    }
}

/// The plan, records, failures and logs of the experiment.
fn gathered(of: &Runs) -> Result<ExperimentInput, Error> {
    let (names, input) = gathered_files(&RunsRoot::new(&of.folder), std::slice::from_ref(&of.file), &of.set)?;
    // Behind it stand the pretraining experiments that its models start from.
    let found = input.experiments.into_iter().next().unwrap_or_default();
    found.notes.iter().for_each(note);
    if found.records.is_empty() && found.failures.is_empty() && found.events.is_empty() {
        let message = format!("no run of `{}` has begun: there is nothing to export", names.join(", "));
        return Err(Diagnostic::new(message).hint("`bertbench run` runs what is missing").into());
    }
    Ok(found)
}
