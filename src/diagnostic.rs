//! What a user is told when an input is wrong: what, where, and what next.
//!
//! Modules return a [`Diagnostic`] (alone or inside their own error enum); only `cli` renders it.

use std::fmt;
use std::path::{Path, PathBuf};

/// One finding about a user's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, one line, no full stop: ``unknown task `mrcp` ``.
    pub message: String,
    /// Where it is wrong, when that is known.
    pub place: Option<Place>,
    /// What to do next: ``did you mean `mrpc`?``
    pub hint: Option<String>,
}

/// A position in a file. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it.
    pub path: PathBuf,
    /// The line, when one is to blame.
    pub line: Option<usize>,
    /// The first character to blame in that line.
    pub column: Option<usize>,
    /// How many characters to underline; 0 means one caret.
    pub width: usize,
    /// The text of that line, for the excerpt under the message.
    pub text: Option<String>,
}

impl Diagnostic {
    /// A finding without a place.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None }
    }

    /// The same finding, about the whole file at `path`.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.place = Some(Place { path: path.to_path_buf(), line: None, column: None, width: 0, text: None });
        self
    }

    /// The same finding, about one line (from 1) of the file at `path`.
    #[must_use]
    pub fn at_line(mut self, path: &Path, line: usize) -> Self {
        self.place = Some(Place { path: path.to_path_buf(), line: Some(line), column: None, width: 0, text: None });
        self
    }

    /// The same finding, with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Place {
    /// `experiments/glue.yaml:7:11`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    /// One line, for logs: `experiments/glue.yaml:7:11: unknown task`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// ``did you mean `mrpc`?`` when one of `known` is near `wrong`, else the list of what is known.
#[must_use]
pub fn suggest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let lowered = wrong.to_lowercase();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&lowered, &name.to_lowercase()), *name))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, name)) if distance <= 1.max(name.chars().count() / 3) => format!("did you mean `{name}`?"),
        _ => format!("known: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_listed() {
        assert_eq!(suggest("mrcp", ["mrpc", "rte"]), "did you mean `mrpc`?");
        assert_eq!(suggest("RTE", ["mrpc", "rte"]), "did you mean `rte`?");
        assert_eq!(suggest("imagenet", ["mrpc", "rte"]), "known: mrpc, rte");
    }

    #[test]
    fn one_line_form_names_the_place_first() {
        let found =
            Diagnostic::new("7 columns where 4 were expected").at_line(Path::new("dev.tsv"), 3).hint("is it RTE's?");
        assert_eq!(found.to_string(), "dev.tsv:3: 7 columns where 4 were expected (is it RTE's?)");
    }
}
