//! A YAML document as a tree whose every key and value knows its place, so that any later finding
//! about a setting can point at the characters that wrote it.

use std::path::{Path, PathBuf};

use crate::checksum;
use crate::diagnostic::{Diagnostic, Place};

/// An experiment file, or what is left of it after `--set`: the tree and what places are made from.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The file as the user named it.
    path: PathBuf,
    /// Its lines.
    lines: Vec<String>,
    /// The `--set` arguments, in order.
    pub(super) overrides: Vec<String>,
    /// The document's value.
    pub(super) root: Node,
}

/// A value and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) spot: Spot,
}

/// What YAML can hold. Integers and floats are kept apart, so that `epochs: 3.0` can be refused.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value` of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_spot: Spot,
    pub(super) node: Node,
}

/// Where a key or a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// In the file; lines and columns count from 1, width in characters.
    File { line: usize, column: usize, width: usize },
    /// In the `--set` argument of this index.
    Override(usize),
}

impl Document {
    /// The document at `path`, whose text is `text`.
    pub(super) fn new(path: &Path, text: &str, root: Node) -> Self {
        Self { path: path.to_path_buf(), lines: split_lines(text), overrides: Vec::new(), root }
    }

    /// SHA-256 of what is said, `--set` included: comments, layout and the order of keys do not count.
    pub(super) fn sha256(&self) -> String {
        checksum::sha256(self.root.canonical().as_bytes())
    }

    /// A finding about the whole file.
    pub(super) fn about(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message).in_file(&self.path)
    }

    /// A finding about one key or value.
    pub(super) fn at(&self, spot: Spot, message: impl Into<String>) -> Diagnostic {
        Diagnostic { place: Some(self.place(spot)), ..Diagnostic::new(message) }
    }

    /// A finding about the value at a key path such as `training.dropout` or `sweep.epochs.1`; about the
    /// file when nothing is written there.
    pub(super) fn at_key(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        match self.spot(key) {
            Some(spot) => self.at(spot, message),
            None => self.about(message),
        }
    }

    /// A finding about the value at a key path, placed at the nearest key that is written: at `models.base` when
    /// `models.base.vocab_file` is not, at the whole file when nothing is.
    pub(super) fn at_nearest(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        let mut path = key;
        loop {
            if let Some(spot) = self.spot(path) {
                return self.at(spot, message);
            }
            match path.rsplit_once('.') {
                Some((parent, _)) => path = parent,
                None => return self.about(message),
            }
        }
    }

    /// A finding about the key, not the value, at a key path.
    pub(super) fn at_key_name(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        match key.rsplit_once('.') {
            Some((parent, name)) => self.at_key_of(parent, name, message),
            None => self.at_key(key, message),
        }
    }

    /// A finding about the key `name` of the mapping at the key path `parent`; `name` may hold dots.
    pub(super) fn at_key_of(&self, parent: &str, name: &str, message: impl Into<String>) -> Diagnostic {
        let entry = match self.node(parent).map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.iter().find(|entry| entry.key == name),
            _ => None,
        };
        match entry {
            Some(entry) => self.at(entry.key_spot, message),
            None => self.at_key(parent, message),
        }
    }

    /// The place that a person would look at.
    pub(super) fn place(&self, spot: Spot) -> Place {
        match spot {
            Spot::File { line, column, width } => place_in(&self.path, &self.lines, line, column, width),
            Spot::Override(index) => {
                let argument = self.overrides.get(index).map_or("", String::as_str);
                let path = PathBuf::from(format!("--set {argument}"));
                Place { path, line: None, column: None, width: 0, text: None }
            }
        }
    }

    /// Where the value at a key path is written: a scalar's own spot, or the key of a list or mapping.
    /// In a list, a step is an element's text (`tasks.rte`) or its index (`tasks.0`).
    pub(super) fn spot(&self, key: &str) -> Option<Spot> {
        self.find(key).map(|(_, spot)| spot)
    }

    fn node(&self, key: &str) -> Option<&Node> {
        self.find(key).map(|(node, _)| node)
    }

    fn find(&self, key: &str) -> Option<(&Node, Spot)> {
        let mut node = &self.root;
        let mut spot = node.spot;
        for step in key.split('.') {
            match &node.value {
                Value::Map(entries) => {
                    let entry = entries.iter().find(|entry| entry.key == step)?;
                    node = &entry.node;
                    spot = entry.named_spot();
                }
                Value::List(items) => {
                    let named = |item: &&Node| matches!(&item.value, Value::Text(text) if text == step);
                    node = items.iter().find(named).or_else(|| items.get(step.parse::<usize>().ok()?))?;
                    spot = node.spot;
                }
                Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => return None,
            }
        }
        Some((node, spot))
    }

    /// The characters at a spot of the file, as they were written.
    pub(super) fn source_of(&self, spot: Spot) -> Option<String> {
        let Spot::File { line, column, width } = spot else { return None };
        let text = self.lines.get(line.checked_sub(1)?)?;
        let written: String = text.chars().skip(column.checked_sub(1)?).take(width).collect();
        (!written.is_empty()).then_some(written)
    }

    /// The keys of the mapping at a key path, in file order.
    pub(super) fn keys_of(&self, key: &str) -> Vec<String> {
        match self.node(key).map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.iter().map(|entry| entry.key.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

impl Node {
    /// The value as text, the keys of mappings sorted.
    fn canonical(&self) -> String {
        match &self.value {
            Value::List(items) => format!("[{}]", items.iter().map(Self::canonical).collect::<Vec<_>>().join(",")),
            Value::Map(entries) => {
                let mut pairs: Vec<String> =
                    entries.iter().map(|entry| format!("{:?}:{}", entry.key, entry.node.canonical())).collect();
                pairs.sort_unstable();
                format!("{{{}}}", pairs.join(","))
            }
            scalar @ (Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_)) => {
                format!("{scalar:?}")
            }
        }
    }

    /// Says that this value and all it holds is written at `spot`.
    pub(super) fn move_to(&mut self, spot: Spot) {
        self.spot = spot;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.move_to(spot)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.key_spot = spot;
                    entry.node.move_to(spot);
                }
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {}
        }
    }
}

impl Entry {
    /// The value's spot when it is a scalar, else the key's: a bracket alone says little.
    pub(super) fn named_spot(&self) -> Spot {
        match self.node.value {
            Value::List(_) | Value::Map(_) | Value::Null => self.key_spot,
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => self.node.spot,
        }
    }
}

/// The lines of a text as YAML counts them: `\n`, `\r\n` and a lone `\r` end one.
pub(super) fn split_lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n").split(['\n', '\r']).map(str::to_owned).collect()
}

/// A place in a file, with its line's text; the width stops at the line's end.
pub(super) fn place_in(path: &Path, lines: &[String], line: usize, column: usize, width: usize) -> Place {
    let text = line.checked_sub(1).and_then(|index| lines.get(index)).cloned();
    let rest = text.as_ref().map_or(0, |text| text.chars().count().saturating_sub(column.saturating_sub(1)));
    Place { path: path.to_path_buf(), line: Some(line), column: Some(column), width: width.min(rest), text }
}

/// Where serde's YAML reader says that something is.
pub(super) fn spot_of(location: serde_yaml::Location) -> Spot {
    Spot::File {
        line: usize::try_from(location.line()).unwrap_or(usize::MAX),
        column: usize::try_from(location.column()).unwrap_or(usize::MAX),
        width: usize::try_from(location.span().len()).unwrap_or(usize::MAX),
    }
}
