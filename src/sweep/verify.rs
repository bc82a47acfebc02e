//! Whether the weights that a run kept give what it recorded.

use crate::config::{self, ExperimentFile};
use crate::diagnostic::{Diagnostic, Error};
use crate::plan;
use crate::resolve::{Progress, Request, evaluation_context};
use crate::store::{Record, RunFolder, Score};
use crate::train::{score_kept, score_pretrained};

/// A score on another machine differs by the order of sums at most.
const ROUNDING: f64 = 1e-6;

/// A recorded score beside what the weights score now.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescored {
    /// The split.
    pub split: String,
    /// The metric.
    pub metric: String,
    /// What the run recorded; none where the metric is not defined.
    pub recorded: Option<f64>,
    /// What its weights score now.
    pub now: Option<f64>,
    /// Whether the two are the same but for rounding.
    pub is_same: bool,
}

/// Scores the weights that a run kept again. `request` names the experiment file, which says where the data is.
///
/// # Errors
/// A run without a record, scores or weights; data that cannot be read or is not that of the run.
pub fn rescore(folder: &RunFolder, request: &Request, progress: &dyn Progress) -> Result<Vec<Rescored>, Error> {
    let record = checkable(folder)?;
    if !request.file.is_file() {
        let file = request.file.display();
        let message = format!("where the data is stands in the experiment file, and there is no {file}");
        return Err(Diagnostic::new(message).hint("`--file EXPERIMENT.yaml` names it").into());
    }
    let found = match config::load(&request.file, &plan::known_tasks(), &request.set)? {
        ExperimentFile::Tasks(experiment) => {
            score_kept(&evaluation_context(&experiment, &request.runs)?, &record.settings, folder)?
        }
        // Held-out text is a prepared corpus: where it is no longer there, it is prepared again.
        ExperimentFile::Pretraining(_) => {
            score_pretrained(&request.prepare(progress)?.context, &record.settings, folder)?
        }
    };
    Ok(record.scores.iter().map(|score| rescored(score, &found)).collect())
}

/// The record of a run whose weights are there and as it says.
fn checkable(folder: &RunFolder) -> Result<Record, Error> {
    let refused = |message: String, hint: &str| Error::from(Diagnostic::new(message).hint(hint));
    let id = folder.id();
    let record = folder.record()?.ok_or_else(|| {
        refused(
            format!("run {id} has no record, so there is no score to check"),
            "`bertbench runs show` says how far it is",
        )
    })?;
    if record.scores.is_empty() {
        let hint = "a pretraining is scored where `pretrain.held_out` names held-out text";
        return Err(refused(format!("run {id} recorded no score"), hint));
    }
    if !folder.model_folder().is_dir() {
        let hint = "a sweep keeps those of its best run of each task and model";
        return Err(refused(format!("run {id} kept no weights"), hint));
    }
    folder.check_weights(&record)?;
    Ok(record)
}

fn rescored(score: &Score, found: &[Score]) -> Rescored {
    let again = found.iter().find(|of| (&of.metric, &of.split) == (&score.metric, &score.split));
    let now = again.and_then(|of| of.value);
    let is_same = again.is_some() && is_same(score.value, now);
    Rescored { split: score.split.clone(), metric: score.metric.clone(), recorded: score.value, now, is_same }
}

fn is_same(recorded: Option<f64>, now: Option<f64>) -> bool {
    match (recorded, now) {
        (Some(recorded), Some(now)) => (recorded - now).abs() <= ROUNDING * recorded.abs().max(1.0),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
