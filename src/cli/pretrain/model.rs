//! The model that `bertbench pretrain` trains.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::experiment::text;
use crate::cli::trained_model::checkpoint;
use crate::config::{Dimensions, Preset};
use crate::diagnostic::{Diagnostic, Error};
use crate::settings::LmLoss;

/// What is trained.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Model")]
pub(super) struct ModelArgs {
    /// A published size, with random weights.
    #[arg(long, value_name = "SIZE", value_parser = preset_parser(), required_unless_present_any = ["layers", "init_checkpoint"], conflicts_with_all = ["layers", "init_checkpoint"])]
    preset: Option<Preset>,
    /// Any other size: transformer layers.
    #[arg(long, value_name = "N", requires_all = ["hidden", "heads"], conflicts_with = "init_checkpoint", value_parser = clap::value_parser!(u32).range(1..=256))]
    layers: Option<u32>,
    /// Hidden size.
    #[arg(long, value_name = "N", requires = "layers", value_parser = clap::value_parser!(u32).range(1..=16384))]
    hidden: Option<u32>,
    /// Attention heads; a divisor of the hidden size.
    #[arg(long, value_name = "N", requires = "layers", value_parser = clap::value_parser!(u32).range(1..=16384))]
    heads: Option<u32>,
    /// Width of the feed-forward layers [default: four times the hidden size].
    #[arg(long, value_name = "N", requires = "layers", value_parser = clap::value_parser!(u32).range(1..=65536))]
    intermediate: Option<u32>,
    /// The longest sequence that the model can read [default: 512, with `--init-checkpoint` the checkpoint's].
    #[arg(long, value_name = "TOKENS", conflicts_with = "init_checkpoint", value_parser = clap::value_parser!(u32).range(4..=65535))]
    max_positions: Option<u32>,
    /// Start from these weights: a checkpoint's folder or file, or `hub:ORG/NAME`.
    #[arg(long, value_name = "CHECKPOINT")]
    init_checkpoint: Option<String>,
    /// Train without next-sentence prediction, on masked tokens alone.
    #[arg(long)]
    no_nsp: bool,
    /// Train a left-to-right model: each token attends to itself and the tokens before it and predicts the next one,
    /// without next-sentence prediction. For corpora that `corpus prepare --causal-lm` wrote.
    #[arg(long)]
    left_to_right: bool,
}

/// Reads the name of a published size.
fn preset_parser() -> impl TypedValueParser<Value = Preset> {
    let named = |name: String| Preset::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, preset)| preset);
    PossibleValuesParser::new(Preset::ALL.map(|(name, _)| name)).try_map(move |name| named(name).ok_or("no such size"))
}

impl ModelArgs {
    /// What is minimised.
    pub(super) fn objective(&self) -> LmLoss {
        match (self.left_to_right, self.no_nsp) {
            (true, _) => LmLoss::CausalLm,
            (false, true) => LmLoss::MaskedLm,
            (false, false) => LmLoss::MaskedLmAndNextSentence,
        }
    }

    /// What is trained, as an experiment file has it.
    pub(super) fn written(&self) -> Result<Value, Error> {
        if let Some(named) = &self.init_checkpoint {
            return Ok(json!({"checkpoint": text(&checkpoint(named)?)?}));
        }
        let named = self.preset.map(|preset| {
            let Dimensions { layers, hidden, heads, intermediate, max_positions, .. } = preset.dimensions();
            (layers, hidden, heads, intermediate, max_positions)
        });
        // clap asks for all three when there is no preset.
        let own = || {
            let (layers, hidden, heads) = (self.layers?, self.hidden?, self.heads?);
            let intermediate = self.intermediate.unwrap_or(4 * hidden);
            Some((layers, hidden, heads, intermediate, 512))
        };
        let Some((layers, hidden, heads, intermediate, max_positions)) = named.or_else(own) else {
            return Err(Diagnostic::new("no size is given for the model").hint("`--preset bert-base`").into());
        };
        if !hidden.is_multiple_of(heads) {
            return Err(Diagnostic::new(format!("`--heads {heads}` does not divide `--hidden {hidden}`"))
                .hint("the published models have heads of width 64")
                .into());
        }
        let max_positions = self.max_positions.unwrap_or(max_positions);
        Ok(json!({"architecture": {"layers": layers, "hidden": hidden, "heads": heads,
                                   "intermediate": intermediate, "max_positions": max_positions}}))
    }
}
