//! `bertbench serve`

use clap_complete::engine::ArgValueCompleter;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::completions;
use crate::diagnostic::{Diagnostic, Error};
use crate::exec::StopFlag;
use crate::serve::{Server, Site};
use crate::store::RunsRoot;
use crate::terminal::{note, print, render};

/// Show the report of experiments in a browser, live, while they run and afterwards.
///
/// The page is made from the runs folder whenever something in it changed, and loads itself again; runs at work are
/// there with their curves. Only this machine can reach it, and nothing is written. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The experiment files, in one report [default: every experiment of the runs folder, each in its own].
    #[arg(value_name = "EXPERIMENT.yaml", add = ArgValueCompleter::new(completions::experiment_files))]
    files: Vec<PathBuf>,
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(short, long, default_value_t = 8400)]
    port: u16,
    /// Override a setting of the files, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE", requires = "files")]
    set: Vec<String>,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  bertbench serve experiments/mini.yaml      http://127.0.0.1:8400/
  bertbench serve                            all experiments that have runs
  ssh -L 8400:127.0.0.1:8400 HOST            on your own machine, to see the page of a server";

/// How soon Ctrl-C is heard.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) fn execute(args: Args) -> Result<(), Error> {
    let Args { files, port, set, runs } = args;
    let site = Site::open(RunsRoot::new(runs), files, set, failed)?;
    let server = Server::bind(port).map_err(|error| refused(port, &error))?;
    let stop = StopFlag::on_signals()?;
    print(&format_args!("http://{}/", server.address()?))?;
    std::thread::Builder::new().name("server".to_owned()).spawn(move || server.run(move |path| site.answer(path)))?;
    while !stop.is_set() {
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn refused(port: u16, error: &io::Error) -> Error {
    let (message, hint) = if error.kind() == io::ErrorKind::AddrInUse {
        (format!("port {port} is in use"), "another `--port`; `--port 0` takes one that is free")
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        (format!("port {port} is not yours to take"), "a `--port` above 1023; `--port 0` takes one that is free")
    } else {
        (format!("cannot listen on 127.0.0.1:{port}: {error}"), "`--port 0` takes a port that is free")
    };
    Diagnostic::new(message).hint(hint).into()
}

/// Says that a page could not be made again; what the page says of it is as a terminal shows it, without colours.
fn failed(error: &Error) -> String {
    let text = match error {
        Error::Input(findings) => findings.iter().map(|finding| render(finding, false)).collect(),
        Error::System(message) => message.clone(),
    };
    note(&format_args!("the page could not be made again: {}", text.trim_end()));
    text
}
