//! What ranks other than the leader do.

use super::{Assignment, Ranks};
use crate::diagnostic::Diagnostic;
use crate::store::{Objective, RunsRoot};
use crate::train::error::TrainError;
use crate::train::pretraining::follow_pretraining;
use crate::train::task_run::follow_task;
use crate::train::tuning::tuning;

/// Takes part in the leader's runs until there are no more; `failed` is told why this rank could not take part in one,
/// which the leader records as a failure of the run.
///
/// # Errors
/// A leader of another version.
pub fn follow(ranks: &dyn Ranks, mut failed: impl FnMut(&TrainError)) -> Result<(), TrainError> {
    let _guard = AbortOnPanic(ranks);
    let other_version = |error| Diagnostic::new(format!("the leader cannot be understood: {error}"));
    while let Some(assignment) = Assignment::receive(ranks).map_err(other_version)? {
        match take_part(&assignment, ranks) {
            // The leader has the same to say.
            Ok(()) | Err(TrainError::Stopped { .. } | TrainError::Diverged { .. }) => {}
            Err(error) => failed(&error),
        }
    }
    Ok(())
}

fn take_part(Assignment { context, job }: &Assignment, ranks: &dyn Ranks) -> Result<(), TrainError> {
    let folder = job.folder(&RunsRoot::new(&context.runs));
    let folder = ranks.agree(folder.map_err(TrainError::from))?;
    let _tuning = tuning(context, &job.settings, ranks)?;
    match &job.settings.objective {
        Objective::Task(_) => follow_task(context, &job.settings, &folder, ranks),
        Objective::Pretraining(objective) => follow_pretraining(context, &job.settings, objective, &folder, ranks),
    }
}

/// The others wait for a rank that panics, so it ends them all.
struct AbortOnPanic<'a>(&'a dyn Ranks);

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abort();
        }
    }
}
