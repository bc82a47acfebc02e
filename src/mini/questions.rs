//! `SQuAD` 1.1 and 2.0: which words of a passage answer a question, if any?

use serde::Serialize;

use super::bounds::Bound;
use super::example::Use;
use super::part::{Part, Taken, Written, sentences};
use super::passages::{self, Asked, Passage, Stretch};
use super::world::World;
use super::{MiniError, folder};
use crate::random::{Draws, Stream};

/// What tells the two editions apart.
pub(super) struct Edition {
    name: &'static str,
    folder: &'static str,
    version: &'static str,
    /// Share of questions without an answer.
    open: f64,
    /// The files: name, what for, and questions.
    files: [(&'static str, Use, usize); 2],
}

/// `SQuAD` 1.1: every question has an answer.
pub(super) const FIRST: Edition = Edition {
    name: "squad1",
    folder: "SQuAD",
    version: "1.1",
    open: 0.0,
    files: [("train-v1.1", Use::Train, 700), ("dev-v1.1", Use::Dev, 200)],
};

/// `SQuAD` 2.0: a third of the questions have none.
pub(super) const SECOND: Edition = Edition {
    name: "squad2",
    folder: "SQuAD2",
    version: "v2.0",
    open: 1.0 / 3.0,
    files: [("train-v2.0", Use::Train, 700), ("dev-v2.0", Use::Dev, 200)],
};

/// Probability that a question's readers mark words that are no answer to it.
const NOISE: f64 = 0.04;
/// Share of readers who mark fewer words than they might.
const SHORTER: f64 = 0.25;
/// Paragraphs of an article.
const PARAGRAPHS: usize = 5;
/// Questions about a paragraph, at most.
const QUESTIONS: usize = 4;

/// A file, in the order of the published keys.
#[derive(Serialize)]
struct Document {
    data: Vec<Article>,
    version: &'static str,
}

#[derive(Serialize)]
struct Article {
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Serialize)]
struct Paragraph {
    context: String,
    qas: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    question: String,
    id: String,
    answers: Vec<Answer>,
    /// What looks like an answer; only where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plausible_answers: Vec<Answer>,
    /// Version 2.0 says of every question whether it has no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_impossible: Option<bool>,
}

#[derive(Serialize)]
struct Answer {
    text: String,
    answer_start: usize,
}

impl From<Stretch> for Answer {
    fn from(Stretch { text, start }: Stretch) -> Self {
        Self { text, answer_start: start }
    }
}

/// Questions of a file, those that have no answer, and those whose readers were right.
#[derive(Default)]
struct Tally {
    questions: usize,
    open: usize,
    right: usize,
}

impl Edition {
    /// The two files, their bound and their texts.
    pub(super) fn part(&self, seed: u64, world: &World) -> Result<Part, MiniError> {
        let mut part = Part::default();
        let stream = Stream::new(seed, &format!("mini/{}", self.name));
        let mut taken = Taken::new(self.name);
        for (at, (file, purpose, questions)) in (0..).zip(self.files) {
            let draws = &mut stream.at(at);
            let mut tally = Tally::default();
            let mut data: Vec<Article> = Vec::new();
            while tally.questions < questions {
                let passage =
                    taken.fresh(|passage: &Passage| passage.context.clone(), || passages::draw(world, draws))?;
                let texts = if purpose == Use::Train { &mut part.training } else { &mut part.held_out };
                texts.extend(sentences(&passage.context).map(String::from));
                let left = questions - tally.questions;
                let paragraph = self.paragraph(passage, left, purpose, &mut tally, draws);
                texts.extend(paragraph.qas.iter().map(|question| question.question.clone()));
                if data.last().is_none_or(|article| article.paragraphs.len() == PARAGRAPHS) {
                    data.push(Article { title: format!("Almanac_{}", data.len() + 1), paragraphs: Vec::new() });
                }
                if let Some(article) = data.last_mut() {
                    article.paragraphs.push(paragraph);
                }
            }
            if purpose == Use::Dev {
                part.bound = Some((self.name, tally.bound(file)));
            }
            let path = format!("{}/{file}.json", self.folder);
            let content = folder::json(&path, &Document { data, version: self.version })?;
            part.files.push(Written { path, content, examples: questions });
        }
        Ok(part)
    }

    /// A passage with some of its questions, at most `left`.
    fn paragraph(
        &self,
        passage: Passage,
        left: usize,
        purpose: Use,
        tally: &mut Tally,
        draws: &mut Draws,
    ) -> Paragraph {
        let Passage { context, mut answered, mut open, .. } = passage;
        draws.shuffle(&mut answered);
        draws.shuffle(&mut open);
        let mut qas: Vec<Entry> = Vec::new();
        for at in 0..left.min(QUESTIONS) {
            let chosen = if draws.chance(self.open) { open.pop() } else { None };
            let id = (0..3).fold(String::new(), |id, _| id + &format!("{:08x}", draws.next_u32()));
            tally.questions += 1;
            if let Some(Asked { question, answer, .. }) = chosen {
                tally.open += 1;
                tally.right += 1;
                let plausible_answers = vec![answer.into()];
                qas.push(Entry { question, id, answers: Vec::new(), plausible_answers, is_impossible: Some(true) });
                continue;
            }
            let Some(asked) = answered.get(at) else {
                tally.questions -= 1;
                break;
            };
            let wrong = if draws.chance(NOISE) { misread(asked, &answered) } else { None };
            tally.right += usize::from(wrong.is_none());
            let answers = read(wrong.as_ref().unwrap_or(asked), purpose, draws);
            let is_impossible = (self.open > 0.0).then_some(false);
            let question = asked.question.clone();
            qas.push(Entry { question, id, answers, plausible_answers: Vec::new(), is_impossible });
        }
        Paragraph { context, qas }
    }
}

/// The answer to another question that shares no word with the right one.
fn misread(asked: &Asked, all: &[Asked]) -> Option<Asked> {
    let words: Vec<&str> = asked.answer.text.split(' ').collect();
    all.iter().find(|other| other.answer.text.split(' ').all(|word| !words.contains(&word))).cloned()
}

/// What readers mark: one in training, up to three in dev, of whom the first marks all of the answer.
fn read(asked: &Asked, purpose: Use, draws: &mut Draws) -> Vec<Answer> {
    let readers = if purpose == Use::Train { 1 } else { 1 + draws.below(3) };
    let mut answers = vec![asked.answer.clone()];
    for _ in 1..readers {
        let short = !asked.shorter.is_empty() && draws.chance(SHORTER);
        answers.push(if short { draws.pick(&asked.shorter).clone() } else { asked.answer.clone() });
    }
    answers.into_iter().map(Answer::from).collect()
}

impl Tally {
    /// The range of F1: the rule's answers are those of every reader who was right; an empty answer is right
    /// where there is none, and that is always the same answer.
    fn bound(&self, split: &str) -> Bound {
        let share = |count: usize| count as f64 / self.questions.max(1) as f64;
        let (majority, ceiling) = (share(self.open), share(self.right));
        Bound { metric: "f1".to_string(), split: split.to_string(), majority, ceiling }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(count: usize) -> Vec<Passage> {
        let world = World::new(1);
        let mut draws = Stream::new(1, "test").at(0);
        (0..count).map(|_| passages::draw(&world, &mut draws)).collect()
    }

    /// Every stretch is where it says, counted in characters, and no answer is cut inside a word.
    #[test]
    fn answers_stand_where_they_say() {
        for passage in passages(300) {
            let characters: Vec<char> = passage.context.chars().collect();
            for asked in passage.answered.iter().chain(&passage.open) {
                for stretch in asked.shorter.iter().chain([&asked.answer]) {
                    let end = stretch.start + stretch.text.chars().count();
                    assert_eq!(characters[stretch.start..end].iter().collect::<String>(), stretch.text);
                    let outside = |at: Option<&char>| at.is_none_or(|c| !c.is_alphanumeric());
                    assert!(outside(characters.get(end)), "{stretch:?} in {}", passage.context);
                    assert!(outside(stretch.start.checked_sub(1).and_then(|at| characters.get(at))), "{stretch:?}");
                }
                for shorter in &asked.shorter {
                    assert!(asked.answer.text.contains(&shorter.text) && shorter.text.len() < asked.answer.text.len());
                }
            }
        }
    }

    /// A context never has the answers to one question in two places: who asks twice hears the same.
    #[test]
    fn a_question_has_one_answer() {
        for passage in passages(1000) {
            for (at, one) in passage.answered.iter().enumerate() {
                for two in &passage.answered[at + 1..] {
                    assert!(one.question != two.question, "{}: {}", passage.context, one.question);
                }
                assert!(passage.open.iter().all(|open| open.question != one.question), "{}", passage.context);
            }
        }
    }

    #[test]
    fn contexts_have_what_makes_spans_hard() {
        let passages = passages(500);
        let share = |holds: &dyn Fn(&Passage) -> bool| {
            passages.iter().filter(|passage| holds(passage)).count() as f64 / passages.len() as f64
        };
        let shifted = share(&|passage| {
            passage.answered.iter().any(|asked| passage.context.find(&asked.answer.text) != Some(asked.answer.start))
        });
        let repeated = share(&|passage| {
            passage.answered.iter().any(|asked| passage.context.matches(&asked.answer.text).count() > 1)
        });
        let long = share(&|passage| passage.context.split_whitespace().count() > 60);
        assert!(shifted > 0.3 && repeated > 0.3 && (0.05..0.2).contains(&long), "{shifted} {repeated} {long}");
    }
}
