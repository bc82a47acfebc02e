//! A model that a pretraining kept, scored again on held-out text.

use super::data::open_corpus;
use super::evaluate::evaluate_pretraining;
use crate::diagnostic::Diagnostic;
use crate::model::load_pretraining;
use crate::store::{RunFolder, RunSettings, Score};
use crate::train::device::open_device;
use crate::train::error::TrainError;
use crate::train::ranks::Alone;
use crate::train::ready::RunContext;
use crate::train::tuning::tuning;

/// The scores of the last model in the folder of a pretraining with these settings, on its held-out text, whose prepared
/// corpus `context` knows.
///
/// # Errors
/// When it has no held-out text; when weights or corpus cannot be read or are not those of the settings; when the device
/// has not the run's precision.
pub fn score_pretrained(
    context: &RunContext,
    settings: &RunSettings,
    folder: &RunFolder,
) -> Result<Vec<Score>, TrainError> {
    let found = settings.pretraining().and_then(|objective| Some((objective, objective.evaluation.as_ref()?)));
    let (objective, evaluation) = found.ok_or_else(|| Diagnostic::new("the run was scored on no held-out text"))?;
    let set = open_corpus(&context.corpora, settings, objective, &evaluation.data, true)?;
    let named = open_device(&settings.device)?;
    let _tuning = tuning(context, settings, &Alone)?;
    let precision = named.precision(settings.optimization.precision)?;
    let device = named.device;
    let predict_next = objective.loss.predicts_next_sentence();
    let mut model = load_pretraining(&folder.model_folder(), predict_next, settings.seed, &device)?.model;
    model.encoder.set_precision(precision);
    Ok(evaluate_pretraining(&model, &set, objective.loss, objective.steps(), &device)?.scores)
}
