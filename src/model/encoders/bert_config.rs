//! `config.json` of BERT (transformers' `BertConfig`), and of GPT, which is one with `is_decoder`.

use serde_json::{Value, json};

use super::ConfigForm;
use crate::kernel::LAYER_NORM_EPSILON;
use crate::model::config_error::ConfigError;
use crate::model::config_fields::Fields;
use crate::settings::EncoderType;
use crate::store::Architecture;

pub(super) const FORM: ConfigForm = ConfigForm { read, write };

fn read(fields: &Fields<'_>, encoder: EncoderType) -> Result<Architecture, ConfigError> {
    fields.text("hidden_act", "gelu", &["gelu"])?;
    fields.text("position_embedding_type", "absolute", &["absolute"])?;
    let epsilon = fields.get("layer_norm_eps").map_or(Some(LAYER_NORM_EPSILON), Value::as_f64);
    if epsilon.is_none_or(|epsilon| (epsilon - LAYER_NORM_EPSILON).abs() > 1e-15) {
        let problem = format!("must be {LAYER_NORM_EPSILON:e}, the value of every BERT");
        return Err(fields.wrong("layer_norm_eps", problem));
    }
    let architecture = Architecture {
        layers: fields.size("num_hidden_layers")?,
        hidden: fields.size("hidden_size")?,
        heads: fields.size("num_attention_heads")?,
        intermediate: fields.size("intermediate_size")?,
        vocab_size: fields.size("vocab_size")?,
        max_positions: fields.size("max_position_embeddings")?,
        type_vocab_size: fields.size("type_vocab_size")?,
        causal: fields.flag("is_decoder")?,
        encoder,
        pooling: None,
        initializer_range: fields.initializer_range()?,
    };
    if encoder.facts().objective.is_causal() && !architecture.causal {
        return Err(fields.wrong("is_decoder", "must be `true` in a GPT"));
    }
    if !architecture.hidden.is_multiple_of(architecture.heads) {
        let problem = format!("({}) must divide hidden_size ({})", architecture.heads, architecture.hidden);
        return Err(fields.wrong("num_attention_heads", problem));
    }
    Ok(architecture)
}

fn write(of: &Architecture, dropout: f64) -> Value {
    let mut config = json!({
        "hidden_size": of.hidden,
        "num_hidden_layers": of.layers,
        "num_attention_heads": of.heads,
        "intermediate_size": of.intermediate,
        "vocab_size": of.vocab_size,
        "max_position_embeddings": of.max_positions,
        "type_vocab_size": of.type_vocab_size,
        "hidden_act": "gelu",
        "layer_norm_eps": LAYER_NORM_EPSILON,
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
        "initializer_range": of.initializer_range,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "torch_dtype": "float32",
    });
    if of.causal {
        // What transformers calls a model whose tokens see themselves and those before.
        config["is_decoder"] = json!(true);
    }
    config
}
