//! `vocab.txt`: a `WordPiece` vocabulary in BERT's order (special tokens, characters, words, pieces).

use std::collections::BTreeMap;

use super::lexicon::{TOWN_ENDS, TOWN_STARTS};

/// BERT's special tokens.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Endings that a rare word is split into.
const ENDINGS: [&str; 18] = [
    "##s", "##ed", "##ing", "##ly", "##er", "##est", "##ness", "##ful", "##less", "##able", "##ion", "##ist", "##by",
    "##wick", "##ford", "##holm", "##mere", "##den",
];

/// A word seen less often in the training texts is split into pieces.
const WHOLE: usize = 4;

/// The vocabulary for lower-cased `texts`, one token a line.
///
/// Every printable ASCII character is there alone and as a `##` piece, so that no ASCII text has an
/// unknown word. Town names are never whole: their beginnings and endings are pieces.
pub(super) fn vocabulary<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for text in texts {
        for word in words(text) {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut whole: Vec<(String, usize)> =
        counts.into_iter().filter(|(word, count)| *count >= WHOLE && word.len() > 1 && !is_town(word)).collect();
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
    lines.join("\n") + "\n"
}

/// The lower-cased words and punctuation marks of a text, as BERT's basic tokenizer splits them.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for chunk in text.split_whitespace() {
        let mut word = String::new();
        for letter in chunk.to_lowercase().chars() {
            if letter.is_alphanumeric() {
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
