//! The examples of a dev split as people read them.

use std::collections::BTreeSet;

use super::{FeatureSource, Task};
use crate::data::{Content, Question, Questions};
use crate::diagnostic::Diagnostic;
use crate::model::Head;
use crate::store::{ExampleChoice, ExampleQuestion, ExampleText, Examples};

/// Characters of a paragraph that are kept on either side of an answer.
const AROUND: usize = 150;

impl Task {
    /// The examples of the dev split called `split`, in the order of its file; `None` of tagged words, which a run's
    /// predictions repeat.
    ///
    /// # Errors
    /// As [`Task::features`].
    pub fn examples(&self, split: &str, source: &FeatureSource<'_>) -> Result<Option<Examples>, Diagnostic> {
        if self.head == Head::Tags {
            return Ok(None);
        }
        Ok(match source.read(&self.dataset, self.dataset.split(split)?)? {
            Content::Texts(split) => {
                let of = |example: crate::data::Example| ExampleText { first: example.first, second: example.second };
                Some(Examples::Texts(split.examples.into_iter().map(of).collect()))
            }
            Content::Choices(choices) => {
                let of =
                    |choice: crate::data::Choice| ExampleChoice { context: choice.context, endings: choice.endings };
                Some(Examples::Choices(choices.choices.into_iter().map(of).collect()))
            }
            Content::Questions(questions) => {
                let of = |question| kept(&questions, question);
                Some(Examples::Questions(questions.questions.iter().map(of).collect()))
            }
            Content::Sentences(_) => None,
        })
    }
}

fn kept(questions: &Questions, question: &Question) -> ExampleQuestion {
    let context = &questions.paragraphs[question.paragraph as usize];
    let given = question.answers.iter().filter(|_| !question.impossible);
    let mut seen = BTreeSet::new();
    let answers = given.map(|answer| answer.text.clone()).filter(|text| seen.insert(text.clone())).collect();
    let start = question.answers.first().map_or(0, |answer| answer.start as usize);
    let length = question.answers.first().map_or(0, |answer| answer.text.chars().count());
    ExampleQuestion {
        id: question.id.clone(),
        question: question.text.clone(),
        answers,
        context: around(context, start, length),
        context_words: context.split_whitespace().count() as u32,
    }
}

/// `length` characters of a text from `start` on with what stands around them.
fn around(text: &str, start: usize, length: usize) -> String {
    let from = start.saturating_sub(AROUND);
    let to = start.saturating_add(length).saturating_add(AROUND);
    let piece: String = text.chars().take(to).skip(from).collect();
    let (before, after) = (if from > 0 { "…" } else { "" }, if text.chars().nth(to).is_some() { "…" } else { "" });
    format!("{before}{piece}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Answer;

    #[test]
    fn a_question_keeps_each_answer_once_and_the_text_around_the_first() {
        let paragraph = format!("{}answer{}", "é".repeat(200), " b".repeat(100));
        let answer = |text: &str, start| Answer { text: text.into(), start };
        let question = |answers: Vec<Answer>, impossible| Question {
            id: "q".into(),
            text: "What?".into(),
            paragraph: 0,
            answers,
            impossible,
        };
        let questions = |question| Questions {
            paragraphs: vec![paragraph.clone()],
            questions: vec![question],
            unanswerable: true,
            skipped: 0,
        };
        let all = questions(question(vec![answer("answer", 200), answer("b", 209), answer("answer", 200)], false));
        let found = kept(&all, &all.questions[0]);
        assert_eq!(found.answers, ["answer", "b"]);
        assert_eq!(found.context, format!("…{}answer{}…", "é".repeat(150), " b".repeat(75)));
        assert_eq!(found.context_words, 101);
        let none = questions(question(vec![answer("plausible", 0)], true));
        assert!(kept(&none, &none.questions[0]).answers.is_empty());
        assert_eq!(around("short", 0, 0), "short");
        assert_eq!(around("short", usize::MAX, 5), "…");
    }
}
