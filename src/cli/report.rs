//! `bertbench report`

use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::completions;
use crate::diagnostic::{Diagnostic, Error};
use crate::gather::Pages;
use crate::store::RunsRoot;
use crate::terminal::{note_text, print};

/// Write tables, plots and an HTML page from the records of one or more experiments.
///
/// Only records are read: a copy of the runs folder on another machine is enough.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The experiment files.
    #[arg(value_name = "EXPERIMENT.yaml", required = true, add = ArgValueCompleter::new(completions::experiment_files))]
    files: Vec<PathBuf>,
    /// The folder to write [default: reports/NAME; several names are joined by `+`].
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Override a setting of the files, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Write again as runs finish, until no run is missing; the page loads itself again.
    #[arg(long)]
    watch: bool,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
}

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let Args { files, set, output, runs, .. } = args;
    let mut pages = Pages::new(RunsRoot::new(runs), (files.clone(), set.clone()), output.clone(), note_text);
    if !args.watch {
        let folder = pages.gather()?;
        if pages.input.experiments.iter().all(|of| of.records.is_empty() && of.failures.is_empty()) {
            let found =
                Diagnostic::new(format!("no run of `{}` has ended: there is nothing to report", pages.input.title));
            return Err(found
                .hint("`bertbench status` shows how far they are; `report --watch` waits for them")
                .into());
        }
        return Ok(print(&pages.write_gathered(&folder, false)?.display())?);
    }
    let mut is_shown = false;
    loop {
        let started = Instant::now();
        let (page, is_unfinished) = pages.write_if_changed()?;
        if !std::mem::replace(&mut is_shown, true) {
            print(&page.display())?;
        }
        if !is_unfinished {
            return Ok(());
        }
        // What is written often costs little, however many runs there are.
        std::thread::sleep(PAUSE.max(10 * started.elapsed()));
    }
}

/// Between two looks at the runs.
pub(super) const PAUSE: Duration = Duration::from_secs(2);
