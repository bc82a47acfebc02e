//! `bertbench submit`

use super::experiment_args::{ExperimentArgs, OnlyArgs};
use super::threads::compute;
use crate::diagnostic::Error;
use crate::exec::slurm;
use crate::settings::Slurm;
use crate::sweep::{self, NotSent, SubmitRequest, SubmitSummary, Submitted, cores};
use crate::terminal::print;

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

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let request = args.experiment.request();
    let mut submit = SubmitRequest {
        request: &request,
        slurm: args.slurm(),
        retry_failed: args.retry_failed,
        dry_run: args.dry_run,
        largest: 0,
    };
    // The forecast is for as many threads as an array task has.
    let threads = submit.slurm_for(&request.load()?).cpus_per_task.unwrap_or(1) as usize;
    compute(Some(threads.min(cores())), || {
        let prepared = if args.dry_run { args.experiment.estimate() } else { args.experiment.prepare() }?;
        let plan = args.only.of(&prepared.plan)?;
        submit.largest = slurm::largest_array()?;
        let SubmitSummary { sent, kept } = sweep::submit(&submit, &prepared, &plan, &mut |sent| show(&sent))?;
        let mut words = vec![format!("{sent} sent")];
        words.extend(kept.iter().map(|(why, count)| format!("{count} {}", word(*why))));
        let dry = if args.dry_run { " (dry run: nothing was sent)" } else { "" };
        Ok(print(&format_args!("{}: {}{dry}", plan.experiment, words.join(", ")))?)
    })
}

fn show(sent: &Submitted<'_>) -> std::io::Result<()> {
    match sent {
        Submitted::Shown(files, text, list) => {
            print(&format_args!("# {}.sh\n{text}\n# {0}.txt\n{list}", files.display()))
        }
        Submitted::Job(job, tasks, files) => {
            print(&format_args!("job {job}: {tasks} array tasks, {}.sh", files.display()))
        }
        Submitted::Needed(experiment, runs) => print(&format_args!("{experiment}: {runs} sent")),
    }
}

fn word(why: NotSent) -> &'static str {
    match why {
        NotSent::Done => "done before",
        NotSent::Failed => "failed before",
        NotSent::Running => "running",
        NotSent::Queued => "queued before",
        NotSent::WithoutPretraining => "without their pretraining, which failed",
    }
}

impl Args {
    /// What the command line asks of Slurm.
    fn slurm(&self) -> Slurm {
        Slurm {
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
        }
    }
}
