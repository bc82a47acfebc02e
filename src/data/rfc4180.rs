//! Comma-separated values with quotes (RFC 4180), as spreadsheets and Python's `csv` write them: a quoted field
//! may hold commas, line breaks and doubled quotes. Every record knows the line on which it begins.
//!
//! Where RFC 4180 is silent, Python's `csv` is followed (`tests/golden/swag.py`): a quote inside an unquoted
//! field is text, as is what follows a closing quote; CR, LF and CRLF end a record; empty lines are no records.

/// A record: where it begins, and its fields without their quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line of its first character, from 1.
    pub(super) line: usize,
    /// At least one.
    pub(super) fields: Vec<Vec<u8>>,
}

/// A quote that nothing closes: what comes after it cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    /// The line of the quote, from 1.
    pub(super) line: usize,
}

/// The records of a text, one after the other.
pub(super) struct Records<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Records<'a> {
    /// The records in `bytes`, which have no byte order mark.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, line: 1 }
    }

    /// Takes a line break off the front, if one is there.
    fn line_break(&mut self) -> bool {
        let length = match self.rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.rest = &self.rest[length..];
        self.line += 1;
        true
    }

    /// The field at the front; what ends it stays.
    fn field(&mut self) -> Result<Vec<u8>, Unclosed> {
        let mut field = match self.rest.split_first() {
            Some((b'"', rest)) => {
                let opened = Unclosed { line: self.line };
                self.rest = rest;
                self.quoted().ok_or(opened)?
            }
            Some(_) | None => Vec::new(),
        };
        let plain = self.rest.iter().take_while(|byte| !matches!(byte, b',' | b'\r' | b'\n')).count();
        let (text, rest) = self.rest.split_at(plain);
        field.extend_from_slice(text);
        self.rest = rest;
        Ok(field)
    }

    /// What stands before the closing quote, which is taken off; `None` when there is none.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let before = self.rest;
            if self.line_break() {
                text.extend_from_slice(&before[..before.len() - self.rest.len()]);
                continue;
            }
            let (byte, rest) = before.split_first()?;
            self.rest = rest;
            if *byte == b'"' {
                match rest.split_first() {
                    Some((b'"', rest)) => self.rest = rest,
                    Some(_) | None => return Some(text),
                }
            }
            text.push(*byte);
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Unclosed>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.line_break() {}
        if self.rest.is_empty() {
            return None;
        }
        let mut record = Record { line: self.line, fields: Vec::new() };
        loop {
            match self.field() {
                Ok(field) => record.fields.push(field),
                Err(unclosed) => {
                    self.rest = &[];
                    return Some(Err(unclosed));
                }
            }
            let Some((b',', rest)) = self.rest.split_first() else {
                self.line_break();
                return Some(Ok(record));
            };
            self.rest = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn read(text: &str) -> Result<Vec<(usize, Vec<String>)>, Unclosed> {
        let text_of = |field: Vec<u8>| String::from_utf8(field).unwrap();
        Records::of(text.as_bytes())
            .map(|record| record.map(|record| (record.line, record.fields.into_iter().map(text_of).collect())))
            .collect()
    }

    #[test]
    fn records_and_their_lines_are_those_of_pythons_csv() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/swag.json")).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 15);
        for case in cases {
            let text = case["text"].as_str().unwrap();
            let expected: Vec<(usize, Vec<String>)> = serde_json::from_value(case["records"].clone()).unwrap();
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_stays_open_is_found_where_it_was_opened() {
        assert_eq!(read("a,b\n\"x\n\",\"y\n\nz,1\n"), Err(Unclosed { line: 3 }));
        assert_eq!(read("\""), Err(Unclosed { line: 1 }));
        assert_eq!(read("a\n\"b\"\""), Err(Unclosed { line: 2 }));
    }

    proptest! {
        #[test]
        fn what_is_written_with_quotes_is_read_back(
            records in prop::collection::vec(
                prop::collection::vec(prop::sample::select(vec!["", "a", "\"", ",", "\n", "\r\n", "\r", "é\"\"b", " "]), 2..5),
                0..8,
            ),
        ) {
            let quote = |field: &&str| format!("\"{}\"", field.replace('"', "\"\""));
            let lines = records.iter().map(|fields| fields.iter().map(quote).collect::<Vec<_>>().join(","));
            let text = lines.collect::<Vec<_>>().join("\n");
            let found = read(&text).unwrap();
            prop_assert_eq!(found.iter().map(|(_, fields)| fields).collect::<Vec<_>>(), records.iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(prop::sample::select(b"a\",\n\r\0\xe9".to_vec()), 0..60)) {
            let lines: Vec<usize> = Records::of(&bytes).map_while(Result::ok).map(|record| record.line).collect();
            prop_assert!(lines.is_sorted());
        }
    }
}
