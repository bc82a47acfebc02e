//! What an experiment's runs will cost on this machine, and how far they are.

use rayon::ThreadPoolBuilder;

use super::dev_sets::{self, DevSet};
use super::needed::{self, NeededRun};
use super::ranks::cores;
use super::states::{States, is_to_do, states};
use crate::diagnostic::Error;
use crate::plan::{Plan, Totals, Upcoming, wall};
use crate::resolve::{Calibrations, Prepared};
use crate::store::RunId;
use crate::units::{Bytes, Seconds};

/// What is to be expected of the runs of a plan.
#[derive(Debug)]
pub struct Outlook {
    /// The runs.
    pub plan: Plan,
    /// Those that `bertbench run` would run; one that failed is done again only with `--retry-failed`.
    pub missing: Plan,
    /// How far each is.
    pub states: States,
    /// How many run at the same time.
    pub slots: usize,
    /// The threads of each.
    pub threads: usize,
    /// The rates of this machine, by which each run's cost is forecast.
    pub calibrations: Calibrations,
    /// The pretraining that runs of the plan start from.
    pub starts_from: Vec<NeededRun>,
    /// How many pretraining runs come before missing ones.
    pub pretraining: usize,
    /// How long the missing runs take, and the pretraining before them.
    pub wall: Seconds,
    /// What the missing runs take, one after the other.
    pub totals: Totals,
    /// What the dev sets can show.
    pub dev_sets: Vec<DevSet>,
}

/// The runs of a task and model.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum<'a> {
    /// The task.
    pub task: &'a str,
    /// The model.
    pub model: &'a str,
    /// How many there are.
    pub runs: usize,
    /// How many of them are missing.
    pub missing: usize,
    /// What the missing ones take, one after the other.
    pub seconds: Seconds,
    /// The most memory that a missing one needs.
    pub memory: Option<Bytes>,
}

/// What is to be expected of the runs of `plan`, a part of the prepared experiment, with so many `threads` for each run, or
/// as many as the machine has for it. Measures a training step of each model; `note` says which records are damaged.
///
/// # Errors
/// A folder of runs that cannot be read; threads that do not start.
pub fn outlook(prepared: &Prepared, plan: Plan, threads: Option<usize>, note: fn(&str)) -> Result<Outlook, Error> {
    let states = states(&prepared.root, &plan.experiment, plan.runs.iter().map(|run| &run.settings), note)?;
    let missing = Plan {
        experiment: plan.experiment.clone(),
        runs: plan.runs.iter().filter(|run| is_to_do(states[&run.id])).cloned().collect(),
    };
    let (slots, threads) = prepared.slots(&prepared.jobs(&missing), cores(), None, threads);
    // Measured with as many threads as a run has.
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::System(format!("cannot start threads: {error}")))?;
    let (calibrations, starts_from) =
        pool.install(|| (Calibrations::measure(prepared, &plan), needed::forecasts(prepared, &plan, note)));
    let starts_from = starts_from?;
    let pretraining = to_pretrain(&missing, &starts_from);
    Ok(Outlook {
        wall: wall(&upcoming(&missing, &pretraining, &calibrations), slots),
        totals: calibrations.totals(&missing),
        dev_sets: dev_sets::counted(prepared, &plan.runs),
        pretraining: pretraining.len(),
        plan,
        missing,
        states,
        slots,
        threads,
        calibrations,
        starts_from,
    })
}

/// Of the pretraining runs that a plan starts from, those that `missing` still waits for, and how long they take.
fn to_pretrain(missing: &Plan, starts_from: &[NeededRun]) -> Vec<(RunId, Seconds)> {
    let awaited: Vec<_> =
        missing.runs.iter().filter_map(|run| run.settings.initial_weights.pretraining_run()).collect();
    let all = starts_from.iter().filter_map(|one| Some((one.id.clone(), one.missing_seconds?)));
    all.filter(|(id, _)| awaited.contains(&id)).collect()
}

/// The runs of `missing`, and before them the `pretraining` that they start from.
fn upcoming(missing: &Plan, pretraining: &[(RunId, Seconds)], calibrations: &Calibrations) -> Vec<Upcoming> {
    let first = pretraining.iter().map(|(_, seconds)| Upcoming { seconds: *seconds, after: None });
    let runs = missing.runs.iter().filter_map(|run| {
        let after = run
            .settings
            .initial_weights
            .pretraining_run()
            .and_then(|id| pretraining.iter().position(|(known, _)| known == id));
        Some(Upcoming { seconds: calibrations.forecast(run)?.seconds, after })
    });
    first.chain(runs).collect()
}

impl Outlook {
    /// A sum for each task and model, in the order of the plan.
    #[must_use]
    pub fn sums(&self) -> Vec<Sum<'_>> {
        let mut sums: Vec<Sum<'_>> = Vec::new();
        for run in &self.plan.runs {
            let (task, model) = (run.settings.task_name(), run.settings.model.as_str());
            let at = sums.iter().position(|sum| (sum.task, sum.model) == (task, model)).unwrap_or_else(|| {
                sums.push(Sum { task, model, runs: 0, missing: 0, seconds: Seconds(0.0), memory: None });
                sums.len() - 1
            });
            let sum = &mut sums[at];
            sum.runs += 1;
            if !is_to_do(self.states[&run.id]) {
                continue;
            }
            sum.missing += 1;
            if let Some(forecast) = self.calibrations.forecast(run) {
                sum.seconds.0 += forecast.seconds.0;
                sum.memory = sum.memory.max(Some(forecast.peak_memory));
            }
        }
        sums
    }
}
