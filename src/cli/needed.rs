//! The pretraining that runs of a plan start from, as `plan`, `status` and `check` show it.

use serde_json::{Value, json};

use super::error::Error;
use super::runs::state_word;
use crate::plan::{Plan, PlannedRun};
use crate::resolve::{Calibrations, Prepared};
use crate::units::Seconds;

/// How far a run is, in a word.
pub(super) fn state(prepared: &Prepared, run: &PlannedRun) -> Result<&'static str, Error> {
    Ok(state_word(&prepared.root.folder(&prepared.plan.experiment, &run.settings)?.state()?))
}

/// The pretraining runs that runs of `plan` start from, and how far they are: what `status` tells of them.
pub(super) fn states(prepared: &Prepared, plan: &Plan) -> Result<Vec<Value>, Error> {
    let json = |(of, run): &(&Prepared, &PlannedRun)| {
        let (experiment, model, state) = (&of.plan.experiment, &run.settings.model, state(of, run)?);
        Ok(json!({"experiment": experiment, "model": model, "id": run.id, "steps": run.steps, "state": state}))
    };
    prepared.needed(plan).iter().map(json).collect()
}

/// The same with the time that those which are not done will take, for `plan`.
pub(super) fn forecasts(prepared: &Prepared, plan: &Plan) -> Result<Vec<Value>, Error> {
    let mut states = states(prepared, plan)?;
    for (one, (of, run)) in states.iter_mut().zip(prepared.needed(plan)) {
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
