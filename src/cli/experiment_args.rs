//! An experiment file on the command line, and a part of its plan.

use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;

use super::completions;
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::{Filter, Plan};
use crate::resolve::{Identity, Prepared, Request};
use crate::terminal::DownloadDisplay;

/// An experiment file and what goes with it on the command line.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ExperimentArgs {
    /// The experiment file.
    #[arg(value_name = "EXPERIMENT.yaml", add = ArgValueCompleter::new(completions::experiment_files))]
    pub(super) file: PathBuf,
    /// Override a setting of the file; the value is YAML: `training.max_length=64`, `seeds=[1,2]`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Skip and count malformed data rows instead of refusing the file. Such runs are different runs, with ids of
    /// their own.
    #[arg(long)]
    pub(super) skip_bad_rows: bool,
    /// Read bytes of column files that are not UTF-8 as U+FFFD instead of refusing the file. Such runs are different
    /// runs, with ids of their own.
    #[arg(long)]
    pub(super) lossy: bool,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    pub(super) runs: PathBuf,
}

/// A part of a plan.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct OnlyArgs {
    /// Only these runs, such as `task=rte,learning_rate=3e-5`. The keys are `task`, `model`, `batch_size`,
    /// `learning_rate`, `epochs` and `seed`. Values of one key are alternatives, as are several `--only`; different
    /// keys must all match.
    #[arg(long, value_name = "KEY=VALUE,…", add = ArgValueCompleter::new(completions::conditions))]
    only: Vec<String>,
    /// Only the runs with these ids; their first digits are enough.
    #[arg(long, value_name = "ID,…", value_delimiter = ',', add = ArgValueCompleter::new(completions::run_ids))]
    id: Vec<String>,
}

impl OnlyArgs {
    /// The runs of `plan` that were asked for.
    pub(super) fn of(&self, plan: &Plan) -> Result<Plan, Error> {
        let filters = self.only.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let mut plan = plan.only(&filters)?;
        if let Some(id) =
            self.id.iter().find(|id| id.is_empty() || !plan.runs.iter().any(|run| run.id.0.starts_with(*id)))
        {
            let found = Diagnostic::new(format!("no run has an id that begins with `{id}`"));
            return Err(found
                .hint("`bertbench plan` lists the runs; another experiment file or other data gives others")
                .into());
        }
        plan.runs.retain(|run| self.id.is_empty() || self.id.iter().any(|id| run.id.0.starts_with(id)));
        Ok(plan)
    }
}

impl ExperimentArgs {
    /// What is asked of `resolve`.
    pub(super) fn request(&self) -> Request {
        let Self { file, set, skip_bad_rows, lossy, runs } = self.clone();
        Request { file, set, skip_bad_rows, lossy, runs }
    }

    /// The experiment's runs.
    pub(super) fn identify(&self) -> Result<Identity, Error> {
        self.request().identify(&DownloadDisplay::new())
    }

    /// The experiment resolved without leaving a file; shows how that goes.
    pub(super) fn estimate(&self) -> Result<Prepared, Error> {
        self.request().estimate(&DownloadDisplay::new())
    }

    /// The experiment resolved; shows how that goes.
    pub(super) fn prepare(&self) -> Result<Prepared, Error> {
        self.request().prepare(&DownloadDisplay::new())
    }
}
