//! An attempt at a run, whatever it learns, and the record that it leaves.

use std::time::Instant;

use super::checkpointer::{CheckpointPolicy, Checkpointer};
use super::fit::FitResult;
use super::ready::RunContext;
use crate::store::{
    Outcome, Record, RunFolder, RunSettings, host, peak_memory, provenance, reset_peak_memory, unix_now,
};
use crate::units::Seconds;

/// What an attempt is given, and when it began.
pub(super) struct Attempt<'a> {
    pub(super) context: &'a RunContext,
    experiment: &'a str,
    pub(super) settings: &'a RunSettings,
    pub(super) folder: &'a RunFolder,
    begin: Instant,
    started_unix: u64,
}

impl<'a> Attempt<'a> {
    pub(super) fn begin(
        context: &'a RunContext,
        experiment: &'a str,
        settings: &'a RunSettings,
        folder: &'a RunFolder,
    ) -> Self {
        reset_peak_memory();
        Self { context, experiment, settings, folder, begin: Instant::now(), started_unix: unix_now() }
    }

    pub(super) fn elapsed(&self) -> Seconds {
        Seconds(self.begin.elapsed().as_secs_f64())
    }

    pub(super) fn checkpointer(&self, policy: CheckpointPolicy) -> Checkpointer {
        Checkpointer::of(self.folder, policy, self.begin)
    }

    /// The device as it names itself, of a GPU with what reaches it.
    fn device_name(&self) -> String {
        self.context
            .open_device(self.settings)
            .map_or_else(|_| self.settings.device.clone(), |device| device.described())
    }

    /// The record, but for what is known only at the end.
    pub(super) fn record<M>(&self, fitted: &FitResult<M>, outcome: Outcome, notes: Vec<String>) -> Record {
        let Self { context, experiment, settings, .. } = *self;
        Record {
            id: settings.id(),
            experiment: experiment.to_owned(),
            settings: settings.clone(),
            scores: fitted.evaluations.last().map_or_else(Vec::new, |evaluation| evaluation.scores.clone()),
            evaluations: fitted.evaluations.clone(),
            steps: fitted.steps,
            skipped_steps: fitted.skipped_steps,
            tokens: fitted.tokens,
            timings: fitted.timings,
            peak_memory: peak_memory(),
            host: host(&self.device_name(), context.threads),
            provenance: provenance(self.started_unix),
            pretraining: None,
            notes,
            outcome,
            files: std::collections::BTreeMap::new(),
        }
    }

    /// Fills in what is known only at the end; the run took `wall`, in all its processes.
    pub(super) fn complete(&self, record: &mut Record, wall: Seconds) {
        record.timings = record.timings.concluded(wall, record.tokens);
        record.peak_memory = peak_memory();
        record.provenance = provenance(self.started_unix);
    }
}
