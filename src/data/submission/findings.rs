//! What is wrong with a submission: said once, however many lines have it.

use std::fmt;

/// One thing that is wrong with a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file in the zip; `None` for the zip itself.
    pub file: Option<String>,
    /// The first line that has it, from 1; `None` for the whole file.
    pub line: Option<u64>,
    /// What is wrong, one line, no full stop.
    pub message: String,
    /// How many lines have it, the first included; 0 for the whole file.
    pub lines: u64,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Against what the server asks for: it fails, or scores other predictions than were meant.
    Rejected,
    /// Within the rules, but hardly meant; or nobody says what the server makes of it.
    Suspicious,
}

impl Severity {
    /// `rejected` or `suspicious`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Suspicious => "suspicious",
        }
    }
}

impl Finding {
    /// About the zip itself.
    pub(super) fn of_zip(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, file: None, line: None, message: message.into(), lines: 0, hint: None }
    }

    /// About a whole file.
    pub(super) fn of_file(severity: Severity, file: &str, message: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), ..Self::of_zip(severity, message) }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Finding {
    /// ``CoLA.tsv:3: unknown label `2`, and 4 more such lines (known: 0, 1)``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            f.write_str(file)?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)?;
        match self.lines {
            0 | 1 => {}
            2 => f.write_str(", and one more such line")?,
            lines => write!(f, ", and {} more such lines", lines - 1)?,
        }
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// The findings of one file. Of each kind only the first line is kept, and how many follow.
pub(super) struct Gathered<'a> {
    file: &'a str,
    /// In the order in which they were found first.
    found: Vec<(&'static str, Finding)>,
}

impl<'a> Gathered<'a> {
    pub(super) fn of(file: &'a str) -> Self {
        Self { file, found: Vec::new() }
    }

    /// A finding on one line. `describe` gives message and hint, and is asked once a kind.
    pub(super) fn on_line(
        &mut self,
        severity: Severity,
        kind: &'static str,
        line: u64,
        describe: impl FnOnce() -> (String, Option<String>),
    ) {
        if let Some((_, finding)) = self.found.iter_mut().find(|(known, _)| *known == kind) {
            finding.lines += 1;
            return;
        }
        let (message, hint) = describe();
        let finding = Finding { line: Some(line), lines: 1, hint, ..Finding::of_file(severity, self.file, message) };
        self.found.push((kind, finding));
    }

    /// A finding about the whole file.
    pub(super) fn on_file(&mut self, severity: Severity, message: impl Into<String>, hint: Option<String>) {
        self.found.push(("", Finding { hint, ..Finding::of_file(severity, self.file, message) }));
    }

    pub(super) fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.found.into_iter().map(|(_, finding)| finding)
    }
}
