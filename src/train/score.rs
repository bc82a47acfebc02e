//! Metrics in the form that records keep.

use crate::store::Score;
use crate::task::{DevSplit, Task};

/// Every score of `task` on one split with gold answers, its loss included. `outputs` as [`super::predict`] gives
/// them; `tags` are the classes of a task that names them in its training data.
#[must_use]
pub fn scores(task: &Task, split: &DevSplit, outputs: &[f32], tags: &[String]) -> Vec<Score> {
    let finite = |value: f64| value.is_finite().then_some(value);
    let mut scores: Vec<Score> = task
        .values(outputs, split, tags)
        .into_iter()
        .map(|value| Score {
            metric: value.metric.into(),
            split: split.name.into(),
            value: finite(value.value),
            unit: value.unit.name().into(),
            higher_is_better: value.higher_is_better,
        })
        .collect();
    let (loss, unit) = task.mean_loss(outputs, &split.features);
    scores.push(Score {
        metric: "loss".into(),
        split: split.name.into(),
        value: finite(loss),
        unit: unit.into(),
        higher_is_better: false,
    });
    scores
}
