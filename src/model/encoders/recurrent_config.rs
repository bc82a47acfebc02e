//! `config.json` of encoders without attention, which transformers has not: the keys are BERT's.

use serde_json::{Value, json};

use super::ConfigForm;
use crate::model::config_error::ConfigError;
use crate::model::config_fields::Fields;
use crate::settings::EncoderType;
use crate::store::Architecture;

pub(super) const FORM: ConfigForm = ConfigForm { read, write };

fn read(fields: &Fields<'_>, encoder: EncoderType) -> Result<Architecture, ConfigError> {
    let layers = if encoder.facts().costs.has_layers { fields.size("num_hidden_layers")? } else { 0 };
    let hidden = fields.size("hidden_size")?;
    if !hidden.is_multiple_of(encoder.facts().directions) {
        return Err(fields.wrong("hidden_size", "must be even: half of it is of each direction"));
    }
    Ok(Architecture {
        pooling: fields.pooling(encoder.facts().poolings)?,
        vocab_size: fields.size("vocab_size")?,
        max_positions: fields.size("max_position_embeddings")?,
        ..Architecture::without_attention(encoder, layers, hidden)
    })
}

fn write(of: &Architecture, dropout: f64) -> Value {
    json!({
        "hidden_size": of.hidden,
        "num_hidden_layers": of.layers,
        "vocab_size": of.vocab_size,
        "max_position_embeddings": of.max_positions,
        "hidden_dropout_prob": dropout,
        "torch_dtype": "float32",
    })
}
