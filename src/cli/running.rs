//! What runs that are at work have reached, and how long the rest of a sweep will take.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::Error;
use super::run_state::or_note;
use crate::resolve::Identity;
use crate::store::{Event, Record, RunId};
use crate::units::Seconds;

/// How far one run is.
pub(super) struct Running {
    id: RunId,
    what: String,
    epochs: u32,
    epoch: u32,
    step: u64,
    loss: Option<f64>,
}

/// The runs of tasks that are at work.
pub(super) fn running(identity: &Identity, states: &BTreeMap<RunId, &'static str>) -> Result<Vec<Running>, Error> {
    let at_work = identity.runs.iter().filter(|run| states.get(&run.id) == Some(&"running"));
    let of = |run: &crate::store::RunIdentity| {
        let folder = identity.root.folder(identity.experiment.name(), &run.settings)?;
        let events = or_note(folder.events().map(Some))?.unwrap_or_default();
        let last = events.iter().rev().find_map(|event| match event {
            Event::Step(step) => Some(*step),
            Event::Evaluation(_) => None,
        });
        Ok(Running {
            id: run.id.clone(),
            what: format!("{} {}", run.settings.task_name(), run.settings.model),
            epochs: run.settings.task().map_or(0, |task| task.epochs),
            epoch: last.and_then(|step| step.epoch).unwrap_or(1),
            step: events.last().map_or(0, Event::step),
            loss: last.map(|step| step.loss),
        })
    };
    at_work.map(of).collect()
}

impl Running {
    pub(super) fn json(&self) -> Value {
        json!({"id": self.id, "epoch": self.epoch, "epochs": self.epochs, "step": self.step, "loss": self.loss})
    }

    pub(super) fn line(&self) -> String {
        let loss = self.loss.map_or_else(String::new, |loss| format!(", loss {loss:.4}"));
        let Self { id, what, epoch, epochs, step, .. } = self;
        format!("running {id} {what}: epoch {epoch} of {epochs}, step {step}{loss}")
    }
}

/// The work that is left, in seconds of one slot: of each task and model as many runs as are left at the mean time of
/// those that are done. None where nothing is left, or no run like one that is left is done.
pub(super) fn seconds_left(
    identity: &Identity,
    states: &BTreeMap<RunId, &'static str>,
    done: &[Record],
) -> Option<Seconds> {
    let mut times: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for record in done {
        let key = (record.settings.task_name(), record.settings.model.as_str());
        times.entry(key).or_default().push(record.timings.wall.0);
    }
    let left = identity.runs.iter().filter(|run| !["done", "failed"].contains(&states[&run.id]));
    let seconds = left.map(|run| {
        let known = times.get(&(run.settings.task_name(), run.settings.model.as_str()))?;
        Some(known.iter().sum::<f64>() / known.len() as f64)
    });
    let sum: f64 = seconds.collect::<Option<Vec<_>>>()?.iter().sum();
    (sum > 0.0).then_some(Seconds(sum))
}
