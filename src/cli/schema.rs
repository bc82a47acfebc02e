//! `bertbench schema`

use super::outcome::CommandOutcome;
use crate::config;
use crate::diagnostic::Error;
use crate::plan;
use crate::terminal::print_json;

/// Print the JSON schema of experiment files, for editors.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn execute(_: &Args) -> Result<CommandOutcome, Error> {
    print_json(&config::schema(&plan::known_tasks()))?;
    Ok(CommandOutcome::Success)
}
