//! The text of a row of JSON lines, without keeping its other columns.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Text, perhaps empty. JSON's `null` is empty text.
    Text(String),
    /// The row has no such column, but these.
    Missing(Vec<String>),
}

/// The column `column` of the JSON object `row`; of a key that stands there twice, the last.
pub(super) fn column_of(row: &str, column: &str) -> Result<Cell, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(row);
    let cell = Column(column).deserialize(&mut reader)?;
    reader.end()?;
    Ok(cell)
}

struct Column<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Column<'_> {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Column<'_> {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a column `{}`", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        let (mut found, mut others) = (None, Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                found = Some(map.next_value::<Option<String>>()?.unwrap_or_default());
            } else {
                map.next_value::<IgnoredAny>()?;
                others.push(key);
            }
        }
        Ok(found.map_or(Cell::Missing(others), Cell::Text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_column_is_read_and_the_others_passed_over() {
        let text = |row: &str| column_of(row, "text").unwrap();
        let nested = format!(r#"{{"x": {}{}, "text": "a\n\u00e9"}}"#, "[".repeat(100), "]".repeat(100));
        assert_eq!(text(&nested), Cell::Text("a\né".into()));
        assert_eq!(text(r#" {"text": null} "#), Cell::Text(String::new()));
        assert_eq!(text(r#"{"txt": "a", "id": 1}"#), Cell::Missing(vec!["txt".into(), "id".into()]));
        for wrong in
            ["", "[]", "\"text\"", r#"{"text": 1}"#, r#"{"text": ["a"]}"#, r#"{"text": "a"} x"#, "{\"text\": \"a"]
        {
            assert!(column_of(wrong, "text").is_err(), "{wrong}");
        }
        // Deeper than any stack.
        let deep = format!(r#"{{"x": {}, "text": "a"}}"#, "[".repeat(1_000_000));
        assert!(column_of(&deep, "text").is_err());
    }
}
