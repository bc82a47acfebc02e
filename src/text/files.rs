//! The tokenizer's files of a written model, as Hugging Face's libraries read them.

use serde_json::{Map, Value, json};

use super::byte_pair::{ADDED, BytePairs, MERGES, UNKNOWN, VOCABULARY};
use super::tokenizer::{CONTINUES, LONGEST_WORD_CHARACTERS};
use super::vocabulary::{Pieces, SpecialTokens, Vocabulary};
use crate::settings::AddedToken;

/// `vocab.txt`, `tokenizer.json` and `tokenizer_config.json` (of a GPT `vocab.json`, `merges.txt` and
/// `tokenizer_config.json`): all that `AutoTokenizer` and the `tokenizers`
/// package need to give the ids of a [`Tokenizer`](super::Tokenizer). The same inputs give the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenizerFiles {
    files: [(&'static str, Vec<u8>); 3],
}

impl TokenizerFiles {
    /// The files for `vocabulary`, whose file is copied byte for byte. `lower_case` is that of the model's tokenizer;
    /// `max_positions` the longest sequence in tokens that the model reads, which readers may cut to when asked to.
    #[must_use]
    pub fn of(vocabulary: &Vocabulary, lower_case: bool, max_positions: u32) -> Self {
        let pretty = |value: &Value| format!("{value:#}\n").into_bytes();
        let bytes = match vocabulary.pieces() {
            Pieces::WordPiece { bytes } => bytes.clone(),
            Pieces::BytePair(pairs) => return Self { files: byte_pair_files(vocabulary, pairs, max_positions) },
        };
        let added = added(vocabulary);
        Self {
            files: [
                ("vocab.txt", bytes),
                ("tokenizer.json", pretty(&tokenizer(vocabulary, &added, lower_case))),
                ("tokenizer_config.json", pretty(&settings(vocabulary, &added, lower_case, max_positions))),
            ],
        }
    }

    /// Each file's name and content.
    #[must_use]
    pub fn as_slice(&self) -> &[(&'static str, Vec<u8>)] {
        &self.files
    }
}

/// The files of transformers' `OpenAIGPTTokenizer`, with the tokens that fine-tuning adds.
fn byte_pair_files(vocabulary: &Vocabulary, pairs: &BytePairs, max_positions: u32) -> [(&'static str, Vec<u8>); 3] {
    let ids = ADDED.into_iter().filter_map(|name| Some((vocabulary.id(name)?.to_string(), name)));
    let decoder: Map<String, Value> = ids.map(|(id, name)| (id, described(&AddedToken::special(0, name)))).collect();
    let settings = json!({
        "tokenizer_class": "OpenAIGPTTokenizer",
        "model_max_length": max_positions,
        "unk_token": UNKNOWN,
        "added_tokens_decoder": decoder,
    });
    let [tokens, merges] = pairs.files.clone();
    [(VOCABULARY, tokens), (MERGES, merges), ("tokenizer_config.json", format!("{settings:#}\n").into_bytes())]
}

/// BERT's own tokens and the added ones, in the order of their ids; of two with one name, the added one.
fn added(vocabulary: &Vocabulary) -> Vec<AddedToken> {
    let special = vocabulary.special();
    let ids = [special.pad, special.unk, special.cls, special.sep, special.mask];
    let own = ids.into_iter().zip(SpecialTokens::NAMES);
    let own = own.filter(|(id, _)| vocabulary.added().iter().all(|token| token.id != *id));
    let own = own.map(|(id, name)| AddedToken::special(id, name));
    let mut added: Vec<AddedToken> = own.chain(vocabulary.added().iter().cloned()).collect();
    added.sort_unstable_by_key(|token| token.id);
    added
}

/// What `tokenizer.json` and `tokenizer_config.json` say of an added token, but its id.
fn described(of: &AddedToken) -> Value {
    json!({
        "content": of.content,
        "single_word": of.single_word, "lstrip": of.lstrip, "rstrip": of.rstrip, "normalized": of.normalized,
        "special": of.special,
    })
}

/// `tokenizer_config.json`, with the keys that transformers 5.23 writes.
fn settings(vocabulary: &Vocabulary, added: &[AddedToken], lower_case: bool, max_positions: u32) -> Value {
    let [pad, unk, cls, sep, mask] = SpecialTokens::NAMES;
    let mut settings = json!({
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lower_case,
        "strip_accents": null,
        "tokenize_chinese_chars": true,
        "model_max_length": max_positions,
        "pad_token": pad, "unk_token": unk, "cls_token": cls, "sep_token": sep, "mask_token": mask,
    });
    if !vocabulary.added().is_empty() {
        // Readers of `vocab.txt` know added tokens from here.
        let decoder = added.iter().map(|token| (token.id.to_string(), described(token)));
        settings["added_tokens_decoder"] = decoder.collect::<Map<String, Value>>().into();
    }
    settings
}

/// `tokenizer.json`: the whole tokenizer, without padding or truncation. `strip_accents` of null follows
/// `lowercase`.
fn tokenizer(vocabulary: &Vocabulary, added: &[AddedToken], lower_case: bool) -> Value {
    let special = vocabulary.special();
    let [_, unk, cls, sep, _] = SpecialTokens::NAMES;
    let added: Vec<Value> = added
        .iter()
        .map(|token| {
            let mut entry = Map::from_iter([("id".to_owned(), json!(token.id))]);
            entry.extend(described(token).as_object().cloned().unwrap_or_default());
            entry.into()
        })
        .collect();
    let token = |name: &str, segment: u8| json!({"SpecialToken": {"id": name, "type_id": segment}});
    let text = |name: &str, segment: u8| json!({"Sequence": {"id": name, "type_id": segment}});
    let ids: Map<String, Value> = vocabulary.listed().map(|(token, id)| (token.to_owned(), Value::from(id))).collect();
    let template = |name: &str, id: u32| json!({"id": name, "ids": [id], "tokens": [name]});
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": lower_case,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [token(cls, 0), text("A", 0), token(sep, 0)],
            "pair": [token(cls, 0), text("A", 0), token(sep, 0), text("B", 1), token(sep, 1)],
            "special_tokens": {cls: template(cls, special.cls), sep: template(sep, special.sep)},
        },
        "decoder": {"type": "WordPiece", "prefix": CONTINUES, "cleanup": true},
        "model": {
            "type": "WordPiece",
            "unk_token": unk,
            "continuing_subword_prefix": CONTINUES,
            "max_input_chars_per_word": LONGEST_WORD_CHARACTERS,
            "vocab": ids,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::text::{FeatureSet, SkippedRows, TextPair, Tokenizer};

    /// Special tokens out of their usual places, CRLF line ends, and U+2028 as BERT's Chinese vocabulary has it.
    const VOCABULARY: &str = "the\r\n[MASK]\r\n[SEP]\r\n[UNK]\r\n[PAD]\r\n[CLS]\r\n\u{2028}\r\nun\r\n##aff\r\n##able\r\n\
                              The\r\nresume\r\nrésumé\r\n中\r\n,\r\n##s\r\na\r\n";

    fn vocabulary() -> Vocabulary {
        Vocabulary::from_bytes(Path::new("words.txt"), VOCABULARY.into()).unwrap()
    }

    fn content<'a>(files: &'a TokenizerFiles, name: &str) -> &'a [u8] {
        &files.as_slice().iter().find(|(found, _)| *found == name).unwrap().1
    }

    #[test]
    fn tokenizer_json_encodes_pairs_as_feature_sets_do() {
        let texts = [
            ("The résumé, unaffable", Some("中a [MASK] the")),
            ("Résumé zebra", None),
            ("", Some("a\u{2028}the")),
            (&"s".repeat(101), Some(&*"a".repeat(100))),
        ];
        for lower_case in [true, false] {
            let files = TokenizerFiles::of(&vocabulary(), lower_case, 64);
            let theirs = tokenizers::Tokenizer::from_bytes(content(&files, "tokenizer.json")).unwrap();
            let ours = Tokenizer::new(&vocabulary(), lower_case).unwrap();
            let pairs = texts.map(|(first, second)| TextPair { first, second, label: 0.0 });
            let features = FeatureSet::build(&ours, &pairs, 512, SkippedRows::default()).unwrap();
            let mut unknown = 0;
            for (i, pair) in pairs.iter().enumerate() {
                let encoding = match pair.second {
                    Some(second) => theirs.encode((pair.first, second), true),
                    None => theirs.encode(pair.first, true),
                };
                let encoding = encoding.unwrap();
                let example = features.example(i);
                assert_eq!(encoding.get_ids(), example.ids, "{pair:?}");
                assert!(encoding.get_type_ids().iter().copied().eq(example.segments.iter().copied().map(u32::from)));
                unknown += example.ids.iter().filter(|id| **id == ours.special().unk).count();
            }
            assert!((3..9).contains(&unknown), "{unknown}");
        }
    }

    #[test]
    fn files_are_complete_and_the_same_each_time() {
        let vocabulary = vocabulary();
        let files = TokenizerFiles::of(&vocabulary, false, 64);
        assert_eq!(files, TokenizerFiles::of(&vocabulary, false, 64));
        assert_eq!(
            files.as_slice().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["vocab.txt", "tokenizer.json", "tokenizer_config.json"]
        );
        assert_eq!(content(&files, "vocab.txt"), VOCABULARY.as_bytes());
        let settings: Value = serde_json::from_slice(content(&files, "tokenizer_config.json")).unwrap();
        assert_eq!((&settings["do_lower_case"], &settings["model_max_length"]), (&json!(false), &json!(64)));
        let tokenizer: Value = serde_json::from_slice(content(&files, "tokenizer.json")).unwrap();
        let ids: Vec<&str> = tokenizer["model"]["vocab"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((ids.len(), ids[0], ids[6], ids[16]), (17, "the", "\u{2028}", "a"));
        assert_eq!(tokenizer["added_tokens"][0]["content"], "[MASK]");
        assert_eq!((&tokenizer["padding"], &tokenizer["truncation"]), (&Value::Null, &Value::Null));
    }
}
