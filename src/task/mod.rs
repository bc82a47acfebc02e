//! Tasks: a dataset, the head that answers it and the metrics that judge the answers.

#[cfg(test)]
mod conformance;
mod examples;
mod features;
mod files;
mod outputs;
mod shape;
mod table;

pub use crate::data::{BadRows, Columns, Scheme, Separator};
pub use features::{FeatureSource, TaskFeatures};
pub use files::{LOSSY, OWN_DATA, format_text, is_test};
pub use shape::tags::{TagSet, kinds_tsv, predictions, tag_scores};
pub use shape::{DevSplit, Gold, PredictionFile, features_of, spans};
pub use table::TASKS;

use std::borrow::Cow;

use crate::data::{Dataset, Labels, LoneTable, SplitFile, SplitRole};
use crate::diagnostic::Diagnostic;
use crate::metric::Metric;
use crate::model::Head;

/// A row of [`TASKS`], or such a task over the user's own files.
#[derive(Clone, Debug)]
pub struct Task {
    /// The name in experiment files, such as `rte`.
    pub name: Cow<'static, str>,
    /// What it asks, in a line.
    pub title: Cow<'static, str>,
    /// The published benchmark that it belongs to.
    pub benchmark: &'static str,
    /// Trained on its split `train`, scored on its dev splits, of which the first judges.
    pub dataset: Cow<'static, Dataset>,
    /// What the model puts out.
    pub head: Head,
    /// The metrics to report; the first one judges.
    pub metrics: &'static [&'static Metric],
    /// Datasets whose test splits its model answers besides the own ones.
    pub also_predicts: &'static [&'static Dataset],
    /// Whether it asks how similar two texts are, whose order means nothing.
    pub similarity: bool,
}

impl Task {
    /// Whether its head reads one vector of a sequence, not every token.
    #[must_use]
    pub fn reads_one_vector(&self) -> bool {
        matches!(self.head, Head::Classes | Head::Regression | Head::Choices)
    }

    /// The metric that judges.
    #[must_use]
    pub fn primary_metric(&self) -> &'static Metric {
        self.metrics[0]
    }

    /// The dev splits that are scored; the first one judges.
    pub fn dev(&self) -> impl Iterator<Item = &'static SplitFile> + use<> {
        self.dataset.splits_of(SplitRole::Dev)
    }

    /// The name of the dev split that judges.
    #[must_use]
    pub fn primary_split(&self) -> &'static str {
        self.dev().next().map_or("", |split| split.name)
    }

    /// The splits without labels that a finished model may predict for the benchmark's server.
    pub fn predicts(&self) -> impl Iterator<Item = (&Dataset, &'static SplitFile)> {
        let datasets = std::iter::once(&*self.dataset).chain(self.also_predicts.iter().copied());
        datasets.flat_map(|dataset| dataset.splits_of(SplitRole::Test).map(move |split| (dataset, split)))
    }

    /// The forms of a table that a model of this task answers: those of its dataset and, under the dataset's
    /// name, of others that it predicts.
    #[must_use]
    pub fn lone_tables(&self) -> Vec<LoneTable<'_>> {
        let mut tables = LoneTable::of(&self.dataset);
        for other in self.also_predicts {
            let published = LoneTable::of(other).into_iter().filter(|table| table.role == Some(SplitRole::Test));
            tables.extend(published.map(|table| table.named(&other.name)));
        }
        tables
    }

    /// Whether an example is two texts, or choices that are two each.
    #[must_use]
    pub fn reads_pairs(&self) -> bool {
        match self.head {
            Head::Choices => true,
            Head::Classes | Head::Regression => {
                self.dataset.split(TRAIN).is_ok_and(|split| split.layout.second.is_some())
            }
            Head::Spans | Head::Tags => false,
        }
    }

    /// The names of the classes of an example, in the order of the logits; none for a task without classes, or that
    /// names them in its training data.
    #[must_use]
    pub fn classes(&self) -> &'static [&'static str] {
        match self.dataset.labels {
            Labels::Classes(names) => names,
            Labels::Score { .. } | Labels::Hidden | Labels::Structured => &[],
        }
    }

    /// What the outputs of its model are called, for `id2label`; `tags` are the classes of a task that names them in
    /// its training data.
    #[must_use]
    pub fn output_names<'a>(&self, tags: &'a [String]) -> Vec<&'a str> {
        self.classes().iter().copied().chain(tags.iter().map(String::as_str)).collect()
    }

    /// The splits that training and scoring read: `train`, then the dev splits.
    ///
    /// # Errors
    /// A dataset without a split `train`, which the tests rule out.
    fn read_splits(&self) -> Result<Vec<&'static SplitFile>, Diagnostic> {
        Ok(std::iter::once(self.dataset.split(TRAIN)?).chain(self.dev()).collect())
    }
}

/// The split that every task trains on.
const TRAIN: &str = "train";
