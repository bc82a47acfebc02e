//! From start and end logits to answers, as `write_predictions` of google-research/bert's `run_squad.py`: the n best
//! spans of each question over its windows, the score of no answer, the files that others read, the scores.

mod files;
mod rank;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::data::Questions;
use crate::metric::squad::Judged;

pub use files::{n_best_json, null_odds_json, predictions_json, scores_v1_json, scores_v2_json};

/// How spans are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpanSettings {
    /// How many starts and ends of each window are paired, and how many answers are kept.
    pub n_best: usize,
    /// The longest answer in tokens.
    pub max_answer_length: usize,
    /// The [`doc_stride`](crate::text::WindowSettings::doc_stride) of the windows.
    pub doc_stride: u32,
    /// Whether a question may have no answer.
    pub null: NullAnswer,
}

/// Whether a question may have no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NullAnswer {
    /// Never: SQuAD 1.1.
    Never,
    /// SQuAD 2.0: when `[CLS]` scores better than the best span by more than this (`null_score_diff_threshold`).
    Above(f64),
}

impl Default for SpanSettings {
    /// `run_squad.py`'s, for SQuAD 1.1: 20 answers of up to 30 tokens, windows 128 apart.
    fn default() -> Self {
        Self { n_best: 20, max_answer_length: 30, doc_stride: 128, null: NullAnswer::Never }
    }
}

/// What a model said of windows that [`Windows`](crate::text::Windows) cut: its columns and the logits of its tokens.
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
    /// By how much `[CLS]` scores better than the best span; `None` under [`NullAnswer::Never`].
    pub null_odds: Option<f64>,
}

/// The answer to each question, with all threads; their number changes nothing. A question without windows or without
/// any valid span is answered as `run_squad.py` and its successor in transformers do: with `empty`, or with
/// nothing where that is an answer.
///
/// # Panics
/// When the columns' lengths do not fit each other, or owners are not ascending numbers of questions.
#[must_use]
pub fn decode(questions: &Questions, outputs: &SpanOutputs<'_>, settings: &SpanSettings) -> Vec<Decoded> {
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
            let windows = rank::Window::of(outputs, tokens, settings.doc_stride as usize);
            rank::decode(questions.context(question), &windows, settings)
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
