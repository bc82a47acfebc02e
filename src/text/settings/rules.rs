//! What a tokenizer can be told that BERT's does not do, and so is refused.

use serde_json::{Value, json};

use super::json_file::JsonFile;
use crate::diagnostic::Diagnostic;
use crate::text::tokenizer::{CONTINUES, LONGEST_WORD_CHARACTERS};
use crate::text::vocabulary::SpecialTokens;

/// Tokenizers of Hugging Face that split text as BERT does.
const BERT_CLASSES: &[&str] = &[
    "BertTokenizer",
    "BertTokenizerFast",
    "DistilBertTokenizer",
    "DistilBertTokenizerFast",
    "ElectraTokenizer",
    "ElectraTokenizerFast",
];
/// That of the published GPT.
const GPT_CLASSES: &[&str] = &["OpenAIGPTTokenizer", "OpenAIGPTTokenizerFast"];
/// Tokenizers that are whatever `tokenizer.json` says.
const GENERIC_CLASSES: &[&str] = &["PreTrainedTokenizerFast", "TokenizersBackend"];
/// The keys that name BERT's own tokens, in the order of [`SpecialTokens::NAMES`].
const SPECIAL_KEYS: [&str; 5] = ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"];

/// What a file says of the class of its tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing.
    Unsaid,
    /// One that splits text as BERT does.
    Bert,
    /// One that leaves everything to `tokenizer.json`.
    Generic,
}

/// Whether a byte-pair tokenizer of this class can be the published GPT's.
pub(super) fn is_gpt(class: &str) -> bool {
    GPT_CLASSES.contains(&class) || GENERIC_CLASSES.contains(&class)
}

/// The class that `tokenizer_config.json` or `config.json` names.
pub(super) fn class_of(file: Option<&JsonFile>) -> Result<Class, Diagnostic> {
    let Some(file) = file else { return Ok(Class::Unsaid) };
    let key = "tokenizer_class";
    if let Some(own) = file.value.get("auto_map").and_then(|map| map.get("AutoTokenizer")).filter(|own| !own.is_null())
    {
        return Err(file.refused("AutoTokenizer", &format!("a tokenizer with code of its own, {own},")));
    }
    match file.value.get(key) {
        None | Some(Value::Null) => Ok(Class::Unsaid),
        Some(Value::String(class)) if BERT_CLASSES.contains(&class.as_str()) => Ok(Class::Bert),
        Some(Value::String(class)) if GENERIC_CLASSES.contains(&class.as_str()) => Ok(Class::Generic),
        Some(other) => Err(file.refused(key, &format!("a `{key}` of {other}"))),
    }
}

/// Refuses settings in `tokenizer_config.json` that change how text becomes tokens, but for its lower-casing and its
/// added tokens.
pub(super) fn check_config(file: &JsonFile) -> Result<(), Diagnostic> {
    let of = &file.value;
    for (key, expected) in [
        ("do_basic_tokenize", json!(true)),
        ("clean_text", json!(true)),
        ("add_special_tokens", json!(true)),
        ("split_special_tokens", json!(false)),
        ("wordpieces_prefix", json!(CONTINUES)),
        ("word_tokenizer_type", json!("basic")),
        ("subword_tokenizer_type", json!("wordpiece")),
        ("truncation_side", json!("right")),
        ("never_split", json!([])),
    ] {
        file.only(of, key, &expected)?;
    }
    let inputs = "model_input_names";
    if let Some(names) = of.get(inputs).and_then(Value::as_array)
        && !names.iter().any(|name| name == "token_type_ids")
    {
        return Err(file.refused(inputs, &format!("`{inputs}` without `token_type_ids`")));
    }
    Ok(())
}

/// Refuses special tokens under other names than BERT's, in `tokenizer_config.json` or `special_tokens_map.json`.
pub(super) fn check_special_names(file: &JsonFile) -> Result<(), Diagnostic> {
    for (key, expected) in SPECIAL_KEYS.into_iter().zip(SpecialTokens::NAMES) {
        let said = file.value.get(key).filter(|said| !said.is_null());
        if let Some(said) = said
            && content(said) != Some(expected)
        {
            return Err(file.refused(key, &format!("a `{key}` of {said}, not {expected},")));
        }
    }
    Ok(())
}

/// The text of a token that is written as such or as an object around it.
pub(super) fn content(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}

/// Whether `lower` says that text is lower-cased. The others must be what BERT does: accents are stripped (transformers
/// lower-cases when nothing is said) where letters are lower-cased, Chinese characters stand alone.
pub(super) fn case(file: &JsonFile, of: &Value, lower: &str, chinese: &str) -> Result<Option<bool>, Diagnostic> {
    let said = file.flag(of, lower)?;
    let accents = "strip_accents";
    if let Some(strip) = file.flag(of, accents)?
        && strip != said.unwrap_or(true)
    {
        return Err(file.refused(accents, &format!("`{accents}` of {strip} where `{lower}` is {}", !strip)));
    }
    if file.flag(of, chinese)? == Some(false) {
        return Err(file.refused(chinese, &format!("`{chinese}` of false")));
    }
    Ok(said)
}

/// Refuses a `tokenizer.json` that is not BERT's; whether it lower-cases.
pub(super) fn check_tokenizer(file: &JsonFile) -> Result<Option<bool>, Diagnostic> {
    let model = &file.value["model"];
    let kind = kind_of(model);
    if kind != "WordPiece" {
        return Err(file.refused("model", &format!("a tokenizer model of type {kind}")));
    }
    let [_, unknown, ..] = SpecialTokens::NAMES;
    file.only(model, "unk_token", &json!(unknown))?;
    file.only(model, "continuing_subword_prefix", &json!(CONTINUES))?;
    file.only(model, "max_input_chars_per_word", &json!(LONGEST_WORD_CHARACTERS))?;
    let mut normalizer = &file.value["normalizer"];
    // A sequence of one is that one.
    if let Some([only]) = normalizer["normalizers"].as_array().map(Vec::as_slice) {
        normalizer = only;
    }
    if kind_of(normalizer) != "BertNormalizer" {
        return Err(file.refused("normalizer", &format!("a normalizer of type {}", kind_of(normalizer))));
    }
    file.only(normalizer, "clean_text", &json!(true))?;
    let splits = file.value.get("pre_tokenizer");
    if let Some(other) = splits.filter(|splits| kind_of(splits) != "BertPreTokenizer") {
        return Err(file.refused("pre_tokenizer", &format!("a pre-tokenizer of type {}", kind_of(other))));
    }
    check_special_places(file)?;
    if let Some(truncation) = file.value.get("truncation") {
        file.only(truncation, "direction", &json!("Right"))?;
    }
    case(file, normalizer, "lowercase", "handle_chinese_chars")
}

/// Refuses a `post_processor` that puts texts together in another way than `[CLS] A [SEP] B [SEP]`.
fn check_special_places(file: &JsonFile) -> Result<(), Diagnostic> {
    let key = "post_processor";
    let Some(of) = file.value.get(key).filter(|of| !of.is_null()) else { return Ok(()) };
    let [_, _, cls, sep, _] = SpecialTokens::NAMES;
    let fits = match kind_of(of) {
        "BertProcessing" => of["cls"][0] == cls && of["sep"][0] == sep,
        "TemplateProcessing" => {
            let single = [(cls, 0), ("A", 0), (sep, 0)];
            let pair = [(cls, 0), ("A", 0), (sep, 0), ("B", 1), (sep, 1)];
            is_template(&of["single"], &single) && is_template(&of["pair"], &pair)
        }
        other => return Err(file.refused(key, &format!("a post-processor of type {other}"))),
    };
    if fits { Ok(()) } else { Err(file.refused(key, "a post-processor that is not `[CLS] A [SEP] B [SEP]`")) }
}

/// Whether a template has these parts, each with its segment.
fn is_template(template: &Value, expected: &[(&str, u64)]) -> bool {
    let parts = template.as_array().map_or(&[][..], Vec::as_slice);
    let part = |part: &Value| {
        let of = part.as_object()?.values().next()?;
        Some((of.get("id")?.as_str()?.to_owned(), of.get("type_id")?.as_u64()?))
    };
    let same =
        |(part, (name, segment)): (Option<(String, u64)>, &(&str, u64))| part == Some(((*name).to_owned(), *segment));
    parts.len() == expected.len() && parts.iter().map(part).zip(expected).all(same)
}

fn kind_of(of: &Value) -> &str {
    of.get("type").and_then(Value::as_str).unwrap_or("none")
}
