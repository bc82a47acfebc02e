//! Published word vectors: the text and the binary format of word2vec.c, and what `GloVe` and fastText make of the former.

mod binary;
mod folder;
mod header;
mod table;
mod text;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

pub use folder::{VECTOR_POSITIONS, write_vectors};
pub use table::VectorTable;

use header::{Header, LONGEST_LINE};
use table::Reading;

use super::error::CheckpointError;

/// How fastText's own binary models begin: `FASTTEXT_FILEFORMAT_MAGIC_INT32` of its `fasttext.cc`, little-endian.
const FASTTEXT: [u8; 4] = 793_712_314_i32.to_le_bytes();
/// Beginnings of files that are to be unpacked first.
const PACKED: [(&[u8], &str); 4] =
    [(b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "zip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz")];
/// Reads the vectors of the file at `path`, only those of words that `wanted` takes.
///
/// Formats are told apart by content: a first line of two numbers, how many vectors of how many numbers, begins the files of
/// word2vec and fastText (`.vec`), and what follows is text or binary; without it the file is `GloVe`'s. Memory grows with what is
/// kept, never with what a header says.
///
/// # Errors
/// A file that cannot be read; one that is packed, fastText's `.bin` or no table of vectors; a line with another number of
/// numbers, or one that is not finite; fewer or more vectors than the first line says.
pub fn read_vectors(path: &Path, wanted: impl FnMut(&str) -> bool) -> Result<VectorTable, CheckpointError> {
    let io = CheckpointError::io(path);
    let mut file = File::open(path).map_err(&io)?;
    let mut begin = Vec::new();
    (&mut file).take(LONGEST_LINE).read_to_end(&mut begin).map_err(&io)?;
    refuse_other(path, &begin)?;
    let header = Header::of(&begin);
    let mut reading = Reading::new(wanted);
    file.seek(SeekFrom::Start(header.as_ref().map_or(0, |header| header.bytes as u64))).map_err(&io)?;
    let from = BufReader::new(file);
    match header {
        Some(header) if header.is_binary(&begin) => binary::read(path, from, &header, &mut reading)?,
        header => text::read(path, from, header.as_ref(), &mut reading)?,
    }
    if reading.table.read == 0 {
        return Err(CheckpointError::damaged(path, "there are no vectors in it"));
    }
    Ok(reading.table)
}

fn refuse_other(path: &Path, begin: &[u8]) -> Result<(), CheckpointError> {
    if begin.starts_with(&FASTTEXT) {
        let problem = "a model of fastText (.bin), which is not read: its table of words is the .vec file that is published \
                       beside it";
        return Err(CheckpointError::damaged(path, problem));
    }
    match PACKED.iter().find(|(magic, _)| begin.starts_with(magic)) {
        Some((_, format)) => Err(CheckpointError::damaged(path, format!("packed by {format}: unpack it first"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
