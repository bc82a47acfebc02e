//! `metrics.jsonl`: what happened while a run trained, one JSON object a line, only ever appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::atomic;
use super::error::StoreError;
use super::evaluation::Evaluation;
use super::present;

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Optimisation steps.
    Step(StepEvent),
    /// An evaluation.
    Evaluation(Evaluation),
}

/// The state of training after the optimisation steps since the line before, the last of them being `step`: of a
/// task each step has its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// Optimisation steps finished.
    pub step: u64,
    /// The epoch that the step belongs to, from 1; none of a pretraining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// The phase of a pretraining that the step belongs to, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<usize>,
    /// Mean loss, in nats (squared score for a regression). Written as a number, or as `"NaN"`, `"inf"` or `"-inf"`:
    /// the last line of a run that diverged.
    #[serde(with = "any_number")]
    pub loss: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Global gradient norm of the last step, before clipping; none where that step was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_norm: Option<f64>,
    /// With `precision: f16` what the loss of the last step was multiplied by for its gradients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<f64>,
    /// With `precision: f16` how many steps of the run changed nothing so far, because their gradients overflowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_steps: Option<u64>,
    /// Training tokens per second since the line before.
    pub tokens_per_second: f64,
    /// Mean over the tokens that a pretraining had to predict, in nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mlm_loss: Option<f64>,
    /// The share of them that was predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mlm_accuracy: Option<f64>,
    /// Mean over the pairs of segments, in nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsp_loss: Option<f64>,
    /// The share of them that was judged rightly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsp_accuracy: Option<f64>,
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
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| atomic::about("cannot write", path, &error))?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// As [`EventLog::open`], after `step` steps: what the log says of later ones, which are taken again, is removed,
    /// and so is a line that is not whole.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(super) fn open_after(path: &Path, step: u64) -> io::Result<Self> {
        let text = read(path)?;
        let event = |line: &str| serde_json::from_str::<Event>(line.strip_suffix('\n')?).ok();
        let kept: String =
            text.split_inclusive('\n').filter(|line| event(line).is_some_and(|event| event.step() <= step)).collect();
        if kept != text {
            atomic::write(path, kept.as_bytes())?;
        }
        Self::open(path)
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
        Event::Step(step) if step.gradient_norm.is_some_and(|norm| !norm.is_finite()) => Some("gradient_norm"),
        Event::Evaluation(evaluation) if evaluation.train_loss.is_some_and(|loss| !loss.is_finite()) => {
            Some("train_loss")
        }
        Event::Step(_) | Event::Evaluation(_) => None,
    }
}

/// The events of the log at `path` with this text, in order. A last line without its end (the process died while writing
/// it) is left out.
///
/// # Errors
/// When a whole line is not an event.
pub(super) fn parse_events(path: &Path, text: &str) -> Result<Vec<Event>, StoreError> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(at, line): (usize, &str)| {
        event(line).map_err(|error| {
            let cause = format!("line {}: {error}", at + 1);
            StoreError::Damaged { path: path.to_path_buf(), cause }
        })
    };
    whole.lines().enumerate().map(parse).collect()
}

/// How [`EventLog`] begins the line of a step.
const STEP: &str = "{\"event\":\"step\",";

/// What a line says. Of a step, whose kind is known from its beginning, serde need not keep every value until it knows it.
fn event(line: &str) -> serde_json::Result<Event> {
    if line.starts_with(STEP) { serde_json::from_str(line).map(Event::Step) } else { serde_json::from_str(line) }
}

/// The log's text; none when there is no log.
fn read(path: &Path) -> io::Result<String> {
    Ok(present::read(path)?.map_or_else(String::new, |bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A number that may be NaN or infinite, kept as text then: JSON has no such numbers.
mod any_number {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    struct AnyNumber;

    impl Visitor<'_> for AnyNumber {
        type Value = f64;

        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
            Ok(value)
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
            Ok(value as f64)
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
            Ok(value as f64)
        }

        fn visit_str<E: Error>(self, value: &str) -> Result<f64, E> {
            value.parse().map_err(E::custom)
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.collect_str(value) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_events(path: &Path) -> Result<Vec<Event>, StoreError> {
        parse_events(path, &read(path)?)
    }

    fn step(loss: f64) -> Event {
        let (learning_rate, tokens_per_second) = (1e-5, 900.0);
        Event::Step(StepEvent { step: 3, epoch: Some(1), loss, learning_rate, tokens_per_second, ..Default::default() })
    }

    fn evaluation(step: u64, train_loss: f64) -> Event {
        let train_loss = Some(train_loss);
        Event::Evaluation(Evaluation { epoch: Some(1), step, train_loss, scores: Vec::new(), held_out: None })
    }

    #[test]
    fn events_come_back_as_written_infinite_losses_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        assert_eq!(read_events(&path).unwrap(), []);
        let written = [step(0.7), evaluation(3, 0.5), step(f64::NEG_INFINITY)];
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
        let error = log.append(&evaluation(3, f64::NAN)).unwrap_err().to_string();
        assert!(error.ends_with("metrics.jsonl cannot be written: train_loss is not a finite number"), "{error}");
    }

    #[test]
    fn later_steps_and_half_a_line_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = EventLog::open_after(&path, 0).unwrap();
        for step in [10, 20, 30] {
            log.append(&evaluation(step, 0.5)).unwrap();
        }
        log.file.write_all(b"{\"event\":\"step\",\"ste").unwrap();
        drop(log);
        let mut log = EventLog::open_after(&path, 20).unwrap();
        assert_eq!(read_events(&path).unwrap(), [10, 20].map(|step| evaluation(step, 0.5)));
        log.append(&evaluation(25, 0.5)).unwrap();
        assert_eq!(read_events(&path).unwrap(), [10, 20, 25].map(|step| evaluation(step, 0.5)));
    }
}
