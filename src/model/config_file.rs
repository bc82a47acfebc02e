//! How `config.json` of a Hugging Face folder or `bert_config.json` of Google's is read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::config::{AddedRows, Config, ENCODER, USAGE};
use super::config_error::ConfigError;
use super::config_fields::Fields;
use super::encoders::{ADDED, ENCODERS, EncoderKind};
use crate::settings::EncoderType;
use crate::store::ModelUsage;

/// A file of sizes is a page of text; one above a mebibyte is something else. Label names are in it too: ten thousand of
/// a hundred bytes.
const MAX_BYTES: u64 = 1 << 20;

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

impl Fields<'_> {
    fn config(&self) -> Result<Config, ConfigError> {
        self.is_known()?;
        let encoder = self.encoder()?;
        let architecture = (EncoderKind::of(encoder).config.read)(self, encoder)?;
        let lacks_rows = encoder == EncoderType::OpenaiGpt && !self.object.contains_key(ADDED);
        let added_rows = if lacks_rows { AddedRows::ToDraw } else { AddedRows::There };
        Ok(Config { architecture, usage: self.usage()?, added_rows })
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
}
