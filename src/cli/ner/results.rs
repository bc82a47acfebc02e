//! What the original scripts leave behind, from a finished run.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::diagnostic::Error;
use crate::resolve::Prepared;
use crate::store::{Record, RunFolder, output};

/// The split that is evaluated, and the one that is predicted.
const DEV: &str = "dev";
const TEST: &str = "test";

/// The folder and the record of the only run of an experiment, when it is finished.
///
/// # Errors
/// A record or predictions that cannot be read.
pub(super) fn finished_run(prepared: &Prepared) -> Result<Option<(RunFolder, Record)>, Error> {
    let Some(run) = prepared.plan.runs.first() else { return Ok(None) };
    let folder = prepared.root.folder(&prepared.plan.experiment, &run.settings)?;
    let Some(record) = folder.record()? else { return Ok(None) };
    folder.check_side_file(&record, &format!("predictions-{TEST}.txt"))?;
    Ok(Some((folder, record)))
}

/// Writes `eval_results.txt` into a folder, and gives its text.
///
/// # Errors
/// A disk that cannot be written.
pub(super) fn write_eval_results(record: &Record, into: &Path) -> Result<String, Error> {
    let text = eval_results(record);
    write(&into.join("eval_results.txt"), &text)?;
    Ok(text)
}

/// `key = value` a line, the keys in the order of their letters, as Google's scripts write them.
fn eval_results(record: &Record) -> String {
    let score = |metric| record.score(metric, DEV).unwrap_or(f64::NAN);
    let mut text = String::new();
    for (key, metric) in [("eval_f", "f1"), ("eval_precision", "precision"), ("eval_recall", "recall")] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{key} = {}", score(metric));
    }
    let _ = writeln!(text, "global_step = {}\nloss = {}", record.steps, score("loss"));
    text
}

/// The predictions of the test file: in conlleval's columns, and as the walk-through has them, a label a line and a
/// token a line, without lines between sentences.
///
/// # Errors
/// Predictions that cannot be read; a disk that cannot be written.
pub(super) fn write_predictions(folder: &RunFolder, into: &Path) -> Result<(), Error> {
    let from = folder.path().join(format!("predictions-{TEST}.txt"));
    let columns = fs::read_to_string(&from).map_err(|error| Error::System(format!("{}: {error}", from.display())))?;
    let words: Vec<Vec<&str>> =
        columns.lines().filter(|line| !line.is_empty()).map(|line| line.split(' ').collect()).collect();
    let column = |pick: fn(&[&str]) -> Option<String>| {
        words.iter().filter_map(|fields| pick(fields)).fold(String::new(), |text, field| text + &field + "\n")
    };
    write(&into.join("test_predictions.txt"), &columns)?;
    write(&into.join("label_test.txt"), &column(|fields| fields.last().map(ToString::to_string)))?;
    write(&into.join("token_test.txt"), &column(|fields| fields.first().map(ToString::to_string)))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    output::write(path, |file| std::io::Write::write_all(file, text.as_bytes())).map_err(Error::from)
}
