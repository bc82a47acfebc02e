//! What a model's outputs are of a task: scores, predictions, a loss, by its shape. `outputs` has a row for every sequence
//! or every token of the features, in order; `tags` are the classes of a task that names them in its training data.

use super::Task;
use super::shape::{DevSplit, PredictionFile, rows, shape};
use crate::metric::Value;
use crate::model::Head;
use crate::store::{Answers, TaskOptions};
use crate::text::FeatureSet;

impl Task {
    /// Every metric of the task over a whole split, in the order of [`Task::metrics`].
    ///
    /// # Panics
    /// When `outputs` has another number of rows than the split.
    #[must_use]
    pub fn values(&self, outputs: &[f32], split: &DevSplit, tags: &[String]) -> Vec<Value> {
        let values = shape(self.head).values(self.metrics, outputs, split, &self.output_names(tags));
        self.metrics.iter().zip(values).map(|(metric, value)| metric.value(value)).collect()
    }

    /// The predictions for a split as files. As [`Task::values`].
    ///
    /// # Panics
    /// As [`Task::values`].
    #[must_use]
    pub fn prediction_files(&self, outputs: &[f32], split: &DevSplit, tags: &[String]) -> Vec<PredictionFile> {
        shape(self.head).files(outputs, split, &self.output_names(tags))
    }

    /// What was answered to each example of a split with gold answers, from which every metric follows. As
    /// [`Task::values`].
    ///
    /// # Panics
    /// As [`Task::values`].
    #[must_use]
    pub fn answers_by_example(&self, outputs: &[f32], split: &DevSplit, tags: &[String]) -> Answers {
        shape(self.head).answers_by_example(outputs, split, &self.output_names(tags))
    }

    /// The primary metric of always answering with the most frequent class of `labels` (of equally frequent
    /// ones the first). 0 for a regression: a constant has no correlation.
    #[must_use]
    pub fn majority(&self, labels: &[f32]) -> f64 {
        let classes = shape(self.head).row_names(self.classes()).map_or(0, <[&str]>::len);
        rows::majority(self.primary_metric(), labels, classes)
    }

    /// A table of predictions of whole examples, tab-separated with a header: `index` (the example's number from 0),
    /// `prediction` and `label` (a class's name or a score; an empty label where there is none), and for classes one
    /// column of logits each, and with `probabilities` one of these, the softmax of the row's logits.
    ///
    /// # Panics
    /// When `outputs` has not [`Task::row`] numbers per label.
    #[must_use]
    pub fn predictions_tsv(&self, outputs: &[f32], labels: &[f32], probabilities: bool) -> String {
        rows::table(outputs, labels, shape(self.head).row_names(self.classes()).unwrap_or_default(), probabilities)
    }

    /// The answer to every row of `outputs`, `[examples, row]`, as predictions are written: a class's name or a score.
    #[must_use]
    pub fn answers(&self, outputs: &[f32]) -> Vec<String> {
        rows::answers(outputs, shape(self.head).row_names(self.classes()).unwrap_or_default())
    }

    /// Numbers that the model puts out for a sequence or a token.
    #[must_use]
    pub fn outputs(&self, tags: &[String]) -> usize {
        shape(self.head).width(&self.output_names(tags))
    }

    /// Numbers in the row of an example, for heads that answer for whole examples; 0 for the others.
    #[must_use]
    pub fn row(&self) -> usize {
        shape(self.head).row_names(self.classes()).map_or(0, |names| names.len().max(1))
    }

    /// Longest sequence in tokens where an experiment names none.
    #[must_use]
    pub fn max_length(&self) -> u32 {
        shape(self.head).max_length()
    }

    /// The settings of the task's shape where an experiment names none.
    #[must_use]
    pub fn default_options(&self) -> Option<TaskOptions> {
        shape(self.head).default_options()
    }

    /// The mean loss over a whole split, in f64, with its unit. Examples without a label are left out; NaN when none
    /// has one.
    #[must_use]
    pub fn mean_loss(&self, outputs: &[f32], features: &FeatureSet) -> (f64, &'static str) {
        shape(self.head).mean_loss(outputs, features)
    }

    /// How many losses the mean over `examples` of `features` is of: parts of a batch are weighted by it.
    #[must_use]
    pub fn loss_weight(&self, features: &FeatureSet, examples: &[u32]) -> f64 {
        shape(self.head).loss_weight(features, examples)
    }

    /// What it answers with: the classes, or one description.
    #[must_use]
    pub fn answers_with(&self) -> Vec<String> {
        shape(self.head).answers(self.classes())
    }

    /// What the share of right answers is called, where each example's answer is right or wrong.
    #[must_use]
    pub fn share_of_right_answers(&self) -> Option<&'static str> {
        match self.head {
            Head::Classes | Head::Choices => Some("accuracy"),
            Head::Spans => Some("exact match"),
            Head::Regression | Head::Tags => None,
        }
    }

    /// The labels of a split as `bertbench check` shows them: what is counted, and how often each label occurs.
    #[must_use]
    pub fn label_counts(&self, labels: &[f32], tags: &[String]) -> (&'static str, String) {
        let shape = shape(self.head);
        (shape.unit(), shape.label_counts(labels, &self.output_names(tags)))
    }
}
