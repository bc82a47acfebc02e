//! `bertbench schema`

use super::table::print;
use super::{Ended, Error};
use crate::spec;
use crate::task;

/// Print the JSON schema of experiment files, for editors.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn execute(_: &Args) -> Result<Ended, Error> {
    let known: Vec<&str> = task::TASKS.iter().map(|task| task.name).collect();
    print(&format_args!("{:#}", spec::schema(&known)))?;
    Ok(Ended::Well)
}
