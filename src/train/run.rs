//! A run from its settings to its record, whatever it learns.

use super::attempt::Attempt;
use super::error::TrainError;
use super::observer::{Observer, StepReport};
use super::pretraining::{run_pretraining, try_pretraining_step};
use super::ranks::Ranks;
use super::ready::RunContext;
use super::task_run::{run_task, try_task_step};
use super::tuning::{note, tuning};
use crate::store::{Objective, Record, RunFolder, RunSettings};

/// Trains, evaluates and writes everything of a run but its record, which is returned. When `ranks` share the run, this
/// is what the leader does.
///
/// # Errors
/// [`TrainError::Stopped`] when `observer` asked for it; otherwise what went wrong.
pub fn run(
    context: &RunContext,
    experiment: &str,
    settings: &RunSettings,
    folder: &RunFolder,
    observer: &mut dyn Observer,
    ranks: &dyn Ranks,
) -> Result<Record, TrainError> {
    let tuning = tuning(context, settings, ranks)?;
    let attempt = Attempt::begin(context, experiment, settings, folder);
    let mut record = match &settings.objective {
        Objective::Task(_) => run_task(&attempt, observer, ranks),
        Objective::Pretraining(objective) => run_pretraining(&attempt, objective, observer, ranks),
    }?;
    record.notes.extend(tuning.as_ref().map(note).transpose()?);
    Ok(record)
}

/// The first optimisation step of a run, to see whether it works, and what is to be known of the weights. Nothing is
/// written.
///
/// # Errors
/// As [`run`].
pub fn try_step(context: &RunContext, settings: &RunSettings) -> Result<(StepReport, Vec<String>), TrainError> {
    match &settings.objective {
        Objective::Task(_) => try_task_step(context, settings),
        Objective::Pretraining(objective) => try_pretraining_step(context, settings, objective),
    }
}
