//! As much of the protocol buffers' wire format as a bundle's entries need.

use super::table::{Cursor, Problem};

/// A field's value.
pub(super) enum Field<'a> {
    /// An integer, an enum, or 32 or 64 bits of fixed length.
    Number(u64),
    /// A message or a string.
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(_) => 0,
        }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Number(_) => &[],
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The fields of a message by number, in the order of the bytes.
pub(super) fn fields(message: &[u8]) -> Result<Vec<(u64, Field<'_>)>, Problem> {
    let mut cursor = Cursor(message);
    let mut fields = Vec::new();
    while !cursor.0.is_empty() {
        let tag = cursor.varint()?;
        let little_endian = |bytes: &[u8]| bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let field = match tag & 7 {
            0 => Field::Number(cursor.varint()?),
            1 => Field::Number(little_endian(cursor.take(8)?)),
            2 => {
                let length = cursor.varint()?;
                Field::Bytes(cursor.take(length)?)
            }
            5 => Field::Number(little_endian(cursor.take(4)?)),
            other => return Err(format!("an entry has the unknown wire type {other}")),
        };
        fields.push((tag >> 3, field));
    }
    Ok(fields)
}
