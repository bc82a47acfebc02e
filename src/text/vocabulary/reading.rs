//! A vocabulary from its file: `vocab.txt`, GPT's `vocab.json` and `merges.txt`, `tokenizer.json`; or from words.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::{Pieces, SpecialTokens, Vocabulary};
use crate::checksum;
use crate::diagnostic::Diagnostic;
use crate::text::byte_pair::{self, BytePairs};
use crate::text::tokenizer_json::{as_list, is_byte_pair};

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
        if path.extension().is_none_or(|extension| extension != "json") {
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
            !word.is_empty()
                && !word.contains(|c: char| c.is_whitespace() || c.is_control())
                && !SpecialTokens::NAMES.contains(word)
        };
        let mut tokens = SpecialTokens::NAMES.to_vec();
        tokens.extend(words.filter(is_word));
        if tokens.len() == SpecialTokens::NAMES.len() {
            return Err(Diagnostic::new("there are no words for a vocabulary"));
        }
        Self::from_bytes(Path::new("vocab.txt"), (tokens.join("\n") + "\n").into_bytes())
    }

    /// The vocabulary that `bytes`, the content of the file at `path`, hold.
    pub(in crate::text) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
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
        Vocabulary::from_bytes(Path::new("model/vocab.txt"), bytes.to_vec()).map_err(|found| found.to_string())
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
