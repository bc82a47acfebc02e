//! `bertbench schema`

use super::table::print;
use super::{Ended, Error};
use crate::plan;
use crate::spec;

/// Print the JSON schema of experiment files, for editors.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn execute(_: &Args) -> Result<Ended, Error> {
    print(&format_args!("{:#}", spec::schema(&plan::known_tasks())))?;
    Ok(Ended::Well)
}
