//! `bertbench verify`

use std::path::PathBuf;

use super::CommandOutcome;
use super::threads::ThreadArgs;
use crate::diagnostic::{Diagnostic, Error};
use crate::gather::find_run;
use crate::resolve::Request;
use crate::store::RunsRoot;
use crate::sweep::rescore;
use crate::terminal::{Column, DownloadDisplay, print, table};

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

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let verified = args.threads.compute(|| verify(args));
    // Whatever stands in the way, nothing was checked.
    verified.map_err(|error| match error {
        Error::System(message) => Diagnostic::new(message).into(),
        Error::Input(findings) => Error::Input(findings),
    })
}

fn verify(args: &Args) -> Result<CommandOutcome, Error> {
    let Args { id, file, set, experiment, runs, .. } = args;
    let folder = find_run(&RunsRoot::new(runs), id, experiment.as_deref())?;
    let file = file.clone().unwrap_or_else(|| PathBuf::from(format!("experiments/{}.yaml", folder.experiment())));
    let request = Request { file, set: set.clone(), skip_bad_rows: false, lossy: false, runs: runs.clone() };
    let scores = rescore(&folder, &request, &DownloadDisplay::new())?;
    let shown = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.6}"));
    let columns = [
        Column::Text("split"),
        Column::Text("metric"),
        Column::Number("recorded"),
        Column::Number("now"),
        Column::Text(""),
    ];
    let cells = scores.iter().map(|score| {
        let verdict = if score.is_same { "equal" } else { "different" };
        let (split, metric) = (score.split.clone(), score.metric.clone());
        vec![split, metric, shown(score.recorded), shown(score.now), verdict.to_owned()]
    });
    print(&table(&columns, cells))?;
    let (all, different) = (scores.len(), scores.iter().filter(|score| !score.is_same).count());
    let id = folder.id();
    if different == 0 {
        print(&format_args!("\nrun {id}: all {all} recorded scores come out"))?;
        return Ok(CommandOutcome::Success);
    }
    print(&format_args!("\nrun {id}: {different} of {all} recorded scores do not come out"))?;
    Ok(CommandOutcome::Failures)
}
