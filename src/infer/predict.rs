//! A file of a task, predicted by a trained model.

use super::input::{self, Open, PredictRequest};
use super::outputs;
use super::trained_model::refused;
use crate::diagnostic::{Diagnostic, Error};
use crate::model::{CheckpointError, Head, check_head, load_trained_classifier};
use crate::store::Score;
use crate::task::{DevSplit, Gold, PredictionFile, Task};
use crate::train::{predict_in_batches, scores};

/// A model's predictions for the examples of an input.
#[derive(Debug)]
pub struct Predictions {
    split: DevSplit,
    tags: Vec<String>,
    logits: Vec<f32>,
}

impl PredictRequest<'_> {
    /// The predictions for the input that `open` gives; `note` says what is worth knowing of the model and the input.
    ///
    /// # Errors
    /// A model that is not one of the task; an input that cannot be read; numbers that are not finite.
    pub fn predict(&self, open: &Open, note: fn(&str)) -> Result<Predictions, Error> {
        let Self { task, model, .. } = *self;
        let head = task.head;
        check_head(&model.folder, head).map_err(|error| Diagnostic::new(error.to_string()).hint(head_is(head)))?;
        let tags = outputs::tags(self.outputs, task, model)?;
        let split = input::read(self, &tags, open, note)?;
        let mut loaded = load_trained_classifier(&model.checkpoint, head, &model.device.device)
            .map_err(|error| no_head(&error, head))?;
        loaded.model.encoder.set_precision(model.precision);
        let mut notes = Vec::new();
        let order = outputs::order(self.outputs, task, model, loaded.model.outputs(), &tags, &mut notes)?;
        notes.extend(loaded.notes);
        notes.extend(input::truncated(&split, model.max_length));
        for text in &notes {
            note(text);
        }
        let logits = predict_in_batches(&loaded.model, &split.features, self.batch_size, &model.device.device)
            .map_err(Error::system)?;
        let logits = order.arrange(&logits);
        if let Some(at) = logits.iter().position(|logit| !logit.is_finite()) {
            let what = match task.row() {
                0 => format!("output for token {}", at / task.outputs(&tags).max(1)),
                outputs => format!("output for row {}", at / outputs),
            };
            return Err(Error::System(format!("the model's {what} is not a finite number")));
        }
        Ok(Predictions { split, tags, logits })
    }
}

impl Predictions {
    /// How many examples were predicted.
    #[must_use]
    pub fn examples(&self) -> u64 {
        self.split.examples()
    }

    /// The predictions as a run keeps them, the file that is asked for first; with each class's probability where
    /// `probabilities` is set.
    #[must_use]
    pub fn files(&self, task: &Task, probabilities: bool) -> Vec<PredictionFile> {
        // Tables of scores are no predictions of the input's examples.
        const OF_SCORES: [&str; 2] = ["scores", "entities"];
        if probabilities && matches!(self.split.gold, Gold::Labels) {
            let content = task.predictions_tsv(&self.logits, self.split.features.labels(), true);
            return vec![PredictionFile { name: String::new(), content }];
        }
        let mut files = task.prediction_files(&self.logits, &self.split, &self.tags);
        files.retain(|file| !OF_SCORES.iter().any(|of| file.name.starts_with(of)));
        files
    }

    /// The scores, where the input has gold answers.
    #[must_use]
    pub fn scores(&self, task: &Task) -> Option<Vec<Score>> {
        self.split.has_gold().then(|| scores(task, &self.split, &self.logits, &self.tags))
    }
}

/// What a file of weights without a head should have been.
const HEAD_IS: &str = "`predict` needs a model that was trained on a task, with its head";

/// What a checkpoint should have been that has no head for a task of this shape.
fn head_is(head: Head) -> &'static str {
    match head {
        Head::Classes | Head::Regression => HEAD_IS,
        Head::Choices => "`predict` needs a model that was trained to choose: on `swag`",
        Head::Tags => "`predict` needs a model that was trained to tag words: on `conll2003` or another NER task",
        Head::Spans => "`predict` needs a model that was trained to find answers: on `squad1` or `squad2`",
    }
}

/// Why a model's weights are refused: said in another way when only the head is not there.
fn no_head(error: &CheckpointError, head: Head) -> Error {
    const OF_HEADS: [&str; 3] = ["classifier.", "qa_outputs.", "pooler."];
    if let CheckpointError::Missing { names, .. } = error
        && names.iter().all(|name| OF_HEADS.iter().any(|of| name.starts_with(of)))
    {
        return Diagnostic::new(error.to_string()).hint(head_is(head)).into();
    }
    refused(error).into()
}
