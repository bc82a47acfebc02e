//! `bertbench data`

use std::path::PathBuf;

use clap::Subcommand;

use super::table::print;
use super::{Ended, Error};
use crate::data::{mini, verify};

/// Make or check data.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate the mini benchmark: every GLUE task in miniature, in the official formats.
    Mini {
        /// The folder to write [default: datasets/mini-SEED].
        #[arg(long)]
        out: Option<PathBuf>,
        /// The seed: the same seed gives the same bytes.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Hold a folder of datasets against the published counts and checksums.
    Verify {
        /// The folder that holds RTE/, STS-B/, …
        folder: PathBuf,
    },
}

pub(super) fn execute(args: &Args) -> Result<Ended, Error> {
    match &args.command {
        Command::Mini { out, seed } => {
            let out = out.clone().unwrap_or_else(|| mini_folder(*seed));
            let summary = mini::generate(*seed, &out).map_err(|error| Error::System(error.to_string()))?;
            print(&format_args!("{}: {summary}", out.display()))?;
            Ok(Ended::Well)
        }
        Command::Verify { folder } => {
            let findings = verify(folder)?;
            for finding in &findings {
                print(finding)?;
            }
            Ok(if findings.iter().any(|finding| finding.is_wrong()) { Ended::WithFailures } else { Ended::Well })
        }
    }
}

/// Where the mini benchmark of a seed is kept.
pub(super) fn mini_folder(seed: u64) -> PathBuf {
    PathBuf::from("datasets").join(format!("mini-{seed}"))
}
