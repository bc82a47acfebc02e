//! The description at the end of a Parquet file, checked before it is decoded: the decoder makes room for as many
//! elements as a list says it has, and goes into columns within columns as deep as they are said to be.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use polars_parquet::parquet::PARQUET_MAGIC;
use polars_parquet::parquet::metadata::FileMetadata;
use polars_parquet::parquet::read::deserialize_metadata;

use super::guarded::guarded;

/// The length of the description, and the magic number.
const TAIL: u64 = 8;
/// Columns within columns; those of data sets have three or four levels.
const DEEPEST: usize = 64;
/// Texts are documents: of a file that has many more rows than bytes, most hold nothing. So many rows each byte, and
/// this many besides.
const ROWS: u64 = 16;
const ROWS_BESIDES: u64 = 1 << 20;

/// The fields of Parquet's thrift definition that are looked at: the schema's list, and in an element of it the number
/// of columns within the column; the size of a page before it was compressed, and the number of a dictionary's values.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;
const UNPACKED: (i64, i64) = (0, 2);
const DICTIONARY_VALUES: (i64, i64) = (7, 1);
/// No field has this number.
const END: i64 = 0;

/// The kinds of thrift's compact protocol that are looked at.
const TRUE: u8 = 1;
const I32: u8 = 5;
const I64: u8 = 6;
const BYTES: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// Of the structures of a description, by the fields that they are in: the kinds of their fields from 1 on, and of the
/// elements of their lists. The decoder goes by the number of a field and takes its kind for granted, so that one of
/// another kind would have it read a list from bytes that are none.
type Structure = (&'static [i64], &'static [u8], u8);
const DESCRIPTION: &[Structure] = &[
    (&[], &[I32, LIST, I64, LIST, LIST, BYTES, LIST, STRUCT, BYTES], STRUCT),
    (&[2], &[I32, I32, I32, BYTES, I32, I32, I32, I32, I32, STRUCT], STRUCT),
    (&[2, 10], &[STRUCT; 18], STRUCT),
    (&[2, 10, 5], &[I32, I32], STRUCT),
    (&[2, 10, 7], &[TRUE, STRUCT], STRUCT),
    (&[2, 10, 8], &[TRUE, STRUCT], STRUCT),
    (&[2, 10, 10], &[3, TRUE], STRUCT),
    (&[4], &[LIST, I64, I64, LIST, I64, I64, 4], STRUCT),
    (&[4, 1], &[BYTES, I64, STRUCT, I64, I32, I64, I32, STRUCT, BYTES], STRUCT),
    (&[4, 1, 3], &[I32, LIST, LIST, I32, I64, I64, I64, LIST, I64, I64, I64, STRUCT, LIST, I64, I32, STRUCT], 0),
    (&[4, 1, 3, 8], &[BYTES, BYTES], STRUCT),
    (&[4, 1, 3, 12], &[BYTES, BYTES, I64, I64, BYTES, BYTES, TRUE, TRUE], STRUCT),
    (&[4, 4], &[I32, TRUE, TRUE], STRUCT),
    (&[5], &[BYTES, BYTES], STRUCT),
    (&[7], &[STRUCT], STRUCT),
];
/// The elements of the lists of a column's description, by their fields.
const COLUMN_LISTS: [(i64, u8); 4] = [(2, I32), (3, BYTES), (8, STRUCT), (13, STRUCT)];

/// What the file says of itself.
pub(super) fn read_footer(file: &mut File) -> Result<FileMetadata, String> {
    let said = |error: io::Error| error.to_string();
    let size = file.seek(SeekFrom::End(0)).map_err(said)?;
    let mut tail = [0; TAIL as usize];
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL))).and_then(|_| file.read_exact(&mut tail)).map_err(said)?;
    let (length, magic) = tail.split_at(4);
    if magic != PARQUET_MAGIC {
        return Err("it does not end with PAR1".to_owned());
    }
    let length = length.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
    let begin = size.checked_sub(TAIL + length).ok_or("its description is longer than the file")?;
    let mut footer = Vec::new();
    file.seek(SeekFrom::Start(begin)).and_then(|_| file.take(length + TAIL).read_to_end(&mut footer)).map_err(said)?;
    let description = footer.get(..length as usize).ok_or("its description is cut short")?;
    check(description).ok_or("its description is malformed")?;
    let about = guarded(|| deserialize_metadata(footer.into()))?;
    let rows = about.row_groups.iter().try_fold(0u64, |rows, group| rows.checked_add(group.num_rows() as u64));
    let most = size.saturating_mul(ROWS).saturating_add(ROWS_BESIDES);
    match rows {
        Some(rows) if rows <= most => Ok(about),
        _ => Err(format!("it claims more than {most} rows in {size} bytes")),
    }
}

/// Whether each list in a description has the elements that it says, and no column is too deep.
fn check(description: &[u8]) -> Option<()> {
    // For each column that holds columns, how many of these are still to come.
    let mut open: Vec<i64> = Vec::new();
    let mut children = 0;
    for Number { within, field, value } in numbers(description, DESCRIPTION)? {
        match (within, field) {
            (SCHEMA, CHILDREN) => children = value,
            (SCHEMA, END) => {
                while open.last().is_some_and(|left| *left <= 0) {
                    open.pop();
                }
                if let Some(left) = open.last_mut() {
                    *left -= 1;
                }
                open.push(std::mem::take(&mut children));
                if open.len() > DEEPEST {
                    return None;
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// Of the page that `bytes` begin with: how many bytes a dictionary says that it unpacks to, and to how many values;
/// `None` of any other page.
pub(super) fn dictionary_claims(bytes: &[u8]) -> Option<(usize, usize)> {
    let numbers = numbers(bytes, &[])?;
    let find = |at: (i64, i64)| {
        let found = numbers.iter().find(|number| (number.within, number.field) == at)?;
        usize::try_from(found.value).ok()
    };
    Some((find(UNPACKED)?, find(DICTIONARY_VALUES)?))
}

/// A number of 32 bits in a structure, or in one that is a field of it.
struct Number {
    /// The field that it is in; 0 in the structure itself.
    within: i64,
    /// Its own field; [`END`] where the structure within a field ends.
    field: i64,
    value: i64,
}

/// The numbers of the structure that `bytes` begin with; `None` where a field is of another kind than `structures` say.
fn numbers(bytes: &[u8], structures: &'static [Structure]) -> Option<Vec<Number>> {
    let mut walk = Walk { rest: bytes, structures, numbers: Vec::new() };
    walk.structure(0, &[])?;
    Some(walk.numbers)
}

/// Goes through thrift's compact protocol.
struct Walk<'a> {
    rest: &'a [u8],
    structures: &'static [Structure],
    numbers: Vec<Number>,
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        self.varint().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A structure at `path`, the numbers of the fields that it is in.
    fn structure(&mut self, depth: usize, path: &[i64]) -> Option<()> {
        let within = if let [within] = path { *within } else { 0 };
        let mut number = 0i64;
        let structure = self.structures.iter().find(|(at, ..)| *at == path);
        loop {
            let header = self.byte()?;
            if header == 0 {
                break;
            }
            number = match header >> 4 {
                0 => self.signed()?,
                step => number.checked_add(step.into())?,
            };
            let mut element = None;
            if let Some((_, kinds, elements)) = structure
                && let Some(expected) = usize::try_from(number - 1).ok().and_then(|at| kinds.get(at))
            {
                let kind = if header & 0xf == 2 { TRUE } else { header & 0xf };
                (kind == *expected).then_some(())?;
                let of_column = COLUMN_LISTS.iter().find(|(field, _)| *field == number).map(|(_, kind)| *kind);
                element = Some(if *elements == 0 { of_column.unwrap_or(STRUCT) } else { *elements });
            }
            match header & 0xf {
                // True and false stand in the header.
                1 | 2 => {}
                5 if path.len() < 2 => {
                    let value = self.signed()?;
                    self.numbers.push(Number { within, field: number, value });
                }
                kind => self.value(kind, depth, &[path, &[number]].concat(), element)?,
            }
        }
        if path.len() == 1 {
            self.numbers.push(Number { within, field: END, value: 0 });
        }
        Some(())
    }

    /// A value of this kind; `element` is the kind of a list's elements where it is known.
    fn value(&mut self, kind: u8, depth: usize, path: &[i64], element: Option<u8>) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let header = self.byte()?;
                let size = if header >> 4 == 0xf { self.varint()? } else { u64::from(header >> 4) };
                let kind = header & 0xf;
                let known = size == 0 || element.is_none_or(|element| element == kind);
                (size <= self.rest.len() as u64 && known).then_some(())?;
                (0..size).try_for_each(|_| self.value(kind, depth + 1, path, None))
            }
            12 => self.structure(depth + 1, path),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of `size` elements of the schema, each with one column in it.
    fn schema(size: u8) -> Vec<u8> {
        let mut bytes = vec![0x29, 0xfc, size];
        bytes.extend([0x55, 2, 0].repeat(size.into()));
        bytes.push(0);
        bytes
    }

    #[test]
    fn lists_and_depths_are_what_they_say_or_refused() {
        assert_eq!(check(&schema(60)), Some(()));
        assert_eq!(check(&schema(100)), None, "too deep");
        assert_eq!(check(&[0x49, 0xfc, 0xff, 0xff, 0xff, 0x7f, 0]), None, "two hundred million row groups in a byte");
        assert_eq!(check(&[0x49, 0x1c, 0, 0]), Some(()));
        assert_eq!(check(&[0x26, 0xfc, 0xff, 0xff, 0xff, 0x07, 0]), None, "a list that says it is a number");
        assert_eq!(check(&[0x29, 0x15, 0, 0]), None, "a number where a structure should be");
        assert_eq!(check(&[0x68, 0x7f, 0]), None, "a text beyond the end");
        assert_eq!(check(&[[0x1c; 200], [0; 200]].concat()), None, "structures in structures");
        for length in 0..schema(5).len() {
            assert_eq!(check(&schema(5)[..length]), None);
        }
    }
}
