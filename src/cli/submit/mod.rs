//! `bertbench submit`

mod sending;

use super::error::{CommandOutcome, Error};
use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::threads::{compute, cores};
use crate::config::ExperimentFile;
use crate::exec::slurm;
use crate::settings::Slurm;
use sending::Sending;

/// Send the missing runs of an experiment to a Slurm cluster, as job arrays.
///
/// Writes a list of runs and a batch script for each array, both to be read, under runs/EXPERIMENT/.slurm/, hands them
/// to `sbatch` and returns. An array task is `bertbench run` of a few runs, so `status`, `report` and everything else
/// are as on one machine. Pretraining that runs start from is sent first. What belongs to the site can stand in the
/// experiment file, under `cluster: {slurm: …}`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    only: OnlyArgs,
    /// Group runs until an array task is forecast to take so many minutes; 0 is a task for every run [default: 60].
    #[arg(long, value_name = "N")]
    minutes_per_task: Option<u32>,
    /// The most array tasks of a job at the same time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    array_parallelism: Option<u32>,
    /// Time limit of an array task [default: twice its forecast and ten minutes]. What takes longer writes a checkpoint
    /// two minutes before its end, is queued again and goes on from it.
    #[arg(long)]
    time: Option<String>,
    /// Cores of an array task, which does one run at a time [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cpus_per_task: Option<u32>,
    /// Memory of an array task, such as `8G`.
    #[arg(long)]
    mem: Option<String>,
    /// Generic resources of an array task, such as `gpu:1`.
    #[arg(long)]
    gres: Option<String>,
    /// Partition.
    #[arg(long)]
    partition: Option<String>,
    /// Account to charge.
    #[arg(long)]
    account: Option<String>,
    /// Quality of service.
    #[arg(long)]
    qos: Option<String>,
    /// Run failed runs again; otherwise they stay failed.
    #[arg(long)]
    retry_failed: bool,
    /// Print the scripts and lists; write and send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Other options of `sbatch`.
    #[arg(last = true, value_name = "SBATCH OPTIONS")]
    options: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  bertbench submit experiments/mini.yaml --dry-run
  bertbench submit experiments/mini.yaml --partition batch --cpus-per-task 4 --mem 8G
  bertbench submit experiments/mini.yaml --minutes-per-task 120 -- --constraint=zen4";

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let file = args.experiment.request().load()?;
    // The forecast is for as many threads as an array task has.
    let threads = args.slurm(&file).cpus_per_task.unwrap_or(1) as usize;
    compute(Some(threads.min(cores())), || {
        let prepared = if args.dry_run { args.experiment.estimate() } else { args.experiment.prepare() }?;
        let plan = args.only.of(&prepared.plan)?;
        Sending { args, experiment: &prepared.plan.experiment, largest: slurm::largest_array()? }.all(&prepared, &plan)
    })
}

impl Args {
    /// What is asked of Slurm for the runs of `file`: what the command line says, and what the file does.
    fn slurm(&self, file: &ExperimentFile) -> Slurm {
        let given = Slurm {
            partition: self.partition.clone(),
            account: self.account.clone(),
            qos: self.qos.clone(),
            gres: self.gres.clone(),
            mem: self.mem.clone(),
            cpus_per_task: self.cpus_per_task,
            time: self.time.clone(),
            minutes_per_task: self.minutes_per_task,
            array_parallelism: self.array_parallelism,
            options: if self.options.is_empty() { Vec::new() } else { vec![slurm::words(&self.options)] },
            setup: Vec::new(),
        };
        given.or(file.cluster().slurm.clone().unwrap_or_default())
    }
}
