//! `vocab.txt`: one WordPiece token a line, its id the line's number from 0.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::byte_pair::{self, BytePairs};
use super::tokenizer_json::{as_list, is_byte_pair};
use crate::checksum;
use crate::diagnostic::Diagnostic;
use crate::settings::AddedToken;

/// A vocabulary in which more than one token of this many has a capital is cased. None of the 30522 tokens of
/// BERT's uncased vocabulary has one, two of the 21128 of its Chinese one, thousands in its cased ones.
const CASED_FROM_ONE_IN: usize = 1000;

/// The ids of the tokens that BERT gives a meaning of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialTokens {
    /// `[PAD]`, which packed batches never need but padded exports do.
    pub pad: u32,
    /// `[UNK]`, a word that the vocabulary cannot spell.
    pub unk: u32,
    /// `[CLS]`, the first token of every sequence.
    pub cls: u32,
    /// `[SEP]`, after every segment.
    pub sep: u32,
    /// `[MASK]`, for masked language modelling.
    pub mask: u32,
    /// The last token of every sequence: BERT's is `[SEP]`, the published GPT has one of its own for it.
    pub end: u32,
}

impl SpecialTokens {
    /// How `vocab.txt` spells them, in the order of the fields.
    pub const NAMES: [&'static str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
}

/// The tokens of a model.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    ids: HashMap<String, u32>,
    /// By id.
    tokens: Vec<String>,
    special: SpecialTokens,
    /// What pieces are made by.
    pieces: Pieces,
    sha256: String,
    /// Tokens that are one wherever they stand in a text, in the order of their ids; BERT's own are not among them.
    added: Vec<AddedToken>,
    /// The tokens of the file; the rest are added ones.
    listed: usize,
}

fn is_special(word: &str) -> bool {
    SpecialTokens::NAMES.contains(&word)
}

/// How words become tokens.
#[derive(Clone, Debug)]
pub(super) enum Pieces {
    /// The longest tokens first, as in BERT.
    WordPiece {
        /// The file, as a `vocab.txt`.
        bytes: Vec<u8>,
    },
    /// Merges of pairs, as in the published GPT.
    BytePair(Arc<BytePairs>),
}

impl Vocabulary {
    /// Reads a `vocab.txt`, with LF or CRLF line ends, the `vocab.json` of the published GPT with the `merges.txt` beside
    /// it, or the vocabulary of a `tokenizer.json`.
    ///
    /// # Errors
    /// A file that cannot be read, is not UTF-8 or is empty; a token that stands there twice; a special token
    /// that is missing.
    pub fn load(path: &Path) -> Result<Self, Diagnostic> {
        if path.file_name().is_some_and(|name| name == byte_pair::VOCABULARY) {
            return Ok(Self::byte_pair(byte_pair::load(path)?));
        }
        let bytes = read(path)?;
        if !is_json(path) {
            return Self::from_bytes(path, bytes);
        }
        if is_byte_pair(&bytes) {
            return Ok(Self::byte_pair(byte_pair::of_tokenizer(path, &bytes)?));
        }
        Self::from_bytes(path, as_list(path, &bytes)?)
    }

    /// A vocabulary of merges, with the tokens that fine-tuning adds after the others where it has them not yet.
    fn byte_pair(of: BytePairs) -> Self {
        let mut tokens = of.tokens.clone();
        let mut ids: HashMap<String, u32> = (0..).zip(&tokens).map(|(id, token)| (token.clone(), id)).collect();
        let added = byte_pair::ADDED.map(|token| {
            *ids.entry(token.to_owned()).or_insert_with(|| {
                tokens.push(token.to_owned());
                tokens.len() as u32 - 1
            })
        });
        let unk = ids.get(byte_pair::UNKNOWN).copied().unwrap_or_default();
        let [cls, sep, end] = added;
        // Packed batches are not padded, and GPT masks nothing.
        let special = SpecialTokens { pad: unk, unk, cls, sep, mask: unk, end };
        let sha256 = checksum::sha256(&of.files.concat());
        let listed = of.tokens.len();
        Self { ids, tokens, special, pieces: Pieces::BytePair(Arc::new(of)), sha256, added: Vec::new(), listed }
    }

    /// A vocabulary of whole words, after BERT's own tokens. Those that have a place among them, and words that a line of a
    /// file cannot hold or that no text is split into, are left out.
    ///
    /// # Errors
    /// When no word is left.
    pub fn of_words<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, Diagnostic> {
        let is_word = |word: &&str| {
            !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control()) && !is_special(word)
        };
        let mut tokens = SpecialTokens::NAMES.to_vec();
        tokens.extend(words.filter(is_word));
        if tokens.len() == SpecialTokens::NAMES.len() {
            return Err(Diagnostic::new("there are no words for a vocabulary"));
        }
        Self::from_bytes(Path::new("vocab.txt"), (tokens.join("\n") + "\n").into_bytes())
    }

    /// The vocabulary that `bytes`, the content of the file at `path`, hold.
    pub(super) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            Diagnostic::new("the vocabulary is not valid UTF-8").at_line(path, line)
        })?;
        if text.trim().is_empty() {
            return Err(Diagnostic::new("the vocabulary is empty").in_file(path));
        }
        let lines = text.matches('\n').count() + 1;
        let (mut ids, mut tokens) = (HashMap::with_capacity(lines), Vec::with_capacity(lines));
        // Only the line's end is cut: BERT's Chinese vocabulary holds U+2028, which `trim` would eat.
        for (id, line) in text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate() {
            let token = line.strip_suffix('\r').unwrap_or(line);
            if let Some(first) = ids.insert(token.to_owned(), id as u32) {
                return Err(Diagnostic::new(format!("token `{token}` is already on line {}", first + 1))
                    .at_line(path, id + 1)
                    .hint("a token's line number is its id, so each token appears once"));
            }
            tokens.push(token.to_owned());
        }
        let id = |name: &str| {
            ids.get(name).copied().ok_or_else(|| {
                Diagnostic::new(format!("the vocabulary has no {name}"))
                    .in_file(path)
                    .hint(format!("BERT needs {}, each on a line of its own", SpecialTokens::NAMES.join(", ")))
            })
        };
        let [pad, unk, cls, sep, mask] = SpecialTokens::NAMES;
        let [pad, unk, cls, sep] = [id(pad)?, id(unk)?, id(cls)?, id(sep)?];
        let special = SpecialTokens { pad, unk, cls, sep, mask: id(mask)?, end: sep };
        let (sha256, listed) = (checksum::sha256(&bytes), tokens.len());
        Ok(Self { ids, tokens, special, pieces: Pieces::WordPiece { bytes }, sha256, added: Vec::new(), listed })
    }

    /// The same vocabulary with tokens that are one wherever they stand in a text. Those that it has not yet follow its
    /// last one.
    ///
    /// # Errors
    /// A token whose id is another one's, or that leaves ids out.
    pub fn with_added(mut self, mut added: Vec<AddedToken>) -> Result<Self, Diagnostic> {
        added.sort_by_key(|token| token.id);
        for AddedToken { id, content, .. } in &added {
            let wrong = match (self.id(content), self.token(*id)) {
                (Some(known), _) if known == *id => continue,
                (Some(known), _) => format!("but the vocabulary has it with the id {known}"),
                (None, Some(other)) => format!("which is that of `{other}`"),
                (None, None) if *id as usize == self.len() => {
                    self.ids.insert(content.clone(), *id);
                    self.tokens.push(content.clone());
                    continue;
                }
                (None, None) => format!("but no token has the id {}", self.len()),
            };
            return Err(Diagnostic::new(format!("the added token `{content}` has the id {id}, {wrong}")));
        }
        self.added = added;
        Ok(self)
    }

    /// The number of tokens: the rows that a model's word embeddings must have at least.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Never true of a vocabulary that loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The id of a token, when it is in the vocabulary.
    #[must_use]
    pub fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The token with this id, as the file spells it: `##ing`.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize).map(String::as_str)
    }

    /// The ids of the special tokens.
    #[must_use]
    pub fn special(&self) -> SpecialTokens {
        self.special
    }

    /// SHA-256 of the file, in hexadecimal; of `vocab.json` and `merges.txt` together in a GPT.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What stands for all of it: [`Self::sha256`], with the added tokens if there are some.
    #[must_use]
    pub fn identity(&self) -> String {
        if self.added.is_empty() {
            return self.sha256.clone();
        }
        let added = serde_json::to_string(&self.added).unwrap_or_default();
        checksum::sha256(format!("{} {added}", self.sha256).as_bytes())
    }

    /// Refuses another vocabulary than `other`, read from `path` and `from`.
    pub(super) fn agrees_with(&self, path: &Path, other: &Self, from: &Path) -> Result<(), Diagnostic> {
        let (name, hint) = (from.file_name().unwrap_or_default().display(), "remove the file that is out of date");
        if let Some(id) = self.tokens.iter().zip(&other.tokens).position(|(one, other)| one != other) {
            let (one, other) = (&self.tokens[id], &other.tokens[id]);
            let message = format!("the token {id} is `{one}` here, and `{other}` in {name}");
            return Err(Diagnostic::new(message).at_line(path, id + 1).hint(hint));
        }
        // More tokens than the other has are for the word embeddings to judge.
        if self.len() < other.len() {
            let message = format!("{} tokens here, and {} in {name}", self.len(), other.len());
            return Err(Diagnostic::new(message).in_file(path).hint(hint));
        }
        Ok(())
    }

    /// How words become tokens.
    pub(super) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Whether its tokens are merges of pairs, as in the published GPT.
    #[must_use]
    pub fn is_byte_pair(&self) -> bool {
        matches!(self.pieces, Pieces::BytePair(_))
    }

    /// How the special tokens are spelt that are looked for in texts. Those that a GPT's fine-tuning adds are not.
    pub(super) fn special_names(&self) -> &'static [&'static str] {
        match self.pieces {
            Pieces::WordPiece { .. } => &SpecialTokens::NAMES,
            Pieces::BytePair(_) => &[byte_pair::UNKNOWN],
        }
    }

    /// Tokens that are one wherever they stand in a text, besides BERT's own.
    #[must_use]
    pub fn added(&self) -> &[AddedToken] {
        &self.added
    }

    /// Whether the tokens, those in brackets aside, have ASCII capitals often enough to be of a model that
    /// tells capitals from small letters.
    #[must_use]
    pub fn looks_cased(&self) -> bool {
        let has_capital = |token: &&String| !token.starts_with('[') && token.chars().any(|c| c.is_ascii_uppercase());
        self.ids.keys().filter(has_capital).count() * CASED_FROM_ONE_IN > self.ids.len()
    }

    /// The tokens of the file, in the order of their ids.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&str, u32)> {
        (0..).zip(&self.tokens[..self.listed]).map(|(id, token)| (token.as_str(), id))
    }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

fn read(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    std::fs::read(path).map_err(|error| {
        Diagnostic::new(format!("the vocabulary cannot be read: {error}"))
            .in_file(path)
            .hint("a model's folder holds its vocabulary as vocab.txt, one token a line")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(bytes: &[u8]) -> Result<Vocabulary, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocab.txt");
        std::fs::write(&path, bytes).unwrap();
        Vocabulary::load(&path)
            .map_err(|found| found.to_string().replace(&folder.path().display().to_string(), "model"))
    }

    #[test]
    fn a_token_has_its_lines_number_whatever_the_line_ends() {
        for text in [
            "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##do\n",
            "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\nun\r\n##do",
        ] {
            let vocabulary = load(text.as_bytes()).unwrap();
            assert_eq!((vocabulary.len(), vocabulary.id("##do"), vocabulary.id("do")), (7, Some(6), None));
            assert_eq!((vocabulary.token(0), vocabulary.token(6)), (Some("[PAD]"), Some("##do")));
            assert_eq!(vocabulary.token(7), None);
            assert_eq!(vocabulary.special(), SpecialTokens { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4, end: 3 });
        }
    }

    #[test]
    fn the_checksum_is_that_of_sha256sum() {
        // printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n' | sha256sum
        let vocabulary = load(b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n").unwrap();
        assert_eq!(vocabulary.sha256(), "cc75ba7f9a1247b5c7b9e37ba840347b96122bc1d7257b5dcd7320b36585445a");
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        assert_eq!(load(b"").unwrap_err(), "model/vocab.txt: the vocabulary is empty");
        assert_eq!(
            load(b"[PAD]\nthe\n[UNK]\nthe\n").unwrap_err(),
            "model/vocab.txt:4: token `the` is already on line 2 (a token's line number is its id, so each token appears once)"
        );
        assert_eq!(load(b"[PAD]\nth\xe9\n").unwrap_err(), "model/vocab.txt:2: the vocabulary is not valid UTF-8");
        assert_eq!(
            load(b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n").unwrap_err(),
            "model/vocab.txt: the vocabulary has no [MASK] (BERT needs [PAD], [UNK], [CLS], [SEP], [MASK], each on a line of its own)"
        );
        let missing = Vocabulary::load(Path::new("nowhere/vocab.txt")).unwrap_err();
        assert!(missing.to_string().starts_with("nowhere/vocab.txt: the vocabulary cannot be read: "), "{missing}");
    }
}
