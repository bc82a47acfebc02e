//! `config.json` of the published GPT (transformers' `OpenAIGPTConfig`).

use serde_json::{Value, json};

use super::config::Config;
use super::config_error::ConfigError;
use super::config_file::Fields;
use super::encoder::EncoderKind;
use super::openai_gpt::ADDED_ROWS;
use crate::kernel::LayerForm;
use crate::settings::EncoderType;
use crate::store::Architecture;

/// How many of the `vocab_size` rows are of the tokens that fine-tuning adds. Published files do not have the key, and
/// none of the rows.
const ADDED: &str = "bertbench_special_tokens";

impl Config {
    pub(super) fn openai_gpt_json(&self, class: &str, dropout: f64) -> Value {
        let of = &self.architecture;
        let mut config = json!({
            "architectures": [class],
            "model_type": EncoderKind::of(of.encoder).model_type,
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
}

impl Fields<'_> {
    pub(super) fn openai_gpt(&self) -> Result<Config, ConfigError> {
        self.text("afn", "gelu", &["gelu"])?;
        let epsilon = self.get("layer_norm_epsilon").map_or(Some(LayerForm::OPENAI_GPT_EPSILON), Value::as_f64);
        if epsilon.is_none_or(|epsilon| (epsilon - LayerForm::OPENAI_GPT_EPSILON).abs() > 1e-12) {
            let problem = format!("must be {:e}, the value of the published GPT", LayerForm::OPENAI_GPT_EPSILON);
            return Err(self.wrong("layer_norm_epsilon", problem));
        }
        let (hidden, heads) = (self.size("n_embd")?, self.size("n_head")?);
        if !hidden.is_multiple_of(heads) {
            return Err(self.wrong("n_head", format!("({heads}) must divide n_embd ({hidden})")));
        }
        let added = match self.get(ADDED).map(Value::as_u64) {
            None => ADDED_ROWS,
            Some(Some(rows)) if rows == u64::from(ADDED_ROWS) => 0,
            Some(_) => return Err(self.wrong(ADDED, format!("must be {ADDED_ROWS}"))),
        };
        let intermediate = match self.get("n_inner") {
            None | Some(Value::Null) => hidden.saturating_mul(4),
            Some(_) => self.size("n_inner")?,
        };
        let architecture = Architecture {
            layers: self.size("n_layer")?,
            hidden,
            heads,
            intermediate,
            vocab_size: self.size("vocab_size")? + added,
            max_positions: self.size("n_positions")?,
            // It tells texts apart by the token between them.
            type_vocab_size: 2,
            causal: true,
            encoder: EncoderType::OpenaiGpt,
            pooling: None,
            initializer_range: self.initializer_range()?,
        };
        Ok(Config { architecture, usage: self.usage()? })
    }
}
