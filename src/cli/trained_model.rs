//! A model that is used, not trained: what `predict` and `extract` read of it before its weights.

use std::fs;
use std::path::{Path, PathBuf};

use super::threads::ThreadArgs;
use super::{Error, model_argument};
use crate::diagnostic::Diagnostic;
use crate::kernel;
use crate::model::{CheckpointError, Config, folder_of};
use crate::store::{Precision, RunSettings};
use crate::text::{FeatureSet, Tokenizer, Vocabulary, lower_case_of, vocabulary_file};
use crate::train::{NamedDevice, open_device, open_precision};

/// BERT's fine-tuning length for texts, and the default of google-research/bert's `extract_features.py`.
const MAX_LENGTH: u32 = 128;

const MODEL_IS: &str = "a model is a folder with config.json, weights and vocab.txt, such as the `model/` that a \
                        sweep keeps in the folder of its best run of each task";

/// A model and how it is used.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    #[arg(value_name = "MODEL", help = model_argument::MODEL_HELP)]
    model: String,
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included; longer texts lose their end [default: that of the
    /// training while MODEL lies in its run's folder, else 128, 384 to answer SQuAD, or the model's positions if these
    /// are fewer].
    #[arg(long, value_name = "TOKENS")]
    max_length: Option<u32>,
    /// Sequences in a batch.
    #[arg(long, value_name = "N", default_value_t = crate::train::EVALUATION_BATCH, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) batch_size: u32,
    /// Lower-case texts and strip their accents [default: as the model's tokenizer files or its vocabulary say].
    #[arg(long, value_name = "true|false", hide_possible_values = true)]
    lower_case: Option<bool>,
    /// `auto`, `cpu`, `wgpu`, `vulkan` or `cuda`.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: String,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    pub(super) threads: ThreadArgs,
}

/// The numbers that matrix products take.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct PrecisionArgs {
    /// The numbers that matrix products take: `f32`, or `bf16` on processors that multiply bfloat16.
    #[arg(long, value_name = "f32|bf16", default_value = "f32", value_parser = parse_precision, hide_possible_values = true)]
    pub(super) precision: Precision,
}

fn parse_precision(text: &str) -> Result<Precision, String> {
    [Precision::F32, Precision::Bf16]
        .into_iter()
        .find(|precision| precision.name() == text)
        .ok_or_else(|| "it is `f32` or `bf16`".to_owned())
}

/// A model whose weights are not read yet.
pub(super) struct TrainedModel {
    /// What holds the weights: the folder, or a file in it.
    pub(super) checkpoint: PathBuf,
    /// The folder around them.
    pub(super) folder: PathBuf,
    pub(super) config: Config,
    pub(super) vocabulary: Vocabulary,
    pub(super) tokenizer: Tokenizer,
    pub(super) max_length: u32,
    pub(super) device: NamedDevice,
    pub(super) precision: kernel::Precision,
    /// The settings of the run whose folder the model lies in, if it lies in one.
    pub(super) run: Option<RunSettings>,
}

impl ModelArgs {
    /// The model as it was named.
    pub(super) fn name(&self) -> &str {
        &self.model
    }

    /// The model, used with the length of fine-tuning where nothing else says one.
    pub(super) fn open(&self) -> Result<TrainedModel, Error> {
        self.open_for(MAX_LENGTH)
    }

    /// The model, used with a length of `usual_length` tokens where neither the user nor its run says one.
    pub(super) fn open_for(&self, usual_length: u32) -> Result<TrainedModel, Error> {
        let device = open_device(&self.device).map_err(|error| Diagnostic::new(error.to_string()))?;
        let precision = precision_on(&device, self.precision.precision)?;
        let checkpoint = model_argument::checkpoint(&self.model)?;
        let Self { max_length, lower_case, .. } = *self;
        TrainedModel::read(checkpoint, Use { max_length, usual_length, lower_case, device, precision })
    }
}

/// The precision as the kernels know it, if the device has it.
pub(super) fn precision_on(device: &NamedDevice, precision: Precision) -> Result<kernel::Precision, Diagnostic> {
    open_precision(precision, device.name).map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))
}

/// How a model is used; what is left out is as the model's files say.
pub(super) struct Use {
    pub(super) max_length: Option<u32>,
    /// Where neither `max_length` nor the run of the model says one.
    pub(super) usual_length: u32,
    pub(super) lower_case: Option<bool>,
    pub(super) device: NamedDevice,
    pub(super) precision: kernel::Precision,
}

impl TrainedModel {
    /// Everything of the model at `checkpoint` but its weights.
    pub(super) fn read(checkpoint: PathBuf, wanted: Use) -> Result<Self, Error> {
        let Use { device, precision, .. } = wanted;
        let folder = folder_of(&checkpoint).map_err(|error| refused(&error))?.to_path_buf();
        let config = Config::read(&folder).map_err(|error| refused(&error.into()))?;
        let path = vocabulary_file(&folder);
        let vocabulary = Vocabulary::load(&path)?;
        config.fits_vocabulary(&path, vocabulary.len())?;
        let positions = config.architecture.max_positions;
        let run = settings_beside(&folder);
        let trained_length = || run.as_ref().map(|run| run.training.max_length);
        let max_length = wanted.max_length.or_else(trained_length).unwrap_or(positions.min(wanted.usual_length));
        if max_length > positions {
            let message = format!("`--max-length {max_length}` is more than the model's {positions} positions");
            return Err(Diagnostic::new(message).into());
        }
        let lower_case = match wanted.lower_case {
            Some(lower_case) => lower_case,
            None => lower_case_of(&folder)?.unwrap_or(true),
        };
        let tokenizer = Tokenizer::new(&vocabulary, lower_case)?;
        Ok(Self { checkpoint, folder, config, vocabulary, tokenizer, max_length, device, precision, run })
    }

    /// Whether the model was made for pairs of texts: it tells two segments apart.
    pub(super) fn takes_pairs(&self) -> bool {
        self.config.architecture.type_vocab_size > 1
    }
}

/// The settings of the run whose folder the model lies in, if it lies in one.
fn settings_beside(folder: &Path) -> Option<RunSettings> {
    let folder = folder.canonicalize().ok()?;
    serde_json::from_slice(&fs::read(folder.parent()?.join("settings.json")).ok()?).ok()
}

/// Why a model cannot be used.
pub(super) fn refused(error: &CheckpointError) -> Error {
    Diagnostic::new(error.to_string()).hint(MODEL_IS).into()
}

/// What of a model or its input is worth knowing.
pub(super) fn note(text: &impl std::fmt::Display) {
    eprintln!("note: {text}");
}

/// Says how many examples were cut.
pub(super) fn note_truncated(features: &FeatureSet, max_length: u32) {
    let (truncated, all) = (features.truncated(), features.len());
    if truncated > 0 {
        note(&format_args!("{truncated} of {all} examples were truncated to {max_length} tokens"));
    }
}
