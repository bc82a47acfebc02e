//! The first line of a file of vectors, and what is read at most.

use std::path::Path;

use crate::model::error::CheckpointError;

/// A line of a text file, or a word of a binary one, is not longer: 10,000 numbers of 50 characters are half of it.
pub(super) const LONGEST_LINE: u64 = 1 << 20;
/// As many numbers as a vector may have; published ones have 25 to 1,000.
pub(super) const MOST_NUMBERS: usize = 1 << 14;
/// As many vectors as a table may have: `config.json` says no larger vocabulary.
pub(super) const MOST_VECTORS: usize = 1 << 24;

/// So many bytes after the first word tell text from binary: four floats.
const SHOWN: usize = 16;

/// The first line of word2vec's and fastText's files.
pub(super) struct Header {
    pub(super) vectors: usize,
    pub(super) numbers: usize,
    /// Its length with the line's end.
    pub(super) bytes: usize,
}

impl Header {
    /// The header of a file that begins like this, if it has one.
    pub(super) fn of(begin: &[u8]) -> Option<Self> {
        let end = begin.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(&begin[..end]).ok()?;
        let mut fields = line.split_ascii_whitespace().map(str::parse::<usize>);
        let (Some(Ok(vectors)), Some(Ok(numbers)), None) = (fields.next(), fields.next(), fields.next()) else {
            return None;
        };
        // A vector of one number would look the same, and nobody publishes them.
        Some(Self { vectors, numbers, bytes: end + 1 })
    }

    /// Whether what follows the first word cannot be the numbers of a text: other characters, or a line too short for them.
    pub(super) fn is_binary(&self, begin: &[u8]) -> bool {
        let rest = &begin[self.bytes..];
        let word = rest.iter().position(|byte| *byte == b' ').map_or(rest.len(), |at| at + 1);
        let line = rest[word..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let looks_written = |byte: &u8| byte.is_ascii_digit() || b"+-.eEnaif \t\r".contains(byte);
        line.len() + 1 < self.numbers.saturating_mul(2) || !line.iter().take(SHOWN).all(looks_written)
    }

    /// Refuses sizes that no file has.
    pub(super) fn check(&self, path: &Path) -> Result<(), CheckpointError> {
        let Self { vectors, numbers, .. } = *self;
        if numbers == 0 || numbers > MOST_NUMBERS || vectors == 0 || vectors > MOST_VECTORS {
            let problem = format!(
                "its first line says {vectors} vectors of {numbers} numbers; at most {MOST_VECTORS} of {MOST_NUMBERS} are read"
            );
            return Err(CheckpointError::damaged(path, problem));
        }
        Ok(())
    }

    /// Refuses a file that holds another number of vectors than it says.
    pub(super) fn check_count(&self, path: &Path, found: usize) -> Result<(), CheckpointError> {
        if found == self.vectors {
            return Ok(());
        }
        let problem =
            format!("{found} vectors where its first line says {}: damaged, or not fully copied", self.vectors);
        Err(CheckpointError::damaged(path, problem))
    }
}
