//! Where the models lie that runs keep.

use std::path::PathBuf;

use super::{Record, RunId, RunsRoot, StoreError, by_rank};

/// A finished run whose weights are there.
#[derive(Debug)]
pub struct Kept<'a> {
    /// What the run left.
    pub record: &'a Record,
    /// The folder of its weights.
    pub folder: PathBuf,
    /// A better run of the task that has no weights here.
    pub better: Option<RunId>,
}

impl<'a> Kept<'a> {
    /// The best run of `task`, by its dev score, of all that are in `records` with their weights in `root`.
    ///
    /// # Errors
    /// A name in a record that is none of a folder.
    pub fn best(root: &RunsRoot, records: &'a [Record], task: &str) -> Result<Option<Self>, StoreError> {
        let mut of_task: Vec<&Record> = records.iter().filter(|record| record.settings.task_name() == task).collect();
        of_task.sort_by(|a, b| by_rank(a, b));
        let best = of_task.first().map(|best| best.id.clone());
        for record in of_task {
            let folder = root.folder_of(&record.experiment, &record.settings, record.id.clone())?.model_folder();
            if folder.is_dir() {
                let better = best.filter(|best| *best != record.id);
                return Ok(Some(Self { record, folder, better }));
            }
        }
        Ok(None)
    }
}
