//! `vocab.txt`: a `WordPiece` vocabulary in BERT's order (special tokens, characters, words, pieces), and
//! after it what the texts of the tasks beside GLUE and of the corpus need.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lexicon::{TOWN_ENDS, TOWN_STARTS};
use super::part::Part;

/// BERT's special tokens.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Endings that a rare word is split into.
const ENDINGS: [&str; 18] = [
    "##s", "##ed", "##ing", "##ly", "##er", "##est", "##ness", "##ful", "##less", "##able", "##ion", "##ist", "##by",
    "##wick", "##ford", "##holm", "##mere", "##den",
];

/// A word seen less often in the training texts is split into pieces.
const WHOLE: usize = 4;

/// The vocabulary of the folder for lower-cased text, one token a line: that of the `rows` of GLUE's
/// tasks, then the words of `others` that it lacks. No word of the former is split in another way for
/// the latter.
///
/// Every printable ASCII character is there alone and as a `##` piece, so that no ASCII text has an
/// unknown word; every other character of the texts is there alone.
pub(super) fn vocabulary(rows: &[Part], others: &[Part]) -> String {
    let mut tokens = of_rows(rows.iter().flat_map(|part| &part.training));
    let known: BTreeSet<&str> = tokens.iter().map(String::as_str).collect();
    let split: BTreeSet<String> =
        texts(rows).flat_map(|text| words(text)).filter(|word| !known.contains(word.as_str())).collect();
    // A word that begins with a new token would be split after it.
    let moves = |token: &str| split.range(token.to_string()..).next().is_some_and(|word| word.starts_with(token));
    let mut added: Vec<(String, usize)> = counts(others.iter().flat_map(|part| &part.training))
        .into_iter()
        .filter(|(word, count)| *count >= WHOLE && word.chars().count() > 1 && !is_town(word))
        .filter(|(word, _)| !known.contains(word.as_str()) && !moves(word))
        .collect();
    added.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let foreign = texts(others).filter(|text| !text.is_ascii());
    let characters: BTreeSet<char> =
        foreign.flat_map(|text| words(text)).flat_map(|word| word.chars().collect::<Vec<_>>()).collect();
    tokens.extend(added.into_iter().map(|(word, _)| word));
    tokens.extend(characters.into_iter().filter(|c| !c.is_ascii()).map(String::from));
    tokens.join("\n") + "\n"
}

/// Every text of the parts' files.
fn texts(parts: &[Part]) -> impl Iterator<Item = &String> {
    parts.iter().flat_map(|part| part.training.iter().chain(&part.held_out))
}

/// How often each word occurs.
fn counts<'a>(texts: impl Iterator<Item = &'a String>) -> BTreeMap<String, usize> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in texts.flat_map(|text| words(text)) {
        *counts.entry(word).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// The vocabulary of GLUE's tasks. Town names are never whole: their beginnings and endings are pieces.
fn of_rows<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut whole: Vec<(String, usize)> =
        counts(texts).into_iter().filter(|(word, count)| *count >= WHOLE && word.len() > 1 && !is_town(word)).collect();
    for start in TOWN_STARTS {
        let start = start.to_lowercase();
        if !whole.iter().any(|(word, _)| *word == start) {
            whole.push((start, WHOLE));
        }
    }
    // Frequent first, as in BERT's own file; the sort is stable, so ties stay in alphabetical order.
    whole.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let characters: Vec<char> = ('!'..='~').filter(|c| !c.is_ascii_uppercase()).collect();
    let mut lines: Vec<String> = SPECIAL.map(str::to_string).to_vec();
    lines.extend(characters.iter().map(char::to_string));
    lines.extend(whole.into_iter().map(|(word, _)| word));
    lines.extend(ENDINGS.map(str::to_string));
    lines.extend(characters.iter().map(|c| format!("##{c}")).filter(|piece| !ENDINGS.contains(&piece.as_str())));
    lines
}

/// Letters with marks that the generated texts use, without their marks: an uncased BERT reads them so.
const PLAIN: [(char, char); 5] = [('é', 'e'), ('ë', 'e'), ('ö', 'o'), ('ü', 'u'), ('ñ', 'n')];

/// The lower-cased words and punctuation marks of a text, as BERT's basic tokenizer splits them: every
/// Chinese character is a word.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for chunk in text.split_whitespace() {
        let mut word = String::new();
        for letter in chunk.to_lowercase().chars() {
            let letter = PLAIN.iter().find(|(marked, _)| *marked == letter).map_or(letter, |(_, plain)| *plain);
            if letter.is_alphanumeric() && !('\u{4e00}'..='\u{9fff}').contains(&letter) {
                word.push(letter);
                continue;
            }
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            words.push(letter.to_string());
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    words
}

/// Whether the word can be a town's name.
fn is_town(word: &str) -> bool {
    TOWN_STARTS
        .iter()
        .any(|start| word.strip_prefix(start.to_lowercase().as_str()).is_some_and(|end| TOWN_ENDS.contains(&end)))
}
