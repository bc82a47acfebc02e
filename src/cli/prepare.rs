//! From an experiment file to everything that a command needs to know of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Error;
use super::data::mini_folder;
use super::inputs::{Reader, Reading};
use super::pretraining::{self, PreparedPretraining};
use crate::config::{self, DataSource, Experiment, ExperimentFile, ModelSource};
use crate::diagnostic::Diagnostic;
use crate::mini;
use crate::plan::{self, Filter, Inputs, Plan, PlannedPretraining, PretrainPlan};
use crate::store::{InitialWeights, RunId, RunsRoot};
use crate::train::{NamedDevice, RunContext, open_device, open_precision};
use crate::units::Seconds;

/// The folder of cached features, inside the folder of all runs. No experiment's name starts with a dot.
const FEATURES: &str = ".features";

/// An experiment file and what goes with it on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct ExperimentArgs {
    /// The experiment file.
    #[arg(value_name = "EXPERIMENT.yaml")]
    pub(super) file: PathBuf,
    /// Override a setting of the file; the value is YAML: `training.max_length=64`, `seeds=[1,2]`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Leave malformed data rows out and count them, instead of refusing the file. Such runs are other
    /// runs, with ids of their own.
    #[arg(long)]
    pub(super) skip_bad_rows: bool,
    /// Read bytes of column files that are not UTF-8 as U+FFFD, instead of refusing the file. Such runs are
    /// other runs, with ids of their own.
    #[arg(long)]
    pub(super) lossy: bool,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    pub(super) runs: PathBuf,
}

/// A part of a plan.
#[derive(Debug, clap::Args)]
pub(super) struct OnlyArgs {
    /// Only these runs, such as `task=rte,learning_rate=3e-5`. The keys are `task`, `model`,
    /// `batch_size`, `learning_rate`, `epochs` and `seed`. Values of one key are alternatives, as are
    /// several `--only`; different keys must all hold.
    #[arg(long, value_name = "KEY=VALUE,…")]
    only: Vec<String>,
}

/// An experiment, resolved on this machine.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) experiment: Experiment,
    pub(super) plan: Plan,
    /// The experiments that its models are pretrained by.
    pub(super) pretraining: Vec<PreparedPretraining>,
    pub(super) context: RunContext,
    pub(super) device: NamedDevice,
    pub(super) root: RunsRoot,
    /// The longest that reading a task's features took: a part of every run's setup.
    pub(super) reading: Seconds,
}

/// An experiment of either kind, resolved on this machine.
pub(super) enum Either {
    Tasks(Box<Prepared>),
    Pretraining(Box<PreparedPretraining>),
}

impl Prepared {
    /// The pretraining runs that runs of `plan` start from, each once.
    pub(super) fn needed(&self, plan: &Plan) -> Vec<(&PreparedPretraining, &PlannedPretraining)> {
        let ids: BTreeSet<&RunId> = plan
            .runs
            .iter()
            .filter_map(|run| match &run.settings.start {
                InitialWeights::Pretraining { run, .. } => Some(run),
                InitialWeights::Random | InitialWeights::Checkpoint { .. } => None,
            })
            .collect();
        let runs = self.pretraining.iter().flat_map(|of| of.plan.runs.iter().map(move |run| (of, run)));
        runs.filter(|(_, run)| ids.contains(&run.id)).collect()
    }
}

impl OnlyArgs {
    /// The runs of `plan` that were asked for.
    pub(super) fn of(&self, plan: &Plan) -> Result<Plan, Error> {
        let filters = self.only.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(plan.only(&filters)?)
    }

    /// The pretraining runs of `plan` that were asked for.
    pub(super) fn of_pretraining(&self, plan: &PretrainPlan) -> Result<PretrainPlan, Error> {
        let filters = self.only.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(plan.only(&filters)?)
    }
}

impl ExperimentArgs {
    /// Reads and checks the file alone.
    pub(super) fn load(&self) -> Result<ExperimentFile, Error> {
        let mut file = config::load(&self.file, &plan::known_tasks(), &self.set)?;
        if let ExperimentFile::Tasks(experiment) = &mut file {
            experiment.tasks.iter_mut().for_each(|task| task.lossy = self.lossy);
        }
        Ok(file)
    }

    /// As [`ExperimentArgs::prepare`], of an experiment of either kind.
    pub(super) fn prepare_either(&self) -> Result<Either, Error> {
        match self.load()? {
            ExperimentFile::Tasks(experiment) => Ok(Either::Tasks(Box::new(self.resolve(experiment)?))),
            ExperimentFile::Pretraining(experiment) => {
                Ok(Either::Pretraining(Box::new(pretraining::prepare(experiment, &self.runs)?)))
            }
        }
    }

    /// Reads the file, the data (through the feature cache), the vocabularies and the checksums, and
    /// expands the plan. Every model's and every task's first fault is reported, not only the first.
    pub(super) fn prepare(&self) -> Result<Prepared, Error> {
        self.resolve(self.load()?.with_tasks()?)
    }

    fn resolve(&self, experiment: Experiment) -> Result<Prepared, Error> {
        let device = open_device(device_name(experiment.device))
            .map_err(|error| experiment.finding("device", error.to_string()))?;
        open_precision(plan::precision(experiment.training.precision), device.name)
            .map_err(|error| experiment.finding("training.precision", error.to_string()).hint(error.hint()))?;
        let DataRoot { folder: data, mini, ceilings } = data_root(&experiment)?;
        let files = |task: &config::Task| Some((task.name.clone(), plan::task_files(task)?));
        let context = RunContext {
            runs: self.runs.clone(),
            features: self.runs.join(FEATURES),
            vocabularies: BTreeMap::new(),
            data,
            task_files: experiment.tasks.iter().filter_map(files).collect(),
            mini,
            ceilings,
            corpora: BTreeMap::new(),
            threads: rayon::current_num_threads() as u32,
        };
        let pretraining = self.pretraining_of(&experiment)?;
        let reader = Reader { experiment: &experiment, pretraining: &pretraining, skip_bad_rows: self.skip_bad_rows };
        let mut reading = Reading {
            context,
            inputs: inputs(&device, self.skip_bad_rows),
            findings: Vec::new(),
            slowest: Seconds(0.0),
        };
        reader.read(&mut reading);
        if !reading.findings.is_empty() {
            return Err(Error::Input(reading.findings));
        }
        let plan = plan::expand(&experiment, &reading.inputs)?;
        let root = RunsRoot::new(&self.runs);
        let Reading { mut context, slowest: reading, .. } = reading;
        context.corpora = pretraining.iter().flat_map(|of| of.corpora.clone()).collect();
        Ok(Prepared { experiment, plan, pretraining, context, device, root, reading })
    }

    /// The experiments that pretrain models of `experiment`, each once.
    fn pretraining_of(&self, experiment: &Experiment) -> Result<Vec<PreparedPretraining>, Diagnostic> {
        let mut found: Vec<PreparedPretraining> = Vec::new();
        for model in &experiment.models {
            let ModelSource::Pretraining(of) = &model.source else { continue };
            if found.iter().any(|known| known.experiment.name == of.experiment) {
                continue;
            }
            let key = format!("models.{}.checkpoint.experiment", model.name);
            found.push(pretraining::prepare_named(of, &self.file, &self.runs).map_err(|error| match error.place {
                Some(_) => error,
                None => Diagnostic { hint: error.hint, ..experiment.finding(&key, error.message) },
            })?);
        }
        Ok(found)
    }
}

/// Logical cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn inputs(device: &NamedDevice, skip_bad_rows: bool) -> Inputs {
    Inputs { device: device.name.into(), skip_bad_rows, models: BTreeMap::new(), tasks: BTreeMap::new() }
}

/// As `open_device` takes it.
pub(super) fn device_name(device: config::Device) -> &'static str {
    match device {
        config::Device::Auto => "auto",
        config::Device::Cpu => "cpu",
        config::Device::Wgpu => "wgpu",
        config::Device::Vulkan => "vulkan",
        config::Device::Cuda => "cuda",
    }
}

/// Where the data is.
pub(super) struct DataRoot {
    pub(super) folder: PathBuf,
    /// Whether it is the mini benchmark.
    pub(super) mini: bool,
    /// The best scores that can be expected, by task.
    pub(super) ceilings: BTreeMap<String, f64>,
}

/// The data folder and the known ceilings; generates the mini benchmark.
pub(super) fn data_root(experiment: &Experiment) -> Result<DataRoot, Error> {
    let published = |folder: &Path| DataRoot { folder: folder.to_path_buf(), mini: false, ceilings: BTreeMap::new() };
    match &experiment.data {
        DataSource::Cache(folder) if !experiment.reads_data_folder() => Ok(published(folder)),
        DataSource::Folder(folder) | DataSource::Cache(folder) => {
            if !folder.is_dir() {
                let finding = experiment.finding("data", format!("no data folder at {}", folder.display()));
                let hint = "it holds RTE/, SQuAD/, … in the official layout; `data: FOLDER` names it";
                return Err(finding.hint(hint).into());
            }
            // A generated folder stays the mini benchmark, however it is named: its scores are not GLUE's.
            if mini::is_mini(folder) {
                return mini_root(experiment, "data", folder.clone());
            }
            Ok(published(folder))
        }
        DataSource::Mini { seed } => {
            let folder = mini_folder(*seed);
            mini::generate(*seed, &folder).map_err(|error| experiment.finding("mini", error.to_string()))?;
            mini_root(experiment, "mini", folder)
        }
    }
}

fn mini_root(experiment: &Experiment, key: &str, folder: PathBuf) -> Result<DataRoot, Error> {
    let bounds = mini::bounds(&folder).map_err(|error| experiment.finding(key, error.to_string()))?;
    let ceilings = bounds.into_iter().map(|(task, bound)| (task, bound.ceiling)).collect();
    Ok(DataRoot { folder, mini: true, ceilings })
}
