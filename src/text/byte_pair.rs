//! The vocabulary of the published GPT: byte-pair merges of characters, where `</w>` ends a word (Sennrich et al. 2016;
//! Radford et al. 2018). In `vocab.json` with `merges.txt`, as transformers keeps `openai-gpt`, or in a `tokenizer.json`.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::diagnostic::Diagnostic;

/// The file of tokens; the merges stand beside it.
pub(super) const VOCABULARY: &str = "vocab.json";
/// The file of merges, the first ones first.
pub(super) const MERGES: &str = "merges.txt";
/// What a token ends with that ends a word.
pub(super) const END_OF_WORD: &str = "</w>";
/// The token for what the vocabulary cannot spell.
pub(super) const UNKNOWN: &str = "<unk>";
/// Tokens that fine-tuning adds: before a text, between two, and after all, where the answer is read (Radford et al.
/// 2018, §3.3; the names are those of its authors' code, openai/finetune-transformer-lm, `train.py`).
pub(super) const ADDED: [&str; 3] = ["_start_", "_delimiter_", "_classify_"];

/// The published files have a mebibyte at most; this leaves room for a vocabulary of millions.
const MAX_BYTES: u64 = 1 << 28;

/// Tokens by id, and which pairs become one, the first ones first.
#[derive(Debug)]
pub(super) struct BytePairs {
    pub(super) tokens: Vec<String>,
    pub(super) merges: Vec<(String, String)>,
    /// `vocab.json` and `merges.txt` as they are written beside a model.
    pub(super) files: [Vec<u8>; 2],
}

/// Reads `vocab.json` at `path` and the `merges.txt` beside it.
///
/// # Errors
/// A file that cannot be read or is malformed, ids that are not 0, 1, 2, …, a merge of or to what is no token, tokens
/// of which none ends a word, and no token for what is unknown.
pub(super) fn load(path: &Path) -> Result<BytePairs, Diagnostic> {
    let vocabulary = bounded(path)?;
    let value: Value = parsed(path, &vocabulary)?;
    let beside = path.with_file_name(MERGES);
    let merges = bounded(&beside)?;
    let text = std::str::from_utf8(&merges).map_err(|_| Diagnostic::new("it is not valid UTF-8").in_file(&beside))?;
    let mut pairs = Vec::new();
    // Pairs that are no pairs are refused with their lines; the first line is a comment (`#version: 0.2`).
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || (number == 0 && line.starts_with("#version")) {
            continue;
        }
        pairs.push((number + 1, pair(line).ok_or_else(|| not_a_pair(line).at_line(&beside, number + 1))?));
    }
    let tokens = tokens(path, value)?;
    let place = |line: usize, found: Diagnostic| found.at_line(&beside, line);
    checked(path, tokens, pairs, place, [vocabulary, merges])
}

/// The same of a `tokenizer.json` with the content `bytes`.
pub(super) fn of_tokenizer(path: &Path, bytes: &[u8]) -> Result<BytePairs, Diagnostic> {
    let value: Value = parsed(path, bytes)?;
    let model = &value["model"];
    let wrong = |what: &str| Diagnostic::new(format!("{what} is not supported")).in_file(path).hint(ONLY_GPT);
    if model["end_of_word_suffix"] != END_OF_WORD {
        return Err(wrong("a byte-pair model whose words do not end with `</w>`"));
    }
    if value["normalizer"]["type"] != "BertNormalizer" || value["normalizer"]["lowercase"] != true {
        return Err(wrong("a normalizer that is not BERT's, lower-casing,"));
    }
    if value["pre_tokenizer"]["type"] != "BertPreTokenizer" {
        return Err(wrong("a pre-tokenizer that is not BERT's"));
    }
    let listed = model["merges"].as_array().map_or(&[][..], Vec::as_slice);
    let merge = |merge: &Value| match merge {
        Value::String(text) => pair(text),
        Value::Array(two) => match two.as_slice() {
            [Value::String(one), Value::String(other)] => Some((one.clone(), other.clone())),
            _ => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    let pairs = listed.iter().enumerate().map(|(at, one)| {
        merge(one).map(|pair| (at + 1, pair)).ok_or_else(|| not_a_pair(&one.to_string()).in_file(path))
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    let files = [
        format!("{:#}\n", model["vocab"]).into_bytes(),
        std::iter::once("#version: 0.2\n".to_owned())
            .chain(pairs.iter().map(|(_, (one, other))| format!("{one} {other}\n")))
            .collect::<String>()
            .into_bytes(),
    ];
    let tokens = tokens(path, model["vocab"].clone())?;
    checked(path, tokens, pairs, |_, found| found.in_file(path), files)
}

const ONLY_GPT: &str = "of byte-pair tokenizers, bertbench has that of `openai-gpt`";

fn checked(
    path: &Path,
    tokens: Vec<String>,
    pairs: Vec<(usize, (String, String))>,
    place: impl Fn(usize, Diagnostic) -> Diagnostic,
    files: [Vec<u8>; 2],
) -> Result<BytePairs, Diagnostic> {
    let known: HashSet<&str> = tokens.iter().map(String::as_str).collect();
    if !known.contains(UNKNOWN) {
        return Err(Diagnostic::new(format!("the vocabulary has no {UNKNOWN}")).in_file(path).hint(ONLY_GPT));
    }
    if !tokens.iter().any(|token| token.ends_with(END_OF_WORD)) {
        return Err(Diagnostic::new("no token ends a word with `</w>`").in_file(path).hint(ONLY_GPT));
    }
    for (line, (one, other)) in &pairs {
        for token in [one.clone(), other.clone(), format!("{one}{other}")] {
            if !known.contains(token.as_str()) {
                let message = format!("the merge `{one} {other}` needs the token `{token}`, which is not there");
                return Err(place(*line, Diagnostic::new(message)).hint("both files must be of one model"));
            }
        }
    }
    let merges = pairs.into_iter().map(|(_, pair)| pair).collect();
    Ok(BytePairs { tokens, merges, files })
}

fn pair(line: &str) -> Option<(String, String)> {
    let (one, other) = line.trim_end_matches(['\r', '\n']).split_once(' ')?;
    (!one.is_empty() && !other.is_empty() && !other.contains(' ')).then(|| (one.to_owned(), other.to_owned()))
}

fn not_a_pair(what: &str) -> Diagnostic {
    let shown: String = what.chars().take(80).collect();
    Diagnostic::new(format!("`{shown}` is not a merge: two tokens with a space between"))
}

fn bounded(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        let found = Diagnostic::new(format!("the vocabulary cannot be read: {error}")).in_file(path);
        found.hint(format!("a GPT's folder holds {VOCABULARY} and {MERGES}"))
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Diagnostic::new("larger than 256 MiB, so no vocabulary").in_file(path));
    }
    Ok(bytes)
}

fn parsed(path: &Path, bytes: &[u8]) -> Result<Value, Diagnostic> {
    serde_json::from_slice(bytes)
        .map_err(|error| Diagnostic::new(format!("malformed JSON: {error}")).at_line(path, error.line()))
}

/// The tokens of a map from token to id.
fn tokens(path: &Path, map: Value) -> Result<Vec<String>, Diagnostic> {
    let wrong = |message: String| Diagnostic::new(message).in_file(path);
    let map: BTreeMap<String, u32> = serde_json::from_value(map)
        .map_err(|error| wrong(format!("the vocabulary is not a map from token to id: {error}")))?;
    let mut tokens = vec![None; map.len()];
    for (token, id) in map {
        let Some(place) = tokens.get_mut(id as usize) else {
            return Err(wrong(format!("`{token}` has the id {id}, but there are {} tokens", tokens.len())));
        };
        if let Some(other) = place.replace(token.clone()) {
            return Err(wrong(format!("the tokens `{other}` and `{token}` have the same id {id}")));
        }
    }
    // As many ids as tokens, and no two alike: none is left out.
    Ok(tokens.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: &str = r#"{"<unk>": 0, "a": 1, "b</w>": 2, "ab</w>": 3}"#;

    fn refused(vocabulary: &str, merges: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(VOCABULARY), vocabulary).unwrap();
        std::fs::write(folder.path().join(MERGES), merges).unwrap();
        let found = load(&folder.path().join(VOCABULARY)).unwrap_err().to_string();
        found.replace(&folder.path().display().to_string(), "gpt")
    }

    #[test]
    fn what_is_no_vocabulary_of_gpt_is_refused_at_its_place() {
        let same = TOKENS.replace('3', "2");
        for (vocabulary, merges, expected) in [
            ("{", "", "gpt/vocab.json:1: malformed JSON"),
            ("[]", "", "gpt/vocab.json: the vocabulary is not a map from token to id"),
            (&same, "", "gpt/vocab.json: the tokens `ab</w>` and `b</w>` have the same id 2"),
            (r#"{"<unk>": 4000000000}"#, "", "gpt/vocab.json: `<unk>` has the id 4000000000, but there are 1 tokens"),
            (r#"{"a</w>": 0}"#, "", "gpt/vocab.json: the vocabulary has no <unk>"),
            (r#"{"<unk>": 0}"#, "", "gpt/vocab.json: no token ends a word with `</w>`"),
            (TOKENS, "#version: 0.2\na b c\n", "gpt/merges.txt:2: `a b c` is not a merge"),
            (TOKENS, "a b\n", "gpt/merges.txt:1: the merge `a b` needs the token `b`, which is not there"),
        ] {
            let found = refused(vocabulary, merges);
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
