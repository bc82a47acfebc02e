//! SQuAD's JSON, version 1.1 (Rajpurkar et al. 2016) and 2.0 (Rajpurkar et al. 2018):
//! `data[].paragraphs[].{context, qas[].{id, question, answers[].{text, answer_start}, is_impossible}}`.

mod read;
#[cfg(test)]
mod tests;

pub use read::questions_of;

use crate::text::{Asked, SpanAnswer};

/// How a file is read: the task says it, whatever the file's keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SquadVersion {
    /// Whether questions may have no answer, as in version 2.0: an empty list of answers says so then.
    pub unanswerable: bool,
    /// Whether the file is to give the answers; when nothing is known of that, it does if some question has one.
    pub labelled: Option<bool>,
}

/// The questions of one file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// The contexts, in the order of the file.
    pub paragraphs: Vec<String>,
    /// The questions; at least one. Their ids are distinct.
    pub questions: Vec<Question>,
    /// Whether some may have no answer: [`SquadVersion::unanswerable`].
    pub unanswerable: bool,
    /// Malformed questions left out under [`BadRows::Skip`](super::BadRows::Skip).
    pub skipped: u64,
}

/// A question about one paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The file's id.
    pub id: String,
    /// The question as asked.
    pub text: String,
    /// The index of its paragraph.
    pub paragraph: u32,
    /// The answers as the annotators marked them, in the order of the file; none in a test file.
    pub answers: Vec<Answer>,
    /// Whether the paragraph does not answer the question, in version 2.0: `is_impossible`, or an empty list of answers.
    pub impossible: bool,
}

/// An answer: a piece of the paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its text.
    pub text: String,
    /// Where it starts in the paragraph, in Unicode characters (`answer_start`). Not checked: what is not found
    /// there is for [`Windows`](crate::text::Windows) to find or to count.
    pub start: u32,
}

impl Questions {
    /// The questions as windows are built from them, each with its first answer.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked<'_>> {
        self.questions
            .iter()
            .map(|question| Asked {
                text: &question.text,
                paragraph: question.paragraph,
                answer: match question.answers.first() {
                    _ if question.impossible => SpanAnswer::Nowhere,
                    Some(answer) => SpanAnswer::At { text: &answer.text, start: answer.start },
                    None => SpanAnswer::Unknown,
                },
            })
            .collect()
    }

    /// The context that question `i` is about.
    ///
    /// # Panics
    /// When there is no such question.
    #[must_use]
    pub fn context(&self, i: usize) -> &str {
        &self.paragraphs[self.questions[i].paragraph as usize]
    }
}
