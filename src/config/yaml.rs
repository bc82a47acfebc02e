//! Text to tree: YAML's own rules, read strictly, and its errors in words that help.

use std::path::Path;

use serde_yaml::budget::BudgetBreach;
use serde_yaml::{Budget, Error, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

use super::document::{Node, Spot, place_in, split_lines, spot_of};
use crate::diagnostic::Diagnostic;

/// An experiment file has a few dozen values at a depth of four. These limits are far above that, and
/// far below what a chain of anchors that doubles on every line expands to.
const MAX_DEPTH: usize = 16;
const MAX_VALUES: usize = 20_000;
const MAX_ALIASES: usize = 200;

/// Reads the text of a whole file.
pub(super) fn parse_file(path: &Path, text: &str) -> Result<Node, Diagnostic> {
    parse(text).map_err(|error| {
        let (message, hint) = words(&error, text);
        let mut found = Diagnostic::new(message).in_file(path);
        found.hint = hint;
        if let Some(location) = error.location()
            && let Spot::File { line, column, width } = spot_of(location)
        {
            found.place = Some(place_in(path, &split_lines(text), line, column, width));
        }
        found
    })
}

/// Reads the value of a `--set KEY=VALUE`; its places are the argument's.
pub(super) fn parse_override(text: &str, spot: Spot) -> Result<Node, Diagnostic> {
    let mut node = parse(text).map_err(|error| {
        let (message, hint) = words(&error, text);
        Diagnostic { hint, ..Diagnostic::new(message) }
    })?;
    node.move_to(spot);
    Ok(node)
}

fn parse(text: &str) -> Result<Node, Error> {
    serde_yaml::from_str_with_options(text, options())
}

fn options() -> Options {
    serde_yaml::options! {
        budget: Some(budget()),
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_VALUES },
        // The YAML 1.2 rule: `no` and `on` are texts, `true` and `false` the only truth values.
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::Error,
        reject_unsupported_tags: true,
        // `.nan` reaches the check of its key, which says what the key takes.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

fn budget() -> Budget {
    let mut budget = Budget::default();
    budget.max_depth = MAX_DEPTH;
    budget.max_events = 2 * MAX_VALUES;
    budget.max_nodes = MAX_VALUES;
    budget.max_aliases = MAX_ALIASES;
    budget.max_anchors = MAX_ALIASES;
    budget
}

/// What is wrong and what to do, for the errors that people make in YAML.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign, non-exhaustive enum; the last arm shows its own words")]
fn words(error: &Error, text: &str) -> (String, Option<String>) {
    let (message, hint) = match error {
        Error::AliasError { error, .. } => return words(error, text),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            (format!("the key `{key}` is written twice"), "keep one of the two".to_owned())
        }
        Error::MultipleDocuments { .. } => (
            "a second YAML document starts here".to_owned(),
            "one file holds one experiment: move the rest to its own file, or remove the `---`".to_owned(),
        ),
        Error::UnknownAnchor { .. } => (
            "this alias has no anchor".to_owned(),
            "`*name` repeats a value that was marked `&name` further up; write the value itself, \
             or quote a string that begins with `*`"
                .to_owned(),
        ),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            (format!("the aliases expand to more than {MAX_VALUES} values"), "write the values out".to_owned())
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            (format!("nested more than {MAX_DEPTH} levels deep"), "an experiment needs four".to_owned())
        }
        Error::Budget { .. } => (
            format!("more than an experiment file can hold ({MAX_VALUES} values, {MAX_ALIASES} aliases)"),
            "is it an experiment file?".to_owned(),
        ),
        Error::MergeKeyNotAllowed { .. } => {
            ("merge keys (`<<`) are not read here".to_owned(), "write the keys out".to_owned())
        }
        Error::UnsupportedTag { tag, .. } => {
            (format!("the tag `{tag}` is not known"), "remove it, or quote a string that begins with `!`".to_owned())
        }
        Error::Unexpected { expected: "string scalar", .. } => {
            ("a key must be a name".to_owned(), "write `name: value`".to_owned())
        }
        other => return syntax(&reason(other), text),
    };
    (message, Some(hint))
}

/// The reader's own words, without the place that it puts behind them.
fn reason(error: &Error) -> String {
    let full = error.to_string();
    let end = full.rfind(" at line ").unwrap_or(full.len());
    full[..end].to_owned()
}

/// A known cause for the errors of YAML's grammar: part of the reader's words → message, hint.
const SYNTAX: [(&str, &str, &str); 9] = [
    ("tabs disallowed", "a tab is used for indentation", "indent with spaces"),
    ("unclosed quote", "this quote is never closed", "add the closing quote"),
    ("unclosed bracket", "this bracket is never closed", "add the closing `]` or `}`"),
    (
        "illegal placement of ':'",
        "a `:` where none can stand",
        "is a `]`, a `}` or a quote missing further up, or an indentation uneven?",
    ),
    (
        "mapping values are not allowed",
        "a second `key:` where one value was expected",
        "put each key on its own line with a space behind its `:`, and quote a string that holds `: `",
    ),
    (
        "unknown escape character",
        "an escape that YAML does not know",
        "in double quotes write `\\\\` for a backslash, or use single quotes",
    ),
    (
        "did not find expected <document start>",
        "this line does not continue what stands above it",
        "give keys of the same level the same indentation",
    ),
    (
        "did not find expected key",
        "this line is neither a key of the mapping above nor a part of its last value",
        "give keys of the same level the same indentation, and put a `:` and a space behind each",
    ),
    ("simple key expect", "a key without its `:`", "put a `:` and a space behind the key"),
];

fn syntax(reason: &str, text: &str) -> (String, Option<String>) {
    for (part, message, hint) in SYNTAX {
        if reason.contains(part) {
            return (message.to_owned(), Some(hint.to_owned()));
        }
    }
    if text.contains('\0') {
        return ("this is not a text file".to_owned(), Some("is it the right file?".to_owned()));
    }
    let hint = "quote a string that begins with one of @ ` % & * ! | > { [";
    let hint = reason.contains("unexpected character").then(|| hint.to_owned());
    (format!("not valid YAML: {reason}"), hint)
}
