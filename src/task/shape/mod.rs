//! What a shape of task is, a file each: how its examples become features, a model's outputs predictions, and
//! predictions scores and files.

mod choices;
mod classes;
mod regression;
pub(super) mod rows;
pub mod spans;
pub(super) mod tags;

pub use rows::features_of;

use crate::data::{Content, Questions, Sentences};
use crate::diagnostic::Diagnostic;
use crate::metric::Metric;
use crate::model::Head;
use crate::settings::SpanOptions;
use crate::store::{Answers, TaskOptions};
use crate::text::{FeatureSet, Purpose, Tokenizer};

/// What the tasks with one head have in common; what is given here is that of tasks that answer a text or a pair with a class of a few.
///
/// `names` are those of the classes or tags, in the order of the outputs; `outputs` is row-major, `[sequences, width]`, or
/// `[tokens, width]` where every token has a row.
pub(super) trait Shape: Sync {
    /// Longest sequence in tokens where an experiment names none.
    fn max_length(&self) -> u32 {
        // google-research/bert, run_classifier.py in the README's GLUE commands.
        128
    }

    /// The settings of the shape where an experiment names none.
    fn default_options(&self) -> Option<TaskOptions> {
        None
    }

    /// The names of the outputs, of a shape whose training data names them.
    fn names(&self, _training: &Content) -> Vec<String> {
        Vec::new()
    }

    /// What a model reads of the examples.
    fn features(&self, content: &Content, reading: &Reading<'_>) -> Result<FeatureSet, Diagnostic> {
        match content {
            Content::Texts(split) => features_of(split, reading.tokenizer, reading.max_length),
            Content::Choices(_) | Content::Questions(_) | Content::Sentences(_) => Err(other_shape()),
        }
    }

    /// What of the options and the names decides the features, as text.
    fn feature_key(&self, _options: Option<&TaskOptions>, _names: &[String]) -> String {
        String::new()
    }

    /// What outputs are held against, where the features' labels do not say it all.
    fn gold(&self, _content: Content, _options: Option<&TaskOptions>) -> Gold {
        Gold::Labels
    }

    /// Numbers that the model puts out for a sequence or a token.
    fn width(&self, names: &[&str]) -> usize;

    /// The names of the numbers that answer an example; none for a score. `None` where tokens are answered.
    fn row_names<'a>(&self, names: &'a [&'a str]) -> Option<&'a [&'a str]>;

    /// The value of each of `metrics` over a whole split; NaN for one that the shape does not know.
    fn values(&self, metrics: &[&Metric], outputs: &[f32], split: &DevSplit, names: &[&str]) -> Vec<f64> {
        rows::values(metrics, outputs, split.features.labels(), self.row_names(names).unwrap_or_default())
    }

    /// The predictions for a split as files: a table, or what the task's own judge reads.
    fn files(&self, outputs: &[f32], split: &DevSplit, names: &[&str]) -> Vec<PredictionFile> {
        let content = rows::table(outputs, split.features.labels(), self.row_names(names).unwrap_or_default(), false);
        vec![PredictionFile { name: format!("predictions-{}.tsv", split.name), content }]
    }

    /// What was answered to each example of a split with gold answers.
    fn answers_by_example(&self, outputs: &[f32], split: &DevSplit, names: &[&str]) -> Answers {
        rows::answers_by_example(outputs, split.features.labels(), self.row_names(names).unwrap_or_default())
    }

    /// The mean loss over a whole split, in f64, with its unit. Examples without a label are left out; NaN when none
    /// has one.
    fn mean_loss(&self, outputs: &[f32], features: &FeatureSet) -> (f64, &'static str) {
        mean_cross_entropy(outputs, features.labels())
    }

    /// How many losses the mean over `examples` is of.
    fn loss_weight(&self, _features: &FeatureSet, examples: &[u32]) -> f64 {
        examples.len() as f64
    }

    /// What it answers with, for `bertbench list`: the classes, or one description.
    fn answers(&self, names: &[&str]) -> Vec<String>;

    /// What `bertbench check` counts.
    fn unit(&self) -> &'static str {
        "examples"
    }

    /// How often each label occurs, for `bertbench check`.
    fn label_counts(&self, labels: &[f32], names: &[&str]) -> String {
        counted(self.row_names(names).unwrap_or_default(), labels)
    }
}

/// The shape of the tasks with this head.
pub(super) fn shape(head: Head) -> &'static dyn Shape {
    match head {
        Head::Classes => &classes::Classes,
        Head::Regression => &regression::Regression,
        Head::Choices => &choices::Choices,
        Head::Spans => &spans::Spans,
        Head::Tags => &tags::Tags,
    }
}

/// How examples become features.
pub(super) struct Reading<'a> {
    pub(super) tokenizer: &'a Tokenizer,
    /// Longest sequence in tokens, special tokens included.
    pub(super) max_length: u32,
    pub(super) options: Option<&'a TaskOptions>,
    /// The names of the outputs, of a shape whose training data names them.
    pub(super) names: &'a [String],
    pub(super) purpose: Purpose,
}

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
    /// Answers to questions, with how answers are read off the outputs.
    Questions {
        /// The questions, whose paragraphs the answers are cut from.
        questions: Questions,
        /// How answers are chosen.
        options: SpanOptions,
    },
    /// Tags of words.
    Sentences(Sentences),
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
    /// Whether every example has its gold answer, so that there is a score.
    #[must_use]
    pub fn has_gold(&self) -> bool {
        match &self.gold {
            Gold::Labels => !self.features.labels().iter().any(|label| label.is_nan()),
            Gold::Questions { questions, .. } => !questions.questions.iter().any(spans::is_unanswered),
            Gold::Sentences(sentences) => !sentences.sentences.iter().any(|sentence| sentence.tags.is_empty()),
        }
    }

    /// The number of examples, as the dataset counts them: rows, questions or sentences.
    #[must_use]
    pub fn examples(&self) -> u64 {
        match &self.gold {
            Gold::Labels => self.features.len() as u64,
            Gold::Questions { questions, .. } => questions.questions.len() as u64,
            Gold::Sentences(sentences) => sentences.sentences.len() as u64,
        }
    }
}

/// The place of the largest logit; of equal ones the first. NaN is never the largest.
fn largest(row: &[f32]) -> u32 {
    let mut best = 0;
    for (class, logit) in row.iter().enumerate() {
        if *logit > row[best] || (row[best].is_nan() && !logit.is_nan()) {
            best = class;
        }
    }
    best as u32
}

/// How often each of `names` is a label.
fn counted(names: &[&str], labels: &[f32]) -> String {
    let labels = || labels.iter().filter(|label| !label.is_nan());
    let count = |class: usize| labels().filter(|label| **label as usize == class).count();
    let counts = names.iter().enumerate().map(|(class, name)| format!("`{name}` {}", count(class)));
    format!("labels {}", counts.collect::<Vec<_>>().join(", "))
}

/// The mean cross-entropy of rows of logits, one for each label.
fn mean_cross_entropy(outputs: &[f32], labels: &[f32]) -> (f64, &'static str) {
    let width = outputs.len() / labels.len().max(1);
    let rows = outputs.chunks_exact(width.max(1)).zip(labels).filter(|(_, label)| !label.is_nan());
    (mean(rows.map(|(row, label)| cross_entropy(&row.iter().copied(), *label as usize))), "nats")
}

fn mean(losses: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = losses.fold((0.0, 0u64), |(sum, count), loss| (sum + loss, count + 1));
    sum / count as f64
}

fn cross_entropy(scores: &(impl Iterator<Item = f32> + Clone), label: usize) -> f64 {
    let most = scores.clone().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.clone().map(|score| f64::from(score - most).exp()).sum();
    sum.ln() + f64::from(most - scores.clone().nth(label).unwrap_or(f32::NAN))
}

/// Why content of another shape has no features.
fn other_shape() -> Diagnostic {
    Diagnostic::new("the data or its settings are those of another kind of task")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_answer_with_the_first_class_and_nan_never_wins() {
        assert_eq!(largest(&[1.0, 1.0, 0.0]), 0);
        assert_eq!(largest(&[f32::NAN, -1.0, -2.0]), 1);
        assert_eq!(largest(&[-2.0, f32::NAN, -1.0]), 2);
        assert_eq!(largest(&[f32::NAN, f32::NAN]), 0);
    }
}
