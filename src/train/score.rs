//! Metrics in the form that records keep.

use crate::store::Score;
use crate::task::{HeadKind, Task};
use crate::text::FeatureSet;

/// Every score of `task` on one dev split, its loss included.
#[must_use]
pub fn scores(task: &Task, split: &str, outputs: &[f32], features: &FeatureSet) -> Vec<Score> {
    let labels = features.labels();
    let finite = |value: f64| value.is_finite().then_some(value);
    let mut scores: Vec<Score> = task
        .score(outputs, labels)
        .into_iter()
        .map(|value| Score {
            metric: value.metric.into(),
            split: split.into(),
            value: finite(value.value),
            unit: value.unit.name().into(),
            higher_is_better: value.higher_is_better,
        })
        .collect();
    let (loss, unit) = mean_loss(task.head, outputs, labels);
    scores.push(Score {
        metric: "loss".into(),
        split: split.into(),
        value: finite(loss),
        unit: unit.into(),
        higher_is_better: false,
    });
    scores
}

/// Mean loss over the whole split, in f64, with its unit.
fn mean_loss(head: HeadKind, outputs: &[f32], labels: &[f32]) -> (f64, &'static str) {
    let count = labels.len().max(1) as f64;
    match head {
        HeadKind::Classes(names) => {
            let rows = outputs.chunks_exact(names.len().max(1)).zip(labels);
            (rows.map(|(row, &label)| cross_entropy(row, label as usize)).sum::<f64>() / count, "nats")
        }
        HeadKind::Regression => {
            let pairs = outputs.iter().zip(labels);
            (pairs.map(|(&a, &b)| f64::from(a - b).powi(2)).sum::<f64>() / count, "squared score")
        }
    }
}

fn cross_entropy(row: &[f32], label: usize) -> f64 {
    let most = row.iter().fold(f32::NEG_INFINITY, |most, &logit| most.max(logit));
    let sum: f64 = row.iter().map(|&logit| f64::from(logit - most).exp()).sum();
    sum.ln() + f64::from(most - row.get(label).copied().unwrap_or(f32::NAN))
}
