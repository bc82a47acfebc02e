//! What a mini score can be compared with: the constant answer below it, the rule itself above it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::MiniError;
use super::example::{Annotated, Answer, Use};
use super::tasks::MiniTask;
use crate::metric::{Function, Metric};

/// The file in the mini folder.
pub(super) const FILE: &str = "bounds.json";

/// The range in which a mini task's primary dev score lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The primary metric: `accuracy`, `f1`, `mcc` or `spearman`.
    pub metric: String,
    /// The dev file that it is computed on, such as `dev_matched`.
    pub split: String,
    /// The score of always giving dev's most frequent class; 0 for correlations.
    pub majority: f64,
    /// The score of the rule that made the examples: only noise in dev's labels keeps it below 1.
    pub ceiling: f64,
}

/// The bounds of every mini task in `folder`, by task name such as `rte`. MNLI's are of the matched set.
///
/// # Errors
/// When `bounds.json` is missing, unreadable or not of this form.
pub fn bounds(folder: &Path) -> Result<BTreeMap<String, Bound>, MiniError> {
    let path = folder.join(FILE);
    let text = std::fs::read(&path).map_err(|cause| MiniError::file(&path, cause))?;
    serde_json::from_slice(&text).map_err(|cause| MiniError::Malformed { path, cause })
}

/// The bound of a task from its splits; `None` for a set without dev.
pub(super) fn bound(task: &MiniTask, splits: &[Vec<Annotated>]) -> Option<Bound> {
    let (split, rows) = task.splits.iter().zip(splits).find(|(split, _)| split.purpose == Use::Dev)?;
    let labels: Vec<Answer> = rows.iter().map(|row| row.label).collect();
    let truths: Vec<Answer> = rows.iter().map(|row| row.example.answer).collect();
    let constant = vec![most_frequent(task, &labels); labels.len()];
    Some(Bound {
        metric: task.primary.name.to_string(),
        split: split.stem.to_string(),
        majority: score(task.primary, &constant, &labels),
        ceiling: score(task.primary, &truths, &labels),
    })
}

/// The class that most labels have; a score's stand-in is any constant.
fn most_frequent(task: &MiniTask, labels: &[Answer]) -> Answer {
    let count = |class: &usize| labels.iter().filter(|label| **label == Answer::Class(*class)).count();
    (0..task.classes.len()).max_by_key(count).map_or(Answer::Score(0.0), Answer::Class)
}

/// The primary metric of `predicted`; a correlation with a constant is 0.
fn score(primary: &Metric, predicted: &[Answer], labels: &[Answer]) -> f64 {
    let score = match primary.function {
        Function::Classes(metric) => metric(&classes(predicted), &classes(labels)),
        Function::Scores(metric) => metric(&scores(predicted), &scores(labels)),
        Function::Whole => f64::NAN,
    };
    if score.is_nan() { 0.0 } else { score }
}

fn classes(answers: &[Answer]) -> Vec<u32> {
    scores(answers).into_iter().map(|class| class as u32).collect()
}

fn scores(answers: &[Answer]) -> Vec<f32> {
    let number = |answer: &Answer| match answer {
        Answer::Class(class) => *class as f32,
        Answer::Score(score) => *score as f32,
    };
    answers.iter().map(number).collect()
}
