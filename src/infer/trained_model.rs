//! A model that is used, not trained: what is read of it before its weights.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::model::{CheckpointError, Config, folder_of};
use crate::settings::Precision;
use crate::text::{ModelTokenizer, Tokenizer, Vocabulary, vocabulary_file};
use crate::train::NamedDevice;

const MODEL_IS: &str = "a model is a folder with config.json, weights and vocab.txt, such as the `model/` that a \
                        sweep keeps in the folder of its best run of each task";

/// A model whose weights are not read yet.
pub struct TrainedModel {
    /// What holds the weights: the folder, or a file in it.
    pub checkpoint: PathBuf,
    /// The folder around them.
    pub folder: PathBuf,
    /// Its `config.json`.
    pub config: Config,
    /// Its `vocab.txt`.
    pub vocabulary: Vocabulary,
    /// Text to tokens, as it reads them.
    pub tokenizer: Tokenizer,
    /// Longest sequence in tokens.
    pub max_length: u32,
    /// Where it computes.
    pub device: NamedDevice,
    /// The numbers that matrix products take.
    pub precision: Precision,
    /// What is to be known of its files.
    pub notes: Vec<String>,
}

/// The precision as the kernels know it, if the device has it.
pub fn precision_on(device: &NamedDevice, precision: Precision) -> Result<Precision, Diagnostic> {
    device.precision(precision).map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))
}

/// How a model is used; what is left out is as the model's files say.
#[derive(Debug)]
pub struct Use {
    /// Longest sequence in tokens.
    pub max_length: Option<u32>,
    /// Where neither `max_length` nor the model's `config.json` says one.
    pub usual_length: u32,
    /// Whether texts are lower-cased and stripped of accents.
    pub lower_case: Option<bool>,
    /// Where it computes.
    pub device: NamedDevice,
    /// The numbers that matrix products take.
    pub precision: Precision,
}

impl TrainedModel {
    /// Everything of the model at `checkpoint` but its weights.
    pub fn read(checkpoint: PathBuf, wanted: Use) -> Result<Self, Diagnostic> {
        let Use { device, precision, .. } = wanted;
        let folder = folder_of(&checkpoint).map_err(|error| refused(&error))?.to_path_buf();
        let config = Config::read(&folder).map_err(|error| refused(&error.into()))?;
        let path = vocabulary_file(&folder);
        let ModelTokenizer { vocabulary, lower_case } = ModelTokenizer::read(&folder, &path, wanted.lower_case)?;
        let notes = config.fits_vocabulary(&path, vocabulary.len())?.into_iter().collect();
        let positions = config.architecture.max_positions;
        let trained_length = config.usage.as_ref().map(|usage| usage.max_length);
        let max_length = wanted.max_length.or(trained_length).unwrap_or(positions.min(wanted.usual_length));
        if max_length > positions {
            let message = format!("`--max-length {max_length}` is more than the model's {positions} positions");
            return Err(Diagnostic::new(message));
        }
        let tokenizer = Tokenizer::new(&vocabulary, lower_case)?;
        Ok(Self { checkpoint, folder, config, vocabulary, tokenizer, max_length, device, precision, notes })
    }

    /// Whether the model was made for pairs of texts: it tells two segments apart.
    pub fn takes_pairs(&self) -> bool {
        self.config.architecture.type_vocab_size > 1
    }
}

/// Why a model cannot be used.
pub fn refused(error: &CheckpointError) -> Diagnostic {
    Diagnostic::new(error.to_string()).hint(MODEL_IS)
}
