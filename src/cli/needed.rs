//! The pretraining that runs of a plan start from, as `plan`, `status` and `check` show it.

use serde_json::{Value, json};

use super::error::Error;
use super::run_state::{note_damage, state_word};
use crate::plan::Plan;
use crate::resolve::{Calibrations, Prepared};
use crate::store::{PretrainingObjective, RunId, RunSettings, RunsRoot};
use crate::units::Seconds;

/// The pretraining runs `needed`, with their experiments' names, and how far they are: what `status` tells of them.
pub(super) fn states<'a>(
    root: &RunsRoot,
    needed: impl IntoIterator<Item = (&'a str, &'a RunId, &'a RunSettings)>,
) -> Result<Vec<Value>, Error> {
    let json = |(experiment, id, settings): (&str, &RunId, &RunSettings)| {
        let state = root.folder(experiment, settings)?.state()?;
        note_damage(&state);
        let state = state_word(&state);
        let (model, steps) = (&settings.model, settings.pretraining().map_or(0, PretrainingObjective::steps));
        Ok(json!({"experiment": experiment, "model": model, "id": id, "steps": steps, "state": state}))
    };
    needed.into_iter().map(json).collect()
}

/// The same with the time that those which are not done will take, for `plan`.
pub(super) fn forecasts(prepared: &Prepared, plan: &Plan) -> Result<Vec<Value>, Error> {
    let needed = prepared.needed(plan);
    let runs = needed.iter().map(|(of, run)| (of.plan.experiment.as_str(), &run.id, &run.settings));
    let mut states = states(&prepared.root, runs)?;
    for (one, (of, run)) in states.iter_mut().zip(needed) {
        if one["state"] != "done" {
            let alone = Plan { experiment: of.plan.experiment.clone(), runs: vec![run.clone()] };
            let forecast = Calibrations::measure(of, &alone).forecast(run);
            one["missing_seconds"] = json!(forecast.map(|forecast| forecast.seconds));
        }
    }
    Ok(states)
}

/// The same in lines for a terminal.
pub(super) fn lines(needed: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    needed
        .iter()
        .map(|one| {
            let [experiment, model, id, state] = ["experiment", "model", "id", "state"].map(|key| text(&one[key]));
            let time = match one["missing_seconds"].as_f64() {
                Some(seconds) if seconds > 0.0 => format!(", {} in one slot", Seconds(seconds)),
                _ => String::new(),
            };
            format!("pretraining {experiment} {model} ({id}): {state}{time}")
        })
        .collect()
}
