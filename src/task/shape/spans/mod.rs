//! A span of a text that answers a question, or none: SQuAD. From start and end logits to answers, as
//! `write_predictions` of google-research/bert's `run_squad.py`: the n best spans of each question over its windows, the
//! score of no answer, the files that others read, the scores.

mod files;
mod rank;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::{DevSplit, Gold, PredictionFile, Reading, Shape, cross_entropy, mean, other_shape};
use crate::data::{Content, Question, Questions};
use crate::diagnostic::Diagnostic;
use crate::metric::Metric;
use crate::metric::squad::{Judged, NullOdds, question_scores, score_v1, score_v2};
use crate::settings::SpanOptions;
use crate::store::{Answers, TaskOptions};
use crate::text::{FeatureSet, LabelKind, Parts, SkippedRows, WindowSettings, Windows};

pub use files::{n_best_json, null_odds_json, predictions_json, scores_v1_json, scores_v2_json};

pub(super) struct Spans;

impl Shape for Spans {
    fn max_length(&self) -> u32 {
        // google-research/bert, run_squad.py.
        384
    }

    fn default_options(&self) -> Option<TaskOptions> {
        Some(TaskOptions::Spans(SpanOptions::default()))
    }

    fn features(&self, content: &Content, reading: &Reading<'_>) -> Result<FeatureSet, Diagnostic> {
        let (Content::Questions(read), Some(TaskOptions::Spans(options))) = (content, reading.options) else {
            return Err(other_shape());
        };
        let SpanOptions { doc_stride, max_query_length, .. } = *options;
        let settings = WindowSettings { max_length: reading.max_length, doc_stride, max_query_length };
        let Windows { parts, unanswered, unfindable } =
            Windows::build(reading.tokenizer, &read.paragraphs, &read.asked(), settings, reading.purpose)?;
        let left_out = SkippedRows { malformed: read.skipped, without_gold: unanswered, unfindable };
        Ok(FeatureSet::from_parts(parts, LabelKind::Spans, left_out))
    }

    fn feature_key(&self, options: Option<&TaskOptions>, _: &[String]) -> String {
        match options {
            Some(TaskOptions::Spans(SpanOptions { doc_stride, max_query_length, .. })) => {
                format!("doc_stride {doc_stride} max_query_length {max_query_length}")
            }
            Some(TaskOptions::Tags(_)) | None => String::new(),
        }
    }

    fn gold(&self, content: Content, options: Option<&TaskOptions>) -> Gold {
        match (content, options) {
            (Content::Questions(questions), Some(TaskOptions::Spans(options))) => {
                Gold::Questions { questions, options: *options }
            }
            _ => Gold::Labels,
        }
    }

    fn width(&self, _: &[&str]) -> usize {
        2
    }

    fn row_names<'a>(&self, _: &'a [&'a str]) -> Option<&'a [&'a str]> {
        None
    }

    fn values(&self, metrics: &[&Metric], outputs: &[f32], split: &DevSplit, _: &[&str]) -> Vec<f64> {
        let Gold::Questions { questions, options } = &split.gold else { return vec![f64::NAN; metrics.len()] };
        let answers = answers(questions, *options, outputs, &split.features);
        let judged = judged(questions, &answers);
        let tally = if questions.unanswerable { score_v2(&judged, None).all } else { score_v1(&judged) };
        let value = |metric: &&Metric| match metric.name {
            "exact_match" => tally.exact_fraction(),
            "f1" => tally.f1_fraction(),
            _ => f64::NAN,
        };
        metrics.iter().map(value).collect()
    }

    fn files(&self, outputs: &[f32], split: &DevSplit, _: &[&str]) -> Vec<PredictionFile> {
        let Gold::Questions { questions, options } = &split.gold else { return Vec::new() };
        let file = |name: &str, content| PredictionFile { name: name.to_owned(), content };
        let answers = answers(questions, *options, outputs, &split.features);
        let judged = judged(questions, &answers);
        let mut files = vec![
            file("predictions.json", predictions_json(questions, &answers)),
            file("nbest_predictions.json", n_best_json(questions, &answers)),
        ];
        if questions.unanswerable {
            let odds: Vec<f64> = answers.iter().map(|answer| answer.null_odds.unwrap_or(f64::NAN)).collect();
            // No odds are above this: the answers stand as they were given, and the best threshold is sought.
            let odds = NullOdds { odds: &odds, threshold: f64::INFINITY };
            files.push(file("null_odds.json", null_odds_json(questions, &answers)));
            files.push(file("scores.json", scores_v2_json(&score_v2(&judged, Some(odds)))));
        } else {
            files.push(file("scores.json", scores_v1_json(&score_v1(&judged))));
        }
        files
    }

    fn answers_by_example(&self, outputs: &[f32], split: &DevSplit, _: &[&str]) -> Answers {
        let Gold::Questions { questions, options } = &split.gold else {
            return Answers::Spans { exact: Vec::new(), f1: Vec::new() };
        };
        let answers = answers(questions, *options, outputs, &split.features);
        let scores = question_scores(&judged(questions, &answers), questions.unanswerable);
        let (exact, f1) = scores.into_iter().unzip();
        Answers::Spans { exact, f1 }
    }

    fn mean_loss(&self, outputs: &[f32], features: &FeatureSet) -> (f64, &'static str) {
        let spans = features.labels().chunks_exact(2).zip(features.parts().offsets.windows(2));
        let losses = spans.filter(|(span, _)| !span[0].is_nan()).map(|(span, tokens)| {
            let rows = &outputs[2 * tokens[0] as usize..2 * tokens[1] as usize];
            let side = |side: usize| cross_entropy(&rows.iter().copied().skip(side).step_by(2), span[side] as usize);
            f64::midpoint(side(0), side(1))
        });
        (mean(losses), "nats")
    }

    fn answers(&self, _: &[&str]) -> Vec<String> {
        vec!["a span of the text, or none".to_owned()]
    }

    fn unit(&self) -> &'static str {
        "windows"
    }

    fn label_counts(&self, labels: &[f32], _: &[&str]) -> String {
        let answered = labels.chunks_exact(2).filter(|span| span.iter().any(|place| *place > 0.0)).count();
        format!("{answered} of them with an answer")
    }
}

/// Whether nothing is known of the answer.
pub(super) fn is_unanswered(question: &Question) -> bool {
    question.answers.is_empty() && !question.impossible
}

fn answers(questions: &Questions, options: SpanOptions, outputs: &[f32], features: &FeatureSet) -> Vec<Decoded> {
    let Parts { offsets, source_index, offset_mapping, .. } = features.parts();
    decode(questions, &SpanOutputs { logits: outputs, offsets, source_index, offset_mapping }, &options)
}

/// What a model said of windows that [`Windows`] cut: its columns and the logits of its tokens.
#[derive(Clone, Copy, Debug)]
pub struct SpanOutputs<'a> {
    /// The logits of being the first and the last token of the answer: `[tokens, 2]`, row-major.
    pub logits: &'a [f32],
    /// Where each window starts, and the number of all tokens: `[windows + 1]`.
    pub offsets: &'a [u64],
    /// The index of each window's question, ascending: `[windows]`.
    pub source_index: &'a [u32],
    /// Where each token stands in the context, from and up to a Unicode character: `[tokens]`; [`u32::MAX`] twice
    /// where it does not.
    pub offset_mapping: &'a [[u32; 2]],
}

/// One of the n best answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The context's own characters; empty for no answer.
    pub text: String,
    /// The softmax over the question's candidates.
    pub probability: f64,
    /// The logit of the first token.
    pub start_logit: f64,
    /// The logit of the last token.
    pub end_logit: f64,
}

/// What a question is answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The answer; empty for none.
    pub text: String,
    /// The candidates, best first; at least one.
    pub n_best: Vec<Candidate>,
    /// By how much `[CLS]` scores better than the best span; `None` where every question has an answer.
    pub null_odds: Option<f64>,
}

/// The answer to each question, with all threads; their number changes nothing. A question without windows or without
/// any valid span is answered as `run_squad.py` and its successor in transformers do: with `empty`, or with
/// nothing where that is an answer.
///
/// # Panics
/// When the columns' lengths do not fit each other, or owners are not ascending numbers of questions.
#[must_use]
pub fn decode(questions: &Questions, outputs: &SpanOutputs<'_>, options: &SpanOptions) -> Vec<Decoded> {
    let SpanOutputs { logits, offsets, source_index, offset_mapping } = *outputs;
    assert_eq!(logits.len(), 2 * offset_mapping.len(), "two logits per token");
    assert_eq!(offsets.len(), source_index.len() + 1, "one offset per window, and the end");
    assert!(source_index.is_sorted(), "the windows of a question follow each other");
    (0..questions.questions.len())
        .into_par_iter()
        .map(|question| {
            let first = source_index.partition_point(|owner| (*owner as usize) < question);
            let after = source_index.partition_point(|owner| (*owner as usize) <= question);
            let tokens = (first..after).map(|window| offsets[window] as usize..offsets[window + 1] as usize);
            let windows = rank::Window::of(outputs, tokens, options.doc_stride as usize);
            rank::decode(questions.context(question), &windows, options, questions.unanswerable)
        })
        .collect()
}

/// Predictions, one per question, beside the annotators' answers.
///
/// # Panics
/// When there is not one per question.
#[must_use]
pub fn judged<'a>(questions: &'a Questions, predictions: &'a [Decoded]) -> Vec<Judged<'a>> {
    assert_eq!(questions.questions.len(), predictions.len(), "one prediction per question");
    let references = |answers: &'a [crate::data::Answer]| answers.iter().map(|answer| answer.text.as_str()).collect();
    let both = questions.questions.iter().zip(predictions);
    both.map(|(question, decoded)| Judged {
        prediction: Some(&decoded.text),
        references: references(&question.answers),
    })
    .collect()
}
