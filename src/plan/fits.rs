//! Whether a model is what an experiment asks of it.

use super::ModelInput;
use crate::config::{Experiment, Model};
use crate::diagnostic::Diagnostic;
use crate::settings::Approach;

/// Refuses layers to read that the encoder has not.
pub(super) fn has_layers(experiment: &Experiment, model: &Model, input: &ModelInput) -> Result<(), Diagnostic> {
    let Approach::FeatureBased(of) = model.approach else { return Ok(()) };
    let (has, needs) = (input.architecture.layers, of.layers.needs());
    if needs <= has {
        return Ok(());
    }
    let own = format!("models.{}.approach", model.name);
    let key = if experiment.base.place_of(&own).is_some() { own } else { "approach".to_owned() };
    let message = format!("these are layers of the last {needs}, but the model `{}` has {has}", model.name);
    let hint = "`last`, `embeddings` and `sum_with_embeddings` are there in every model";
    Err(experiment.base.finding(&format!("{key}.feature_based.layers"), message).hint(hint))
}

/// Refuses the loss of the next token for an encoder whose states have seen it.
pub(super) fn predicts_next_token(
    experiment: &Experiment,
    model: &Model,
    input: &ModelInput,
) -> Result<(), Diagnostic> {
    if experiment.base.training.lm_coef <= 0.0 || input.architecture.causal {
        return Ok(());
    }
    let (name, encoder) = (&model.name, input.architecture.encoder);
    let message =
        format!("`lm_coef` asks for the loss of the next token, which the model `{name}` ({encoder}) has not");
    let hint = "models that read from left to right have it: `gpt`, `openai_gpt`, `lstm`";
    Err(experiment.base.finding("training.lm_coef", message).hint(hint))
}
