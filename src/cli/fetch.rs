//! `bertbench data fetch`

use std::path::PathBuf;

use super::CommandOutcome;
use super::colour;
use crate::config;
use crate::data::Manifest;
use crate::data::fetch::{FetchError, FetchSettings, Mirror, Outcome, fetch, preview, select};
use crate::diagnostic::{Diagnostic, Error};
use crate::download::RetryPolicy;
use crate::terminal::{Column, DownloadDisplay, print, render, say, table};
use crate::units::Bytes;

/// Fetch datasets from their public addresses into the data cache.
///
/// Files that exist are verified against the published checksums and kept; an interrupted transfer resumes where it
/// stopped. The environment's proxy variables are used.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A dataset (cola, swag, resume, …), a group of them (glue, squad, wikitext), or the file of a manifest.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Fetch from a mirror: URL/DATASET/FILE, where URL may also be a folder on this machine.
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// The folder to put RTE/, STS-B/, … into [default: the data cache]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Replace existing files whose bytes differ from the published ones.
    #[arg(long)]
    replace: bool,
    /// Show what would be fetched from where, and stop.
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  bertbench data fetch glue                       all of GLUE, 360 MiB
  bertbench data fetch squad1 swag --to datasets/glue
  bertbench data fetch cola --mirror https://mirror.example.org/data
  bertbench data fetch squad --dry-run            addresses and sizes

The data cache is the folder that BERTBENCH_DATA names, else bertbench/glue in the user's data folder.
Exit codes: 0 all files are there, 1 some are not, 2 invalid input.";

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let manifests = select(&args.names)?;
    let mirror = args.mirror.as_deref().map(Mirror::parse).transpose()?;
    let root = args.to.clone().map_or_else(data_cache, Ok)?;
    let settings = FetchSettings { root, mirror, replace: args.replace, retry: RetryPolicy::default() };
    if args.dry_run {
        return show(&manifests, &settings);
    }
    let display = DownloadDisplay::new();
    let ended = fetch(&manifests, &settings, &display);
    drop(display);
    for error in ended.iter().filter_map(|ended| ended.as_ref().err()).flatten() {
        tell(error);
    }
    let rows = manifests.iter().zip(&ended).map(|(manifest, ended)| {
        let folder = settings.root.join(&manifest.folder);
        vec![manifest.name.clone(), words(ended.as_ref().ok()), folder.display().to_string()]
    });
    print(&table(&[Column::Text("dataset"), Column::Text("result"), Column::Word("folder")], rows))?;
    Ok(if ended.iter().all(Result::is_ok) { CommandOutcome::Success } else { CommandOutcome::Failures })
}

/// The data cache of the environment.
pub(super) fn data_cache() -> Result<PathBuf, Diagnostic> {
    config::data_cache().ok_or_else(|| {
        Diagnostic::new("no data cache: neither BERTBENCH_DATA nor HOME is set").hint("name a folder for the data")
    })
}

/// What would be done.
fn show(manifests: &[Manifest], settings: &FetchSettings) -> Result<CommandOutcome, Error> {
    let rows = preview(manifests, settings).map_err(|error| Error::System(error.to_string()))?;
    let (mut bytes, mut files) = (Bytes(0), 0);
    for row in rows.iter().filter(|row| row.needed && row.address.is_some()) {
        bytes.0 += row.size.map_or(0, |size| size.0);
        files += 1;
    }
    let rows = rows.into_iter().map(|row| {
        let state = if row.needed { "needed" } else { "there" };
        let size = row.size.map_or_else(|| "–".to_owned(), |size| size.to_string());
        vec![row.dataset, state.to_owned(), size, row.address.unwrap_or_else(|| "by hand".to_owned())]
    });
    let columns = [Column::Word("dataset"), Column::Word("state"), Column::Number("size"), Column::Word("from")];
    print(&table(&columns, rows))?;
    print(&format_args!("{files} files to fetch, {bytes}, into {}", settings.root.display()))?;
    Ok(CommandOutcome::Success)
}

fn words(outcome: Option<&Outcome>) -> String {
    let plural = |files: &usize| format!("{files} file{}", if *files == 1 { "" } else { "s" });
    match outcome {
        None => "failed".to_owned(),
        Some(Outcome::There { files, unverified: 0 }) => format!("already there: {}, verified", plural(files)),
        Some(Outcome::There { files, unverified }) => {
            format!("already there: {}, {unverified} without a checksum to compare with", plural(files))
        }
        Some(Outcome::Fetched { files, bytes, trusted }) => {
            let kept = "; no checksum is published, so that of this download is kept";
            let kept = if *trusted == 0 { "" } else { kept };
            format!("fetched: {}, {bytes} transferred{kept}", plural(files))
        }
    }
}

/// Says what is wrong, and how a dataset is had that cannot be fetched.
fn tell(error: &FetchError) {
    let finding =
        if let FetchError::Assembly(finding) = error { finding.clone() } else { Diagnostic::new(error.to_string()) };
    eprint!("{}", render(&finding.hint(error.hint()), colour()));
    if let FetchError::ByHand { how, .. } = error {
        for line in how.lines() {
            say(&format_args!("  {line}"));
        }
    }
}
