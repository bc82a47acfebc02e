//! A WordPiece vocabulary from a corpus.
//!
//! Text is normalised and cut into words by the `tokenizers` crate, as [`Tokenizer`](crate::text::Tokenizer) does it. The
//! merges are our own: the crate's trainer walks hash maps that are seeded anew in each process, by which it numbers
//! pieces and so breaks ties, and counts pairs in 32 bits with a sign. The same corpus must give the same vocabulary.

mod counts;
mod layout;
mod merges;

pub use counts::WordCounts;
pub use layout::SpecialRows;

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;

/// What decides a vocabulary, beside the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VocabularySettings {
    /// The number of tokens, special ones included.
    pub size: u32,
    /// The rows that stand before those that are learned.
    pub rows: SpecialRows,
    /// The most frequent characters that are tokens of their own; `None` for all that occur often enough. Words
    /// with others become `[UNK]`.
    pub characters: Option<u32>,
    /// Characters and pairs that occur less often are not learned.
    pub min_frequency: u64,
}

impl VocabularySettings {
    /// What Hugging Face's `BertWordPieceTokenizer.train` takes when nothing else is said.
    pub const CHARACTERS: u32 = 1000;
    /// As [`Self::CHARACTERS`].
    pub const MIN_FREQUENCY: u64 = 2;
}

/// A vocabulary that was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainedVocabulary {
    /// The tokens by id.
    pub tokens: Vec<String>,
    /// Words that hold a character which is no token, counted as often as they occur: the model will read `[UNK]`.
    pub words_left_out: u64,
}

impl TrainedVocabulary {
    /// The `vocab.txt`: a token a line.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.tokens.iter().flat_map(|token| [token, "\n"]).collect()
    }
}

/// Learns a vocabulary of the words in `counts`: special rows, then characters, each also as the continuation of a
/// word (`##x`) if it occurs so, then merges in the order in which they were made. Each merge joins the pair of
/// neighbours that is most frequent; of pairs that are equally frequent, the one whose parts are the older tokens.
/// The vocabulary is smaller than asked for when no pair occurs often enough.
///
/// # Errors
/// No words; a size that has no room for the special rows and the characters.
pub fn train_vocabulary(counts: &WordCounts, settings: &VocabularySettings) -> Result<TrainedVocabulary, Diagnostic> {
    let words = counts.words();
    if words.is_empty() {
        return Err(Diagnostic::new("the corpus has no text"));
    }
    let mut tokens = settings.rows.tokens();
    let special = tokens.len();
    let alphabet = alphabet(&words, settings);
    tokens.extend(alphabet.iter().cloned());
    if tokens.len() > settings.size as usize {
        return Err(Diagnostic::new(format!(
            "{} tokens are too few: {special} special rows and {} characters need {}",
            settings.size,
            alphabet.len(),
            tokens.len()
        ))
        .hint("a larger `--vocab-size`, fewer `--characters`, or `--no-unused` rows"));
    }
    let ids: HashMap<&str, u32> = alphabet.iter().map(String::as_str).zip(special as u32..).collect();
    let (mut spelled, mut words_left_out) = (Vec::new(), 0);
    for (word, count) in &words {
        match spell(word, &ids) {
            Some(pieces) => spelled.push((pieces, *count)),
            None => words_left_out += count,
        }
    }
    merges::merge(spelled, &mut tokens, settings.size as usize, settings.min_frequency);
    Ok(TrainedVocabulary { tokens, words_left_out })
}

/// The characters of `words`, the most frequent ones if not all are wanted, by code point; after them those that
/// occur within words, with `##`.
fn alphabet(words: &[(String, u64)], settings: &VocabularySettings) -> Vec<String> {
    // How often a character occurs, and whether within a word.
    let mut seen: HashMap<char, (u64, bool)> = HashMap::new();
    for (word, count) in words {
        for (at, character) in word.chars().enumerate() {
            let entry = seen.entry(character).or_default();
            entry.0 += count;
            entry.1 |= at > 0;
        }
    }
    let mut kept: Vec<(char, (u64, bool))> =
        seen.into_iter().filter(|(_, (count, _))| *count >= settings.min_frequency).collect();
    kept.sort_unstable_by_key(|(character, (count, _))| (std::cmp::Reverse(*count), *character));
    kept.truncate(settings.characters.map_or(usize::MAX, |most| most as usize));
    kept.sort_unstable_by_key(|(character, _)| *character);
    let within = kept.iter().filter(|(_, (_, within))| *within);
    let first = kept.iter().map(|(character, _)| character.to_string());
    first.chain(within.map(|(character, _)| format!("##{character}"))).collect()
}

/// The word in characters; `None` if one of them is no token.
fn spell(word: &str, ids: &HashMap<&str, u32>) -> Option<Vec<u32>> {
    let mut piece = String::new();
    let pieces = word.chars().enumerate().map(|(at, character)| {
        piece.clear();
        piece.push_str(if at > 0 { "##" } else { "" });
        piece.push(character);
        ids.get(piece.as_str()).copied()
    });
    pieces.collect()
}

#[cfg(test)]
mod tests;
