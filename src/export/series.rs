//! The numbers of a run: what was logged by step, and the scores at its end.

use super::ExportedRun;
use crate::store::{Evaluation, Event, Score};

/// A number of a run after a step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    /// Its name, such as `train/loss`, `dev/accuracy` or `final/dev/accuracy`.
    pub(super) name: String,
    /// Optimisation steps finished.
    pub(super) step: u64,
    /// The value; NaN where it is undefined.
    pub(super) value: f64,
    /// When that was, in seconds since 1970-01-01 UTC. The log has no times: steps are spread evenly over the run.
    pub(super) at: f64,
}

impl Point {
    fn new(name: String, step: u64, value: f64) -> Self {
        Self { name, step, value, at: 0.0 }
    }
}

/// Everything that was logged and scored, in the order of the steps; the scores of the record come last.
pub(super) fn points(run: &ExportedRun<'_>) -> Vec<Point> {
    let mut found = all(run);
    let (started, ended) = run.times();
    let last = found.iter().map(|point| point.step).max().unwrap_or(0).max(1);
    for point in &mut found {
        let share = point.step as f64 / last as f64;
        point.at = started as f64 + share * ended.saturating_sub(started) as f64;
    }
    found
}

fn all(run: &ExportedRun<'_>) -> Vec<Point> {
    let mut found = Vec::new();
    let mut is_evaluated = false;
    for event in run.events {
        match event {
            Event::Step(step) => {
                let numbers = [
                    ("loss", Some(step.loss)),
                    ("learning_rate", Some(step.learning_rate)),
                    ("gradient_norm", step.gradient_norm),
                    ("loss_scale", step.loss_scale),
                    ("skipped_steps", step.skipped_steps.map(|steps| steps as f64)),
                    ("tokens_per_second", Some(step.tokens_per_second)),
                    ("mlm_loss", step.mlm_loss),
                    ("mlm_accuracy", step.mlm_accuracy),
                    ("nsp_loss", step.nsp_loss),
                    ("nsp_accuracy", step.nsp_accuracy),
                ];
                let numbers = numbers.into_iter().filter_map(|(name, value)| Some((name, value?)));
                found.extend(numbers.map(|(name, value)| Point::new(format!("train/{name}"), step.step, value)));
            }
            Event::Evaluation(evaluation) => {
                is_evaluated = true;
                found.extend(evaluated(evaluation));
            }
        }
    }
    let Some(record) = run.record() else { return found };
    if !is_evaluated {
        found.extend(record.evaluations.iter().flat_map(evaluated));
    }
    let last = |score| Point::new(format!("final/{}", name(score)), record.steps, score.value.unwrap_or(f64::NAN));
    found.extend(record.scores.iter().map(last));
    found
}

/// `dev/accuracy`.
fn name(score: &Score) -> String {
    format!("{}/{}", score.split, score.metric)
}

fn evaluated(evaluation: &Evaluation) -> impl Iterator<Item = Point> {
    let step = evaluation.step;
    let point = move |score: &Score| Point::new(name(score), step, score.value.unwrap_or(f64::NAN));
    evaluation.scores.iter().map(point)
}
