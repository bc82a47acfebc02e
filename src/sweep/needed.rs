//! The pretraining that runs of a plan start from.

use serde::Serialize;

use crate::plan::Plan;
use crate::resolve::{Calibrations, Prepared};
use crate::store::{PretrainingObjective, RunId, RunSettings, RunsRoot, StoreError};
use crate::units::Seconds;

/// A pretraining run that others start from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NeededRun {
    /// The experiment that it belongs to.
    pub experiment: String,
    /// The model that it makes.
    pub model: String,
    /// Its id.
    pub id: RunId,
    /// Its optimisation steps.
    pub steps: u64,
    /// How far it is, in a word.
    pub state: &'static str,
    /// How long it will take in one slot, where that was asked for and it is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_seconds: Option<Seconds>,
}

/// How far the pretraining runs `needed` are, which are given with their experiments' names.
pub(super) fn states<'a>(
    root: &RunsRoot,
    needed: impl IntoIterator<Item = (&'a str, &'a RunId, &'a RunSettings)>,
    note: fn(&str),
) -> Result<Vec<NeededRun>, StoreError> {
    let state = |(experiment, id, settings): (&str, &RunId, &RunSettings)| {
        let state = root.folder(experiment, settings)?.state()?;
        state.damage().iter().for_each(|damage| note(damage));
        Ok(NeededRun {
            experiment: experiment.to_owned(),
            model: settings.model.clone(),
            id: id.clone(),
            steps: settings.pretraining().map_or(0, PretrainingObjective::steps),
            state: state.word(),
            missing_seconds: None,
        })
    };
    needed.into_iter().map(state).collect()
}

/// The pretraining that runs of `plan` start from, with the time that those runs of it which are not done will take.
pub(super) fn forecasts(prepared: &Prepared, plan: &Plan, note: fn(&str)) -> Result<Vec<NeededRun>, StoreError> {
    let needed = prepared.needed(plan);
    let runs = needed.iter().map(|(of, run)| (of.plan.experiment.as_str(), &run.id, &run.settings));
    let mut states = states(&prepared.root, runs, note)?;
    for (one, (of, run)) in states.iter_mut().zip(needed).filter(|(one, _)| one.state != "done") {
        let alone = Plan { experiment: of.plan.experiment.clone(), runs: vec![run.clone()] };
        one.missing_seconds = Calibrations::measure(of, &alone).forecast(run).map(|forecast| forecast.seconds);
    }
    Ok(states)
}
