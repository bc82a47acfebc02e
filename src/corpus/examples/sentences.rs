//! Running text → sentences: the boundaries of Unicode (UAX #29), less those that are none.

use unicode_segmentation::UnicodeSegmentation;

/// After these words a full stop hardly ever ends a sentence. UAX #29 (rule SB11) knows no abbreviation, so it
/// sees an end wherever a capital follows.
const ABBREVIATIONS: &[&str] = &[
    "adm", "approx", "capt", "cf", "ch", "cmdr", "co", "col", "corp", "dr", "ed", "e.g", "est", "etc", "fig", "figs",
    "fr", "gen", "gov", "hon", "i.e", "inc", "jr", "lt", "ltd", "maj", "messrs", "mr", "mrs", "ms", "mt", "no", "nos",
    "op", "pp", "prof", "pvt", "rep", "rev", "sen", "sgt", "sr", "st", "ste", "vol", "vols", "vs",
];

/// Calls `found` with every sentence of `text`, in order, without white space at its ends. What is left of
/// UAX #29's boundaries: none after an abbreviation or an initial (`J. Smith`), and none that would leave a
/// sentence without any letter or digit, such as a closing quotation mark, on its own.
pub fn split_sentences<'a>(text: &'a str, mut found: impl FnMut(&'a str)) {
    let mut start = None;
    let mut end = 0;
    for (at, piece) in text.split_sentence_bound_indices() {
        let has_word = piece.chars().any(char::is_alphanumeric);
        if let Some(first) = start
            && has_word
            && !continues(&text[first..end])
        {
            emit(&text[first..end], &mut found);
            start = None;
        }
        start = start.or(Some(at));
        end = at + piece.len();
    }
    if let Some(first) = start {
        emit(&text[first..end], &mut found);
    }
}

fn emit<'a>(sentence: &'a str, found: &mut impl FnMut(&'a str)) {
    let sentence = sentence.trim();
    if !sentence.is_empty() {
        found(sentence);
    }
}

/// Whether a sentence that seems to end here goes on: nothing but marks so far, or its last word is an
/// abbreviation or an initial.
fn continues(sentence: &str) -> bool {
    if !sentence.chars().any(char::is_alphanumeric) {
        return true;
    }
    let Some(rest) = sentence.trim_end().strip_suffix('.') else { return false };
    // WikiText puts a space before the full stop that ends a sentence, and none in an abbreviation.
    let word = rest.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“' | '‘' | '-')).next();
    let word = word.unwrap_or_default();
    let mut characters = word.chars();
    let initial = characters.next().is_some_and(char::is_uppercase) && characters.next().is_none();
    initial || ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let mut sentences = Vec::new();
        split_sentences(text, |sentence| sentences.push(sentence));
        sentences
    }

    #[test]
    fn sentences_end_where_unicode_says_but_not_in_names_and_abbreviations() {
        assert_eq!(split("It rained. We stayed in!  Why?"), ["It rained.", "We stayed in!", "Why?"]);
        assert_eq!(split("Mr. J. R. Smith met Dr. No. 5 came."), ["Mr. J. R. Smith met Dr. No. 5 came."]);
        assert_eq!(split("It cost 3.5 million. See e.g. Figure 2."), ["It cost 3.5 million.", "See e.g. Figure 2."]);
        assert_eq!(split("He said \"Go.\" She went."), ["He said \"Go.\"", "She went."]);
        assert_eq!(split("他来了。我走了。"), ["他来了。", "我走了。"]);
        assert_eq!(split("The end . \" "), ["The end . \""]);
        assert_eq!(split("The lobster , H. americanus . It grows ."), ["The lobster , H. americanus .", "It grows ."]);
        assert_eq!(split("So did I . He left ."), ["So did I .", "He left ."]);
        assert_eq!(split(" \t "), Vec::<&str>::new());
        assert_eq!(split("--- !"), ["--- !"]);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost(text in "[ \\t\\na-zA-ZÄé中。.!?\"'()0-9\u{301}]{0,80}") {
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&split(&text).concat()), letters(&text));
        }
    }
}
