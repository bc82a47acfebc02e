//! Any checkpoint as the folder that transformers reads, or as one safetensors file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::config::{Config, set_labels};
use super::config_error::ConfigError;
use super::config_file::ConfigFile;
use super::encoders::{EncoderKind, bert_tensors};
use super::error::CheckpointError;
use super::heads::{Head, HeadClass, class_of, outputs, pooler_tensors};
use super::loading::check_encoder;
use super::weights::{Weights, folder_of};
use super::write::{FilesBeside, Tensors, publish_folder};
use crate::settings::EncoderType;
use crate::store::atomic;

/// A checkpoint on its way into another format.
#[derive(Debug)]
pub struct Conversion {
    file: ConfigFile,
    config: Config,
    weights: Weights,
    class: HeadClass,
    /// Names and shapes of what is written, without `bert.`.
    tensors: Vec<(String, Vec<usize>)>,
}

/// Keys of a configuration that do not decide the shapes and are kept as they were.
const KEPT: [&str; 6] = [
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "initializer_range",
    "pad_token_id",
    "problem_type",
];
/// BERT's dropout (Devlin et al. 2018, appendix A.2), for configurations that do not say.
const DROPOUT: f64 = 0.1;

impl Conversion {
    /// Opens the checkpoint `from` (as [`Weights::open`] takes it) and decides what is written.
    ///
    /// # Errors
    /// When the configuration or the weights are refused, or a head is not whole.
    pub fn open(from: &Path) -> Result<Self, CheckpointError> {
        let file = ConfigFile::read(folder_of(from)?)?;
        let config = file.config()?;
        if EncoderKind::of(config.architecture.encoder).model_type != EncoderKind::of(EncoderType::Bert).model_type {
            let problem = format!("is of {}; only BERT is converted", config.architecture.encoder);
            return Err(file.wrong("model_type", problem).into());
        }
        let weights = Weights::open(from)?;
        let of = &config.architecture;
        check_encoder(&weights, of)?;
        let named = file.get("architectures").and_then(|names| names.get(0)).and_then(Value::as_str);
        let class = class_of(&weights, named);
        let mut tensors = bert_tensors(of);
        if class.pooler {
            tensors.extend(pooler_tensors(of));
        }
        tensors.extend(class.heads.iter().flat_map(|head| head.tensors(&weights, of)));
        for (name, shape) in &tensors {
            weights.check(stored_name(&weights, name), shape)?;
        }
        Ok(Self { file, config, weights, class, tensors })
    }

    /// Its dimensions.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// transformers' class of what is written.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.class.class
    }

    /// How many numbers are written.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.tensors.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum()
    }

    /// What a user should know: what was left out, what is missing.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.weights.skipped() > 0 {
            let count = self.weights.skipped();
            notes.push(format!("left out {count} tensors that are not weights (optimizer state, counters, buffers)"));
        }
        let written = |name: &str| self.tensors.iter().any(|(kept, _)| stored_name(&self.weights, kept) == name);
        let left: Vec<&str> = self.weights.names().filter(|name| !written(name) && !is_tied(name)).collect();
        if !left.is_empty() {
            notes.push(format!("{} has no place for {}: left out", self.class.class, left.join(", ")));
        }
        if self.class.class == "BertModel" && !self.class.pooler {
            notes.push("the checkpoint has no pooler; transformers will draw one at random".into());
        }
        notes
    }

    /// Writes `folder` as transformers keeps a model, with `beside`; all at once, on disk when it returns.
    ///
    /// # Errors
    /// When the weights are damaged or a file cannot be written; `folder` is then as it was.
    pub fn write_folder(&self, folder: &Path, beside: &FilesBeside) -> Result<(), CheckpointError> {
        publish_folder(folder, &self.config_json()?, &self.read()?, beside)
    }

    /// Writes the weights alone, under the same names as in a folder.
    ///
    /// # Errors
    /// As [`Self::write_folder`].
    pub fn write_safetensors(&self, file: &Path) -> Result<(), CheckpointError> {
        let tensors = self.read()?;
        let bytes =
            tensors.serialize().map_err(|source| CheckpointError::Format { path: PathBuf::from(file), source })?;
        atomic::write(file, &bytes).map_err(CheckpointError::io(file))
    }

    /// Every tensor, widened, under the name that its class has for it.
    fn read(&self) -> Result<Tensors, CheckpointError> {
        self.refuse_untied()?;
        let prefix = if self.class.class == "BertModel" { "" } else { "bert." };
        let mut tensors = Tensors::default();
        for (name, shape) in &self.tensors {
            let numbers = self.weights.numbers(stored_name(&self.weights, name), shape)?;
            let encoder = ["embeddings.", "encoder.", "pooler."].iter().any(|part| name.starts_with(part));
            let name = if encoder { format!("{prefix}{name}") } else { name.clone() };
            tensors.push(name, shape.clone(), &numbers);
        }
        Ok(tensors)
    }

    /// BERT's MLM decoder is its word embeddings (Devlin et al. 2018, appendix A.2; `tie_word_embeddings`);
    /// one that is not cannot be written as a BERT.
    fn refuse_untied(&self) -> Result<(), CheckpointError> {
        const WORDS: &str = "embeddings.word_embeddings.weight";
        if !self.class.heads.contains(&Head::MaskedLm) || !self.weights.has(DECODER) {
            return Ok(());
        }
        let of = &self.config.architecture;
        let shape = [of.vocab_size as usize, of.hidden as usize];
        if self.weights.numbers(DECODER, &shape)? == self.weights.numbers(WORDS, &shape)? {
            return Ok(());
        }
        let (path, name) = (self.weights.path().to_path_buf(), DECODER.to_owned());
        Err(CheckpointError::Tensor {
            path,
            name,
            problem: "it is not the word embeddings, as BERT's decoder is".into(),
        })
    }

    fn config_json(&self) -> Result<Value, ConfigError> {
        let mut config = self.config.encoder_json(self.class.class, DROPOUT);
        for key in KEPT {
            if let Some(value) = self.file.get(key) {
                config[key] = value.clone();
            }
        }
        if self.class.heads.contains(&Head::Classifier) && self.class.class != "BertForMultipleChoice" {
            let count = outputs(&self.weights, "classifier.weight");
            let labels = self.file.labels()?.filter(|labels| labels.len() == count);
            set_labels(&mut config, &labels.unwrap_or_else(|| (0..count).map(|id| format!("LABEL_{id}")).collect()));
        }
        if self.class.heads.contains(&Head::MaskedLm) {
            config["tie_word_embeddings"] = json!(true);
        }
        Ok(config)
    }
}

const DECODER: &str = "cls.predictions.decoder.weight";

/// Whether the tensor is another one's double in every BERT.
fn is_tied(name: &str) -> bool {
    name == DECODER || name == "cls.predictions.decoder.bias"
}

/// The name in the source: the decoder's bias has two.
fn stored_name<'a>(weights: &Weights, name: &'a str) -> &'a str {
    if name == "cls.predictions.bias" && !weights.has(name) { "cls.predictions.decoder.bias" } else { name }
}
