//! The n best spans of one question.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::Range;

use super::{Candidate, Decoded, SpanOutputs};
use crate::settings::SpanOptions;

/// The score of no answer before any window has said one, as in `run_squad.py`.
const NO_NULL_SCORE: f64 = 1_000_000.0;
/// What `run_squad.py` answers when no span is valid.
const NO_SPAN: &str = "empty";
/// What a token's own window adds to its score of context, per token of the window (`_check_is_max_context`).
const LONGER_WINDOW: f64 = 0.01;

/// A window of one question. Tokens count from its `[CLS]`.
pub(super) struct Window<'a> {
    /// `[tokens, 2]`
    logits: &'a [[f32; 2]],
    offset_mapping: &'a [[u32; 2]],
    /// Its tokens of the context.
    context: Range<usize>,
    /// Where its part of the context starts, in tokens of the context.
    start: usize,
}

impl<'a> Window<'a> {
    /// The windows of one question, from the ranges of their tokens in the outputs.
    pub(super) fn of(
        outputs: &SpanOutputs<'a>,
        tokens: impl Iterator<Item = Range<usize>>,
        doc_stride: usize,
    ) -> Vec<Self> {
        let (mut windows, mut next): (Vec<Self>, usize) = (Vec::new(), 0);
        for tokens in tokens {
            let offset_mapping = &outputs.offset_mapping[tokens.clone()];
            let is_context = |place: &[u32; 2]| place[0] != u32::MAX;
            let first = offset_mapping.iter().position(is_context).unwrap_or(0);
            let context = first..offset_mapping.iter().rposition(is_context).map_or(first, |last| last + 1);
            // The step from one window to the next, as they are cut.
            let start = next;
            next += doc_stride.min(context.len());
            windows.push(Self { logits: &outputs.logits.as_chunks().0[tokens], offset_mapping, context, start });
        }
        windows
    }

    /// The logit of each token to be the answer's first (0) or last (1) one.
    fn logit(&self, token: usize, end: usize) -> f64 {
        f64::from(self.logits[token][end])
    }

    /// The tokens with the largest logits, best first; of equal ones the first. A logit that is no finite number
    /// makes its token no candidate.
    fn best(&self, end: usize, n_best: usize) -> Vec<usize> {
        let mut tokens: Vec<usize> =
            (0..self.logits.len()).filter(|token| self.logits[*token][end].is_finite()).collect();
        tokens.sort_by(|a, b| descending(self.logit(*a, end), self.logit(*b, end)));
        tokens.truncate(n_best);
        tokens
    }

    /// How much context the window gives token `at` of the context; `None` when it does not hold it.
    fn context_of(&self, at: usize) -> Option<f64> {
        let left = at.checked_sub(self.start)?;
        let right = (self.context.len()).checked_sub(left + 1)?;
        Some(left.min(right) as f64 + LONGER_WINDOW * self.context.len() as f64)
    }
}

/// A span of one window.
#[derive(Clone, Copy)]
struct Span {
    /// The characters of the context; `None` for no answer.
    place: Option<[u32; 2]>,
    start_logit: f64,
    end_logit: f64,
}

impl Span {
    fn score(&self) -> f64 {
        self.start_logit + self.end_logit
    }

    fn candidate(&self, text: String) -> Candidate {
        Candidate { text, probability: 0.0, start_logit: self.start_logit, end_logit: self.end_logit }
    }
}

/// The answer to the question that these windows ask about `context`, or none where it may be `unanswerable`.
pub(super) fn decode(context: &str, windows: &[Window<'_>], options: &SpanOptions, unanswerable: bool) -> Decoded {
    let mut spans: Vec<Span> = (0..windows.len()).flat_map(|window| spans_of(windows, window, options)).collect();
    let (null_score, null) = null_span(windows);
    if unanswerable {
        spans.push(null);
    }
    // Stable, as Python's: of equal scores the one found first.
    spans.sort_by(|a, b| descending(a.score(), b.score()));
    let mut n_best = distinct(context, &spans, options.n_best_size as usize);
    let nonce = Span { place: None, start_logit: 0.0, end_logit: 0.0 }.candidate(NO_SPAN.to_owned());
    if unanswerable {
        if n_best.iter().all(|candidate| !candidate.text.is_empty()) {
            n_best.push(null.candidate(String::new()));
        }
        if n_best.len() == 1 {
            n_best.insert(0, nonce);
        }
    } else if n_best.is_empty() {
        n_best.push(nonce);
    }
    softmax(&mut n_best);
    let best = n_best.iter().find(|candidate| !candidate.text.is_empty());
    let odds = best.map_or(null_score, |best| null_score - best.start_logit - best.end_logit);
    let is_null = unanswerable && odds > options.null_score_diff_threshold;
    let text = best.filter(|_| !is_null).map(|best| best.text.clone()).unwrap_or_default();
    Decoded { text, n_best, null_odds: unanswerable.then_some(odds) }
}

/// The valid spans between the best starts and the best ends of window `number`.
fn spans_of(windows: &[Window<'_>], number: usize, options: &SpanOptions) -> Vec<Span> {
    let window = &windows[number];
    let mut spans = Vec::new();
    let n_best = options.n_best_size as usize;
    let ends = window.best(1, n_best);
    for start in window.best(0, n_best) {
        if !window.context.contains(&start) || !has_most_context(windows, number, start) {
            continue;
        }
        for end in ends.iter().copied().filter(|end| window.context.contains(end)) {
            if (start..start.saturating_add(options.max_answer_length as usize)).contains(&end) {
                spans.push(Span {
                    place: Some([window.offset_mapping[start][0], window.offset_mapping[end][1]]),
                    start_logit: window.logit(start, 0),
                    end_logit: window.logit(end, 1),
                });
            }
        }
    }
    spans
}

/// Whether no other window gives this token of window `number` more context; of equal ones the first counts.
fn has_most_context(windows: &[Window<'_>], number: usize, token: usize) -> bool {
    let window = &windows[number];
    let at = window.start + token - window.context.start;
    let mut best: Option<(usize, f64)> = None;
    for (other, score) in windows.iter().enumerate().filter_map(|(other, window)| Some((other, window.context_of(at)?)))
    {
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((other, score));
        }
    }
    best.is_some_and(|(most, _)| most == number)
}

/// The smallest score of `[CLS]` over the windows, and the span that it stands for. Where it is no number, the window
/// says nothing.
fn null_span(windows: &[Window<'_>]) -> (f64, Span) {
    let none = Span { place: None, start_logit: 0.0, end_logit: 0.0 };
    let of = |window: &Window<'_>| Span { start_logit: window.logit(0, 0), end_logit: window.logit(0, 1), ..none };
    let said = |window: &&Window<'_>| window.logits.first().is_some_and(|logits| logits.iter().all(|x| x.is_finite()));
    let spans = windows.iter().filter(said).map(of);
    spans.fold(
        (NO_NULL_SCORE, none),
        |(least, span), other| {
            if other.score() < least { (other.score(), other) } else { (least, span) }
        },
    )
}

/// The first spans of distinct text, at most `n_best`.
fn distinct(context: &str, spans: &[Span], n_best: usize) -> Vec<Candidate> {
    // Where each character starts, and the end.
    let bytes: Vec<usize> = context.char_indices().map(|(at, _)| at).chain([context.len()]).collect();
    let text = |[from, to]: [u32; 2]| {
        let byte = |character: u32| bytes.get(character as usize).copied();
        byte(from).zip(byte(to)).and_then(|(from, to)| context.get(from..to)).unwrap_or_default()
    };
    let mut seen: HashSet<&str> = HashSet::new();
    let mut kept = Vec::new();
    for span in spans {
        if kept.len() >= n_best {
            break;
        }
        let text = span.place.map_or("", text);
        // Pieces without a character of their own answer nothing.
        if span.place.is_some() == text.is_empty() || !seen.insert(text) {
            continue;
        }
        kept.push(span.candidate(text.to_owned()));
    }
    kept
}

fn softmax(candidates: &mut [Candidate]) {
    let score = |candidate: &Candidate| candidate.start_logit + candidate.end_logit;
    let most = candidates.iter().map(score).fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for candidate in &mut *candidates {
        candidate.probability = (score(candidate) - most).exp();
        sum += candidate.probability;
    }
    for candidate in candidates {
        candidate.probability /= sum;
    }
}

/// Larger numbers first. There is no NaN among logits that are finite.
fn descending(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).unwrap_or(Ordering::Equal)
}
