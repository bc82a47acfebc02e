//! What a task's rule makes, before any file format: texts and the answer that follows from their meaning.

use super::lexicon::Gender;
use crate::random::Draws;

/// What an example's answer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    /// Index into the task's classes.
    Class(usize),
    /// A similarity from 0 to 5.
    Score(f64),
}

/// What a file of a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// With answers, to learn from.
    Train,
    /// With answers, to choose by.
    Dev,
    /// Without answers.
    Test,
}

/// Which of MNLI's two families of genres an example comes from; other tasks know only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    /// Genres that the training set has.
    Matched,
    /// Genres that only the mismatched sets have.
    Mismatched,
}

/// One example. `second` is empty in the single-sentence tasks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    /// Premise, question or only sentence.
    pub(super) first: String,
    /// Hypothesis, candidate answer or second sentence.
    pub(super) second: String,
    /// The genre column, where the format has one.
    pub(super) genre: &'static str,
    /// The answer that the rule gives.
    pub(super) answer: Answer,
}

impl Example {
    /// One sentence and its class.
    pub(super) fn single(text: String, class: usize) -> Self {
        Self { first: text, second: String::new(), genre: "", answer: Answer::Class(class) }
    }

    /// A pair of texts and its class.
    pub(super) fn pair(first: String, second: String, class: usize) -> Self {
        Self { first, second, genre: "", answer: Answer::Class(class) }
    }
}

/// An example and the answer that its annotators gave, which noise may have made another one.
#[derive(Clone, Debug)]
pub(super) struct Annotated {
    /// The example, with the right answer.
    pub(super) example: Example,
    /// The answer in the file.
    pub(super) label: Answer,
}

/// `a boat`, `an old boat`.
pub(super) fn a(phrase: &str) -> String {
    format!("{} {phrase}", article(phrase))
}

/// `a` or `an`, as `phrase` asks for.
pub(super) fn article(phrase: &str) -> &'static str {
    let vowel = phrase.chars().next().is_some_and(|c| "aeiou".contains(c.to_ascii_lowercase()));
    if vowel { "an" } else { "a" }
}

/// The phrase with its first letter as a capital.
pub(super) fn capital(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A sentence: capital and full stop.
pub(super) fn sentence(phrase: &str) -> String {
    format!("{}.", capital(phrase))
}

/// A question: capital and question mark.
pub(super) fn question(phrase: &str) -> String {
    format!("{}?", capital(phrase))
}

/// `she` or `he`.
pub(super) fn subject_pronoun(gender: Gender) -> &'static str {
    match gender {
        Gender::Female => "she",
        Gender::Male => "he",
    }
}

/// Another index below `bound`, never `than`. `bound` must exceed 1.
pub(super) fn other(than: usize, bound: usize, draws: &mut Draws) -> usize {
    (than + 1 + draws.below(bound - 1)) % bound
}

/// An item, the earlier ones more often: word frequencies fall as in running text.
pub(super) fn frequent<T: Copy>(items: &[T], draws: &mut Draws) -> T {
    let skewed = draws.uniform().powi(2) * items.len() as f64;
    items[(skewed as usize).min(items.len() - 1)]
}

/// An index into `weights`, with probability proportional to the weight.
pub(super) fn weighted(weights: &[f64], draws: &mut Draws) -> usize {
    let mut left = draws.uniform() * weights.iter().sum::<f64>();
    for (at, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return at;
        }
    }
    weights.len() - 1
}
