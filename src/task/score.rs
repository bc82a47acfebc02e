//! From a model's outputs to scores and predictions. Outputs are row-major, `[examples, outputs]`.

use std::borrow::Cow;
use std::fmt::Write;

use super::Task;
use crate::metric::{Function, Metric, Value};
use crate::model::Head;

impl Task {
    /// Every metric of the task over a whole split, in the order of [`Task::metrics`].
    ///
    /// `logits` is `[examples, outputs]`; `labels` is `[examples]`, a class's index or a score.
    ///
    /// # Panics
    /// When `logits` has not [`Task::row`] numbers per label.
    #[must_use]
    pub fn score(&self, logits: &[f32], labels: &[f32]) -> Vec<Value> {
        assert_eq!(logits.len(), labels.len() * self.row(), "one row of outputs per label");
        let (predicted, gold) = (self.predicted_classes(logits), classes_of(labels));
        let compute = |metric: &Metric| match metric.function {
            Function::Classes(function) => function(&predicted, &gold),
            Function::Scores(function) => function(logits, labels),
            Function::Whole => f64::NAN,
        };
        self.metrics.iter().map(|metric| metric.value(compute(metric))).collect()
    }

    /// The primary metric of always answering with the most frequent class of `labels` (of equally frequent
    /// ones the first). 0 for a regression: a constant has no correlation.
    #[must_use]
    pub fn majority(&self, labels: &[f32]) -> f64 {
        let classes = match self.head {
            Head::Classes | Head::Choices => self.row(),
            Head::Regression | Head::Spans | Head::Tags => return 0.0,
        };
        let gold = classes_of(labels);
        let frequency = |class: usize| gold.iter().filter(|label| **label as usize == class).count();
        let Some(best) = (0..classes).rev().max_by_key(|class| frequency(*class)) else { return 0.0 };
        match self.primary_metric().function {
            Function::Classes(function) => function(&vec![best as u32; gold.len()], &gold),
            Function::Scores(_) | Function::Whole => 0.0,
        }
    }

    /// A table of predictions, tab-separated with a header: `index` (the example's number from 0), `prediction`
    /// and `label` (a class's name or a score; an empty label where there is none), and for classes one column
    /// of logits each.
    ///
    /// # Panics
    /// As [`Task::score`].
    #[must_use]
    pub fn predictions_tsv(&self, logits: &[f32], labels: &[f32]) -> String {
        self.table(logits, labels, &[LOGITS])
    }

    /// As [`Task::predictions_tsv`], and for classes one more column of probabilities each, the softmax of the
    /// row's logits.
    ///
    /// # Panics
    /// As [`Task::score`].
    #[must_use]
    pub fn predictions_and_probabilities_tsv(&self, logits: &[f32], labels: &[f32]) -> String {
        self.table(logits, labels, &[LOGITS, PROBABILITIES])
    }

    /// The answer to every row of `logits`, `[examples, outputs]`, as predictions are written: a class's name or
    /// a score.
    #[must_use]
    pub fn answers(&self, logits: &[f32]) -> Vec<String> {
        logits.chunks_exact(self.row()).map(|row| self.answer_to(row)).collect()
    }

    fn table(&self, logits: &[f32], labels: &[f32], per_class: &[PerClass]) -> String {
        assert_eq!(logits.len(), labels.len() * self.row(), "one row of outputs per label");
        let mut text = String::from("index\tprediction\tlabel");
        let names = self.class_names();
        for ((prefix, _), class) in per_class.iter().flat_map(|columns| names.iter().map(move |c| (columns, c))) {
            let _ = write!(text, "\t{prefix}_{class}");
        }
        text.push('\n');
        for (index, (row, label)) in logits.chunks_exact(self.row()).zip(labels).enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{index}\t{}\t{}", self.answer_to(row), self.answer(*label));
            if !names.is_empty() {
                for number in per_class.iter().flat_map(|(_, numbers)| numbers(row)) {
                    let _ = write!(text, "\t{number}");
                }
            }
            text.push('\n');
        }
        text
    }

    /// The predicted class of every row; nothing for heads without classes.
    fn predicted_classes(&self, logits: &[f32]) -> Vec<u32> {
        match self.head {
            Head::Classes | Head::Choices => logits.chunks_exact(self.row()).map(largest).collect(),
            Head::Regression | Head::Spans | Head::Tags => Vec::new(),
        }
    }

    /// The names of the classes of an example; a choice is called by its place from 0.
    fn class_names(&self) -> Vec<Cow<'static, str>> {
        match self.head {
            Head::Classes => self.classes().iter().map(|class| Cow::Borrowed(*class)).collect(),
            Head::Choices => (0..self.row()).map(|choice| Cow::Owned(choice.to_string())).collect(),
            Head::Regression | Head::Spans | Head::Tags => Vec::new(),
        }
    }

    /// The answer to one row of logits.
    fn answer_to(&self, row: &[f32]) -> String {
        self.answer(match self.head {
            Head::Classes | Head::Choices => largest(row) as f32,
            Head::Regression | Head::Spans | Head::Tags => row[0],
        })
    }

    /// How an answer is written: a class's name or a score.
    fn answer(&self, answer: f32) -> String {
        match self.head {
            _ if answer.is_nan() => String::new(),
            Head::Classes => self.classes().get(answer as usize).copied().unwrap_or_default().to_owned(),
            Head::Regression | Head::Choices | Head::Spans | Head::Tags => answer.to_string(),
        }
    }
}

/// Columns of a table of predictions, one per class: what their names begin with, and their numbers in a row
/// from its logits.
type PerClass = (&'static str, fn(&[f32]) -> Vec<f32>);

const LOGITS: PerClass = ("logit", <[f32]>::to_vec);
const PROBABILITIES: PerClass = ("probability", softmax);

fn softmax(row: &[f32]) -> Vec<f32> {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = row.iter().map(|logit| f64::from(logit - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

/// The place of the largest logit; of equal ones the first. NaN is never the largest.
pub(super) fn largest(row: &[f32]) -> u32 {
    let mut best = 0;
    for (class, logit) in row.iter().enumerate() {
        if *logit > row[best] || (row[best].is_nan() && !logit.is_nan()) {
            best = class;
        }
    }
    best as u32
}

fn classes_of(labels: &[f32]) -> Vec<u32> {
    labels.iter().map(|label| *label as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(task: &str, logits: &[f32], labels: &[f32]) -> Vec<(&'static str, f64)> {
        let values = Task::find(task).unwrap().score(logits, labels);
        values.iter().map(|value| (value.metric, value.value)).collect()
    }

    #[test]
    fn the_largest_logit_answers_and_every_metric_of_the_row_is_there() {
        // Predicted 1 0 1 1, gold 1 0 0 1: three of four, precision 2/3, recall 1.
        let logits = [0.1, 0.2, 3.0, -1.0, -5.0, -4.0, 0.0, 1.0];
        let found = values("mrpc", &logits, &[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["f1", "accuracy"]);
        assert!((found[0].1 - 0.8).abs() < 1e-12 && (found[1].1 - 0.75).abs() < 1e-12);
        let found = values("stsb", &[1.0, 2.0, 9.0], &[0.0, 1.0, 2.0]);
        assert!((found[0].1 - 1.0).abs() < 1e-12, "{found:?}");
        assert!(found[1].1 < 0.95 && found[1].0 == "pearson");
    }

    #[test]
    fn equal_logits_answer_with_the_first_class_and_nan_never_wins() {
        assert_eq!(largest(&[1.0, 1.0, 0.0]), 0);
        assert_eq!(largest(&[f32::NAN, -1.0, -2.0]), 1);
        assert_eq!(largest(&[-2.0, f32::NAN, -1.0]), 2);
        assert_eq!(largest(&[f32::NAN, f32::NAN]), 0);
    }

    #[test]
    fn the_majority_is_scored_by_the_primary_metric() {
        let majority = |task: &str, labels: &[f32]| Task::find(task).unwrap().majority(labels);
        assert!((majority("mnli", &[2.0, 0.0, 2.0, 1.0]) - 0.5).abs() < 1e-12);
        // Always 1 with two of three gold: precision 2/3, recall 1.
        assert!((majority("mrpc", &[1.0, 0.0, 1.0]) - 0.8).abs() < 1e-12);
        assert!(majority("qqp", &[0.0, 0.0, 1.0]).abs() < 1e-12);
        assert!(majority("cola", &[1.0, 1.0, 0.0]).abs() < 1e-12);
        assert!(majority("stsb", &[1.0, 4.5]).abs() < 1e-12);
        // A tie goes to the first class, whose F1 is 0.
        assert!(majority("mrpc", &[1.0, 0.0]).abs() < 1e-12);
    }

    #[test]
    fn answers_are_those_of_the_table() {
        let answers = |task: &str, logits: &[f32]| Task::find(task).unwrap().answers(logits);
        assert_eq!(answers("mnli", &[0.0, 0.0, 1.0, 3.0, 2.0, 1.0]), ["neutral", "contradiction"]);
        assert_eq!(answers("stsb", &[0.25, 5.0]), ["0.25", "5"]);
    }

    #[test]
    fn predictions_are_a_table_with_names() {
        let text = Task::find("rte").unwrap().predictions_tsv(&[1.5, -2.0, 0.0, 0.25], &[0.0, f32::NAN]);
        assert_eq!(
            text,
            "index\tprediction\tlabel\tlogit_entailment\tlogit_not_entailment\n\
             0\tentailment\tentailment\t1.5\t-2\n\
             1\tnot_entailment\t\t0\t0.25\n"
        );
        // e^0, e^1 and e^-1 over their sum, 4.0861613.
        let text = Task::find("mnli").unwrap().predictions_and_probabilities_tsv(&[7.0, 8.0, 6.0], &[f32::NAN]);
        let (names, row) = text.trim_end().split_once('\n').unwrap();
        assert!(
            names.ends_with("\tlogit_neutral\tprobability_contradiction\tprobability_entailment\tprobability_neutral")
        );
        let numbers: Vec<f64> = row.split('\t').skip(3).map(|number| number.parse().unwrap()).collect();
        for (found, expected) in numbers.iter().zip([7.0, 8.0, 6.0, 0.244_728_5, 0.665_240_9, 0.090_030_6]) {
            assert!((found - expected).abs() < 1e-6, "{row}");
        }
        assert_eq!(Task::find("stsb").unwrap().predictions_and_probabilities_tsv(&[4.2], &[5.0]).lines().count(), 2);
        let text = Task::find("stsb").unwrap().predictions_tsv(&[4.2], &[5.0]);
        assert_eq!(text, "index\tprediction\tlabel\n0\t4.2\t5\n");
    }
}
