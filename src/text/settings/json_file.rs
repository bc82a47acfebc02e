//! A JSON file of a model's folder, with its lines for messages.

use std::path::PathBuf;

use serde_json::Value;

use crate::diagnostic::Diagnostic;

/// What a refusal says of what is supported.
pub(super) const ONLY_BERT: &str = "bertbench splits text as google-research/bert does, cased or uncased";

/// A file that holds a JSON object.
pub(super) struct JsonFile {
    path: PathBuf,
    text: String,
    pub(super) value: Value,
}

impl JsonFile {
    /// `None` when there is no such file.
    pub(super) fn read(path: PathBuf) -> Result<Option<Self>, Diagnostic> {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Diagnostic::new(format!("it cannot be read: {error}")).in_file(&path)),
        };
        match serde_json::from_slice(&bytes) {
            Ok(value @ Value::Object(_)) => {
                Ok(Some(Self { path, text: String::from_utf8_lossy(&bytes).into_owned(), value }))
            }
            Ok(_) => Err(Diagnostic::new("it holds no JSON object").in_file(&path)),
            Err(error) => {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                Err(Diagnostic::new(format!("malformed JSON: {message}")).at_line(&path, error.line()))
            }
        }
    }

    /// A finding at the first line that holds `word` in quotes.
    pub(super) fn finding(&self, word: &str, message: String) -> Diagnostic {
        let quoted = format!("\"{word}\"");
        let finding = Diagnostic::new(message);
        match self.text.lines().position(|line| line.contains(&quoted)) {
            Some(line) => finding.at_line(&self.path, line + 1),
            None => finding.in_file(&self.path),
        }
    }

    pub(super) fn refused(&self, key: &str, what: &str) -> Diagnostic {
        self.finding(key, format!("{what} is not supported")).hint(ONLY_BERT)
    }

    /// A key of `of` that is true, false, or null or missing.
    pub(super) fn flag(&self, of: &Value, key: &str) -> Result<Option<bool>, Diagnostic> {
        match of.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(said)) => Ok(Some(*said)),
            Some(other) => Err(self.finding(key, format!("`{key}` is {other}, not true or false"))),
        }
    }

    /// Refuses a key of `of` that is there with another value than `expected`.
    pub(super) fn only(&self, of: &Value, key: &str, expected: &Value) -> Result<(), Diagnostic> {
        match of.get(key) {
            None | Some(Value::Null) => Ok(()),
            Some(said) if said == expected => Ok(()),
            Some(other) => Err(self.refused(key, &format!("`{key}` of {other}"))),
        }
    }
}
