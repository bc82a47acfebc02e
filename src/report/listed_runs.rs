//! The rows of a table of runs, as the runs' folders tell them.

use super::listed_run::{ListedRun, RunContent};
use super::run_table::{RunCondition, RunRow};
use crate::store::{RunFolder, RunsRoot, StoreError};

/// The folders of an experiment, without those whose names tell already that their runs miss the condition.
///
/// # Errors
/// A folder that cannot be listed.
pub fn listed_folders(
    root: &RunsRoot,
    experiment: &str,
    condition: Option<&RunCondition>,
) -> Result<Vec<RunFolder>, StoreError> {
    let Some(condition) = condition else { return root.folders(experiment) };
    let mut folders =
        root.folders_where(experiment, |task, model| condition.may_meet([experiment, task, model], None))?;
    folders.retain(|run| condition.may_meet([experiment, run.task(), run.model()], Some(&run.id().0)));
    Ok(folders)
}

impl RunRow {
    /// A run as its folder tells of it; a record that cannot be read counts as none, as everywhere, and `note` says so.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn read(folder: &RunFolder, note: fn(&str)) -> Result<Self, StoreError> {
        let (state, content) = if let Ok(Some(record)) = folder.record() {
            ("done", RunContent::Record(Box::new(record)))
        } else {
            let state = folder.state()?;
            state.damage().iter().for_each(|damage| note(damage));
            let settings = folder.settings().ok().flatten();
            (state.word(), settings.map_or(RunContent::Unknown, |settings| RunContent::Settings(Box::new(settings))))
        };
        let [experiment, task, model] = [folder.experiment(), folder.task(), folder.model()].map(str::to_owned);
        Ok((&ListedRun { id: folder.id().0.clone(), experiment, task, model, state, content }).into())
    }
}
