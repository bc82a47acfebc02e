//! The columns of a line.

use super::{Columns, Separator};

/// Between documents, in the column of the word.
const DOCUMENT: &str = "-DOCSTART-";
const SPACE: &[char] = &[' '];
/// No other white space parts columns: a no-break or an ideographic space is a word of Chinese corpora.
const BLANKS: &[char] = &[' ', '\t'];

/// Whether a line ends a sentence: nothing but spaces and tabs.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// The lines of a file, whose ends are LF or CRLF.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Whether a line marks the beginning of a document.
pub(super) fn is_document(line: &str, format: &Columns) -> bool {
    line.contains(DOCUMENT) && line.split(BLANKS).nth(format.token_index()) == Some(DOCUMENT)
}

/// The columns of a line that is not blank; `width` is how many there should be.
pub(super) fn columns<'a>(line: &'a str, format: &Columns, width: usize) -> Vec<&'a str> {
    let line = line.trim_end_matches([' ', '\t']);
    let spaced = |blanks: &[char]| {
        let mut found: Vec<&str> = line.split(blanks).filter(|column| !column.is_empty()).collect();
        // One column too few in a line that begins with a blank: the blank is the word.
        if format.token_column == 1 && line.starts_with(blanks) && found.len() + 1 == width {
            found.insert(0, &line[..1]);
        }
        found
    };
    match format.separator {
        Separator::Tab => tabbed(line),
        Separator::Space => spaced(SPACE),
        Separator::Any if line.contains('\t') => {
            let (by_tabs, by_blanks) = (tabbed(line), spaced(BLANKS));
            if by_tabs.len() != width && by_blanks.len() == width { by_blanks } else { by_tabs }
        }
        Separator::Any => spaced(BLANKS),
    }
}

fn tabbed(line: &str) -> Vec<&str> {
    line.split('\t').collect()
}

/// A column without the spaces around it. One that holds nothing else is one space, the word that some files
/// write so and others as nothing at all.
pub(super) fn cell(column: &str) -> &str {
    let text = column.trim_matches(' ');
    if text.is_empty() { " " } else { text }
}

/// How many columns a file has whose first line with a word is `line`.
pub(super) fn width(line: &str, format: &Columns, labelled: bool) -> usize {
    columns(line, format, 0).len().max(least_width(format, labelled))
}

/// The fewest columns in which the word and, when `labelled`, the tag can stand.
pub(super) fn least_width(format: &Columns, labelled: bool) -> usize {
    let tag = format.tag_column.unwrap_or(format.token_column + 1);
    (if labelled { format.token_column.max(tag) } else { format.token_column }) as usize
}

/// The word without the number after it; `None` when there is no number. The first character is never part of
/// the number: `20` is a 2 at the beginning of its word.
pub(super) fn without_digits(word: &str) -> Option<&str> {
    let first = word.chars().next().map_or(0, char::len_utf8);
    let kept = word[first..].trim_end_matches(|c: char| c.is_ascii_digit()).len() + first;
    (kept < word.len()).then(|| &word[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &'static str, separator: Separator, width: usize) -> Vec<&'static str> {
        let format = Columns { separator, ..Columns::default() };
        columns(line, &format, width).into_iter().map(cell).collect()
    }

    #[test]
    fn columns_stand_between_tabs_or_spaces() {
        assert_eq!(split("EU NNP I-NP I-ORG", Separator::Any, 4), ["EU", "NNP", "I-NP", "I-ORG"]);
        assert_eq!(split("EU  NNP   I-NP I-ORG  ", Separator::Space, 4), ["EU", "NNP", "I-NP", "I-ORG"]);
        assert_eq!(split("New York\tB-LOC", Separator::Any, 2), ["New York", "B-LOC"]);
        assert_eq!(split("New York \t B-LOC\t", Separator::Tab, 2), ["New York", "B-LOC"]);
        assert_eq!(split("a\tb c", Separator::Any, 3), ["a", "b", "c"]);
        assert_eq!(split("a\tb c", Separator::Space, 2), ["a\tb", "c"]);
        assert_eq!(split("  EU O", Separator::Any, 2), ["EU", "O"]);
    }

    #[test]
    fn the_word_may_be_a_space_of_any_kind() {
        for line in ["  O", " O"] {
            assert_eq!(split(line, Separator::Any, 2), [" ", "O"]);
            assert_eq!(split(line, Separator::Space, 2), [" ", "O"]);
        }
        for line in [" \tO", "\tO"] {
            assert_eq!(split(line, Separator::Any, 2), [" ", "O"]);
            assert_eq!(split(line, Separator::Tab, 2), [" ", "O"]);
        }
        assert_eq!(split("\t O", Separator::Space, 2), ["\t", "O"]);
        assert_eq!(split("\u{3000} O", Separator::Any, 2), ["\u{3000}", "O"]);
        assert_eq!(split("\u{a0}\tO", Separator::Any, 2), ["\u{a0}", "O"]);
        assert!(is_blank(b" \t") && is_blank(b"") && !is_blank(b"\r") && !is_blank("\u{3000}".as_bytes()));
    }

    #[test]
    fn documents_begin_where_the_word_says_so() {
        let format = Columns::default();
        assert!(is_document("-DOCSTART- -X- O O", &format) && is_document("-DOCSTART-\tO", &format));
        assert!(is_document("-DOCSTART-", &format) && !is_document("-DOCSTART-s NN O O", &format));
        assert!(!is_document("1 -DOCSTART- O", &format));
        assert!(is_document("1 -DOCSTART- O", &Columns { token_column: 2, ..format }));
    }

    #[test]
    fn a_segmentation_number_follows_the_character() {
        for (word, expected) in [("科0", "科"), ("20", "2"), ("m11", "m"), ("\u{fffd}\u{fffd}0", "\u{fffd}\u{fffd}")]
        {
            assert_eq!(without_digits(word), Some(expected));
        }
        assert_eq!(without_digits(" 0"), Some(" "));
        assert_eq!((without_digits("科"), without_digits("0"), without_digits("")), (None, None, None));
    }
}
