//! What can be wrong with a document's values, as serde reports it.

use std::fmt;

use serde::de;

use super::document::{Spot, Value};

/// A finding of serde's, with its place as soon as a `Reader` on the way out knows it.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) cause: Cause,
    pub(super) at: Option<At>,
}

/// Which value is wrong: its key path, its spot and a copy of it.
#[derive(Debug)]
pub(super) struct At {
    pub(super) path: String,
    pub(super) spot: Spot,
    pub(super) value: Value,
}

/// What can be wrong with a value of valid YAML.
#[derive(Debug)]
pub(super) enum Cause {
    /// A value of another type or range than serde's words for what was expected.
    Type { expected: String },
    /// A key that the mapping does not take.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A name that is not one of the choices.
    UnknownChoice { name: String, known: &'static [&'static str] },
    /// A key that the mapping needs.
    MissingKey(&'static str),
    /// A key without a value.
    NoValue,
    /// Anything else, in serde's words.
    Other(String),
}

impl From<Cause> for Wrong {
    fn from(cause: Cause) -> Self {
        Self { cause, at: None }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.cause)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Cause::Other(message.to_string()).into()
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Cause::Type { expected: expected.to_string() }.into()
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Cause::Type { expected: expected.to_string() }.into()
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Cause::UnknownKey { key: field.to_owned(), known }.into()
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Cause::UnknownChoice { name: name.to_owned(), known }.into()
    }

    fn missing_field(field: &'static str) -> Self {
        Cause::MissingKey(field).into()
    }
}

/// What is expected where a choice has settings: `{bert_adam: {}}`. serde calls it so itself when it
/// finds the choice's name alone.
pub(super) const ONE_CHOICE: &str = "struct variant";

/// The same where the settings have a type of their own.
pub(super) const ONE_CHOICE_OF_SETTINGS: &str = "newtype variant";
