//! From a finding of serde's to words that help: what the key takes, what was found, what to write.

use super::document::{Document, Value};
use super::names::{OTHER_NAMES, OTHER_PRECISIONS, RENAMED, example, renamed};
use super::schema;
use super::wrong::{At, Cause, ONE_CHOICE, ONE_CHOICE_OF_SETTINGS, Wrong};
use crate::diagnostic::{Diagnostic, suggest};

/// The finding, as the user sees it.
pub(super) fn explain(document: &Document, wrong: &Wrong) -> Diagnostic {
    let Some(at) = &wrong.at else { return document.about(format!("not an experiment: {wrong}")) };
    let (message, hint) = match &wrong.cause {
        Cause::Type { expected } => mismatch(document, at, expected),
        Cause::UnknownKey { key, known } => unknown_key(at, key, known),
        Cause::UnknownChoice { name, known } => unknown_choice(at, name, known),
        Cause::MissingKey(key) => missing(at, key),
        Cause::NoValue => no_value(at),
        Cause::Other(words) => (format!("{words} in `{}`", at.path), None),
    };
    let mut found = if at.path.is_empty() && matches!(wrong.cause, Cause::MissingKey(_)) {
        document.about(message)
    } else {
        document.at(at.spot, message)
    };
    found.hint = hint;
    found
}

type Words = (String, Option<String>);

/// The last key of a path, and whether an index follows it: `sweep.epochs.0` → `epochs`, true.
fn key_of(path: &str) -> (&str, bool) {
    let is_index = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    match path.rsplit_once('.') {
        Some((list, index)) if is_index(index) => (list.rsplit('.').next().unwrap_or(list), true),
        Some((_, key)) => (key, false),
        None => (path, false),
    }
}

fn missing(at: &At, key: &str) -> Words {
    let line = example(&format!("{}.{key}", at.path)).map_or_else(|| format!("{key}: …"), str::to_owned);
    if at.path.is_empty() {
        (format!("the key `{key}` is missing"), Some(format!("add `{line}`")))
    } else {
        (format!("`{}` lacks the key `{key}`", at.path), Some(format!("add `{line}` to it")))
    }
}

fn no_value(at: &At) -> Words {
    let (key, in_list) = key_of(&at.path);
    if in_list {
        return (
            format!("an element of `{key}` is empty"),
            Some("write a value, or remove the empty element".to_owned()),
        );
    }
    let advice = match example(&at.path) {
        Some(line) => format!("for example `{line}`; or remove the key"),
        None => "write a value after the colon, or remove the key".to_owned(),
    };
    (format!("`{key}` has no value"), Some(advice))
}

fn unknown_key(at: &At, key: &str, known: &[&str]) -> Words {
    let message = if at.path.is_empty() {
        format!("unknown key `{key}`")
    } else {
        format!("unknown key `{key}` in `{}`", at.path)
    };
    if let Some(new) = renamed(key, known) {
        return (message, Some(format!("it is `{new}` now")));
    }
    let old = RENAMED.iter().map(|(_, old, new)| (*old, *new));
    let meant = old.chain(OTHER_NAMES).find(|(other, _)| *other == key).map_or(key, |(_, ours)| ours);
    let near = suggest(key, known.iter().copied());
    let hint = if known.contains(&meant) {
        format!("did you mean `{meant}`?")
    } else if let Some(home) = schema::home_of(meant) {
        match example(meant) {
            Some(line) => format!("it belongs under `{home}`: `{line}`"),
            None if meant == key => format!("it belongs under `{home}`"),
            None => format!("did you mean `{meant}`, under `{home}`?"),
        }
    } else if known.is_empty() {
        format!("`{}` takes no settings", key_of(&at.path).0)
    } else {
        near
    };
    (message, Some(hint))
}

fn unknown_choice(at: &At, name: &str, known: &[&str]) -> Words {
    let (key, _) = key_of(&at.path);
    let key = if key == "devices" { "device" } else { key };
    let message = format!("unknown {key} `{name}`");
    if let Some(new) = renamed(name, known) {
        return (message, Some(format!("it is `{new}` now")));
    }
    if key == "device" && matches!(name.to_lowercase().as_str(), "gpu" | "mps" | "metal") {
        return (message, Some("a GPU is used by `wgpu`, `vulkan` or `cuda`; `auto` picks one that works".to_owned()));
    }
    if key == "precision"
        && let Some((_, hint)) = OTHER_PRECISIONS.iter().find(|(other, _)| *other == name.to_lowercase())
    {
        return (message, Some((*hint).to_owned()));
    }
    (message, Some(suggest(name, known.iter().copied())))
}

/// What serde expected, in words; serde names Rust types.
fn wanted(expected: &str) -> &str {
    match expected {
        "u32" | "u64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "keys with values",
        ONE_CHOICE | ONE_CHOICE_OF_SETTINGS => "one choice with its settings in braces",
        other => other,
    }
}

fn mismatch(document: &Document, at: &At, expected: &str) -> Words {
    let (key, in_list) = key_of(&at.path);
    let written = document.source_of(at.spot).unwrap_or_else(|| plain(&at.value));
    let found = match &at.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) => format!("`{written}`"),
        Value::Text(text) => format!("the string `{text}`"),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "keys with values".to_owned(),
    };
    if at.path.is_empty() {
        let hint = "begin with a line such as `experiment: my-first`";
        return (format!("an experiment file holds keys with values, not {found}"), Some(hint.to_owned()));
    }
    let wanted = match (wanted(expected), &at.value) {
        ("a whole number", Value::Integer(value)) if *value < 0 => "a positive whole number",
        ("a whole number", Value::Integer(_)) if expected == "u32" => "a whole number up to 4294967295",
        (wanted, _) => wanted,
    };
    let relation = if in_list { "in" } else { "for" };
    (format!("expected {wanted} {relation} `{key}`, found {found}"), mismatch_hint(at, expected, &written))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(text) => text.clone(),
        Value::Null | Value::List(_) | Value::Map(_) => String::new(),
    }
}

fn mismatch_hint(at: &At, expected: &str, written: &str) -> Option<String> {
    let (key, in_list) = key_of(&at.path);
    let path = if in_list { key } else { &at.path };
    match (wanted(expected), &at.value) {
        ("a list", Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_)) => {
            Some(format!("one value is a list too: `{key}: [{written}]`"))
        }
        ("a whole number" | "a number", Value::Text(text)) if text.trim().parse::<f64>().is_ok() => {
            Some("remove the quotes".to_owned())
        }
        ("a number", Value::Text(_)) => Some("write it like `5e-5` or `0.00005`".to_owned()),
        ("a whole number", Value::Float(_)) if written.starts_with('0') && !written.contains('.') => {
            Some(format!("remove the leading zeros: `{}`", written.trim_start_matches('0')))
        }
        ("a whole number", Value::Float(value)) if value.fract() == 0.0 && value.abs() < 1e15 => {
            Some(format!("write `{value:.0}`"))
        }
        (_, Value::Text(name)) if expected == ONE_CHOICE => Some(format!("write `{key}: {{{name}: {{}}}}`")),
        ("a name", Value::Bool(_) | Value::Integer(_) | Value::Float(_)) if key == "precision" => {
            example(key).map(|line| format!("for example `{line}`"))
        }
        ("a string" | "a name", Value::Bool(_) | Value::Integer(_) | Value::Float(_)) => {
            Some(format!("put it in quotes: `\"{written}\"`"))
        }
        ("`true` or `false`", Value::Text(text)) => match text.to_lowercase().as_str() {
            "yes" | "on" | "y" | "1" => Some("write `true`".to_owned()),
            "no" | "off" | "n" | "0" => Some("write `false`".to_owned()),
            _ => Some(format!("for example `{key}: true`")),
        },
        ("`true` or `false`", Value::Integer(1)) => Some("write `true`".to_owned()),
        ("`true` or `false`", Value::Integer(0)) => Some("write `false`".to_owned()),
        _ => example(path).map(|line| format!("for example `{line}`")),
    }
}
