//! Runs sent to Slurm: which ones, in which arrays, and after which.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::ExperimentFile;
use crate::diagnostic::Error;
use crate::exec::slurm::{self, Array, Queue, Script};
use crate::plan::{Plan, PlannedRun};
use crate::resolve::{Calibrations, Prepared, Request};
use crate::settings::Slurm;
use crate::store::{RunId, RunState};
use crate::units::Seconds;

/// Minutes of an array task where none are given.
const MINUTES_PER_TASK: u32 = 60;

/// How runs are to be sent.
#[derive(Debug)]
pub struct SubmitRequest<'a> {
    /// The experiment file, and how it is read.
    pub request: &'a Request,
    /// What is asked of Slurm, in place of what the file says.
    pub slurm: Slurm,
    /// Send failed runs again.
    pub retry_failed: bool,
    /// Write and send nothing.
    pub dry_run: bool,
    /// The most tasks of an array.
    pub largest: usize,
}

/// What was sent, as it is sent, or would be.
#[derive(Clone, Copy, Debug)]
pub enum Submitted<'a> {
    /// A script and its list of runs, which are only shown: the path of both without its ending, and their texts.
    Shown(&'a Path, &'a str, &'a str),
    /// A job that Slurm has, of so many array tasks; and the path of its files without their ending.
    Job(&'a str, usize, &'a Path),
    /// So many pretraining runs of an experiment.
    Needed(&'a str, usize),
}

/// What became of the runs of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct SubmitSummary {
    /// How many were sent.
    pub sent: usize,
    /// How many were not, and why.
    pub kept: BTreeMap<NotSent, usize>,
}

/// What keeps a run from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotSent {
    /// It is done.
    Done,
    /// It failed, and is not to be tried again.
    Failed,
    /// Another process is at it.
    Running,
    /// It was sent before.
    Queued,
    /// The pretraining that it starts from failed.
    WithoutPretraining,
}

/// Who is told what was sent.
type Tell<'a> = &'a mut dyn FnMut(Submitted<'_>) -> io::Result<()>;

/// Sends the runs of `plan` that are missing, and the pretraining that they start from; `tell` hears of each.
///
/// # Errors
/// A Slurm that refuses; a folder of runs that cannot be read or written; what `tell` answers.
pub fn submit(
    request: &SubmitRequest<'_>,
    prepared: &Prepared,
    plan: &Plan,
    tell: Tell<'_>,
) -> Result<SubmitSummary, Error> {
    Sending { request, experiment: &prepared.plan.experiment, tell }.all(prepared, plan)
}

struct Sending<'a> {
    request: &'a SubmitRequest<'a>,
    /// The experiment of the request.
    experiment: &'a str,
    tell: Tell<'a>,
}

/// Where a run that others start from is to be found.
enum Prerequisite {
    Done,
    /// The array task that does it.
    Sent(String),
    Failed,
}

impl Sending<'_> {
    /// Sends the runs of `plan`, and the pretraining that they start from.
    fn all(&mut self, prepared: &Prepared, plan: &Plan) -> Result<SubmitSummary, Error> {
        let (mut runs, mut kept) = self.missing(prepared, &plan.runs)?;
        let wanted =
            Plan { experiment: plan.experiment.clone(), runs: runs.iter().map(|run| (*run).clone()).collect() };
        let prerequisites = self.pretraining(prepared, &wanted)?;
        let after =
            |run: &PlannedRun| run.settings.initial_weights.pretraining_run().and_then(|run| prerequisites.get(run));
        let of_missing = runs.len();
        runs.retain(|run| !matches!(after(run), Some(Prerequisite::Failed)));
        if runs.len() < of_missing {
            kept.insert(NotSent::WithoutPretraining, of_missing - runs.len());
        }
        let mut groups: BTreeMap<Option<&str>, Vec<&PlannedRun>> = BTreeMap::new();
        for run in &runs {
            let task = match after(run) {
                Some(Prerequisite::Sent(task)) => Some(task.as_str()),
                Some(Prerequisite::Done | Prerequisite::Failed) | None => None,
            };
            groups.entry(task).or_default().push(*run);
        }
        let forecasts = Self::forecasts(prepared, &runs);
        let target = Seconds(f64::from(self.slurm(prepared).minutes_per_task.unwrap_or(MINUTES_PER_TASK)) * 60.0);
        let arrays = groups.iter().enumerate().flat_map(|(at, (after, runs))| {
            let name = if groups.len() == 1 { "runs".to_owned() } else { format!("runs-{}", at + 1) };
            slurm::group(&name, &with_forecast(runs, &forecasts), target, self.request.largest, *after)
        });
        self.send(prepared, &arrays.collect::<Vec<_>>())?;
        Ok(SubmitSummary { sent: runs.len(), kept })
    }

    /// Sends the pretraining runs that runs of `plan` start from, each as an array task of its own, and says where
    /// each is to be found.
    fn pretraining(&mut self, prepared: &Prepared, plan: &Plan) -> Result<BTreeMap<RunId, Prerequisite>, Error> {
        let mut found = BTreeMap::new();
        for of in &prepared.pretraining {
            let needed: Vec<PlannedRun> = prepared
                .needed(plan)
                .into_iter()
                .filter(|(other, _)| other.plan.experiment == of.plan.experiment)
                .map(|(_, run)| run.clone())
                .collect();
            let queue = Queue::of(&of.root, &of.plan.experiment)?.unwrap_or_default();
            let mut runs = Vec::new();
            for run in &needed {
                let state = of.root.folder(&of.plan.experiment, &run.settings)?.state()?;
                let sent = queue.place(&run.id).filter(|place| place.is_active());
                let prerequisite = match (state, sent) {
                    (RunState::Done, _) => Prerequisite::Done,
                    (_, Some(place)) => Prerequisite::Sent(place.task.clone()),
                    (RunState::Failed(_), None) if !self.request.retry_failed => Prerequisite::Failed,
                    // A run that another process holds is waited for by the array task, so that others can follow it.
                    (RunState::Failed(_) | RunState::Missing | RunState::Claimed(_) | RunState::Damaged(_), None) => {
                        runs.push(run);
                        continue;
                    }
                };
                found.insert(run.id.clone(), prerequisite);
            }
            let forecasts = Self::forecasts(of, &runs);
            let arrays = slurm::group(
                "pretraining",
                &with_forecast(&runs, &forecasts),
                Seconds(0.0),
                self.request.largest,
                None,
            );
            let jobs = self.send(of, &arrays)?;
            for (array, job) in arrays.iter().zip(jobs) {
                for (at, ids) in array.tasks.iter().enumerate() {
                    found.extend(ids.iter().map(|id| (id.clone(), Prerequisite::Sent(format!("{job}_{}", at + 1)))));
                }
            }
            if !runs.is_empty() {
                (self.tell)(Submitted::Needed(&of.plan.experiment, runs.len()))?;
            }
        }
        Ok(found)
    }

    /// Those of `runs` that nobody does and nobody has done, and why the others are none.
    fn missing<'p>(
        &self,
        of: &Prepared,
        runs: &'p [PlannedRun],
    ) -> Result<(Vec<&'p PlannedRun>, BTreeMap<NotSent, usize>), Error> {
        let queue = Queue::of(&of.root, &of.plan.experiment)?.unwrap_or_default();
        let (mut missing, mut kept) = (Vec::new(), BTreeMap::new());
        for run in runs {
            let state = of.root.folder(&of.plan.experiment, &run.settings)?.state()?;
            let why = match state {
                RunState::Done => Some(NotSent::Done),
                RunState::Claimed(holder) if holder.alive => Some(NotSent::Running),
                _ if queue.place(&run.id).is_some_and(slurm::Place::is_active) => Some(NotSent::Queued),
                RunState::Failed(_) if !self.request.retry_failed => Some(NotSent::Failed),
                RunState::Failed(_) | RunState::Missing | RunState::Claimed(_) | RunState::Damaged(_) => None,
            };
            match why {
                Some(why) => *kept.entry(why).or_default() += 1,
                None => missing.push(run),
            }
        }
        Ok((missing, kept))
    }

    fn forecasts(of: &Prepared, runs: &[&PlannedRun]) -> BTreeMap<RunId, Seconds> {
        if runs.is_empty() {
            return BTreeMap::new();
        }
        let runs = runs.iter().map(|run| (*run).clone()).collect();
        let plan = Plan { experiment: of.plan.experiment.clone(), runs };
        let calibrations = Calibrations::measure(of, &plan);
        let forecast = |run: &PlannedRun| calibrations.forecast(run).map_or(Seconds(0.0), |forecast| forecast.seconds);
        plan.runs.iter().map(|run| (run.id.clone(), forecast(run))).collect()
    }

    /// Hands arrays of one experiment to Slurm, or shows them; gives the jobs.
    fn send(&mut self, of: &Prepared, arrays: &[Array]) -> Result<Vec<String>, Error> {
        if arrays.is_empty() {
            return Ok(Vec::new());
        }
        let experiment = &of.plan.experiment;
        let folder = slurm::next_folder(&of.root, experiment)?;
        let files = self.experiment_files(of);
        let file_name = files.first().and_then(|file| file.file_name()).unwrap_or_default();
        let (working_directory, program) = (std::env::current_dir()?, std::env::current_exe()?);
        let script = Script {
            experiment,
            slurm: &self.slurm(of),
            working_directory: &working_directory,
            folder: &folder,
            program: &program,
            arguments: &self.run_arguments(of, &folder.join(file_name).display().to_string()),
            retry_failed: self.request.retry_failed,
        };
        if !self.request.dry_run {
            of.root.add_plan(experiment, of.stored())?;
            slurm::create(&folder, &files)?;
        }
        let mut jobs = Vec::new();
        for array in arrays {
            let (text, files) = (script.text(array), folder.join(&array.name));
            if self.request.dry_run {
                (self.tell)(Submitted::Shown(&files, &text, &array.list()))?;
                jobs.push(format!("<job of {experiment}>"));
                continue;
            }
            let job = slurm::submit(&folder, array, &text)?;
            (self.tell)(Submitted::Job(&job, array.tasks.len(), &files))?;
            jobs.push(job);
        }
        Ok(jobs)
    }

    /// What is asked of Slurm for the runs of an experiment.
    fn slurm(&self, of: &Prepared) -> Slurm {
        self.request.slurm_for(&of.experiment)
    }

    /// Whether it is the experiment of the request; else one that pretrains models of it.
    fn is_given(&self, of: &Prepared) -> bool {
        of.plan.experiment == self.experiment
    }

    /// The experiment's file, and those of the pretraining that it names, which stand beside it.
    fn experiment_files(&self, of: &Prepared) -> Vec<PathBuf> {
        let given = &self.request.request.file;
        let beside = |of: &Prepared| given.with_file_name(format!("{}.yaml", of.plan.experiment));
        let own = if self.is_given(of) { given.clone() } else { beside(of) };
        std::iter::once(own).chain(of.pretraining.iter().map(beside)).collect()
    }

    /// The arguments of `bertbench run`, besides those that the script has. The file's are not those of the
    /// pretraining that it names.
    fn run_arguments(&self, of: &Prepared, file: &str) -> Vec<String> {
        let Request { set, skip_bad_rows, lossy, runs, .. } = self.request.request;
        let mut arguments = vec![file.to_owned(), "--runs".to_owned(), runs.display().to_string()];
        if self.is_given(of) {
            arguments.extend(set.iter().flat_map(|set| ["--set".to_owned(), set.clone()]));
            arguments.extend(skip_bad_rows.then(|| "--skip-bad-rows".to_owned()));
            arguments.extend(lossy.then(|| "--lossy".to_owned()));
        }
        arguments
    }
}

impl SubmitRequest<'_> {
    /// What is asked of Slurm for the runs of `file`: what the request says, else what the file does.
    #[must_use]
    pub fn slurm_for(&self, file: &ExperimentFile) -> Slurm {
        self.slurm.clone().or(file.base().cluster.slurm.clone().unwrap_or_default())
    }
}

fn with_forecast(runs: &[&PlannedRun], forecasts: &BTreeMap<RunId, Seconds>) -> Vec<(RunId, Seconds)> {
    runs.iter().map(|run| (run.id.clone(), forecasts.get(&run.id).copied().unwrap_or_default())).collect()
}
