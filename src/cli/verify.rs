//! `bertbench verify`

use std::path::PathBuf;

use super::download_progress::DownloadDisplay;
use super::error::{CommandOutcome, Error};
use super::run_argument::one;
use super::table::{Column, print, table};
use super::threads::ThreadArgs;
use crate::config::{self, ExperimentFile};
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::resolve::{Request, evaluation_context};
use crate::store::{Record, RunFolder, RunsRoot, Score};
use crate::train::{score_kept, score_pretrained};

/// Score the weights that a run kept again, and compare with what it recorded.
///
/// Those of a task are scored on its dev splits, the last model of a pretraining on its held-out text.
///
/// Exit codes: 0 when every recorded score comes out, 1 when one does not, 2 when it cannot be checked.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's id, its first digits, or its folder.
    #[arg(value_name = "RUN")]
    id: String,
    /// The experiment file, which says where the data is [default: experiments/NAME.yaml].
    #[arg(long, value_name = "EXPERIMENT.yaml")]
    file: Option<PathBuf>,
    /// Override a setting of the file, as for `run`, such as `data=FOLDER`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Only runs of this experiment (its name, not its file), where several have runs with the same id.
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// A score on another machine differs by the order of sums at most.
const ROUNDING: f64 = 1e-6;

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let verified = args.threads.compute(|| verify(args));
    // Whatever stands in the way, nothing was checked.
    verified.map_err(|error| match error {
        Error::System(message) => Diagnostic::new(message).into(),
        Error::Input(findings) => Error::Input(findings),
    })
}

fn verify(args: &Args) -> Result<CommandOutcome, Error> {
    let folder = one(&RunsRoot::new(&args.runs), &args.id, args.experiment.as_deref())?;
    let record = checkable(&folder)?;
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("experiments/{}.yaml", folder.experiment())));
    if !file.is_file() {
        let message = format!("where the data is stands in the experiment file, and there is no {}", file.display());
        return Err(Diagnostic::new(message).hint("`--file EXPERIMENT.yaml` names it").into());
    }
    let found = match config::load(&file, &plan::known_tasks(), &args.set)? {
        ExperimentFile::Tasks(experiment) => {
            score_kept(&evaluation_context(&experiment, &args.runs)?, &record.settings, &folder)?
        }
        // Held-out text is a prepared corpus: where it is no longer there, it is prepared again.
        ExperimentFile::Pretraining(_) => {
            let (set, runs) = (args.set.clone(), args.runs.clone());
            let request = Request { file, set, skip_bad_rows: false, lossy: false, runs };
            let prepared = request.prepare(&DownloadDisplay::new())?;
            score_pretrained(&prepared.context, &record.settings, &folder)?
        }
    };
    conclude(&record, &found)
}

/// The record of a run whose weights are there and as it says.
fn checkable(folder: &RunFolder) -> Result<Record, Error> {
    let refused = |message: String, hint: &str| Error::from(Diagnostic::new(message).hint(hint));
    let id = folder.id();
    let record = folder.record()?.ok_or_else(|| {
        refused(
            format!("run {id} has no record, so there is no score to check"),
            "`bertbench runs show` says how far it is",
        )
    })?;
    if record.scores.is_empty() {
        let hint = "a pretraining is scored where `pretrain.held_out` names held-out text";
        return Err(refused(format!("run {id} recorded no score"), hint));
    }
    if !folder.model_folder().is_dir() {
        let hint = "a sweep keeps those of its best run of each task and model";
        return Err(refused(format!("run {id} kept no weights"), hint));
    }
    folder.check_weights(&record)?;
    Ok(record)
}

/// Says of each recorded score whether it came out.
fn conclude(record: &Record, found: &[Score]) -> Result<CommandOutcome, Error> {
    let rows: Vec<(&Score, Option<f64>, bool)> = record
        .scores
        .iter()
        .map(|score| {
            let again = found.iter().find(|of| (&of.metric, &of.split) == (&score.metric, &score.split));
            let value = again.and_then(|of| of.value);
            let same = again.is_some() && is_same(score.value, value);
            (score, value, same)
        })
        .collect();
    let shown = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.6}"));
    let columns = [
        Column::Text("split"),
        Column::Text("metric"),
        Column::Number("recorded"),
        Column::Number("now"),
        Column::Text(""),
    ];
    let cells = rows.iter().map(|(score, value, same)| {
        let verdict = if *same { "equal" } else { "different" };
        vec![score.split.clone(), score.metric.clone(), shown(score.value), shown(*value), verdict.to_owned()]
    });
    print(&table(&columns, cells))?;
    let (all, different) = (rows.len(), rows.iter().filter(|(_, _, same)| !same).count());
    let id = &record.id;
    if different == 0 {
        print(&format_args!("\nrun {id}: all {all} recorded scores come out"))?;
        return Ok(CommandOutcome::Success);
    }
    print(&format_args!("\nrun {id}: {different} of {all} recorded scores do not come out"))?;
    Ok(CommandOutcome::Failures)
}

fn is_same(recorded: Option<f64>, now: Option<f64>) -> bool {
    match (recorded, now) {
        (Some(recorded), Some(now)) => (recorded - now).abs() <= ROUNDING * recorded.abs().max(1.0),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
