//! `config.json` of the published GPT (transformers' `OpenAIGPTConfig`).

use serde_json::{Value, json};

use super::ConfigForm;
pub(in crate::model) use super::openai_gpt::ADDED_ROWS;
use crate::kernel::LayerForm;
use crate::model::config_error::ConfigError;
use crate::model::config_fields::Fields;
use crate::settings::EncoderType;
use crate::store::Architecture;

/// How many of the `vocab_size` rows are of the tokens that fine-tuning adds. Published files do not have the key, and
/// none of the rows.
pub(in crate::model) const ADDED: &str = "bertbench_special_tokens";

pub(super) const FORM: ConfigForm = ConfigForm { read, write };

fn write(of: &Architecture, dropout: f64) -> Value {
    let mut config = json!({
        "n_embd": of.hidden,
        "n_layer": of.layers,
        "n_head": of.heads,
        "n_positions": of.max_positions,
        "vocab_size": of.vocab_size,
        "afn": "gelu",
        "layer_norm_epsilon": LayerForm::OPENAI_GPT_EPSILON,
        "embd_pdrop": dropout,
        "attn_pdrop": dropout,
        "resid_pdrop": dropout,
        "initializer_range": of.initializer_range,
        "torch_dtype": "float32",
    });
    config[ADDED] = json!(ADDED_ROWS);
    if of.intermediate != 4 * of.hidden {
        config["n_inner"] = json!(of.intermediate);
    }
    config
}

fn read(fields: &Fields<'_>, encoder: EncoderType) -> Result<Architecture, ConfigError> {
    fields.text("afn", "gelu", &["gelu"])?;
    let epsilon = fields.get("layer_norm_epsilon").map_or(Some(LayerForm::OPENAI_GPT_EPSILON), Value::as_f64);
    if epsilon.is_none_or(|epsilon| (epsilon - LayerForm::OPENAI_GPT_EPSILON).abs() > 1e-12) {
        let problem = format!("must be {:e}, the value of the published GPT", LayerForm::OPENAI_GPT_EPSILON);
        return Err(fields.wrong("layer_norm_epsilon", problem));
    }
    let (hidden, heads) = (fields.size("n_embd")?, fields.size("n_head")?);
    if !hidden.is_multiple_of(heads) {
        return Err(fields.wrong("n_head", format!("({heads}) must divide n_embd ({hidden})")));
    }
    let added = match fields.get(ADDED).map(Value::as_u64) {
        None => ADDED_ROWS,
        Some(Some(rows)) if rows == u64::from(ADDED_ROWS) => 0,
        Some(_) => return Err(fields.wrong(ADDED, format!("must be {ADDED_ROWS}"))),
    };
    let intermediate = match fields.get("n_inner") {
        None | Some(Value::Null) => hidden.saturating_mul(4),
        Some(_) => fields.size("n_inner")?,
    };
    Ok(Architecture {
        layers: fields.size("n_layer")?,
        hidden,
        heads,
        intermediate,
        vocab_size: fields.size("vocab_size")? + added,
        max_positions: fields.size("n_positions")?,
        // It tells texts apart by the token between them.
        type_vocab_size: 2,
        causal: true,
        encoder,
        pooling: None,
        initializer_range: fields.initializer_range()?,
    })
}
