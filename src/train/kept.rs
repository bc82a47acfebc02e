//! A model that a run kept, scored again.

use super::device::open_device;
use super::error::TrainError;
use super::evaluate::predict;
use super::ranks::Alone;
use super::ready::{RunContext, task_features};
use super::score::scores;
use super::tuning::tuning;
use crate::model::load_trained_classifier;
use crate::store::{RunFolder, RunSettings, Score};
use crate::text::vocabulary_file;

/// Every score of the model in the folder of a run with these settings, on the dev splits with gold answers. Of `context`,
/// the vocabularies are not needed: the model has its own.
///
/// # Errors
/// When weights, vocabulary or data cannot be read or are not those of the settings; when the device has not the run's
/// precision.
pub fn score_kept(context: &RunContext, settings: &RunSettings, folder: &RunFolder) -> Result<Vec<Score>, TrainError> {
    let model_folder = folder.model_folder();
    let mut context = context.clone();
    context.vocabularies.insert(settings.model.clone(), vocabulary_file(&model_folder));
    let task = context.task(settings.task_name())?;
    let features = task_features(&context, settings)?;
    let named = open_device(&settings.device)?;
    let _tuning = tuning(&context, settings, &Alone)?;
    let precision = named.precision(settings.optimization.precision)?;
    let device = named.device;
    let mut model = load_trained_classifier(&model_folder, task.head, &device)?.model;
    model.encoder.set_precision(precision);
    let with_gold = features.dev.iter().filter(|split| split.has_gold());
    let mut all = Vec::new();
    for split in with_gold {
        all.extend(scores(&task, split, &predict(&model, &split.features, &device)?, &features.tags));
    }
    Ok(all)
}
