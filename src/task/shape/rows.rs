//! Answers to whole examples: a class of a few, or a score. Outputs are row-major, `[examples, row]`; `names` are those of
//! a row's numbers, none for a score.

use std::fmt::Write;

use super::largest;
use crate::data::{Label, Split};
use crate::diagnostic::Diagnostic;
use crate::metric::{Function, Metric};
use crate::store::Answers;
use crate::text::{FeatureSet, SkippedRows, TextPair, Tokenizer};

/// The features of rows that were read.
///
/// # Errors
/// As [`FeatureSet::build`].
pub fn features_of(read: &Split, tokenizer: &Tokenizer, max_length: u32) -> Result<FeatureSet, Diagnostic> {
    let examples: Vec<TextPair<'_>> = read
        .examples
        .iter()
        .map(|example| TextPair {
            first: &example.first,
            second: example.second.as_deref(),
            label: example.label.map_or(f32::NAN, Label::number),
        })
        .collect();
    let left_out = SkippedRows { malformed: read.skipped, without_gold: read.without_gold, unfindable: 0 };
    FeatureSet::build(tokenizer, &examples, max_length, left_out)
}

/// The value of each metric; `labels` is `[examples]`, a class's index or a score.
pub(super) fn values(metrics: &[&Metric], outputs: &[f32], labels: &[f32], names: &[&str]) -> Vec<f64> {
    assert_eq!(outputs.len(), labels.len() * names.len().max(1), "one row of outputs per label");
    let predicted: Vec<u32> = outputs.chunks_exact(names.len().max(1)).map(largest).collect();
    let gold = classes(labels);
    let value = |metric: &&Metric| match metric.function {
        Function::Classes(function) => function(&predicted, &gold),
        Function::Scores(function) => function(outputs, labels),
        Function::Whole => f64::NAN,
    };
    metrics.iter().map(value).collect()
}

/// The gold answer and the predicted one of each row; scores where a row's numbers have no names.
pub(super) fn answers_by_example(outputs: &[f32], labels: &[f32], names: &[&str]) -> Answers {
    if names.is_empty() {
        return Answers::Scores { gold: labels.to_vec(), predicted: outputs.to_vec() };
    }
    let predicted = outputs.chunks_exact(names.len()).map(largest).collect();
    Answers::Classes { gold: classes(labels), predicted }
}

/// The value of `metric` when every example is answered with the most frequent of `count` classes.
pub(in crate::task) fn majority(metric: &Metric, labels: &[f32], count: usize) -> f64 {
    let gold = classes(labels);
    let frequency = |class: usize| gold.iter().filter(|label| **label as usize == class).count();
    let best = (0..count).rev().max_by_key(|class| frequency(*class));
    match (best, metric.function) {
        (Some(best), Function::Classes(function)) => function(&vec![best as u32; gold.len()], &gold),
        (None, _) | (_, Function::Scores(_) | Function::Whole) => 0.0,
    }
}

/// What a column of a class is called, and what it has of the outputs.
type Column = (&'static str, fn(&[f32]) -> Vec<f32>);

/// As [`Task::predictions_tsv`](crate::task::Task::predictions_tsv).
pub(in crate::task) fn table(outputs: &[f32], labels: &[f32], names: &[&str], probabilities: bool) -> String {
    assert_eq!(outputs.len(), labels.len() * names.len().max(1), "one row of outputs per label");
    let mut text = String::from("index\tprediction\tlabel");
    let columns: [Column; 2] = [("logit", <[f32]>::to_vec), ("probability", softmax)];
    let columns = if probabilities { &columns[..] } else { &columns[..1] };
    // Writing to a String cannot fail, here and below.
    for ((prefix, _), class) in columns.iter().flat_map(|column| names.iter().map(move |class| (column, class))) {
        let _ = write!(text, "\t{prefix}_{class}");
    }
    text.push('\n');
    for (index, (row, label)) in outputs.chunks_exact(names.len().max(1)).zip(labels).enumerate() {
        let _ = write!(text, "{index}\t{}\t{}", answer_to(row, names), written(*label, names));
        if !names.is_empty() {
            for number in columns.iter().flat_map(|(_, numbers)| numbers(row)) {
                let _ = write!(text, "\t{number}");
            }
        }
        text.push('\n');
    }
    text
}

/// The answer to every row, as predictions are written: a class's name or a score.
pub(in crate::task) fn answers(outputs: &[f32], names: &[&str]) -> Vec<String> {
    outputs.chunks_exact(names.len().max(1)).map(|row| answer_to(row, names)).collect()
}

fn answer_to(row: &[f32], names: &[&str]) -> String {
    written(if names.is_empty() { row[0] } else { largest(row) as f32 }, names)
}

/// How an answer or a label is written; an absent one is not.
fn written(answer: f32, names: &[&str]) -> String {
    if answer.is_nan() {
        String::new()
    } else if names.is_empty() {
        answer.to_string()
    } else {
        names.get(answer as usize).copied().unwrap_or_default().to_owned()
    }
}

fn softmax(row: &[f32]) -> Vec<f32> {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = row.iter().map(|logit| f64::from(logit - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

fn classes(labels: &[f32]) -> Vec<u32> {
    labels.iter().map(|label| *label as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    fn values_of(task: &str, logits: &[f32], labels: &[f32]) -> Vec<(&'static str, f64)> {
        let task = Task::find(task).unwrap();
        let values = values(task.metrics, logits, labels, task.classes());
        task.metrics.iter().map(|metric| metric.name).zip(values).collect()
    }

    #[test]
    fn the_largest_logit_answers_and_every_metric_of_the_row_is_there() {
        // Predicted 1 0 1 1, gold 1 0 0 1: three of four, precision 2/3, recall 1.
        let logits = [0.1, 0.2, 3.0, -1.0, -5.0, -4.0, 0.0, 1.0];
        let found = values_of("mrpc", &logits, &[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["f1", "accuracy"]);
        assert!((found[0].1 - 0.8).abs() < 1e-12 && (found[1].1 - 0.75).abs() < 1e-12);
        let found = values_of("stsb", &[1.0, 2.0, 9.0], &[0.0, 1.0, 2.0]);
        assert!((found[0].1 - 1.0).abs() < 1e-12, "{found:?}");
        assert!(found[1].1 < 0.95 && found[1].0 == "pearson");
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
        let text = Task::find("rte").unwrap().predictions_tsv(&[1.5, -2.0, 0.0, 0.25], &[0.0, f32::NAN], false);
        assert_eq!(
            text,
            "index\tprediction\tlabel\tlogit_entailment\tlogit_not_entailment\n\
             0\tentailment\tentailment\t1.5\t-2\n\
             1\tnot_entailment\t\t0\t0.25\n"
        );
        // e^0, e^1 and e^-1 over their sum, 4.0861613.
        let text = Task::find("mnli").unwrap().predictions_tsv(&[7.0, 8.0, 6.0], &[f32::NAN], true);
        let (names, row) = text.trim_end().split_once('\n').unwrap();
        assert!(
            names.ends_with("\tlogit_neutral\tprobability_contradiction\tprobability_entailment\tprobability_neutral")
        );
        let numbers: Vec<f64> = row.split('\t').skip(3).map(|number| number.parse().unwrap()).collect();
        for (found, expected) in numbers.iter().zip([7.0, 8.0, 6.0, 0.244_728_5, 0.665_240_9, 0.090_030_6]) {
            assert!((found - expected).abs() < 1e-6, "{row}");
        }
        assert_eq!(Task::find("stsb").unwrap().predictions_tsv(&[4.2], &[5.0], true).lines().count(), 2);
        let text = Task::find("stsb").unwrap().predictions_tsv(&[4.2], &[5.0], false);
        assert_eq!(text, "index\tprediction\tlabel\n0\t4.2\t5\n");
    }
}
