//! A split with what its gold answers are, and what a model's outputs make of it.

use super::{HeadKind, Task};
use crate::metric::Value;
use crate::text::FeatureSet;

/// A split that is scored or predicted.
#[derive(Clone, Debug)]
pub struct DevSplit {
    /// The split's name.
    pub name: &'static str,
    /// What a model reads.
    pub features: FeatureSet,
    /// What its outputs are held against.
    pub gold: Gold,
}

/// The gold answers of a split.
#[derive(Clone, Debug)]
pub enum Gold {
    /// The features' labels are all that there is.
    Labels,
}

/// A file of predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictionFile {
    /// Its name.
    pub name: String,
    /// Its text.
    pub content: String,
}

impl DevSplit {
    /// The number of examples, as the dataset counts them: rows, questions or sentences.
    #[must_use]
    pub fn examples(&self) -> u64 {
        match &self.gold {
            Gold::Labels => self.features.len() as u64,
        }
    }
}

impl Task {
    /// Every metric of the task over a whole split, in the order of [`Task::metrics`].
    ///
    /// `outputs` has a row for every sequence or every token of the split's features, in order. `tags` are the
    /// classes of a task that names them in its training data.
    #[must_use]
    pub fn values(&self, outputs: &[f32], split: &DevSplit, _tags: &[String]) -> Vec<Value> {
        match &split.gold {
            Gold::Labels => self.score(outputs, split.features.labels()),
        }
    }

    /// The predictions for a split as files: a table, or what the task's own judge reads. Arguments as
    /// [`Task::values`].
    #[must_use]
    pub fn prediction_files(&self, outputs: &[f32], split: &DevSplit, _tags: &[String]) -> Vec<PredictionFile> {
        match &split.gold {
            Gold::Labels => vec![PredictionFile {
                name: format!("predictions-{}.tsv", split.name),
                content: self.predictions_tsv(outputs, split.features.labels()),
            }],
        }
    }

    /// Numbers that the model puts out for a sequence or a token.
    #[must_use]
    pub fn outputs(&self, tags: &[String]) -> usize {
        match self.head {
            HeadKind::Classes(classes) => classes.len(),
            HeadKind::Regression | HeadKind::Choices(_) => 1,
            HeadKind::Spans => 2,
            HeadKind::Tags => tags.len(),
        }
    }
}
