//! `metrics.jsonl` of a pretraining run, one JSON object a line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic;

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PretrainEvent {
    /// Optimisation steps since the line before.
    Step(PretrainStepEvent),
    /// An evaluation on held-out examples.
    Evaluation(PretrainScores),
}

/// The steps since the line before, the last of them being `step`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PretrainStepEvent {
    /// Optimisation steps finished.
    pub step: u64,
    /// The phase of the last step, from 1.
    pub phase: usize,
    /// Loss of tokens and of the next sentence together, in nats.
    pub loss: f64,
    /// Mean over the masked tokens, in nats; where the next token is predicted, over all of these.
    pub mlm_loss: f64,
    /// The share of them that is predicted.
    pub mlm_accuracy: f64,
    /// Mean over the examples, in nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsp_loss: Option<f64>,
    /// The share of them that is judged rightly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsp_accuracy: Option<f64>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Global gradient norm of the last step, before clipping.
    pub gradient_norm: f64,
    /// Tokens a second, all of a step counted.
    pub tokens_per_second: f64,
}

/// Scores on held-out examples, each over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PretrainScores {
    /// Optimisation steps finished.
    pub step: u64,
    /// Mean over all masked tokens, in nats; where the next token is predicted, over all of these.
    pub mlm_loss: f64,
    /// exp of it.
    pub perplexity: f64,
    /// The share of them that is predicted.
    pub mlm_accuracy: f64,
    /// Mean over all examples, in nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsp_loss: Option<f64>,
    /// The share of examples that is judged rightly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsp_accuracy: Option<f64>,
    /// Masked tokens.
    pub predictions: u64,
    /// Examples.
    pub examples: u64,
}

impl PretrainEvent {
    /// Optimisation steps finished.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Self::Step(event) => event.step,
            Self::Evaluation(scores) => scores.step,
        }
    }
}

/// The open log of a run.
#[derive(Debug)]
pub struct PretrainLog(File);

impl PretrainLog {
    /// Opens the log at `path` to go on after `step` steps: what it tells of later ones, which are taken again, is
    /// removed, and so is a last line that was not finished.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path, step: u64) -> io::Result<Self> {
        let text = read(path)?;
        let kept: String =
            text.split_inclusive('\n').filter(|line| event(line).is_some_and(|event| event.step() <= step)).collect();
        if kept != text {
            atomic::write(path, kept.as_bytes())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map(Self).map_err(|error| atomic::about("cannot write", path, &error))
    }

    /// Appends a line.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn append(&mut self, event: &PretrainEvent) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.0.write_all(&line)
    }

    /// The events of the log at `path`, in order; none when there is no log. Lines that are not whole are left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn events(path: &Path) -> io::Result<Vec<PretrainEvent>> {
        Ok(read(path)?.split_inclusive('\n').filter_map(event).collect())
    }
}

fn read(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(atomic::about("cannot read", path, &error)),
    }
}

fn event(line: &str) -> Option<PretrainEvent> {
    serde_json::from_str(line.strip_suffix('\n')?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(step: u64) -> PretrainEvent {
        PretrainEvent::Evaluation(PretrainScores {
            step,
            mlm_loss: 1.5,
            perplexity: 1.5f64.exp(),
            mlm_accuracy: 0.1,
            nsp_loss: None,
            nsp_accuracy: None,
            predictions: 7,
            examples: 3,
        })
    }

    #[test]
    fn later_steps_and_half_a_line_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        assert_eq!(PretrainLog::events(&path).unwrap(), []);
        let mut log = PretrainLog::open(&path, 0).unwrap();
        for step in [10, 20, 30] {
            log.append(&evaluation(step)).unwrap();
        }
        drop(log);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{{\"event\":\"step\",\"ste")).unwrap();
        let mut log = PretrainLog::open(&path, 20).unwrap();
        assert_eq!(PretrainLog::events(&path).unwrap(), [10, 20].map(evaluation));
        log.append(&evaluation(25)).unwrap();
        assert_eq!(PretrainLog::events(&path).unwrap(), [10, 20, 25].map(evaluation));
    }
}
