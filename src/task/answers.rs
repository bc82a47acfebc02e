//! A split with what its gold answers are, and what a model's outputs make of it.

use super::Task;
use super::spans::{
    self, NullAnswer, SpanOutputs, SpanSettings, n_best_json, null_odds_json, predictions_json, scores_v1_json,
    scores_v2_json,
};
use super::tags::{TagSet, kinds_tsv, predictions, tag_scores};
use crate::data::{Content, Question, Questions, Sentences};
use crate::metric::Value;
use crate::metric::squad::{NullOdds, score_v1, score_v2};
use crate::model::Head;
use crate::store::{SpanOptions, TaskOptions};
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

impl Gold {
    /// What the answers to `read` are held against.
    pub(super) fn of(read: Content, options: Option<&TaskOptions>) -> Self {
        match (read, options) {
            (Content::Questions(questions), Some(TaskOptions::Spans(options))) => {
                Self::Questions { questions, options: *options }
            }
            (Content::Sentences(sentences), _) => Self::Sentences(sentences),
            (Content::Texts(_) | Content::Choices(_) | Content::Questions(_), _) => Self::Labels,
        }
    }
}

impl DevSplit {
    /// Whether every example has its gold answer, so that there is a score.
    #[must_use]
    pub fn has_gold(&self) -> bool {
        match &self.gold {
            Gold::Labels => !self.features.labels().iter().any(|label| label.is_nan()),
            Gold::Questions { questions, .. } => !questions.questions.iter().any(is_unanswered),
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

impl Task {
    /// Every metric of the task over a whole split, in the order of [`Task::metrics`].
    ///
    /// `outputs` has a row for every sequence or every token of the split's features, in order. `tags` are the
    /// classes of a task that names them in its training data.
    #[must_use]
    pub fn values(&self, outputs: &[f32], split: &DevSplit, tags: &[String]) -> Vec<Value> {
        let all = match &split.gold {
            Gold::Labels => return self.score(outputs, split.features.labels()),
            Gold::Questions { questions, options } => {
                let answers = decode(questions, *options, outputs, &split.features);
                let judged = spans::judged(questions, &answers);
                let tally =
                    if may_be_unanswerable(questions) { score_v2(&judged, None).all } else { score_v1(&judged) };
                vec![("exact_match", tally.exact_fraction()), ("f1", tally.f1_fraction())]
            }
            Gold::Sentences(sentences) => {
                let predicted = decode_tags(sentences, tags, outputs, &split.features);
                let counts = tag_scores(&sentences.sentences, &predicted).overall;
                vec![("precision", counts.precision()), ("recall", counts.recall()), ("f1", counts.f1())]
            }
        };
        let value = |name: &str| all.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, value)| *value);
        self.metrics.iter().map(|metric| metric.value(value(metric.name))).collect()
    }

    /// The predictions for a split as files: a table, or what the task's own judge reads. Arguments as
    /// [`Task::values`].
    #[must_use]
    pub fn prediction_files(&self, outputs: &[f32], split: &DevSplit, tags: &[String]) -> Vec<PredictionFile> {
        let file = |name: String, content| PredictionFile { name, content };
        let name = split.name;
        match &split.gold {
            Gold::Labels => {
                vec![file(format!("predictions-{name}.tsv"), self.predictions_tsv(outputs, split.features.labels()))]
            }
            Gold::Questions { questions, options } => {
                let answers = decode(questions, *options, outputs, &split.features);
                let judged = spans::judged(questions, &answers);
                let mut files = vec![
                    file("predictions.json".into(), predictions_json(questions, &answers)),
                    file("nbest_predictions.json".into(), n_best_json(questions, &answers)),
                ];
                if may_be_unanswerable(questions) {
                    let odds: Vec<f64> = answers.iter().map(|answer| answer.null_odds.unwrap_or(f64::NAN)).collect();
                    // No odds are above this: the answers stand as they were given, and the best threshold is sought.
                    let odds = NullOdds { odds: &odds, threshold: f64::INFINITY };
                    files.push(file("null_odds.json".into(), null_odds_json(questions, &answers)));
                    files.push(file("scores.json".into(), scores_v2_json(&score_v2(&judged, Some(odds)))));
                } else {
                    files.push(file("scores.json".into(), scores_v1_json(&score_v1(&judged))));
                }
                files
            }
            Gold::Sentences(sentences) => {
                let predicted = decode_tags(sentences, tags, outputs, &split.features);
                let mut files =
                    vec![file(format!("predictions-{name}.txt"), predictions(&sentences.sentences, &predicted))];
                if split.has_gold() {
                    let scores = tag_scores(&sentences.sentences, &predicted);
                    files.push(file(format!("entities-{name}.tsv"), kinds_tsv(&scores)));
                }
                files
            }
        }
    }

    /// Numbers that the model puts out for a sequence or a token.
    #[must_use]
    pub fn outputs(&self, tags: &[String]) -> usize {
        match self.head {
            Head::Classes => self.classes().len(),
            Head::Regression | Head::Choices => 1,
            Head::Spans => 2,
            Head::Tags => tags.len(),
        }
    }
}

/// Whether the file is one of SQuAD 2.0's kind: some question has no answer, or it gives none at all and says that it is
/// of version 2.
fn may_be_unanswerable(questions: &Questions) -> bool {
    let says_so = || questions.version.as_deref().is_some_and(|version| version.starts_with("v2"));
    questions.questions.iter().any(|question| question.impossible)
        || (says_so() && questions.questions.iter().all(is_unanswered))
}

/// Whether nothing is known of the answer.
fn is_unanswered(question: &Question) -> bool {
    question.answers.is_empty() && !question.impossible
}

fn decode(questions: &Questions, options: SpanOptions, outputs: &[f32], features: &FeatureSet) -> Vec<spans::Decoded> {
    let settings = SpanSettings {
        n_best: options.n_best_size as usize,
        max_answer_length: options.max_answer_length as usize,
        doc_stride: options.doc_stride,
        null: if may_be_unanswerable(questions) {
            NullAnswer::Above(options.null_score_diff_threshold)
        } else {
            NullAnswer::Never
        },
    };
    let (offsets, source_index, offset_mapping) =
        (features.offsets(), features.source_index(), features.offset_mapping());
    spans::decode(questions, &SpanOutputs { logits: outputs, offsets, source_index, offset_mapping }, &settings)
}

fn decode_tags(
    sentences: &Sentences,
    tags: &[String],
    outputs: &[f32],
    features: &FeatureSet,
) -> Vec<Vec<std::sync::Arc<str>>> {
    let (offsets, source_index, offset_mapping) =
        (features.offsets(), features.source_index(), features.offset_mapping());
    TagSet::from_names(tags).decode(&sentences.sentences, outputs, offsets, source_index, offset_mapping)
}
