//! A model on the command line: a checkpoint on this disk, or a model of the hub that becomes one; and how `predict` and
//! `extract` use it.

use std::path::PathBuf;

use super::threads::ThreadArgs;
use crate::diagnostic::{Diagnostic, Error};
use crate::infer::{TrainedModel, Use, precision_on};
use crate::resolve::checkpoint_argument;
use crate::settings::Precision;
use crate::terminal::{DownloadDisplay, note};
use crate::text::FeatureSet;
use crate::train::open_device;

/// BERT's fine-tuning length for texts, and the default of google-research/bert's `extract_features.py`.
const MAX_LENGTH: u32 = 128;

/// What a `MODEL` argument may be, for its help.
pub(super) const MODEL_HELP: &str = "A checkpoint's folder, its file or the prefix of a TensorFlow checkpoint; or a model of the Hugging Face hub as \
    `hub:ORG/NAME` or `hub:ORG/NAME@REVISION`: it is downloaded into the hub's cache if it is not there";

/// The checkpoint that `argument` means; a model of the hub is fetched, and that is shown.
pub(super) fn checkpoint(argument: &str) -> Result<PathBuf, Error> {
    Ok(checkpoint_argument(argument, &DownloadDisplay::new())?)
}

/// A model and how it is used.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    #[arg(value_name = "MODEL", help = MODEL_HELP)]
    model: String,
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included; longer texts are truncated [default: that of training
    /// if MODEL's config.json says it, else 128 (384 for SQuAD); at most the model's positions].
    #[arg(long, value_name = "TOKENS")]
    max_length: Option<u32>,
    /// Sequences in a batch.
    #[arg(long, value_name = "N", default_value_t = crate::train::EVALUATION_BATCH, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) batch_size: u32,
    /// Lower-case texts and strip their accents [default: as the model's tokenizer files or its vocabulary say].
    #[arg(long, value_name = "true|false", hide_possible_values = true)]
    do_lower_case: Option<bool>,
    /// `auto`, `cpu`, `wgpu`, `vulkan` or `cuda`.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: String,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    pub(super) threads: ThreadArgs,
}

/// The number format of matrix products.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct PrecisionArgs {
    /// The number format of matrix products: `f32`; `bf16` on CPUs with bfloat16 instructions and GPUs that have it; `f16`
    /// on GPUs that have it.
    #[arg(long, value_name = "f32|bf16|f16", default_value = "f32", value_parser = parse_precision, hide_possible_values = true)]
    pub(super) precision: Precision,
}

fn parse_precision(text: &str) -> Result<Precision, String> {
    Precision::ALL
        .into_iter()
        .find(|precision| precision.name() == text)
        .ok_or_else(|| "it is `f32`, `bf16` or `f16`".to_owned())
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

    /// The model, used with a length of `usual_length` tokens where neither the user nor its `config.json` says one.
    pub(super) fn open_for(&self, usual_length: u32) -> Result<TrainedModel, Error> {
        let device = open_device(&self.device).map_err(|error| Diagnostic::new(error.to_string()))?;
        let precision = precision_on(&device, self.precision.precision)?;
        let checkpoint = checkpoint(&self.model)?;
        let Self { max_length, do_lower_case: lower_case, .. } = *self;
        let model = TrainedModel::read(checkpoint, Use { max_length, usual_length, lower_case, device, precision })?;
        model.notes.iter().for_each(note);
        Ok(model)
    }
}

/// Says how many examples were cut.
pub(super) fn note_truncated(features: &FeatureSet, max_length: u32) {
    let (truncated, all) = (features.parts().truncated, features.len());
    if truncated > 0 {
        note(&format_args!("{truncated} of {all} examples were truncated to {max_length} tokens"));
    }
}
