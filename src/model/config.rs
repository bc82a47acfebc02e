//! What `config.json` of a Hugging Face folder or `bert_config.json` of Google's says, and how it is written.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::config_fields::POOLING;
use super::encoders::{ADDED, ADDED_ROWS, ENCODERS, EncoderKind};
use super::head::Head;
use crate::diagnostic::Diagnostic;
use crate::settings::EncoderType;
use crate::store::{Architecture, ModelUsage};

/// A `config.json` that bertbench can run.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The encoder's dimensions.
    pub architecture: Architecture,
    /// How the model is to be used, if it was kept by a run.
    pub usage: Option<ModelUsage>,
    /// Where the word embeddings of tokens are that fine-tuning adds.
    pub added_rows: AddedRows,
}

/// Where the rows of the word embeddings are for tokens that fine-tuning adds to the published GPT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddedRows {
    /// The weights have all rows, or the encoder needs none.
    #[default]
    There,
    /// The dimensions count them, and the weights have them not.
    ToDraw,
    /// Neither has them: a language model.
    LeftOut,
}

impl From<Architecture> for Config {
    fn from(architecture: Architecture) -> Self {
        Self { architecture, usage: None, added_rows: AddedRows::default() }
    }
}

/// The key of `config.json` that says how a kept model is to be used.
pub(super) const USAGE: &str = "bertbench";
/// The key that tells encoders of one `model_type` apart: GPT is a BERT with `is_decoder` to transformers.
pub(super) const ENCODER: &str = "bertbench_encoder";

/// Word embeddings are padded to multiples of 8 to 128 (`pad_to_multiple_of` of transformers), and of 128 for each of
/// several GPUs (Megatron-LM). The published vocabularies of BERT differ by more than this: 21,128, 28,996, 30,522 tokens.
const MOST_PADDING: usize = 1024;

impl Config {
    /// As pretraining reads it: without rows of word embeddings that only fine-tuning adds.
    #[must_use]
    pub fn of_language_model(mut self) -> Self {
        if self.added_rows == AddedRows::ToDraw {
            self.architecture.vocab_size -= ADDED_ROWS;
            self.added_rows = AddedRows::LeftOut;
        }
        self
    }

    /// Of a model of these dimensions that was pretrained, on text as `byte_pairs` if so.
    #[must_use]
    pub fn of_pretrained(architecture: Architecture, byte_pairs: bool) -> Self {
        let left_out = byte_pairs && architecture.encoder == EncoderType::OpenaiGpt;
        let added_rows = if left_out { AddedRows::LeftOut } else { AddedRows::There };
        Self { added_rows, ..Self::from(architecture) }
    }

    /// The dimensions that tasks read it with.
    #[must_use]
    pub fn for_tasks(&self) -> Architecture {
        let added = if self.added_rows == AddedRows::LeftOut { ADDED_ROWS } else { 0 };
        Architecture { vocab_size: self.architecture.vocab_size + added, ..self.architecture }
    }

    /// Refuses a vocabulary, read from `path`, that the word embeddings are not of. They may have more rows than it has
    /// tokens, as libraries pad them to multiples; then there is a note on that.
    ///
    /// # Errors
    /// When there are more tokens than rows, or so many more rows that they are no padding.
    pub fn fits_vocabulary(&self, path: &Path, tokens: usize) -> Result<Option<String>, Diagnostic> {
        let rows = self.architecture.vocab_size as usize;
        match rows.checked_sub(tokens) {
            Some(0) => Ok(None),
            Some(more) if more < MOST_PADDING => {
                Ok(Some(format!("the checkpoint has {rows} word embeddings for {tokens} tokens: {more} are not used")))
            }
            Some(_) | None => {
                let path = path.display();
                let message = format!("{path} has {tokens} tokens, but the checkpoint has {rows} word embeddings");
                Err(Diagnostic::new(message)
                    .hint("the vocabulary must be the one that the checkpoint was trained with"))
            }
        }
    }

    /// The `config.json` of a model with this head that transformers' class for it reads. `names` are those of the
    /// classes or tags in the order of the logits; other heads have none.
    #[must_use]
    pub fn to_json<S: AsRef<str>>(&self, head: Head, names: &[S], dropout: f64) -> Value {
        let kind = EncoderKind::of(self.architecture.encoder);
        let class = head.class().replacen(EncoderKind::of(EncoderType::Bert).class, kind.class, 1);
        let mut config = self.encoder_json(&class, dropout);
        match head {
            Head::Classes => {
                config["problem_type"] = json!("single_label_classification");
                set_labels(&mut config, names);
            }
            Head::Regression => {
                config["problem_type"] = json!("regression");
                set_labels(&mut config, &["LABEL_0"]);
            }
            Head::Tags => set_labels(&mut config, names),
            Head::Choices | Head::Spans => {}
        }
        config
    }

    /// The `config.json` of a model of transformers' class `class`, which reads weights in float32.
    pub(super) fn encoder_json(&self, class: &str, dropout: f64) -> Value {
        let of = &self.architecture;
        let mut config = self.dimensions_json(class, dropout);
        if let Some(usage) = &self.usage {
            config[USAGE] = serde_json::to_value(usage).unwrap_or_default();
        }
        let kind = EncoderKind::of(of.encoder);
        let first = ENCODERS.iter().find(|known| known.model_type == kind.model_type);
        if first.is_some_and(|first| first.encoder != of.encoder) {
            config[ENCODER] = json!(of.encoder);
        }
        if let Some(pooling) = of.pooling {
            config[POOLING] = json!(pooling);
        }
        config
    }

    fn dimensions_json(&self, class: &str, dropout: f64) -> Value {
        let of = &self.architecture;
        let kind = EncoderKind::of(of.encoder);
        let mut config = json!({"architectures": [class], "model_type": kind.model_type});
        if let (Some(config), Value::Object(sizes)) = (config.as_object_mut(), (kind.config.write)(of, dropout)) {
            config.extend(sizes);
            if self.added_rows == AddedRows::LeftOut {
                // As in published files: who fine-tunes it adds the rows.
                config.remove(ADDED);
            }
        }
        config
    }
}

/// Names a head's outputs, in the order of the logits.
pub(super) fn set_labels<S: AsRef<str>>(config: &mut Value, names: &[S]) {
    let id2label = names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name.as_ref())));
    config["id2label"] = id2label.collect::<Map<String, Value>>().into();
    let label2id = names.iter().enumerate().map(|(id, name)| (name.as_ref().to_owned(), json!(id)));
    config["label2id"] = label2id.collect::<Map<String, Value>>().into();
}
