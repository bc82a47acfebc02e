//! Vectors by word, as they are read.

use std::collections::HashSet;

/// The vectors of a file that were asked for.
pub struct VectorTable {
    /// The words, in the order of the file.
    pub words: Vec<String>,
    /// Their vectors, one after the other: `[words, width]`.
    pub numbers: Vec<f32>,
    /// Numbers of a vector.
    pub width: usize,
    /// Vectors in the file.
    pub read: usize,
    /// Vectors that were left out since their word is not UTF-8, or stands there again.
    pub skipped: usize,
}

/// A table that is being read.
pub(super) struct Reading<W> {
    pub(super) table: VectorTable,
    seen: HashSet<String>,
    wanted: W,
}

impl<W> Reading<W> {
    /// Nothing yet.
    pub(super) fn new(wanted: W) -> Self {
        let table = VectorTable { words: Vec::new(), numbers: Vec::new(), width: 0, read: 0, skipped: 0 };
        Self { table, seen: HashSet::new(), wanted }
    }
}

impl<W: FnMut(&str) -> bool> Reading<W> {
    /// Whether the vector of this word is to be kept; counts it.
    pub(super) fn wants(&mut self, word: &[u8]) -> Option<String> {
        self.table.read += 1;
        let Ok(word) = std::str::from_utf8(word) else {
            self.table.skipped += 1;
            return None;
        };
        if !(self.wanted)(word) {
            return None;
        }
        if !self.seen.insert(word.to_owned()) {
            self.table.skipped += 1;
            return None;
        }
        Some(word.to_owned())
    }

    /// Adds a word that is wanted, with its vector.
    pub(super) fn add(&mut self, word: String, vector: impl IntoIterator<Item = f32>) {
        self.table.words.push(word);
        self.table.numbers.extend(vector);
    }
}
