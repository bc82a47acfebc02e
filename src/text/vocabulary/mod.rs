//! `vocab.txt`: one WordPiece token a line, its id the line's number from 0.

mod reading;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::byte_pair::{self, BytePairs};
use crate::checksum;
use crate::diagnostic::Diagnostic;
use crate::settings::AddedToken;

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

/// A vocabulary in which more than one token of this many has a capital is cased. None of the 30522 tokens of
/// BERT's uncased vocabulary has one, two of the 21128 of its Chinese one, thousands in its cased ones.
const CASED_FROM_ONE_IN: usize = 1000;

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

/// How words become tokens.
#[derive(Clone, Debug)]
pub(in crate::text) enum Pieces {
    /// The longest tokens first, as in BERT.
    WordPiece {
        /// The file, as a `vocab.txt`.
        bytes: Vec<u8>,
    },
    /// Merges of pairs, as in the published GPT.
    BytePair(Arc<BytePairs>),
}

impl Vocabulary {
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

    /// The same vocabulary without the tokens that a GPT's fine-tuning adds, which its file has not: none is special then.
    #[must_use]
    pub fn of_language_model(mut self) -> Self {
        if self.is_byte_pair() && self.tokens.len() > self.listed {
            let listed = self.listed;
            self.tokens.truncate(listed);
            self.ids.retain(|_, id| (*id as usize) < listed);
            let SpecialTokens { unk, .. } = self.special;
            self.special = SpecialTokens { cls: unk, sep: unk, end: unk, ..self.special };
        }
        self
    }

    /// `vocab.json` and `merges.txt` of a GPT, each with its name; none of a `vocab.txt`.
    #[must_use]
    pub fn byte_pair_files(&self) -> Option<[(&'static str, &[u8]); 2]> {
        let Pieces::BytePair(pairs) = &self.pieces else { return None };
        let [tokens, merges] = &pairs.files;
        Some([(byte_pair::VOCABULARY, tokens), (byte_pair::MERGES, merges)])
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
    pub(in crate::text) fn agrees_with(&self, path: &Path, other: &Self, from: &Path) -> Result<(), Diagnostic> {
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
    pub(in crate::text) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Whether its tokens are merges of pairs, as in the published GPT.
    #[must_use]
    pub fn is_byte_pair(&self) -> bool {
        matches!(self.pieces, Pieces::BytePair(_))
    }

    /// How the special tokens are spelt that are looked for in texts. Those that a GPT's fine-tuning adds are not.
    pub(in crate::text) fn special_names(&self) -> &'static [&'static str] {
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
    pub(in crate::text) fn listed(&self) -> impl Iterator<Item = (&str, u32)> {
        (0..).zip(&self.tokens[..self.listed]).map(|(id, token)| (token.as_str(), id))
    }
}
