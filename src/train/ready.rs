//! What a run needs before its first step.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::device::{DeviceError, NamedDevice, open_device};
use super::error::TrainError;
use crate::checksum::touched_while;
use crate::diagnostic::Diagnostic;
use crate::model::{
    CheckpointError, Classifier, Config, Head, Loaded, WantedHead, Weights, checkpoint_head, folder_of, load_to_train,
    random_classifier,
};
use crate::settings::TaskFiles;
use crate::settings::{Approach, FeatureBased, with_index};
use crate::store::{InitialWeights, ModelUsage, Origin, RunSettings, RunsRoot};
use crate::task::{BadRows, FeatureSource, OWN_DATA, Task, TaskFeatures};
use crate::text::{FeatureCache, Vocabulary};

/// Where a run finds what its settings name by checksum, and what its record says besides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunContext {
    /// The folder of all runs.
    pub runs: PathBuf,
    /// The folder that holds `RTE/`, `STS-B/`, …
    pub data: PathBuf,
    /// The folder of cached features.
    pub features: PathBuf,
    /// The vocabulary of each model.
    pub vocabularies: BTreeMap<String, PathBuf>,
    /// Files that the experiment names, by task; they take the place of those in `data`.
    #[serde(default)]
    pub task_files: BTreeMap<String, TaskFiles>,
    /// Whether `data` is the generated mini benchmark.
    pub mini: bool,
    /// The best primary score that can be expected of a task, where the data's maker knows it.
    pub ceilings: BTreeMap<String, f64>,
    /// The prepared corpora of pretraining runs, by [`CorpusPhase::data`](crate::store::CorpusPhase::data).
    #[serde(default)]
    pub corpora: BTreeMap<String, PreparedCorpus>,
    /// Threads that a run may use.
    pub threads: u32,
    /// Which of several GPUs; else the best. It is no part of a run's settings, and of no meaning to a run on the CPU.
    #[serde(default)]
    pub device_index: Option<u32>,
}

/// Where the examples of a corpus are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedCorpus {
    /// A folder that `corpus prepare` wrote, or that was prepared for the experiment.
    pub folder: PathBuf,
    /// The checksum of its examples.
    pub checksum: String,
}

/// The benchmark of generated data.
pub(super) const MINI: &str = "mini";

impl RunContext {
    /// The device of a run.
    ///
    /// # Errors
    /// As [`open_device`].
    pub fn open_device(&self, settings: &RunSettings) -> Result<NamedDevice, DeviceError> {
        open_device(&with_index(&settings.device, self.device_index))
    }

    /// The task called `name`, over the files that the experiment names for it.
    ///
    /// # Errors
    /// A name that is neither known nor declared.
    pub fn task(&self, name: &str) -> Result<Cow<'static, Task>, Diagnostic> {
        self.task_files.get(name).map_or_else(|| Task::find(name).map(Cow::Borrowed), |files| Task::over(name, files))
    }

    /// The benchmark that a task's scores belong to: `mini` for generated data, `own data` for the user's, else
    /// the published one.
    #[must_use]
    pub fn benchmark(&self, task: &Task) -> &'static str {
        if self.mini && task.benchmark != OWN_DATA { MINI } else { task.benchmark }
    }

    /// The best primary score that can be expected of a task, if its data's maker knows it.
    #[must_use]
    pub fn ceiling(&self, task: &Task) -> Option<f64> {
        self.ceilings.get(&*task.name).copied().filter(|_| task.benchmark != OWN_DATA)
    }
}

/// Everything that a run needs before its first step.
pub(super) struct Ready {
    pub(super) task: Cow<'static, Task>,
    pub(super) features: TaskFeatures,
    pub(super) vocabulary: Vocabulary,
    pub(super) device: Device,
    pub(super) model: Classifier,
    pub(super) config: Config,
    /// The pretraining that the weights come from.
    pub(super) pretraining: Option<Origin>,
    pub(super) notes: Vec<String>,
}

impl Ready {
    pub(super) fn new(context: &RunContext, settings: &RunSettings) -> Result<Self, TrainError> {
        let task = context.task(settings.task_name())?;
        let vocabulary = vocabulary(context, settings)?;
        let features = features(context, settings, &vocabulary)?;
        let opened = context.open_device(settings)?;
        let precision = opened.precision(settings.optimization.precision)?;
        let device = opened.device;
        let outputs = task.outputs(&features.tags);
        let autodiff = device.clone().autodiff();
        let next_token = settings.task().is_some_and(|of| of.lm_coef > 0.0);
        let (checkpoint, pretraining) = checkpoint(context, &settings.initial_weights)?;
        let (mut model, mut config, mut notes) = match checkpoint {
            None => {
                let mut model = random_classifier(&settings.architecture, outputs, settings.seed, &autodiff);
                if next_token {
                    model = model.with_next_token(&settings.architecture, settings.seed, &autodiff);
                }
                (model, Config::from(settings.architecture), Vec::new())
            }
            Some((folder, sha256)) => {
                let head = match &settings.initial_weights {
                    InitialWeights::Checkpoint { head, .. } => head.as_ref(),
                    InitialWeights::Random | InitialWeights::Pretraining { .. } => None,
                };
                let names = task.output_names(&features.tags);
                let wanted = WantedHead { kind: task.head, names: &names, outputs, next_token };
                let load = || load_to_train(&folder, wanted, head, settings.seed, &autodiff);
                let loaded = unchanged(&folder, &sha256, settings, load)?;
                (loaded.model, loaded.config, loaded.notes)
            }
        };
        config.usage = Some(ModelUsage::of(settings));
        notes.extend(config.fits_vocabulary(Path::new("the vocabulary"), vocabulary.len())?);
        model.encoder.set_precision(precision);
        model.kind = task.head;
        model.both_orders = settings.task().is_some_and(|of| of.both_orders);
        if let Approach::FeatureBased(of) = settings.approach() {
            model = on_features(model, &of, &task, settings)?;
        }
        Ok(Self { task, features, vocabulary, device, model, config, pretraining, notes })
    }
}

/// A folder of weights, and their SHA-256.
type WeightsFolder = (PathBuf, String);

/// The folder of the weights that a run starts from, with their checksum, and the pretraining that they are of.
fn checkpoint(
    context: &RunContext,
    start: &InitialWeights,
) -> Result<(Option<WeightsFolder>, Option<Origin>), TrainError> {
    match start {
        InitialWeights::Random => Ok((None, None)),
        InitialWeights::Checkpoint { folder, sha256, .. } => Ok((Some((PathBuf::from(folder), sha256.clone())), None)),
        InitialWeights::Pretraining { experiment, model, run, step } => {
            let (folder, of) = RunsRoot::new(&context.runs).pretrained(experiment, model, run, *step)?;
            same_weights(&folder, &of.weights_sha256).map_err(|error| made_again(error, &folder))?;
            Ok((Some((folder, of.weights_sha256.clone())), Some(of)))
        }
    }
}

/// What to do about the damaged model of a pretraining run.
fn made_again(error: TrainError, folder: &Path) -> TrainError {
    let TrainError::Input(finding) = error else { return error };
    let hint = "`bertbench run` of this experiment pretrains it again, and keeps what is there aside";
    Diagnostic::new(format!("the pretrained model is damaged: {}", finding.message)).in_file(folder).hint(hint).into()
}

/// The encoder of `model` frozen, with a new tagger and head.
fn on_features(
    model: Classifier,
    of: &FeatureBased,
    task: &Task,
    settings: &RunSettings,
) -> Result<Classifier, Diagnostic> {
    if model.kind == Head::Spans {
        let message = format!("`feature_based` is for tags and whole texts, and `{}` asks for spans", task.name);
        return Err(Diagnostic::new(message).hint("leave `approach` out to train every weight"));
    }
    if of.hidden == 0 || of.lstm_layers == 0 {
        return Err(Diagnostic::new("`feature_based` has an LSTM without width or without layers"));
    }
    let (layers, device) = (model.encoder.depth(), model.head.weight.device());
    model.on_features(of, task.reads_pairs(), settings.seed, &device).ok_or_else(|| {
        let message = format!("`feature_based` reads more layers than the {layers} of the model `{}`", settings.model);
        Diagnostic::new(message).hint("`layers: last`, `embeddings` and `sum_with_embeddings` fit every model")
    })
}

/// The weights at `from`, if they are those of this checksum.
fn same_weights(from: &Path, sha256: &str) -> Result<Weights, TrainError> {
    let weights = Weights::open(from)?;
    if weights.sha256()? == sha256 { Ok(weights) } else { Err(Diagnostic::changed(weights.path()).into()) }
}

/// What `load` loads from `from`, if weights and configuration are those that the run's id stands for. Asked after loading,
/// so that a file that changes meanwhile is noticed.
pub(super) fn unchanged<M>(
    from: &Path,
    sha256: &str,
    settings: &RunSettings,
    load: impl FnOnce() -> Result<Loaded<M>, CheckpointError>,
) -> Result<Loaded<M>, TrainError> {
    let folder = folder_of(from)?;
    let files = Weights::open(from)?.files().to_vec();
    let (loaded, touched) = touched_while(files.iter().map(PathBuf::as_path), load);
    let weights = same_weights(from, sha256)?;
    if let Some(path) = touched {
        return Err(Diagnostic::changed(&path).into());
    }
    let loaded = loaded?;
    let same_head = || match &settings.initial_weights {
        InitialWeights::Checkpoint { head, .. } if settings.task().is_some() => {
            checkpoint_head(folder, &weights).map(|found| found == *head)
        }
        InitialWeights::Checkpoint { .. } | InitialWeights::Random | InitialWeights::Pretraining { .. } => Ok(true),
    };
    if loaded.config.architecture != settings.architecture || !same_head().map_err(CheckpointError::from)? {
        return Err(Diagnostic::changed(&folder.join("config.json")).into());
    }
    Ok(loaded)
}

pub(super) fn vocabulary(context: &RunContext, settings: &RunSettings) -> Result<Vocabulary, TrainError> {
    let path = context
        .vocabularies
        .get(&settings.model)
        .ok_or_else(|| Diagnostic::new(format!("no vocabulary is known for the model `{}`", settings.model)))?;
    // It could be read when the run was planned.
    let read = Vocabulary::load(path).ok().filter(|read| read.sha256() == settings.vocabulary.sha256);
    let read = read.ok_or_else(|| Diagnostic::changed(path))?;
    Ok(read.with_added(settings.vocabulary.added_tokens.clone())?)
}

/// The features that a run trains on and is scored on, through the cache.
///
/// # Errors
/// When the data or the vocabulary is missing, malformed, or no longer what the settings name.
pub fn task_features(context: &RunContext, settings: &RunSettings) -> Result<TaskFeatures, TrainError> {
    features(context, settings, &vocabulary(context, settings)?)
}

fn features(context: &RunContext, settings: &RunSettings, vocabulary: &Vocabulary) -> Result<TaskFeatures, TrainError> {
    let cache = FeatureCache::new(&context.features);
    Ok(context.task(settings.task_name())?.features(&feature_source(context, settings, vocabulary, &cache)?)?)
}

pub(super) fn feature_source<'a>(
    context: &'a RunContext,
    settings: &'a RunSettings,
    vocabulary: &'a Vocabulary,
    cache: &'a FeatureCache,
) -> Result<FeatureSource<'a>, Diagnostic> {
    let of = settings.task().ok_or_else(|| Diagnostic::new("a run that pretrains is on no task"))?;
    Ok(FeatureSource {
        data_root: &context.data,
        bad_rows: if of.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse },
        checksums: &of.data_sha256,
        vocabulary,
        lower_case: settings.vocabulary.do_lower_case,
        max_length: of.max_length,
        options: of.options.as_ref(),
        cache,
    })
}
