//! The models of pretraining runs, as other runs start from them.

use std::path::PathBuf;

use super::record::Origin;
use super::root::RunsRoot;
use super::run_id::RunId;
use crate::diagnostic::Diagnostic;

impl RunsRoot {
    /// The folder of the model of a pretraining run after `step` (the last step when `None`), and what its record
    /// says of it.
    ///
    /// # Errors
    /// When the run is not done, its record is damaged, or it kept no such model.
    pub fn pretrained(
        &self,
        experiment: &str,
        model: &str,
        run: &RunId,
        step: Option<u64>,
    ) -> Result<(PathBuf, Origin), Diagnostic> {
        let folder =
            self.pretraining_folder(experiment, model, run).map_err(|error| Diagnostic::new(error.to_string()))?;
        let record = folder.record().map_err(|error| Diagnostic::new(error.to_string()))?;
        let Some(record) = record else {
            return Err(Diagnostic::new(format!(
                "`{model}` of the pretraining `{experiment}` is not done (run {run})"
            ))
            .in_file(folder.path())
            .hint("`bertbench run` of an experiment that starts from it runs it first"));
        };
        let Some(origin) = record.origin(step) else {
            let step = step.unwrap_or(record.steps);
            return Err(Diagnostic::new(format!("the pretraining run {run} kept no model of step {step}"))
                .in_file(folder.path())
                .hint("`pretrain.snapshots` names the steps whose models are kept"));
        };
        let last = origin.step == record.steps;
        let path = if last { folder.model_folder() } else { folder.snapshot(origin.step) };
        Ok((path, origin))
    }
}
