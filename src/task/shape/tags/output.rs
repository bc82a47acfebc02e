//! The files of a tagged split.

use std::fmt::Write;

use crate::data::Sentence;
use crate::metric::EntityScores;

/// Stands for white space in a word: U+2423, the open box that typography shows a space with.
const SHOWN_SPACE: char = '\u{2423}';

/// The predicted tags in the columns that conlleval reads: `word gold predicted`, one space between them, an
/// empty line after every sentence; `word predicted` where a sentence has no tags. Tags are those of IOB2,
/// whatever the scheme of the file that was read. There are no lines for documents.
///
/// Words are spelled as in that file, but for white space in them, each character of which becomes `␣`: readers
/// split lines at it, Python's `split` at every kind of it, and a word that is a no-break space would be no
/// column at all.
///
/// # Panics
/// When a sentence has not one predicted tag per word.
#[must_use]
pub fn predictions<T: AsRef<str>>(sentences: &[Sentence], predicted: &[Vec<T>]) -> String {
    assert_eq!(sentences.len(), predicted.len(), "predictions for every sentence");
    let mut text = String::new();
    for (sentence, predicted) in sentences.iter().zip(predicted) {
        assert_eq!(sentence.words.len(), predicted.len(), "a predicted tag per word");
        for (at, (word, tag)) in sentence.words.iter().zip(predicted).enumerate() {
            text.extend(word.chars().map(|c| if is_space(c) { SHOWN_SPACE } else { c }));
            // Writing to a String cannot fail.
            if let Some(gold) = sentence.tags.get(at) {
                let _ = write!(text, " {gold}");
            }
            let _ = writeln!(text, " {}", tag.as_ref());
        }
        text.push('\n');
    }
    text
}

/// What Python's `str.split` takes for white space: Unicode's, and the four ASCII separators.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The scores of each type, tab-separated with a header: `entity`, `precision`, `recall` and `f1` as shares of
/// 1, `gold`, `found` and `correct` as counts; the last row is of all types together.
#[must_use]
pub fn kinds_tsv(scores: &EntityScores) -> String {
    let mut text = String::from("entity\tprecision\trecall\tf1\tgold\tfound\tcorrect\n");
    let kinds = scores.kinds.iter().map(|(kind, counts)| (kind.as_str(), counts));
    for (kind, counts) in kinds.chain([("(all)", &scores.overall)]) {
        let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{kind}\t{precision}\t{recall}\t{f1}\t{}\t{}\t{}",
            counts.gold, counts.found, counts.correct
        );
    }
    text
}
