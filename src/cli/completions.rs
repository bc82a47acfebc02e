//! `bertbench completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::error::{CommandOutcome, Error};
use super::table::print;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  bertbench completions bash > ~/.local/share/bash-completion/completions/bertbench")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bertbench", &mut script);
    print(&String::from_utf8_lossy(&script).trim_end())?;
    Ok(CommandOutcome::Success)
}
