//! `bertbench compare`

use std::path::{Path, PathBuf};

use super::error::{CommandOutcome, Error};
use super::report::gathered;
use super::table::print;
use crate::store::RunsRoot;
use crate::{config, plan, report};

/// Compare two experiments task by task.
///
/// For each task that both have: the best scores, the means over the sweep points that both have, and the paired
/// differences. Only records are read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The experiment file to compare with.
    #[arg(value_name = "X.yaml")]
    x: PathBuf,
    /// The experiment file that is compared.
    #[arg(value_name = "Y.yaml")]
    y: PathBuf,
    /// Override a setting of both files, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let root = RunsRoot::new(&args.runs);
    let of = |file: &Path| {
        let experiment = config::load(file, &plan::known_tasks(), &args.set)?.with_tasks()?;
        gathered(&root, &experiment, file)
    };
    let (x, y) = (of(&args.x)?, of(&args.y)?);
    let failed = |error: report::Error| Error::System(error.to_string());
    let comparison = report::compare(&x, &y).map_err(failed)?;
    if args.json {
        print(&comparison.to_json().map_err(failed)?)?;
    } else {
        print(&comparison.to_text().trim_end())?;
    }
    Ok(CommandOutcome::Success)
}
