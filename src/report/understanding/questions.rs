//! Questions by what they ask for, by the length of their answer, and by whether there is one.

use super::grouped::{Part, table};
use super::sides::Sides;
use crate::report::Error;
use crate::report::block::Block;
use crate::store::{ExampleQuestion, Examples};

/// What questions ask with, in the order of the table; `how many` stands before `how`.
const WORDS: [(&str, &[&str]); 9] = [
    ("what", &["what", "what's"]),
    ("who", &["who", "whom", "whose", "who's"]),
    ("when", &["when"]),
    ("where", &["where"]),
    ("which", &["which"]),
    ("why", &["why"]),
    ("how many", &[]),
    ("how", &["how"]),
    ("other", &[]),
];

/// Words of the shortest answer, from and up to.
const LENGTHS: [(usize, usize); 6] = [(1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, usize::MAX)];

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let Some(Examples::Questions(all)) = pair.examples else { return Ok(Vec::new()) };
    let of = |name: &str, is_own: &dyn Fn(&ExampleQuestion) -> bool| -> Part {
        (name.to_owned(), (0..all.len() as u32).filter(|at| is_own(&all[*at as usize])).collect())
    };
    let metrics = ["exact_match", "f1"];
    let by_word: Vec<Part> =
        WORDS.iter().map(|(name, _)| of(name, &|example| question_word(&example.question) == *name)).collect();
    let mut blocks = vec![Block::Table(table(pair, "By question word", "Asks", &by_word, &metrics))];
    let by_length: Vec<Part> = LENGTHS
        .iter()
        .map(|(low, high)| {
            let name = match (low, high) {
                (low, &usize::MAX) => format!("{low} or more"),
                (low, high) if low == high => low.to_string(),
                (low, high) => format!("{low} to {high}"),
            };
            of(&name, &|example| answer_words(example).is_some_and(|words| (*low..=*high).contains(&words)))
        })
        .collect();
    blocks.push(Block::Table(table(pair, "By the shortest gold answer", "Words", &by_length, &metrics)));
    let answered = of("HasAns", &|example| !example.answers.is_empty());
    let unanswered = of("NoAns", &|example| example.answers.is_empty());
    if !unanswered.1.is_empty() {
        let parts = [answered, unanswered];
        blocks.push(Block::Table(table(pair, "With and without an answer in the text", "Questions", &parts, &metrics)));
    }
    Ok(blocks)
}

/// The first question word of a question.
fn question_word(question: &str) -> &'static str {
    let lower = question.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    for (at, word) in words.iter().enumerate() {
        if *word == "how" && words.get(at + 1).is_some_and(|next| ["many", "much"].contains(next)) {
            return "how many";
        }
        if let Some((name, _)) = WORDS.iter().find(|(_, words)| words.contains(word)) {
            return name;
        }
    }
    "other"
}

/// Words of the shortest answer, at least one.
fn answer_words(example: &ExampleQuestion) -> Option<usize> {
    example.answers.iter().map(|answer| answer.split_whitespace().count().max(1)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_question_word_counts() {
        for (question, word) in [
            ("What is it?", "what"),
            ("In which city did who live?", "which"),
            ("By how many points?", "how many"),
            ("How old is he?", "how"),
            ("Whose idea was it?", "who"),
            ("Name the river.", "other"),
            ("Somewhat odd: when?", "when"),
        ] {
            assert_eq!(question_word(question), word, "{question}");
        }
    }
}
