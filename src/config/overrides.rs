//! `--set KEY=VALUE`: settings of the command line, put into the tree before it is read as types, so
//! that they pass the same checks and their errors name the argument.

use super::document::{Document, Entry, Node, Spot, Value};
use super::yaml;
use crate::diagnostic::Diagnostic;

/// Puts every `KEY=VALUE` into the document, in order. `KEY` is a path such as `training.max_length`;
/// `VALUE` is YAML, and `null` removes the key.
pub(super) fn apply(document: &mut Document, overrides: &[String]) -> Result<(), Diagnostic> {
    document.overrides = overrides.to_vec();
    for (index, argument) in overrides.iter().enumerate() {
        let spot = Spot::Override(index);
        let (key, value) = split(argument).map_err(|found| placed(document, spot, found))?;
        let node = yaml::parse_override(value, spot).map_err(|found| placed(document, spot, found))?;
        let steps: Vec<&str> = key.split('.').collect();
        put(&mut document.root, &steps, node, spot).map_err(|found| placed(document, spot, found))?;
    }
    Ok(())
}

fn placed(document: &Document, spot: Spot, found: Diagnostic) -> Diagnostic {
    Diagnostic { place: Some(document.place(spot)), ..found }
}

/// `key=value` → key, value.
fn split(argument: &str) -> Result<(&str, &str), Diagnostic> {
    let example = "for example `--set training.max_length=64`";
    let Some((key, value)) = argument.split_once('=') else {
        return Err(Diagnostic::new("`--set` takes KEY=VALUE").hint(example));
    };
    let key = key.trim();
    if key.split('.').any(str::is_empty) {
        return Err(Diagnostic::new("the key of `--set` is empty or has an empty part").hint(example));
    }
    if value.trim().is_empty() {
        let hint = format!("`--set {key}=null` removes the key from the file's settings");
        return Err(Diagnostic::new("`--set` without a value").hint(hint));
    }
    Ok((key, value))
}

fn put(node: &mut Node, steps: &[&str], value: Node, spot: Spot) -> Result<(), Diagnostic> {
    let Some((step, rest)) = steps.split_first() else {
        *node = value;
        return Ok(());
    };
    let Value::Map(entries) = &mut node.value else {
        let hint = "set the whole value instead, for example `--set 'seeds=[1, 2]'`";
        return Err(Diagnostic::new(format!("`{step}` cannot be set inside a list or a single value")).hint(hint));
    };
    if rest.is_empty() && matches!(value.value, Value::Null) {
        entries.retain(|entry| entry.key != *step);
        return Ok(());
    }
    if !entries.iter().any(|entry| entry.key == *step) {
        let node = Node { value: Value::Map(Vec::new()), spot };
        entries.push(Entry { key: (*step).to_owned(), key_spot: spot, node });
    }
    match entries.iter_mut().find(|entry| entry.key == *step) {
        Some(entry) => {
            if rest.is_empty() {
                // The value's place is the argument's from now on, and so is its key's.
                entry.key_spot = spot;
            }
            put(&mut entry.node, rest, value, spot)
        }
        None => Ok(()),
    }
}
