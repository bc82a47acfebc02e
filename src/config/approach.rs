//! The checks of `approach`: sizes, and tasks and training that a frozen encoder is of use for.

use super::document::Document;
use super::model::Model;
use super::task::{Task, TaskShape};
use super::values::for_example;
use super::written_training::Training;
use crate::diagnostic::Diagnostic;
use crate::settings::{Approach, FeatureBased, MAX_HIDDEN, MAX_LSTM_LAYERS};

/// Refuses an approach that is none for the tasks of `model`.
pub(super) fn fits(document: &Document, model: &Model, tasks: &[Task]) -> Result<(), Diagnostic> {
    let Approach::FeatureBased(of) = model.approach else { return Ok(()) };
    let key = key(document, model);
    for (name, value, most) in [("hidden", of.hidden, MAX_HIDDEN), ("lstm_layers", of.lstm_layers, MAX_LSTM_LAYERS)] {
        if !(1..=most).contains(&value) {
            let message = format!("`{name}` takes 1 to {most}, found `{value}`");
            let found = document.at_key(&format!("{key}.feature_based.{name}"), message);
            return Err(found.hint(for_example("feature_based")));
        }
    }
    let mut own = tasks.iter().filter(|task| model.tasks.contains(&task.name));
    if let Some(task) = own.clone().find(|task| matches!(task.shape, TaskShape::Spans(_))) {
        let name = &task.name;
        let message = format!(
            "`feature_based` is for tasks that tag words or answer a text, a pair or a choice, and `{name}` is none"
        );
        let hint = "`models: {NAME: {tasks: […]}}` says which tasks a model is trained on";
        return Err(document.at_key(&format!("{key}.feature_based"), message).hint(hint));
    }
    if of.attention && !own.any(|task| task.pairs) {
        let message =
            format!("`attention` is between the two texts of a pair, and `{}` has no task with pairs", model.name);
        let found = document.at_key(&format!("{key}.feature_based.attention"), message);
        return Err(
            found.hint("`mrpc`, `qqp`, `stsb`, `mnli`, `qnli`, `rte`, `wnli` and `swag` have pairs; else remove it")
        );
    }
    Ok(())
}

/// Refuses, for models with a frozen encoder, what trains it or reads a pair as one sequence.
pub(super) fn fits_training(
    document: &Document,
    training: &Training,
    models: &[Model],
    tasks: &[Task],
) -> Result<(), Diagnostic> {
    let frozen = |model: &&Model| matches!(model.approach, Approach::FeatureBased(FeatureBased { .. }));
    let hint = "another experiment file can have the other models";
    if let Some(model) = models.iter().find(frozen).filter(|_| training.lm_coef > 0.0) {
        let message = format!("`lm_coef` trains the encoder, which is frozen in the model `{}`", model.name);
        return Err(document.at_key("training.lm_coef", message).hint(hint));
    }
    let similar = |model: &&Model| tasks.iter().any(|task| task.similarity && model.tasks.contains(&task.name));
    if let Some(model) = models.iter().filter(frozen).find(similar).filter(|_| training.both_orders) {
        let message = format!(
            "`both_orders` reads the texts of a pair together, and the model `{}` (`feature_based`) reads them apart",
            model.name
        );
        return Err(document.at_key("training.both_orders", message).hint(hint));
    }
    Ok(())
}

/// Where the approach of `model` is written.
fn key(document: &Document, model: &Model) -> String {
    let own = format!("models.{}.approach", model.name);
    if document.spot(&own).is_some() { own } else { "approach".to_owned() }
}
