//! What is missing of an experiment, run by worker processes on this machine.

use std::collections::{BTreeMap, BTreeSet};

use super::ranks::{self, cores, threads_of_rank};
use crate::diagnostic::Error;
use crate::exec::{Job, Local, Observer, Options, StopFlag, Summary, WorkerCommand};
use crate::plan::Plan;
use crate::resolve::Prepared;
use crate::store::{RunId, atomic};
use crate::train::{Launched, RunContext, launched};

/// What is to be run.
#[derive(Debug)]
pub struct Sweep<'a> {
    prepared: &'a Prepared,
    jobs: Vec<Job>,
}

/// How runs are made; what is left out is as the experiment or the machine has it.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// The number of runs at the same time.
    pub slots: Option<u32>,
    /// Threads per run.
    pub threads: Option<u32>,
    /// How failures are treated.
    pub options: Options,
}

/// Where runs have room on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Runs at the same time.
    pub slots: usize,
    /// Threads of each.
    pub threads_per_slot: usize,
    /// The other processes that MPI started, which share each run.
    launched: Option<Launched>,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// What became of its runs.
    pub summary: Summary,
    /// Whether the user stopped it.
    pub stopped: bool,
}

impl<'a> Sweep<'a> {
    /// The runs of `plan`, and the pretraining runs that they start from. Keeps the plan.
    ///
    /// # Errors
    /// A disk that cannot be written.
    pub fn of(prepared: &'a Prepared, plan: &Plan) -> Result<Self, Error> {
        prepared.store_plans(plan)?;
        atomic::clean(&prepared.context.features)?;
        Ok(Self { prepared, jobs: prepared.jobs(plan) })
    }

    /// How much each run is to do, in a unit that all share.
    #[must_use]
    pub fn costs(&self) -> BTreeMap<RunId, f64> {
        self.jobs.iter().map(|job| (job.id.clone(), job.cost.0)).collect()
    }

    /// How many runs there is room for; removes what processes that died left of theirs.
    ///
    /// # Errors
    /// More than one run at a time, or a run with fewer parts than processes, where processes share each run.
    pub fn places(&self, how: How) -> Result<Places, Error> {
        let prepared = self.prepared;
        let experiments: BTreeSet<&str> = self.jobs.iter().map(|job| job.experiment.as_str()).collect();
        experiments.iter().try_for_each(|experiment| prepared.root.clean(experiment))?;
        let threads = how.threads.map(|threads| threads as usize);
        let launched = launched();
        let (slots, threads_per_slot) = if let Some(launched) = launched {
            ranks::check(launched, how.slots, &self.jobs)?;
            (1, threads_of_rank(threads, launched))
        } else {
            prepared.slots(&self.jobs, cores(), how.slots.map(|slots| slots as usize), threads)
        };
        Ok(Places { slots, threads_per_slot, launched })
    }

    /// Runs what is missing; `observer` is told how it goes. Signals stop it.
    ///
    /// # Errors
    /// Workers that do not start; a folder of runs that cannot be read or written.
    pub fn run(&self, how: How, places: Places, observer: &mut dyn Observer) -> Result<Ended, Error> {
        let Places { slots, threads_per_slot, launched } = places;
        let command = |context| worker_command(context, threads_per_slot, launched.is_some());
        let workers = self.prepared.contexts().iter().map(command).collect::<Result<_, _>>()?;
        let local = Local { slots, threads_per_slot, workers, leads_ranks: launched.is_some() };
        let stop = StopFlag::on_signals()?;
        let summary = local.execute(&self.prepared.root, self.jobs.clone(), how.options, observer, &stop)?;
        Ok(Ended { summary, stopped: stop.is_set() })
    }
}

/// The command that starts this program as a worker, `bertbench worker`, as the leader of ranks where `ranks` is set.
///
/// # Errors
/// When this program cannot be found.
pub fn worker_command(context: &RunContext, threads: usize, ranks: bool) -> Result<WorkerCommand, Error> {
    let context = RunContext { threads: threads as u32, ..context.clone() };
    let json = serde_json::to_string(&context).map_err(Error::system)?;
    let mut arguments = vec!["worker", "--context", &json];
    arguments.extend(ranks.then_some("--ranks"));
    Ok(WorkerCommand::this_program(&arguments)?)
}
