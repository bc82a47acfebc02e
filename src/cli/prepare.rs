//! From an experiment file to everything that a command needs to know of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::Error;
use super::data::mini_folder;
use crate::checksum::sha256_of;
use crate::data::{BadRows, mini};
use crate::diagnostic::Diagnostic;
use crate::model::{CheckpointError, Config, check_weights, weights_file};
use crate::plan::{self, Filter, Inputs, ModelInput, Plan, TaskInput};
use crate::spec::{self, DataSource, Experiment, Model, ModelSource};
use crate::store::{Architecture, RunsRoot, Start};
use crate::task::{FeatureSource, TASKS, Task};
use crate::text::{CacheOutcome, FeatureCache, Vocabulary};
use crate::train::{NamedDevice, RunContext, open_device};
use crate::units::Seconds;

/// Rows of the segment embeddings: first and second text (Devlin et al. 2018, §3).
const SEGMENTS: u32 = 2;
/// The folder of cached features, inside the folder of all runs. No experiment's name starts with a dot.
const FEATURES: &str = ".features";
/// What a checkpoint that is refused should have been.
const CHECKPOINT_IS: &str =
    "a checkpoint is a folder of a BERT as Hugging Face keeps it: config.json, model.safetensors, vocab.txt";
/// Building features for longer than this is mentioned.
const WORTH_MENTIONING: Seconds = Seconds(2.0);

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
    pub(super) context: RunContext,
    pub(super) device: NamedDevice,
    pub(super) root: RunsRoot,
    /// The longest that reading a task's features took: a part of every run's setup.
    pub(super) reading: Seconds,
}

impl OnlyArgs {
    /// The runs of `plan` that were asked for.
    pub(super) fn of(&self, plan: &Plan) -> Result<Plan, Error> {
        let filters = self.only.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(plan.only(&filters)?)
    }
}

impl ExperimentArgs {
    /// Reads and checks the file alone.
    pub(super) fn load(&self) -> Result<Experiment, Error> {
        let tasks: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
        Ok(spec::load(&self.file, &tasks, &self.set)?)
    }

    /// Reads the file, the data (through the feature cache), the vocabularies and the checksums, and
    /// expands the plan. Every model's and every task's first fault is reported, not only the first.
    pub(super) fn prepare(&self) -> Result<Prepared, Error> {
        let experiment = self.load()?;
        let device = open_device(device_name(experiment.device))
            .map_err(|error| experiment.finding("device", error.to_string()))?;
        let (data, benchmark, ceilings) = data_root(&experiment)?;
        let context = RunContext {
            runs: self.runs.clone(),
            features: self.runs.join(FEATURES),
            vocabularies: BTreeMap::new(),
            data,
            benchmark,
            ceilings,
            threads: cores() as u32,
        };
        let reader = Reader { experiment: &experiment, skip_bad_rows: self.skip_bad_rows };
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
        Ok(Prepared { experiment, plan, context: reading.context, device, root, reading: reading.slowest })
    }
}

/// Logical cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn inputs(device: &NamedDevice, skip_bad_rows: bool) -> Inputs {
    Inputs { device: device.name.into(), skip_bad_rows, models: BTreeMap::new(), tasks: BTreeMap::new() }
}

fn device_name(device: spec::Device) -> &'static str {
    match device {
        spec::Device::Auto => "auto",
        spec::Device::Cpu => "cpu",
        spec::Device::Wgpu => "wgpu",
        spec::Device::Vulkan => "vulkan",
        spec::Device::Cuda => "cuda",
    }
}

/// The data folder, the benchmark's name and the known ceilings; generates the mini benchmark.
fn data_root(experiment: &Experiment) -> Result<(PathBuf, String, BTreeMap<String, f64>), Error> {
    match &experiment.data {
        DataSource::Folder(folder) | DataSource::Cache(folder) => {
            if !folder.is_dir() {
                let finding = experiment.finding("data", format!("no data folder at {}", folder.display()));
                let hint = "it holds RTE/, STS-B/, … in the official layout; `data: FOLDER` names it";
                return Err(finding.hint(hint).into());
            }
            // A generated folder stays the mini benchmark, however it is named: its scores are not GLUE's.
            if mini::is_mini(folder) {
                return mini_root(experiment, "data", folder.clone());
            }
            Ok((folder.clone(), "GLUE".into(), BTreeMap::new()))
        }
        DataSource::Mini { seed } => {
            let folder = mini_folder(*seed);
            mini::generate(*seed, &folder).map_err(|error| experiment.finding("mini", error.to_string()))?;
            mini_root(experiment, "mini", folder)
        }
    }
}

fn mini_root(
    experiment: &Experiment,
    key: &str,
    folder: PathBuf,
) -> Result<(PathBuf, String, BTreeMap<String, f64>), Error> {
    let bounds = mini::bounds(&folder).map_err(|error| experiment.finding(key, error.to_string()))?;
    let ceilings = bounds.into_iter().map(|(task, bound)| (task, bound.ceiling)).collect();
    Ok((folder, "mini".into(), ceilings))
}

/// What was read so far, and what was wrong.
struct Reading {
    context: RunContext,
    inputs: Inputs,
    findings: Vec<Diagnostic>,
    slowest: Seconds,
}

struct Reader<'a> {
    experiment: &'a Experiment,
    skip_bad_rows: bool,
}

impl Reader<'_> {
    fn read(&self, into: &mut Reading) {
        let checksums = self.checksums(into);
        for model in &self.experiment.models {
            match self.model(model, &into.context.data) {
                Ok((input, vocabulary, path)) => {
                    into.context.vocabularies.insert(model.name.clone(), path);
                    self.tasks(model, &input, &vocabulary, &checksums, into);
                    into.inputs.models.insert(model.name.clone(), input);
                }
                Err(finding) => into.findings.push(finding),
            }
        }
    }

    fn checksums(&self, into: &mut Reading) -> BTreeMap<&'static str, BTreeMap<String, String>> {
        let mut checksums = BTreeMap::new();
        for name in &self.experiment.tasks {
            let found = Task::find(name).and_then(|task| Ok((task.name, task.checksums(&into.context.data)?)));
            match found {
                Ok((name, found)) => {
                    checksums.insert(name, found);
                }
                Err(finding) => into.findings.push(finding),
            }
        }
        checksums
    }

    fn model(&self, model: &Model, data: &Path) -> Result<(ModelInput, Vocabulary, PathBuf), Diagnostic> {
        let key = format!("models.{}", model.name);
        let (path, lower_case, start, config) = match &model.source {
            ModelSource::Random(_) => (data.join("vocab.txt"), true, Start::Random, None),
            ModelSource::Checkpoint(folder) => {
                if !folder.is_dir() {
                    let message = format!("no checkpoint folder at {}", folder.display());
                    return Err(self.experiment.finding(&format!("{key}.checkpoint"), message).hint(CHECKPOINT_IS));
                }
                let (config, sha256) = checkpoint(folder).map_err(|error| {
                    let finding = self.experiment.finding(&format!("{key}.checkpoint"), error.to_string());
                    finding.hint(CHECKPOINT_IS)
                })?;
                let start = Start::Checkpoint { folder: folder.to_string_lossy().into_owned(), sha256 };
                (folder.join("vocab.txt"), folder_lower_case(folder), start, Some(config))
            }
        };
        let path = model.vocabulary.clone().unwrap_or(path);
        let lower_case = model.lower_case.unwrap_or(lower_case);
        if !path.is_file() {
            let finding = self.experiment.finding(&key, format!("no vocabulary at {}", path.display()));
            return Err(finding.hint("`vocabulary: path/to/vocab.txt` names one"));
        }
        let vocabulary = Vocabulary::load(&path)?;
        let architecture = self.architecture(model, config, &vocabulary, &path)?;
        let vocabulary_sha256 = vocabulary.sha256().to_owned();
        Ok((ModelInput { architecture, start, vocabulary_sha256, lower_case }, vocabulary, path))
    }

    fn architecture(
        &self,
        model: &Model,
        config: Option<Config>,
        vocabulary: &Vocabulary,
        path: &Path,
    ) -> Result<Architecture, Diagnostic> {
        let tokens = vocabulary.len() as u32;
        match (&model.source, config) {
            (ModelSource::Checkpoint(_), Some(config)) if config.architecture.vocab_size != tokens => {
                let rows = config.architecture.vocab_size;
                let message =
                    format!("{} has {tokens} tokens, but the checkpoint {rows} word embeddings", path.display());
                let finding = self.experiment.finding(&format!("models.{}", model.name), message);
                Err(finding.hint("the vocabulary must be the one that the checkpoint was trained with"))
            }
            (ModelSource::Checkpoint(_), Some(config)) => Ok(config.architecture),
            (ModelSource::Random(of), _) => Ok(Architecture {
                layers: of.layers,
                hidden: of.hidden,
                heads: of.heads,
                intermediate: of.intermediate,
                vocab_size: tokens,
                max_positions: of.max_positions,
                type_vocab_size: SEGMENTS,
            }),
            (ModelSource::Checkpoint(folder), None) => Err(Diagnostic::new("no config.json was read").in_file(folder)),
        }
    }

    fn tasks(
        &self,
        model: &Model,
        input: &ModelInput,
        vocabulary: &Vocabulary,
        checksums: &BTreeMap<&'static str, BTreeMap<String, String>>,
        into: &mut Reading,
    ) {
        for (name, checksums) in checksums {
            let start = Instant::now();
            match self.task(name, input, vocabulary, checksums, &into.context, model) {
                Ok(found) => {
                    into.slowest.0 = into.slowest.0.max(start.elapsed().as_secs_f64());
                    into.inputs.tasks.insert(((*name).to_owned(), model.name.clone()), found);
                }
                // The same fault of the same file, for each model, is one fault.
                Err(finding) if into.findings.contains(&finding) => {}
                Err(finding) => into.findings.push(finding),
            }
        }
    }

    fn task(
        &self,
        name: &str,
        input: &ModelInput,
        vocabulary: &Vocabulary,
        checksums: &BTreeMap<String, String>,
        context: &RunContext,
        model: &Model,
    ) -> Result<TaskInput, Diagnostic> {
        let start = Instant::now();
        let features = Task::find(name)?.features(&FeatureSource {
            data_root: &context.data,
            bad_rows: if self.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse },
            checksums,
            vocabulary,
            lower_case: input.lower_case,
            max_length: self.experiment.training.max_length,
            cache: &FeatureCache::new(&context.features),
        })?;
        let seconds = Seconds(start.elapsed().as_secs_f64());
        for (split, outcome) in &features.outcomes {
            match outcome {
                CacheOutcome::Rebuilt(reason) => {
                    eprintln!("note: damaged features of `{name}` {split} were built again: {reason}");
                }
                CacheOutcome::NotStored(reason) => {
                    eprintln!("note: features of `{name}` {split} could not be kept: {reason}");
                }
                CacheOutcome::Built if seconds > WORTH_MENTIONING => {
                    eprintln!("built the features of `{name}` {split} for `{}` ({seconds} with the rest)", model.name);
                }
                CacheOutcome::Hit | CacheOutcome::Built => {}
            }
        }
        Ok(TaskInput {
            data_sha256: checksums.clone(),
            train_examples: features.train.len() as u64,
            train_tokens: features.train.tokens(),
            dev_examples: features.dev.iter().map(|(_, set)| set.len() as u64).sum(),
            dev_tokens: features.dev.iter().map(|(_, set)| set.tokens()).sum(),
        })
    }
}

/// The configuration of a checkpoint and its weights' checksum, if they fit together.
fn checkpoint(folder: &Path) -> Result<(Config, String), CheckpointError> {
    let config = Config::read(folder)?;
    check_weights(folder, &config)?;
    let path = weights_file(folder);
    let sha256 = sha256_of(&path).map_err(|source| CheckpointError::Io { path, source })?;
    Ok((config, sha256))
}

/// `do_lower_case` of a folder's tokenizer settings; BERT's default is true.
fn folder_lower_case(folder: &Path) -> bool {
    let settings = std::fs::read(folder.join("tokenizer_config.json")).ok();
    let settings: Option<Value> = settings.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    settings.and_then(|settings| settings.get("do_lower_case")?.as_bool()).unwrap_or(true)
}
