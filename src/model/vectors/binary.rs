//! A word, a space, and its numbers as little-endian float32; a line's end after it, or none.

use std::io::{BufRead, Read};
use std::path::Path;

use super::header::{Header, LONGEST_LINE};
use super::table::Reading;
use crate::model::error::CheckpointError;

const NUMBER: usize = size_of::<f32>();

/// Reads as many vectors as the header says; nothing may follow them.
pub(super) fn read(
    path: &Path,
    mut from: impl BufRead,
    header: &Header,
    into: &mut Reading<impl FnMut(&str) -> bool>,
) -> Result<(), CheckpointError> {
    header.check(path)?;
    into.table.width = header.numbers;
    let io = CheckpointError::io(path);
    let (mut word, mut bytes) = (Vec::new(), vec![0; header.numbers * NUMBER]);
    for number in 0..header.vectors {
        word.clear();
        let read = (&mut from).take(LONGEST_LINE).read_until(b' ', &mut word).map_err(&io)?;
        if read == 0 {
            return header.check_count(path, number);
        }
        if word.pop() != Some(b' ') {
            let problem = format!("vector {}: no word of at most {LONGEST_LINE} bytes", number + 1);
            return Err(CheckpointError::damaged(path, problem));
        }
        // word2vec.c ends a vector with a line's end, gensim does not.
        let word = word.strip_prefix(b"\n").unwrap_or(&word);
        if let Err(error) = from.read_exact(&mut bytes) {
            let cut = error.kind() == std::io::ErrorKind::UnexpectedEof;
            return if cut { header.check_count(path, number) } else { Err(io(error)) };
        }
        let numbers = || bytes.as_chunks::<NUMBER>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        if numbers().any(|number| !number.is_finite()) {
            let problem = format!("vector {}: a number that is not finite", number + 1);
            return Err(CheckpointError::damaged(path, problem));
        }
        if let Some(word) = into.wants(word) {
            into.add(word, numbers());
        }
    }
    let mut rest = Vec::new();
    from.take(2).read_to_end(&mut rest).map_err(&io)?;
    if rest.is_empty() || rest == b"\n" {
        return Ok(());
    }
    let problem = format!("it goes on after the {} vectors that its first line says: damaged", header.vectors);
    Err(CheckpointError::damaged(path, problem))
}
