//! What runs that are at work have reached, and how long the rest of a sweep will take.

use std::collections::BTreeMap;

use serde::Serialize;

use super::states::{States, is_to_do};
use crate::resolve::Identity;
use crate::store::{Event, Record, RunId, RunIdentity, RunState, StoreError, unless_damaged};
use crate::units::Seconds;

/// How far one run is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Running {
    /// Its id.
    pub id: RunId,
    /// Its task.
    #[serde(skip)]
    pub task: String,
    /// Its model.
    #[serde(skip)]
    pub model: String,
    /// The epoch that it is in, from 1.
    pub epoch: u32,
    /// How many it has.
    pub epochs: u32,
    /// The last step that was logged.
    pub step: u64,
    /// The training loss of that step.
    pub loss: Option<f64>,
    /// How long it will take, once an epoch is over.
    #[serde(rename = "seconds_left")]
    pub left: Option<Seconds>,
}

/// The runs of tasks that are at work; `note` says which logs are damaged.
pub(super) fn running(identity: &Identity, states: &States, note: fn(&str)) -> Result<Vec<Running>, StoreError> {
    let at_work = identity.runs.iter().filter(|run| states.get(&run.id) == Some(&"running"));
    let of = |run: &RunIdentity| {
        let folder = identity.root.folder(&identity.experiment.base().name, &run.settings)?;
        let events = unless_damaged(folder.events().map(Some), note)?.unwrap_or_default();
        let holder = match folder.state()? {
            RunState::Claimed(holder) => Some(holder),
            RunState::Missing | RunState::Done | RunState::Failed(_) | RunState::Damaged(_) => None,
        };
        let epochs = run.settings.task().map_or(0, |task| task.epochs);
        let logged = holder.and_then(|holder| folder.logged_for(&holder));
        let last = events.iter().rev().find_map(|event| match event {
            Event::Step(step) => Some(*step),
            Event::Evaluation(_) => None,
        });
        Ok(Running {
            id: run.id.clone(),
            task: run.settings.task_name().to_owned(),
            model: run.settings.model.clone(),
            left: logged.and_then(|logged| left(&events, epochs, logged.as_secs_f64())),
            epochs,
            epoch: last.and_then(|step| step.epoch).unwrap_or(1),
            step: events.last().map_or(0, Event::step),
            loss: last.map(|step| step.loss),
        })
    };
    at_work.map(of).collect()
}

/// How long a run will take that came so far in `logged` seconds: as long a step as so far. None within the first epoch,
/// which says how many steps an epoch has.
fn left(events: &[Event], epochs: u32, logged: f64) -> Option<Seconds> {
    let steps_of_an_epoch = events.iter().find_map(|event| match event {
        Event::Evaluation(evaluation) if evaluation.epoch == Some(1) => Some(evaluation.step),
        Event::Evaluation(_) | Event::Step(_) => None,
    })?;
    let (first, last) = (events.first()?.step(), events.last()?.step());
    let left = (steps_of_an_epoch * u64::from(epochs)).saturating_sub(last);
    (last > first).then(|| Seconds(logged * left as f64 / (last - first) as f64))
}

/// The work that is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    /// Seconds of one slot: of each task and model as many runs as are left at the mean time of those that are done.
    pub known: Seconds,
    /// Runs that are left of tasks and models of which none is done: how long they take is not known.
    pub unknown: usize,
}

impl Left {
    /// None where nothing is left, or of nothing that is left it is known how long it takes.
    #[must_use]
    pub fn seconds(&self) -> Option<Seconds> {
        (self.known.0 > 0.0 && self.unknown == 0).then_some(self.known)
    }
}

/// How much is left, going by the runs that are `done`.
pub(super) fn left_of(identity: &Identity, states: &States, done: &[Record]) -> Left {
    let mut times: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for record in done {
        let key = (record.settings.task_name(), record.settings.model.as_str());
        times.entry(key).or_default().push(record.timings.wall.0);
    }
    let mut found = Left { known: Seconds(0.0), unknown: 0 };
    for run in identity.runs.iter().filter(|run| is_to_do(states[&run.id])) {
        match times.get(&(run.settings.task_name(), run.settings.model.as_str())) {
            Some(known) => found.known.0 += known.iter().sum::<f64>() / known.len() as f64,
            None => found.unknown += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Evaluation, StepEvent};

    #[test]
    fn what_is_left_of_a_run_goes_by_its_steps_so_far() {
        let step = |step| Event::Step(StepEvent { step, ..StepEvent::default() });
        let evaluation = |epoch, step| {
            let (train_loss, scores, held_out) = (None, Vec::new(), None);
            Event::Evaluation(Evaluation { epoch: Some(epoch), step, train_loss, scores, held_out })
        };
        let mut events = vec![step(2), step(10)];
        assert_eq!(left(&events, 4, 16.0), None, "how many steps an epoch has is not known yet");
        events.extend([evaluation(1, 10), step(12)]);
        // 10 steps in 20 seconds, 28 to go.
        assert_eq!(left(&events, 4, 20.0), Some(Seconds(56.0)));
        assert_eq!(left(&[evaluation(1, 10)], 4, 0.0), None);
    }

    #[test]
    fn what_is_left_is_known_where_no_run_is_of_unknown_length() {
        assert_eq!(Left { known: Seconds(0.0), unknown: 0 }.seconds(), None);
        assert_eq!(Left { known: Seconds(90.0), unknown: 1 }.seconds(), None);
        assert_eq!(Left { known: Seconds(90.0), unknown: 0 }.seconds(), Some(Seconds(90.0)));
    }
}
