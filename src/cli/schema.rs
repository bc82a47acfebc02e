//! `bertbench schema`

use super::error::{CommandOutcome, Error};
use super::table::print_json;
use crate::config;
use crate::plan;

/// Print the JSON schema of experiment files, for editors.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn execute(_: &Args) -> Result<CommandOutcome, Error> {
    print_json(&config::schema(&plan::known_tasks()))?;
    Ok(CommandOutcome::Success)
}
