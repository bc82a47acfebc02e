//! `bertbench data`

use std::path::PathBuf;

use clap::Subcommand;

use super::CommandOutcome;
use super::fetch;
use crate::data::{Verdict, verify};
use crate::diagnostic::Error;
use crate::mini;
use crate::terminal::{Column, print, table};

/// Fetch datasets, check a folder of them, or generate the mini benchmark.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Generate the mini benchmark: every task in miniature, in the official formats, and a corpus.
    Mini {
        /// The folder to write [default: datasets/mini-SEED].
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// The seed: the same seed gives the same bytes.
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
    },
    Fetch(fetch::Args),
    /// Verify a folder of datasets against the published counts and checksums.
    Verify {
        /// The folder that holds RTE/, STS-B/, … [default: the data cache]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

pub(super) fn execute(command: &Command) -> Result<CommandOutcome, Error> {
    match command {
        Command::Mini { out, seed } => {
            let out = out.clone().unwrap_or_else(|| mini::default_folder(*seed));
            let summary = mini::generate(*seed, &out).map_err(|error| Error::System(error.to_string()))?;
            let made = if summary.kept { "is there already" } else { "written" };
            let (files, tokens) = (summary.examples.len(), summary.vocabulary);
            let examples: usize = summary.examples.values().sum();
            let folder = summary.folder.display();
            print(&format_args!(
                "{folder} {made}: {examples} examples in {files} files, {tokens} tokens in vocab.txt"
            ))?;
            Ok(CommandOutcome::Success)
        }
        Command::Fetch(args) => fetch::execute(args),
        Command::Verify { folder } => {
            let findings = verify(&folder.clone().map_or_else(fetch::data_cache, Ok)?)?;
            let rows = findings.iter().map(|finding| {
                let (words, _) = judge(&finding.verdict);
                vec![finding.dataset.to_owned(), finding.split.clone(), finding.published.to_string(), words]
            });
            print(&table(&COLUMNS, rows))?;
            let wrong = findings.iter().any(|finding| judge(&finding.verdict).1);
            Ok(if wrong { CommandOutcome::Failures } else { CommandOutcome::Success })
        }
    }
}

const COLUMNS: [Column; 4] =
    [Column::Word("dataset"), Column::Word("split"), Column::Number("published"), Column::Text("here")];

/// A verdict in words, and whether it is a bad one.
fn judge(verdict: &Verdict) -> (String, bool) {
    match verdict {
        Verdict::Identical => ("identical to the published file".into(), false),
        Verdict::AsFetched => ("identical to the first download; no checksum is published".into(), false),
        Verdict::SameSize => ("the published number of examples; no checksum is known".into(), false),
        Verdict::OtherBytes => ("the published number of examples, but different bytes".into(), true),
        Verdict::OtherSize { found, bad: None } => (format!("{found} examples"), true),
        Verdict::OtherSize { found, bad: Some(bad) } => (format!("{found} examples; {bad}"), true),
        Verdict::Unreadable(finding) | Verdict::Missing(finding) => (finding.to_string(), true),
    }
}
