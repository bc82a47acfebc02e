//! A word and its numbers a line.

use std::io::{BufRead, Read};
use std::path::Path;

use super::header::{Header, LONGEST_LINE, MOST_NUMBERS, MOST_VECTORS};
use super::table::Reading;
use crate::model::error::CheckpointError;

/// Reads the lines of `from`; without a header, the first line says how many numbers a vector has.
pub(super) fn read(
    path: &Path,
    mut from: impl BufRead,
    header: Option<&Header>,
    into: &mut Reading<impl FnMut(&str) -> bool>,
) -> Result<(), CheckpointError> {
    if let Some(header) = header {
        header.check(path)?;
    }
    let mut width = header.map(|header| header.numbers);
    let first = 1 + usize::from(header.is_some());
    let mut line = Vec::new();
    for number in first.. {
        line.clear();
        let read = (&mut from).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(CheckpointError::io(path))?;
        if read == 0 {
            break;
        }
        let wrong = |problem: String| CheckpointError::damaged(path, format!("line {number}: {problem}"));
        if read as u64 == LONGEST_LINE {
            return Err(wrong(format!("longer than {LONGEST_LINE} bytes, so no vector")));
        }
        let text = line.trim_ascii_end();
        if text.is_empty() {
            continue;
        }
        let width = *width.get_or_insert_with(|| text.split(|byte| *byte == b' ').count() - 1);
        if width == 0 || width > MOST_NUMBERS {
            return Err(wrong("no word with its numbers".into()));
        }
        if into.table.read == MOST_VECTORS {
            return Err(wrong(format!("more than {MOST_VECTORS} vectors")));
        }
        into.table.width = width;
        let (word, numbers) = split(text, width).ok_or_else(|| wrong(format!("fewer than {width} numbers")))?;
        let numbers: Vec<f32> = numbers
            .map(finite)
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(format!("expected a word and {width} finite numbers")))?;
        if let Some(word) = into.wants(word) {
            into.add(word, numbers);
        }
    }
    header.map_or(Ok(()), |header| header.check_count(path, into.table.read))
}

/// The word and its numbers: the last fields, for some words of GloVe's have spaces in them.
fn split(line: &[u8], width: usize) -> Option<(&[u8], impl Iterator<Item = &[u8]>)> {
    let mut spaces = line.iter().enumerate().rev().filter(|(_, byte)| **byte == b' ').map(|(at, _)| at);
    let at = spaces.nth(width - 1)?;
    Some((&line[..at], line[at + 1..].split(|byte| *byte == b' ')))
}

fn finite(field: &[u8]) -> Option<f32> {
    let number: f32 = std::str::from_utf8(field).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}
