//! The vocabulary in a `tokenizer.json`, for folders without a `vocab.txt`: transformers 5 writes none.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::diagnostic::Diagnostic;

/// As much of `tokenizer.json` as says which token has which id.
#[derive(Deserialize)]
struct Written {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    vocab: serde_json::Value,
}

/// Whether a `tokenizer.json` with the content `bytes` is of a byte-pair model.
pub(super) fn is_byte_pair(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Written>(bytes).is_ok_and(|written| written.model.kind.as_deref() == Some("BPE"))
}

/// The `vocab.txt` that the `tokenizer.json` at `path` with the content `bytes` stands for.
///
/// # Errors
/// When it is no WordPiece tokenizer, its ids are not 0, 1, 2, …, or a token cannot stand on a line.
pub(super) fn as_list(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, Diagnostic> {
    let wrong = |message: String| Diagnostic::new(message).in_file(path);
    let written: Written = serde_json::from_slice(bytes).map_err(|error| {
        Diagnostic::new(format!("not a tokenizer of Hugging Face's tokenizers: {error}")).at_line(path, error.line())
    })?;
    let kind = written.model.kind.as_deref().unwrap_or("unnamed");
    if kind != "WordPiece" {
        return Err(wrong(format!("the tokenizer's model is {kind}; BERT's is WordPiece")));
    }
    let vocabulary: BTreeMap<String, u64> = serde_json::from_value(written.model.vocab)
        .map_err(|error| wrong(format!("its vocabulary is not a map from token to id: {error}")))?;
    let mut by_id: BTreeMap<u64, &str> = BTreeMap::new();
    for (token, id) in &vocabulary {
        if let Some(other) = by_id.insert(*id, token) {
            return Err(wrong(format!("the tokens `{other}` and `{token}` have the same id {id}")));
        }
        if token.contains(['\n', '\r']) {
            return Err(wrong(format!("the token {token:?} holds a line's end")));
        }
    }
    if let Some(gap) = (0..).zip(by_id.keys()).find(|(expected, id)| expected != *id) {
        return Err(wrong(format!("no token has the id {}", gap.0)));
    }
    Ok(by_id.values().flat_map(|token| [token, "\n"]).flat_map(str::bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(json: &str) -> Result<String, String> {
        let list = as_list(Path::new("tokenizer.json"), json.as_bytes());
        list.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|found| found.to_string())
    }

    #[test]
    fn tokens_come_in_the_order_of_their_ids() {
        let json = r#"{"model": {"type": "WordPiece", "vocab": {"b": 1, "[PAD]": 0, "\u2028": 2}},
                       "added_tokens": [{"id": 0, "content": "[PAD]", "special": true}]}"#;
        assert_eq!(list(json).unwrap(), "[PAD]\nb\n\u{2028}\n");
    }

    #[test]
    fn what_is_no_vocabulary_of_bert_is_refused() {
        let cases = [
            (
                "{",
                "tokenizer.json:1: not a tokenizer of Hugging Face's tokenizers: EOF while parsing an object at line 1 column 1",
            ),
            (
                r#"{"model": {"type": "BPE", "vocab": {}}}"#,
                "tokenizer.json: the tokenizer's model is BPE; BERT's is WordPiece",
            ),
            (r#"{"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 2}}}"#, "tokenizer.json: no token has the id 1"),
            (
                r#"{"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 0}}}"#,
                "tokenizer.json: the tokens `a` and `b` have the same id 0",
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(list(json).unwrap_err(), expected);
        }
    }
}
