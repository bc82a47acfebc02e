//! Finds an answer in its paragraph.

/// The characters of `context` that spell `answer`, from and up to: at character `start`, else nearby, as
/// google-research/bert's `read_squad_examples` is lenient: anywhere in the words that the answer touches there, with
/// every run of white space taken for one blank. Of several places the one nearest to `start` counts.
pub(super) fn locate(context: &str, answer: &str, start: u32) -> Option<[u32; 2]> {
    if answer.trim().is_empty() {
        return None;
    }
    let length = answer.chars().count() as u32;
    let (byte, _) = context.char_indices().nth(start as usize)?;
    if context[byte..].starts_with(answer) {
        return Some([start, start + length]);
    }
    nearby(context, answer, start as usize)
}

fn nearby(context: &str, answer: &str, start: usize) -> Option<[u32; 2]> {
    let characters: Vec<char> = context.chars().collect();
    let (from, to) = touched_words(&characters, start, last_character(&characters, answer, start));
    let here = squeezed(characters[from..to].iter().copied());
    let wanted: Vec<char> = squeezed(answer.trim().chars()).into_iter().map(|(_, character)| character).collect();
    let spells = |at: &usize| here[*at..*at + wanted.len()].iter().map(|(_, c)| c).eq(&wanted);
    let offset_mapping = (0..(here.len() + 1).saturating_sub(wanted.len())).filter(spells);
    let nearest = offset_mapping.min_by_key(|at| (from + here[*at].0).abs_diff(start))?;
    Some([(from + here[nearest].0) as u32, (from + here[nearest + wanted.len() - 1].0 + 1) as u32])
}

/// Where an answer from `start` on ends, counted with or without its white space: whichever is later.
fn last_character(characters: &[char], answer: &str, start: usize) -> usize {
    let is_black = |character: &char| !character.is_whitespace();
    let black = answer.chars().filter(is_black).count();
    let without = (start..characters.len()).filter(|at| is_black(&characters[*at])).take(black).last();
    let with = start + answer.chars().count() - 1;
    with.min(characters.len() - 1).max(without.unwrap_or(start))
}

/// Where the word of character `start` begins and the word of character `last` ends. White space counts to the word
/// before it.
fn touched_words(characters: &[char], start: usize, last: usize) -> (usize, usize) {
    let word = |at: usize| (0..=at).rev().find(|at| !characters[*at].is_whitespace()).unwrap_or(at);
    let (start, last) = (word(start), word(last));
    let from = (0..start).rev().find(|at| characters[*at].is_whitespace()).map_or(0, |blank| blank + 1);
    let to = (last..characters.len()).find(|at| characters[*at].is_whitespace()).unwrap_or(characters.len());
    (from, to)
}

/// Characters with their places; a run of white space is one blank at its first.
fn squeezed(text: impl Iterator<Item = char>) -> Vec<(usize, char)> {
    let blanks = text.map(|character| if character.is_whitespace() { ' ' } else { character });
    let mut kept: Vec<(usize, char)> = Vec::new();
    for (at, character) in blanks.enumerate() {
        if character != ' ' || kept.last().is_none_or(|(_, before)| *before != ' ') {
            kept.push((at, character));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_is_where_it_is_said_to_be() {
        assert_eq!(locate("é an answer", "answer", 5), Some([5, 11]));
        assert_eq!(locate("a b a", "a", 4), Some([4, 5]));
        // As written: blanks at its ends included.
        assert_eq!(locate("x a  b y", "a  b ", 2), Some([2, 7]));
    }

    #[test]
    fn or_in_the_words_that_it_touches_there() {
        // Blanks that differ, one character off, an answer within a word.
        assert_eq!(locate("x a\n\u{a0} b y", "a b", 2), Some([2, 7]));
        assert_eq!(locate("x (1895-1943). y", "1895", 2), Some([3, 7]));
        assert_eq!(locate("x (1895-1943). y", "1943", 4), Some([8, 12]));
        // Of two, the nearer one.
        assert_eq!(locate("aba-aba", "aba", 3), Some([4, 7]));
        assert_eq!(locate("aba-aba", "aba", 1), Some([0, 3]));
        // At a blank the word before counts.
        assert_eq!(locate("ab cd", "ab", 2), Some([0, 2]));
        assert_eq!(locate("  ab", "ab", 0), Some([2, 4]));
        assert_eq!(locate(" x  y", "x y", 0), Some([1, 5]));
        // Beyond the end of the text.
        assert_eq!(locate("x ab", "ab ", 2), Some([2, 4]));
    }

    #[test]
    fn or_nowhere() {
        for (context, answer, start) in
            [("ab cd", "cd", 0), ("ab", "ab", 2), ("ab", "ab", u32::MAX), ("", "a", 0), ("a b", "", 0), ("a b", " ", 1)]
        {
            assert_eq!(locate(context, answer, start), None, "{answer} in {context}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail_and_what_it_finds_is_the_answer(
            context in "[ab \u{a0}\né.]{0,12}", answer in "[ab \u{a0}é.]{0,4}", start in 0_u32..14
        ) {
            if let Some([from, to]) = locate(&context, &answer, start) {
                let found: String = context.chars().skip(from as usize).take((to - from) as usize).collect();
                let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                prop_assert_eq!(words(&found), words(&answer));
            }
        }
    }
}
