//! `metrics.jsonl`: what happened while a run trained, one JSON object a line, only ever appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::record::Evaluation;

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An optimisation step.
    Step(StepEvent),
    /// An evaluation on dev.
    Evaluation(Evaluation),
}

/// The state of training after an optimisation step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// Optimisation steps finished.
    pub step: u64,
    /// The epoch that the step belongs to, from 1.
    pub epoch: u32,
    /// Mean loss of the step's examples. Written as a number, or as `"NaN"`, `"inf"` or `"-inf"`: the
    /// last line of a run that diverged.
    #[serde(with = "any_number")]
    pub loss: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// Training tokens per second since the line before.
    pub tokens_per_second: f64,
}

impl Event {
    /// Optimisation steps finished.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Self::Step(event) => event.step,
            Self::Evaluation(evaluation) => evaluation.step,
        }
    }
}

/// The open event log of a run. Lines reach the file one by one, whole.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    path: PathBuf,
}

impl EventLog {
    /// Opens the log at `path` for appending.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Appends one event.
    ///
    /// # Errors
    /// When a promised number is NaN or infinite, or the disk is full.
    pub fn append(&mut self, event: &Event) -> Result<(), StoreError> {
        if let Some(name) = missing_number(event) {
            let cause = format!("{name} is not a finite number");
            return Err(StoreError::Unrepresentable { path: self.path.clone(), cause });
        }
        let mut line = serde_json::to_vec(event).map_err(io::Error::from)?;
        line.push(b'\n');
        Ok(self.file.write_all(&line)?)
    }
}

/// The name of a number that JSON would turn into null.
fn missing_number(event: &Event) -> Option<&'static str> {
    match event {
        Event::Step(step) if !step.learning_rate.is_finite() => Some("learning_rate"),
        Event::Step(step) if !step.tokens_per_second.is_finite() => Some("tokens_per_second"),
        Event::Evaluation(evaluation) if !evaluation.train_loss.is_finite() => Some("train_loss"),
        Event::Step(_) | Event::Evaluation(_) => None,
    }
}

/// The events of the log at `path`, in order; none when there is no log. A last line without its end
/// (the process died while writing it) is left out.
///
/// # Errors
/// When the file cannot be read, or a whole line is not an event.
pub(super) fn read_events(path: &Path) -> Result<Vec<Event>, StoreError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(super::atomic::about("cannot read", path, &error).into()),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(at, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            let cause = format!("line {}: {error}", at + 1);
            StoreError::Damaged { path: path.to_path_buf(), cause }
        })
    };
    whole.lines().enumerate().map(parse).collect()
}

/// A number that may be NaN or infinite, kept as text then: JSON has no such numbers.
mod any_number {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Finite(f64),
        Other(String),
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.collect_str(value) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Finite(value) => Ok(value),
            Written::Other(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(loss: f64) -> Event {
        Event::Step(StepEvent { step: 3, epoch: 1, loss, learning_rate: 1e-5, tokens_per_second: 900.0 })
    }

    #[test]
    fn events_come_back_as_written_infinite_losses_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        assert_eq!(read_events(&path).unwrap(), []);
        let evaluation = Evaluation { epoch: 1, step: 3, train_loss: 0.5, scores: Vec::new() };
        let written = [step(0.7), Event::Evaluation(evaluation), step(f64::NEG_INFINITY)];
        for event in &written {
            EventLog::open(&path).unwrap().append(event).unwrap();
        }
        assert_eq!(read_events(&path).unwrap(), written);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(r#"{"event":"step","step":3,"epoch":1,"loss":0.7,"#), "{text}");
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_a_damaged_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        log.append(&step(f64::NAN)).unwrap();
        log.file.write_all(b"{\"event\":\"st").unwrap();
        let Event::Step(read) = &read_events(&path).unwrap()[0] else { unreachable!() };
        assert!(read.loss.is_nan());
        log.file.write_all(b"\n").unwrap();
        let error = read_events(&path).unwrap_err().to_string();
        assert!(error.contains("metrics.jsonl is damaged: line 2: "), "{error}");
    }

    #[test]
    fn promised_numbers_do_not_become_null() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = EventLog::open(&folder.path().join("metrics.jsonl")).unwrap();
        let evaluation = Evaluation { epoch: 1, step: 3, train_loss: f64::NAN, scores: Vec::new() };
        let error = log.append(&Event::Evaluation(evaluation)).unwrap_err().to_string();
        assert!(error.ends_with("metrics.jsonl cannot be written: train_loss is not a finite number"), "{error}");
    }
}
