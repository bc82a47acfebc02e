//! `bertbench check-submission`

use std::path::PathBuf;

use super::CommandOutcome;
use crate::data::submission::{FILES, Finding, Severity, check};
use crate::diagnostic::{Error, in_one_line};
use crate::terminal::print;

/// Report what GLUE's server would reject in a zip of predictions.
///
/// Each line names the file in the zip, the first line that is wrong and how many more are. `rejected` means that the
/// server refuses it; `suspicious` means that it is allowed but probably a mistake, or that it is not documented how
/// the server reads it. The exit code is 1 when something is rejected.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The zip, made by any program.
    #[arg(value_name = "FILE.zip")]
    file: PathBuf,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let findings = check(&args.file)?;
    for finding in &findings {
        print(&said(finding))?;
    }
    let (zip, files) = (args.file.display(), FILES.len());
    if is_rejected(&findings) {
        print(&format_args!("{zip}: the server would reject this"))?;
        return Ok(CommandOutcome::Failures);
    }
    print(&format_args!("{zip}: all {files} files are in the server's format"))?;
    Ok(CommandOutcome::Success)
}

/// Whether the server would not take what has these findings.
pub(super) fn is_rejected(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Rejected)
}

/// A finding as a line for terminals.
pub(super) fn said(finding: &Finding) -> String {
    in_one_line(&format!("{}: {finding}", finding.severity.name()))
}
