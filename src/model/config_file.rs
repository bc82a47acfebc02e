//! How `config.json` of a Hugging Face folder or `bert_config.json` of Google's is read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::config::{Config, ENCODER, POOLING, USAGE};
use super::config_error::ConfigError;
use super::encoder::EncoderKind;
use super::table::ENCODERS;
use crate::kernel::LAYER_NORM_EPSILON;
use crate::settings::{EncoderType, InitializerRange, Pooling};
use crate::store::{Architecture, ModelUsage};

/// A file of sizes is a page of text; one above a mebibyte is something else. Label names are in it too: ten thousand of
/// a hundred bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Sizes above these are no BERT's, but could claim any amount of memory and time before the weights are looked at.
const LARGEST: [(&str, u32); 11] = [
    ("n_layer", 1 << 10),
    ("n_embd", 1 << 20),
    ("n_head", 1 << 20),
    ("n_inner", 1 << 20),
    ("n_positions", 1 << 24),
    ("num_hidden_layers", 1 << 10),
    ("hidden_size", 1 << 20),
    ("intermediate_size", 1 << 20),
    ("vocab_size", 1 << 24),
    ("max_position_embeddings", 1 << 24),
    ("type_vocab_size", 1 << 16),
];

/// The files that hold a configuration, the one that is preferred first.
const FILES: [&str; 2] = ["config.json", "bert_config.json"];

/// A configuration as written.
#[derive(Clone, Debug)]
pub(super) struct ConfigFile {
    path: PathBuf,
    object: Map<String, Value>,
}

impl ConfigFile {
    /// Reads `folder/config.json`, or `folder/bert_config.json` when there is only that.
    pub(super) fn read(folder: &Path) -> Result<Self, ConfigError> {
        let [preferred, google] = FILES.map(|name| folder.join(name));
        let path = if google.exists() && !preferred.exists() { google } else { preferred };
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(ConfigError::Json {
                path,
                message: "larger than 1 MiB, so no configuration of a model".into(),
            });
        }
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|error| ConfigError::Json { path: path.clone(), message: format!("not JSON: {error}") })?;
        let Value::Object(object) = value else {
            return Err(ConfigError::Json { path, message: "not a JSON object".into() });
        };
        Ok(Self { path, object })
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.object.get(key)
    }

    /// The names of a head's outputs, `id2label`, in the order of the logits; `None` when it has none.
    ///
    /// # Errors
    /// When the ids are not 0, 1, 2, … or a name is no text.
    pub(super) fn labels(&self) -> Result<Option<Vec<String>>, ConfigError> {
        let names = match self.object.get("id2label") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(names)) => (0..names.len())
                .map(|id| names.get(&id.to_string())?.as_str().map(str::to_owned))
                .collect::<Option<Vec<String>>>(),
            Some(_) => None,
        };
        let problem = "must name the outputs under the keys \"0\", \"1\", \"2\" and so on";
        names.map(Some).ok_or_else(|| self.wrong("id2label", problem))
    }

    /// A finding about a key.
    pub(super) fn wrong(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::Key { path: self.path.clone(), key: key.into(), problem: problem.into() }
    }

    /// transformers' class of the model, if it is said.
    pub(super) fn class(&self) -> Option<&str> {
        self.object.get("architectures")?.get(0)?.as_str()
    }

    /// The configuration, when it is that of a BERT which bertbench can run.
    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        Fields { path: &self.path, object: &self.object }.config()
    }
}

impl Config {
    /// Reads `folder/config.json`, or `folder/bert_config.json` when there is only that.
    ///
    /// # Errors
    /// When the file is missing or is not the configuration of a BERT (`model_type` other than `bert`,
    /// an activation other than the exact GELU, relative positions, cross-attention, sizes that do not fit together).
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        ConfigFile::read(folder)?.config()
    }
}

pub(super) struct Fields<'a> {
    path: &'a Path,
    object: &'a Map<String, Value>,
}

impl Fields<'_> {
    fn config(&self) -> Result<Config, ConfigError> {
        self.is_known()?;
        let encoder = self.encoder()?;
        if encoder == EncoderType::OpenaiGpt {
            return self.openai_gpt();
        }
        if !encoder.is_transformer() {
            return self.without_attention(encoder);
        }
        self.text("hidden_act", "gelu", &["gelu"])?;
        self.text("position_embedding_type", "absolute", &["absolute"])?;
        let epsilon = self.object.get("layer_norm_eps").map_or(Some(LAYER_NORM_EPSILON), Value::as_f64);
        if epsilon.is_none_or(|epsilon| (epsilon - LAYER_NORM_EPSILON).abs() > 1e-15) {
            return Err(
                self.wrong("layer_norm_eps", format!("must be {LAYER_NORM_EPSILON:e}, the value of every BERT"))
            );
        }
        let architecture = Architecture {
            layers: self.size("num_hidden_layers")?,
            hidden: self.size("hidden_size")?,
            heads: self.size("num_attention_heads")?,
            intermediate: self.size("intermediate_size")?,
            vocab_size: self.size("vocab_size")?,
            max_positions: self.size("max_position_embeddings")?,
            type_vocab_size: self.size("type_vocab_size")?,
            causal: self.flag("is_decoder")?,
            encoder,
            pooling: None,
            initializer_range: self.initializer_range()?,
        };
        if encoder == EncoderType::Gpt && !architecture.causal {
            return Err(self.wrong("is_decoder", "must be `true` in a GPT"));
        }
        if !architecture.hidden.is_multiple_of(architecture.heads) {
            let problem = format!("({}) must divide hidden_size ({})", architecture.heads, architecture.hidden);
            return Err(self.wrong("num_attention_heads", problem));
        }
        Ok(Config { architecture, usage: self.usage()? })
    }

    /// The encoder by `model_type`, and by our own key where several have one.
    fn encoder(&self) -> Result<EncoderType, ConfigError> {
        let of_type = |kind: &&EncoderKind| {
            self.object.get("model_type").and_then(Value::as_str).is_some_and(|name| name == kind.model_type)
        };
        let first = ENCODERS.iter().find(of_type).map_or(EncoderType::Bert, |kind| kind.encoder);
        match self.object.get(ENCODER) {
            None => Ok(first),
            Some(value) => match EncoderType::deserialize(value) {
                Ok(named) if EncoderKind::of(named).model_type == EncoderKind::of(first).model_type => Ok(named),
                Ok(_) | Err(_) => Err(self.wrong(ENCODER, format!("is {value}, which its model_type is not"))),
            },
        }
    }

    fn without_attention(&self, encoder: EncoderType) -> Result<Config, ConfigError> {
        let layers = if encoder == EncoderType::WordVectors { 0 } else { self.size("num_hidden_layers")? };
        let hidden = self.size("hidden_size")?;
        if encoder == EncoderType::Elmo && !hidden.is_multiple_of(2) {
            return Err(self.wrong("hidden_size", "must be even: half of it is of each direction"));
        }
        let pooling = match self.object.get(POOLING) {
            None => None,
            Some(value) => {
                let known = Pooling::deserialize(value).ok().filter(|known| encoder.poolings().contains(known));
                Some(known.ok_or_else(|| self.wrong(POOLING, format!("is {value}, which this encoder has not")))?)
            }
        };
        let architecture = Architecture {
            vocab_size: self.size("vocab_size")?,
            max_positions: self.size("max_position_embeddings")?,
            pooling,
            ..Architecture::without_attention(encoder, layers, hidden)
        };
        Ok(Config { architecture, usage: self.usage()? })
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.object.get(key)
    }

    /// How large random weights are, with which heads are drawn.
    pub(super) fn initializer_range(&self) -> Result<InitializerRange, ConfigError> {
        const KEY: &str = "initializer_range";
        let Some(value) = self.object.get(KEY) else { return Ok(InitializerRange::BERT) };
        InitializerRange::deserialize(value)
            .map_err(|_| self.wrong(KEY, format!("must be a number above 0, not {value}")))
    }

    pub(super) fn usage(&self) -> Result<Option<ModelUsage>, ConfigError> {
        let Some(value) = self.object.get(USAGE) else { return Ok(None) };
        let usage = ModelUsage::deserialize(value);
        usage.map(Some).map_err(|error| self.wrong(USAGE, format!("does not say how a model is used: {error}")))
    }

    /// Refuses encoders that are not in [`ENCODERS`] by `model_type`, or by `architectures` in old files without it, which
    /// are BERT's.
    fn is_known(&self) -> Result<(), ConfigError> {
        let mut known: Vec<&str> = ENCODERS.iter().map(|encoder| encoder.model_type).collect();
        known.dedup();
        self.text("model_type", ENCODERS[0].model_type, &known)?;
        let classes = self.object.get("architectures").and_then(Value::as_array).into_iter().flatten();
        let other = classes
            .filter_map(Value::as_str)
            .find(|class| !ENCODERS.iter().any(|encoder| class.starts_with(encoder.class)));
        if let (Some(other), None) = (other, self.object.get("model_type")) {
            return Err(self.wrong("architectures", format!("names `{other}`; bertbench runs BERT only")));
        }
        if self.flag("add_cross_attention")? {
            return Err(self.wrong("add_cross_attention", "is `true`; bertbench runs encoders only"));
        }
        Ok(())
    }

    /// A key that is `false` when it is not there.
    fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(value) => {
                value.as_bool().ok_or_else(|| self.wrong(key, format!("must be true or false, not {value}")))
            }
        }
    }

    pub(super) fn wrong(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::Key { path: self.path.into(), key: key.into(), problem: problem.into() }
    }

    pub(super) fn text(&self, key: &str, default: &str, known: &[&str]) -> Result<(), ConfigError> {
        let value = match self.object.get(key) {
            None => default,
            Some(value) => value.as_str().ok_or_else(|| self.wrong(key, "must be a string"))?,
        };
        if known.contains(&value) {
            return Ok(());
        }
        Err(self.wrong(key, format!("is `{value}`; bertbench runs `{}` only", known.join("`, `"))))
    }

    pub(super) fn size(&self, key: &str) -> Result<u32, ConfigError> {
        let value = self.object.get(key).ok_or_else(|| self.wrong(key, "is missing"))?;
        let size = value.as_u64().and_then(|size| u32::try_from(size).ok());
        let size = size
            .filter(|&size| size > 0)
            .ok_or_else(|| self.wrong(key, format!("must be a positive number, not {value}")))?;
        match LARGEST.iter().find(|(name, largest)| *name == key && size > *largest) {
            Some((_, largest)) => Err(self.wrong(key, format!("is {size}; at most {largest} is read"))),
            None => Ok(size),
        }
    }
}
