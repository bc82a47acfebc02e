//! What a mini score can be compared with: the constant answer below it, the rule itself above it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::MiniError;
use super::annotation::Annotated;
use super::example::Answer;
use super::tasks::{MiniTask, Primary, Use};

/// A score of predicted answers against labels.
type Metric = fn(&[Answer], &[Answer]) -> f64;

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
    let (metric, score): (_, Metric) = match task.primary {
        Primary::Accuracy => ("accuracy", accuracy),
        Primary::F1 => ("f1", f1),
        Primary::Matthews => ("mcc", matthews),
        Primary::Spearman => ("spearman", spearman),
    };
    Some(Bound {
        metric: metric.to_string(),
        split: split.stem.to_string(),
        majority: score(&constant, &labels),
        ceiling: score(&truths, &labels),
    })
}

/// The class that most labels have; a score's stand-in is any constant.
fn most_frequent(task: &MiniTask, labels: &[Answer]) -> Answer {
    let count = |class: &usize| labels.iter().filter(|label| **label == Answer::Class(*class)).count();
    (0..task.classes.len()).max_by_key(count).map_or(Answer::Score(0.0), Answer::Class)
}

fn fraction(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn accuracy(predicted: &[Answer], labels: &[Answer]) -> f64 {
    fraction(predicted.iter().zip(labels).filter(|(p, l)| p == l).count(), labels.len())
}

/// Counts of (predicted, label) = (1, 1), (1, 0), (0, 1), (0, 0).
fn confusion(predicted: &[Answer], labels: &[Answer]) -> [usize; 4] {
    let one = Answer::Class(1);
    let mut counts = [0; 4];
    for (predicted, label) in predicted.iter().zip(labels) {
        counts[usize::from(*predicted != one) * 2 + usize::from(*label != one)] += 1;
    }
    counts
}

fn f1(predicted: &[Answer], labels: &[Answer]) -> f64 {
    let [hits, false_alarms, misses, _] = confusion(predicted, labels);
    fraction(2 * hits, 2 * hits + false_alarms + misses)
}

fn matthews(predicted: &[Answer], labels: &[Answer]) -> f64 {
    let [tp, fp, missed, tn] = confusion(predicted, labels).map(|count| count as f64);
    let spread = ((tp + fp) * (tp + missed) * (tn + fp) * (tn + missed)).sqrt();
    if spread > 0.0 { (tp * tn - fp * missed) / spread } else { 0.0 }
}

fn spearman(predicted: &[Answer], labels: &[Answer]) -> f64 {
    let (x, y) = (ranks(predicted), ranks(labels));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let (mut both, mut square_x, mut square_y) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(&y) {
        both += (x - mean_x) * (y - mean_y);
        square_x += (x - mean_x).powi(2);
        square_y += (y - mean_y).powi(2);
    }
    let spread: f64 = (square_x * square_y).sqrt();
    if spread > 0.0 { both / spread } else { 0.0 }
}

/// Ranks from 0; equal scores share the mean of their ranks.
fn ranks(answers: &[Answer]) -> Vec<f64> {
    let score = |answer: &Answer| match answer {
        Answer::Class(class) => *class as f64,
        Answer::Score(score) => *score,
    };
    let scores: Vec<f64> = answers.iter().map(score).collect();
    scores
        .iter()
        .map(|own| {
            let below = scores.iter().filter(|other| *other < own).count() as f64;
            let equal = scores.iter().filter(|other| other.total_cmp(own).is_eq()).count() as f64;
            below + (equal - 1.0) / 2.0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(of: &[usize]) -> Vec<Answer> {
        of.iter().map(|class| Answer::Class(*class)).collect()
    }

    /// Counted by hand: 2 hits, 1 false alarm, 1 miss, 2 right rejections.
    #[test]
    fn class_metrics_agree_with_a_count_by_hand() {
        let (predicted, labels) = (classes(&[1, 1, 1, 0, 0, 0]), classes(&[1, 1, 0, 1, 0, 0]));
        assert_eq!(confusion(&predicted, &labels), [2, 1, 1, 2]);
        assert!((accuracy(&predicted, &labels) - 4.0 / 6.0).abs() < 1e-12);
        assert!((f1(&predicted, &labels) - 4.0 / 6.0).abs() < 1e-12);
        assert!((matthews(&predicted, &labels) - 3.0 / 9.0).abs() < 1e-12);
        assert!(matthews(&classes(&[1; 6]), &labels).abs() < 1e-12);
    }

    /// Ranks of the second list with its tie: 0, 1.5, 1.5, 3; the covariance with 0, 1, 2, 3 is 4.5.
    #[test]
    fn spearman_shares_the_ranks_of_ties() {
        let scores = |of: [f64; 4]| of.map(Answer::Score);
        let expected = 4.5 / (5.0_f64 * 4.5).sqrt();
        let found = spearman(&scores([0.1, 0.2, 0.3, 5.0]), &scores([1.0, 2.0, 2.0, 4.0]));
        assert!((found - expected).abs() < 1e-12, "{found}");
        assert!(spearman(&scores([1.0; 4]), &scores([1.0, 2.0, 2.0, 4.0])).abs() < 1e-12);
    }
}
