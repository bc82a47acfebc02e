//! The jobs of a plan, and how many of them this machine holds at the same time.

use super::prepared::Prepared;
use crate::exec::Job;
use crate::plan::{Plan, PlannedRun, flops, model_parameters};
use crate::settings::Device;
use crate::store::{StoreError, host};
use crate::train::RunContext;
use crate::units::Flops;

impl Prepared {
    /// A job for each run of `plan`, and one for each pretraining run that they start from.
    #[must_use]
    pub fn jobs(&self, plan: &Plan) -> Vec<Job> {
        // How much a run computes is the measure of the order and of the remaining time.
        let job = |experiment: &str, run: &PlannedRun| Job::new(experiment, run.settings.clone(), Flops(flops(run)));
        let needed = self.needed(plan).into_iter().map(|(of, run)| job(&of.plan.experiment, run));
        needed.chain(plan.runs.iter().map(|run| job(&plan.experiment, run))).collect()
    }

    /// Writes `plan.json` of the experiment, and of those that pretrain what runs of `plan` start from.
    ///
    /// # Errors
    /// A disk that cannot be written.
    pub fn store_plans(&self, plan: &Plan) -> Result<(), StoreError> {
        self.root.add_plan(&self.plan.experiment, self.stored())?;
        let needed = self.needed(plan);
        needed.iter().try_for_each(|(of, _)| of.root.add_plan(&of.plan.experiment, of.stored()))
    }

    /// What the runs of each slot find on this machine: a slot has the device of its number, and those after the last one
    /// the first again.
    #[must_use]
    pub fn contexts(&self) -> Vec<RunContext> {
        let of = |device: &Device| RunContext { device_index: device.index, ..self.context.clone() };
        self.experiment.base().devices.iter().map(of).collect()
    }

    /// How many of `jobs` run at the same time, and by how many threads each: what was asked for, else what the file says,
    /// else what fits this machine.
    #[must_use]
    pub fn slots(&self, jobs: &[Job], cores: usize, slots: Option<usize>, threads: Option<usize>) -> (usize, usize) {
        let devices = Some(self.experiment.base().devices.len()).filter(|devices| *devices > 1);
        let slots = slots.or(self.experiment.base().slots.map(|slots| slots as usize)).or(devices);
        let slots = slots.unwrap_or_else(|| self.fitting_slots(jobs, cores, threads.unwrap_or(1)));
        (slots, threads.unwrap_or_else(|| (cores / slots.max(1)).max(1)))
    }

    /// How many of `jobs` run at the same time with so many `threads` each: as many as there are `cores` for, as long as
    /// all models fit into half of the memory with their optimizer's state; a GPU does one run at a time.
    fn fitting_slots(&self, jobs: &[Job], cores: usize, threads: usize) -> usize {
        /// Weight, gradient and two moments, and as much again for what a step keeps.
        const BYTES_PER_PARAMETER: u64 = 32;
        if self.device.name != "cpu" {
            return 1;
        }
        let largest = jobs.iter().map(|job| model_parameters(&job.settings)).max().unwrap_or(1);
        let fitting = host("cpu", 1).memory.0 / 2 / (largest * BYTES_PER_PARAMETER).max(1);
        // More slots than runs would leave cores without work.
        (fitting as usize).clamp(1, (cores / threads).max(1)).min(jobs.len().max(1))
    }
}
