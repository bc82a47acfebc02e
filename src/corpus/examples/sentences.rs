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
    // Where the sentence begins, what of it was seen, and whether a word was.
    let (mut first, mut end, mut words) = (0, 0, false);
    for stretch in Stretches(text) {
        let begin = end;
        for (at, piece) in stretch.split_sentence_bound_indices() {
            let has_word = piece.chars().any(char::is_alphanumeric);
            // Where a stretch begins, no sentence ends.
            if at > 0 && has_word && words && !continues(&text[first..end]) {
                emit(&text[first..end], &mut found);
                (first, words) = (begin + at, false);
            }
            words |= has_word;
            end = begin + at + piece.len();
        }
    }
    emit(&text[first..], &mut found);
}

/// A text in stretches that are looked at one by one. After each full stop and each mark behind it, the rules of UAX #29
/// look ahead to the next letter (SB8), so a text of marks alone would take time by the square of its length. A stretch
/// ends in a place where no sentence can, behind a letter that every look ahead stops at: before a space between words,
/// or between letters of scripts that write none. Where there is no such place, it ends after [`LONGEST`] bytes.
struct Stretches<'a>(&'a str);

/// A stretch has about so many bytes, and never more than so many.
const STRETCH: usize = 128;
const LONGEST: usize = 512;
/// The first letter of Thai; scripts before it put spaces between words.
const WITHOUT_SPACES: char = '\u{e00}';

impl<'a> Iterator for Stretches<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0;
        if text.is_empty() {
            return None;
        }
        let characters = text.char_indices().skip_while(|(at, _)| *at < STRETCH).take_while(|(at, _)| *at <= LONGEST);
        let [mut before, mut last] = [('.', 0), ('.', 0)];
        let mut end = None;
        for (at, c) in characters {
            // No look ahead stops at a digit.
            if last.0 == ' ' && before.0.is_alphabetic() && c.is_alphanumeric() {
                end = Some(last.1);
                break;
            }
            let written_together = |c: char| c >= WITHOUT_SPACES && c.is_alphabetic();
            if written_together(last.0) && written_together(c) {
                end = Some(at);
                break;
            }
            (before, last) = (last, (c, at));
        }
        // Nothing was found in a text that ends here, or in a stretch that is as long as can be.
        let longest = if text.len() <= LONGEST { text.len() } else { last.1.max(1) };
        let (stretch, rest) = text.split_at(end.unwrap_or(longest));
        self.0 = rest;
        Some(stretch)
    }
}

fn emit<'a>(sentence: &'a str, found: &mut impl FnMut(&'a str)) {
    let sentence = sentence.trim();
    if !sentence.is_empty() {
        found(sentence);
    }
}

/// Whether a sentence that seems to end here goes on: its last word is an abbreviation or an initial.
fn continues(sentence: &str) -> bool {
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

    /// As it would be without stretches.
    fn at_once(text: &str) -> Vec<&str> {
        let (mut sentences, mut first, mut end) = (Vec::new(), 0, 0);
        for (at, piece) in text.split_sentence_bound_indices() {
            let has_word = |text: &str| text.chars().any(char::is_alphanumeric);
            if has_word(piece) && has_word(&text[first..end]) && !continues(&text[first..end]) {
                emit(&text[first..end], &mut |sentence| sentences.push(sentence));
                first = at;
            }
            end = at + piece.len();
        }
        emit(&text[first..], &mut |sentence| sentences.push(sentence));
        sentences
    }

    #[test]
    fn marks_without_letters_take_no_longer_than_letters() {
        for text in ["A. (".to_owned() + &"([)]".repeat(50_000), ". ".repeat(100_000), "A.\u{301}".repeat(50_000)] {
            let started = std::time::Instant::now();
            assert!(!split(&text).is_empty());
            assert!(started.elapsed().as_secs() < 5, "{} bytes took {:?}", text.len(), started.elapsed());
        }
    }

    proptest! {
        #[test]
        fn stretches_change_nothing_in_running_text(
            words in prop::collection::vec(prop::sample::select(vec![
                "it", "It", "Ärger", "J.", "Mr.", "said", "3.5", "No.", "12", "(so)", "\"Why?\"", "end.", "end!)", "了。", "他来",
                "की", "है।", "จบ", "...", "--", "e.g.", "U.S.", "\n",
            ]), 0..300),
        ) {
            let text = words.join(" ");
            prop_assert_eq!(split(&text), at_once(&text));
        }

        #[test]
        fn nothing_but_white_space_is_lost(text in "[ \\t\\na-zA-ZÄé中。.!?\"'()0-9\u{301}]{0,80}") {
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&split(&text).concat()), letters(&text));
        }
    }
}
