//! What values of several keys must satisfy, and the words that refuse them.

use std::path::PathBuf;

use super::document::Document;
use super::names::example;
use crate::diagnostic::Diagnostic;

/// A longer name may not fit a file system's limit of 255 bytes beside the prefixes that are put to it.
const LONGEST_NAME: usize = 100;

/// Whether a name can be a folder's: letters, digits and the characters of `also`.
pub(super) fn is_name(name: &str, also: &[char]) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    first && name.len() <= LONGEST_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(&c))
}

/// A name of the same meaning that is allowed.
pub(super) fn tidy(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let tidy: String = kept.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    tidy.chars().take(LONGEST_NAME).collect()
}

/// The last key of a key path, as messages name it.
fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// ``for example `epochs: [3, 4]` ``
pub(super) fn for_example(key: &str) -> String {
    example(key).map_or_else(|| "give it a value".to_owned(), |line| format!("for example `{line}`"))
}

/// Refuses an empty list.
pub(super) fn not_empty<T>(document: &Document, key: &str, values: &[T]) -> Result<(), Diagnostic> {
    if values.is_empty() {
        return Err(document.at_key(key, format!("`{}` is empty", last(key))).hint(for_example(last(key))));
    }
    Ok(())
}

/// Refuses an empty list and one with a value twice; points at the second of the two.
pub(super) fn no_duplicates<T: PartialEq + std::fmt::Display>(
    document: &Document,
    key: &str,
    values: &[T],
) -> Result<(), Diagnostic> {
    not_empty(document, key, values)?;
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            let message = format!("`{}` has the value `{value}` twice", last(key));
            return Err(document.at_key(&format!("{key}.{index}"), message).hint("keep one of the two"));
        }
    }
    Ok(())
}

/// A number as the file has it (`.nan`, `1e3`), else as Rust writes it.
pub(super) fn shown(document: &Document, key: &str, value: f64) -> String {
    document.spot(key).and_then(|spot| document.source_of(spot)).unwrap_or_else(|| value.to_string())
}

/// A path that a file system could have.
pub(super) fn path(document: &Document, key: &str, text: &str) -> Result<PathBuf, Diagnostic> {
    if text.trim().is_empty() || text.contains(['\0', '\n']) {
        return Err(document.at_key(key, format!("`{}` is not a path", last(key))).hint(for_example(last(key))));
    }
    Ok(PathBuf::from(text))
}
