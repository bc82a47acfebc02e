//! Tasks: a dataset, the head that answers it and the metrics that judge the answers.

mod answers;
#[cfg(test)]
mod conformance;
mod features;
mod files;
mod load;
mod lone;
mod score;
pub mod spans;
mod table;
mod tags;

pub use crate::data::{BadRows, Columns, Scheme, Separator};
pub use answers::{DevSplit, Gold, PredictionFile};
pub use features::{FeatureSource, TaskFeatures, features_of};
pub use files::{FilePart, LOSSY, OWN_DATA, TaskFiles, format_text};
pub use load::TaskData;
pub use table::TASKS;
pub use tags::{TagSet, kinds_tsv, predictions, tag_scores};

use crate::data::{Dataset, LoneTable};
use crate::diagnostic::{Diagnostic, suggest};
use crate::model::HeadLabels;
use crate::store::{SpanOptions, TagOptions, TaskOptions};

/// What a model puts out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// One logit per class for each example; the largest names the answer.
    Classes(&'static [&'static str]),
    /// One number for each example, the score itself.
    Regression,
    /// One number for each of so many choices; the largest names the answer.
    Choices(u32),
    /// Two numbers for each token: how well an answer starts and ends there.
    Spans,
    /// One logit per class for each token. The training data names the classes.
    Tags,
}

impl HeadKind {
    /// Numbers in the row of an example, for heads that answer for whole examples; 0 for the others.
    #[must_use]
    pub const fn row(self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Regression => 1,
            Self::Choices(choices) => choices as usize,
            Self::Spans | Self::Tags => 0,
        }
    }
}

/// A split without labels that a trained model predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredictionSet {
    /// The dataset that has it, which need not be the task's own.
    pub dataset: &'static str,
    /// The split.
    pub split: &'static str,
}

/// A row of [`TASKS`].
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// The name in experiment files, such as `rte`.
    pub name: &'static str,
    /// What a report calls it.
    pub title: &'static str,
    /// The published benchmark that it belongs to.
    pub benchmark: &'static str,
    /// The dataset's name; trained on its split `train`.
    pub dataset: &'static str,
    /// What the model puts out.
    pub head: HeadKind,
    /// The dev splits that are scored; the first one judges.
    pub dev: &'static [&'static str],
    /// The metrics to report, names of `metric::METRICS`.
    pub metrics: &'static [&'static str],
    /// The metric that judges, one of `metrics`.
    pub primary_metric: &'static str,
    /// What a finished model may predict for the benchmark's server.
    pub predicts: &'static [PredictionSet],
    /// Longest sequence in tokens where an experiment names none.
    pub max_length: u32,
    /// The dataset with files that an experiment names, in place of the published one; none in the table.
    pub files: Option<&'static Dataset>,
}

impl Task {
    /// The task called `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn find(name: &str) -> Result<&'static Self, Diagnostic> {
        TASKS.iter().find(|task| task.name == name).ok_or_else(|| {
            Diagnostic::new(format!("unknown task `{name}`")).hint(suggest(name, TASKS.iter().map(|task| task.name)))
        })
    }

    /// The dev split that judges.
    #[must_use]
    pub fn primary_split(&self) -> &'static str {
        self.dev.first().copied().unwrap_or_default()
    }

    /// The forms of a table that a model of this task answers: those of its dataset and, under the dataset's
    /// name, of others that it predicts.
    ///
    /// # Errors
    /// A dataset that is in no table, which the tests rule out.
    pub fn lone_tables(&self) -> Result<Vec<LoneTable>, Diagnostic> {
        let mut tables = LoneTable::of(self.dataset()?);
        for set in self.predicts.iter().filter(|set| set.dataset != self.dataset) {
            let other = Dataset::find(set.dataset)?;
            let published = LoneTable::of(other).into_iter().filter(|table| table.name == set.split);
            tables.extend(published.map(|table| table.named(other.name)));
        }
        Ok(tables)
    }

    /// The settings of the task's shape where an experiment names none.
    #[must_use]
    pub fn default_options(&self) -> Option<TaskOptions> {
        match self.head {
            HeadKind::Spans => Some(TaskOptions::Spans(SpanOptions::default())),
            HeadKind::Tags => Some(TaskOptions::Tags(TagOptions::default())),
            HeadKind::Classes(_) | HeadKind::Regression | HeadKind::Choices(_) => None,
        }
    }

    /// What the head's outputs mean; `tags` are the classes of a task that names them in its training data.
    #[must_use]
    pub fn head_labels<'a>(&self, tags: &'a [String]) -> HeadLabels<'a> {
        match self.head {
            HeadKind::Classes(names) => HeadLabels::Classes(names),
            HeadKind::Regression => HeadLabels::Regression,
            HeadKind::Choices(_) => HeadLabels::Choices,
            HeadKind::Spans => HeadLabels::Spans,
            HeadKind::Tags => HeadLabels::Tags(tags),
        }
    }

    fn dataset(&self) -> Result<&'static Dataset, Diagnostic> {
        self.files.map_or_else(|| Dataset::find(self.dataset), Ok)
    }

    /// The splits that training and scoring read: `train`, then the dev splits.
    fn read_splits(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(TRAIN).chain(self.dev.iter().copied())
    }
}

/// The split that every task trains on.
const TRAIN: &str = "train";
