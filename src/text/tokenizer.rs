//! BERT's WordPiece and the published GPT's byte pairs, by the `tokenizers` crate.

use std::borrow::Cow;
use std::ops::Range;

use tokenizers::models::ModelWrapper;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, DecoderWrapper, Model, TokenizerImpl};

use super::byte_pair::{BytePairs, END_OF_WORD, UNKNOWN};
use super::vocabulary::{Pieces, SpecialTokens, Vocabulary};
use crate::diagnostic::Diagnostic;

/// Longer words become `[UNK]` (google-research/bert, `tokenization.py`: `max_input_chars_per_word=200`;
/// Hugging Face, whose vocabularies and scores we read, has 100).
pub(crate) const LONGEST_WORD_CHARACTERS: usize = 100;
/// What a token begins with that goes on with a word.
pub(super) const CONTINUES: &str = "##";

type BertLike = TokenizerImpl<ModelWrapper, BertNormalizer, BertPreTokenizer, BertProcessing, DecoderWrapper>;

/// Text → ids, as Hugging Face's fast BERT tokenizer gives them, or its GPT's, which splits words as BERT's does; special
/// tokens in the text included: a literal `[SEP]` is one token, not three. Where Google's original differs: `docs/parity.md`.
pub struct Tokenizer {
    inner: BertLike,
    special: SpecialTokens,
    lower_case: bool,
}

impl Tokenizer {
    /// A tokenizer over `vocabulary`. Uncased models take `lower_case`, which strips accents too.
    ///
    /// # Errors
    /// When the `tokenizers` crate refuses the vocabulary.
    pub fn new(vocabulary: &Vocabulary, lower_case: bool) -> Result<Self, Diagnostic> {
        let refused = |error: tokenizers::Error| Diagnostic::new(format!("the vocabulary cannot be used: {error}"));
        let model = match vocabulary.pieces() {
            Pieces::WordPiece { .. } => word_piece(vocabulary),
            Pieces::BytePair(pairs) => byte_pair(vocabulary, pairs),
        };
        let mut inner = BertLike::new(model.map_err(refused)?);
        inner.with_normalizer(Some(BertNormalizer::new(true, true, Some(lower_case), lower_case))).map_err(refused)?;
        inner.with_pre_tokenizer(Some(BertPreTokenizer));
        let own = vocabulary.special_names().iter().map(|name| AddedToken::from(*name, true));
        // In the order of their ids: those that the vocabulary lacks get the next one.
        let added = vocabulary.added().iter().map(|token| AddedToken {
            content: token.content.clone(),
            single_word: token.single_word,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            normalized: token.normalized,
            special: token.special,
        });
        inner.add_tokens(own.chain(added)).map_err(refused)?;
        Ok(Self { inner, special: vocabulary.special(), lower_case })
    }

    /// The ids of `text`, without `[CLS]` and `[SEP]`.
    ///
    /// # Errors
    /// When the `tokenizers` crate fails, which no text is known to cause.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Diagnostic> {
        match self.inner.encode_fast(text, false) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The ids that [`Self::encode`] gives for a run of ASCII letters and digits, at a fraction of the cost: nothing in
    /// it is normalised but capitals, and it is one word. `None` of any other text. Added tokens are not looked for.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub(crate) fn encode_plain_word(&self, run: &str) -> Result<Option<Vec<u32>>, Diagnostic> {
        if run.is_empty() || !run.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(None);
        }
        let word = if self.lower_case { Cow::Owned(run.to_ascii_lowercase()) } else { Cow::Borrowed(run) };
        let tokens = self.inner.get_model().tokenize(&word).map_err(|error| failed(&error))?;
        Ok(Some(tokens.into_iter().map(|token| token.id).collect()))
    }

    /// The ids of `text` without `[CLS]` and `[SEP]`, and where each token stands in `text`: a range of Unicode
    /// characters (not bytes), as the `offset_mapping` of Hugging Face's fast tokenizers. What normalisation
    /// drops at the edge of a token belongs to none; pieces of one character that became several share it.
    ///
    /// # Errors
    /// When the `tokenizers` crate fails, which no text is known to cause.
    pub fn encode_with_offsets(&self, text: &str) -> Result<(Vec<u32>, Vec<Range<usize>>), Diagnostic> {
        match self.inner.encode_char_offsets(text, false) {
            Ok(encoding) => {
                let offsets = encoding.get_offsets().iter().map(|&(start, end)| start..end).collect();
                Ok((encoding.get_ids().to_vec(), offsets))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// The ids of the special tokens.
    #[must_use]
    pub fn special(&self) -> SpecialTokens {
        self.special
    }

    /// Whether text is lower-cased and stripped of accents.
    #[must_use]
    pub fn lower_case(&self) -> bool {
        self.lower_case
    }
}

fn word_piece(vocabulary: &Vocabulary) -> tokenizers::Result<ModelWrapper> {
    let [_, unknown, ..] = SpecialTokens::NAMES;
    // The builder takes a map of a crate that we do not name; the model's own reader makes an empty one.
    let mut ids = WordPiece::read_bytes(b"")?;
    ids.extend(vocabulary.listed().map(|(token, id)| (token.to_owned(), id)));
    let model = WordPiece::builder()
        .vocab(ids)
        .unk_token(unknown.to_owned())
        .continuing_subword_prefix(CONTINUES.to_owned())
        .max_input_chars_per_word(LONGEST_WORD_CHARACTERS)
        .build()?;
    Ok(ModelWrapper::WordPiece(model))
}

/// With the settings of transformers' `OpenAIGPTTokenizer`.
fn byte_pair(vocabulary: &Vocabulary, pairs: &BytePairs) -> tokenizers::Result<ModelWrapper> {
    let ids = vocabulary.listed().map(|(token, id)| (token.to_owned(), id));
    let model = BPE::builder()
        .vocab_and_merges(ids.collect::<Vocab>(), pairs.merges.clone())
        .unk_token(UNKNOWN.to_owned())
        .end_of_word_suffix(END_OF_WORD.to_owned())
        .build()?;
    Ok(ModelWrapper::BPE(model))
}

fn failed(error: &tokenizers::Error) -> Diagnostic {
    Diagnostic::new(format!("text could not be tokenised: {error}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ids: the special tokens 0–4, then these from 5 on.
    const WORDS: [&str; 14] =
        ["un", "##aff", "##able", "wa", "##nt", "résumé", "resume", ",", "中", "国", "the", "The", "##s", "a"];

    /// A tokenizer over a vocabulary of 19 tokens.
    pub(crate) fn small(lower_case: bool) -> Tokenizer {
        Tokenizer::new(&Vocabulary::of_words(WORDS.into_iter()).unwrap(), lower_case).unwrap()
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "\\PC*|[\\s\\S]*") {
            let characters = text.chars().count();
            for tokenizer in [small(true), small(false)] {
                let (ids, offsets) = tokenizer.encode_with_offsets(&text).unwrap();
                prop_assert_eq!(&ids, &tokenizer.encode(&text).unwrap());
                prop_assert_eq!(ids.len(), offsets.len());
                prop_assert!(offsets.iter().all(|range| range.start <= range.end && range.end <= characters));
                prop_assert!(offsets.windows(2).all(|two| two[0].start <= two[1].start));
            }
        }
    }
}
