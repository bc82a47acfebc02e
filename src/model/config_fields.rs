//! The keys of a `config.json`, one by one.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::config_error::ConfigError;
use crate::settings::{InitializerRange, Pooling};

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

/// How states become one vector, where that was chosen.
pub(super) const POOLING: &str = "bertbench_pooling";

/// The object of a file.
pub(super) struct Fields<'a> {
    pub(super) path: &'a Path,
    pub(super) object: &'a Map<String, Value>,
}

impl Fields<'_> {
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

    /// How states become one vector, where that was chosen, in an encoder that has these ways.
    pub(super) fn pooling(&self, known: &[Pooling]) -> Result<Option<Pooling>, ConfigError> {
        let Some(value) = self.object.get(POOLING) else { return Ok(None) };
        let found = Pooling::deserialize(value).ok().filter(|found| known.contains(found));
        found.map(Some).ok_or_else(|| self.wrong(POOLING, format!("is {value}, which this encoder has not")))
    }

    /// A key that is `false` when it is not there.
    pub(super) fn flag(&self, key: &str) -> Result<bool, ConfigError> {
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
