//! From a path to an experiment: the only part of `config` that reads a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::document::{Document, Node, Value, place_in, split_lines};
use super::experiment::{Experiment, ExperimentFile};
use super::task::KnownTask;
use super::written::Written;
use super::{check, overrides, typed, yaml};
use crate::diagnostic::Diagnostic;

/// An experiment file is a page of text. A file above a mebibyte is something else.
const MAX_BYTES: u64 = 1 << 20;

/// The smallest experiment, shown when a file holds nothing.
const SMALLEST: &str = "an experiment has at least the keys `experiment`, `models`, `tasks` and `sweep`";
/// What a command that needs tasks says of an experiment without.
const NO_TASKS: &str = "this experiment pretrains, and has no tasks";

/// Reads and checks the experiment file at `path`, with the `--set` arguments (`KEY=VALUE`) put over it.
/// `known` are the tasks that `tasks` may list besides those that the file declares.
///
/// # Errors
/// The first thing that is wrong, with its place and what to do.
pub fn load(path: &Path, known: &[KnownTask], overrides: &[String]) -> Result<ExperimentFile, Diagnostic> {
    parse(path, &text_of(path)?, known, overrides)
}

impl ExperimentFile {
    /// The experiment, for a command that needs tasks.
    ///
    /// # Errors
    /// When it pretrains.
    pub fn with_tasks(self) -> Result<Experiment, Diagnostic> {
        match self {
            Self::Tasks(experiment) => Ok(experiment),
            Self::Pretraining(experiment) => Err(experiment
                .base
                .finding("pretrain", NO_TASKS)
                .hint("`run`, `plan`, `check`, `status` and `report` know it; its models are fine-tuned by an experiment with `checkpoint: {experiment: NAME, model: NAME}`")),
        }
    }
}

/// As [`load`], from a text; `path` is what its errors name.
///
/// # Errors
/// The first thing that is wrong, with its place and what to do.
pub fn parse(path: &Path, text: &str, known: &[KnownTask], overrides: &[String]) -> Result<ExperimentFile, Diagnostic> {
    let root: Node = yaml::parse_file(path, text)?;
    if matches!(root.value, Value::Null) {
        return Err(Diagnostic::new("the file is empty").in_file(path).hint(SMALLEST));
    }
    let mut document = Document::new(path, text, root);
    overrides::apply(&mut document, overrides)?;
    let written: Written = typed::read(&document)?;
    check::check(written, document, known)
}

fn text_of(path: &Path) -> Result<String, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        let found = Diagnostic::new(format!("cannot read the experiment file: {}", cause(&error))).in_file(path);
        if error.kind() == std::io::ErrorKind::NotFound {
            found.hint("paths are relative to the working directory; the examples are in `experiments/`")
        } else {
            found
        }
    };
    if path.is_dir() {
        let hint = "name a file in it";
        return Err(Diagnostic::new("this is a folder, not an experiment file").in_file(path).hint(hint));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        let found = Diagnostic::new("the file is larger than 1 MiB").in_file(path);
        return Err(found.hint("is it an experiment file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        let lines = split_lines(&before);
        let column = 1 + lines.last().map_or(0, |line| line.chars().count());
        let shown = split_lines(&String::from_utf8_lossy(error.as_bytes()));
        let mut found = Diagnostic::new("this is not UTF-8 text").hint("save the file as UTF-8");
        found.place = Some(place_in(path, &shown, lines.len(), column, 1));
        found
    })
}

/// The cause in plain words; the system's own for rare ones.
fn cause(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        "there is no such file".to_owned()
    } else if error.kind() == std::io::ErrorKind::PermissionDenied {
        "permission denied".to_owned()
    } else {
        error.to_string()
    }
}
