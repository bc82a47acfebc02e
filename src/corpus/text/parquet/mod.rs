//! The text column of a Parquet file, row by row.
//!
//! Parquet keeps a column in chunks, one for each group of rows, and a chunk in pages. Some whole pages are read
//! and decoded at a time, so memory holds a few megabytes of text (a page, where that is larger), however large a
//! row group is. Besides `report`, only this folder names polars, and only here is its Parquet decoder named.

mod chunk;
mod column;
mod footer;
mod guarded;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use polars_arrow::array::BinaryViewArray;
use polars_parquet::parquet::PARQUET_MAGIC;
use polars_parquet::parquet::metadata::FileMetadata;

use self::chunk::Chunk;
use self::column::{check_compression, find_column};
use self::footer::read_footer;
use super::lines::{BadBytes, unreadable};
use crate::diagnostic::Diagnostic;

/// The texts of one column.
pub(super) struct ParquetTexts {
    path: PathBuf,
    file: File,
    about: FileMetadata,
    bad_bytes: BadBytes,
    /// Which of the file's columns it is; columns within columns count.
    column: usize,
    /// The row group that comes after the open one.
    group: usize,
    chunk: Option<Chunk>,
    rows: Vec<BinaryViewArray>,
    /// Which row of `rows` comes next.
    next: (usize, usize),
    number: usize,
    text: String,
    /// Rows in which bytes were replaced.
    pub(super) replaced: u64,
}

impl ParquetTexts {
    /// The texts of `column` in the file at `path`.
    ///
    /// # Errors
    /// A file that cannot be read, is no Parquet or is damaged; a column that is not there (the hint names those that
    /// are) or holds no text; a compression that is not read.
    pub(super) fn open(path: &Path, column: &str, bad_bytes: BadBytes) -> Result<Self, Diagnostic> {
        let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let about = read_footer(&mut file).map_err(|cause| damaged(path, &cause))?;
        let column = find_column(&about, column).map_err(|found| found.in_file(path))?;
        let length = file.metadata().map_err(|error| unreadable(path, &error))?.len();
        for group in &about.row_groups {
            let Some(chunk) = group.parquet_columns().get(column) else {
                return Err(damaged(path, "a row group lacks a column"));
            };
            let range = chunk::range(chunk).map_err(|cause| damaged(path, &cause))?;
            if range.end > length {
                return Err(damaged(path, &format!("it has {length} bytes, and text up to byte {}", range.end)));
            }
            check_compression(chunk.compression()).map_err(|found| found.in_file(path))?;
        }
        let (path, rows, text) = (path.to_path_buf(), Vec::new(), String::new());
        let (group, chunk, next, number, replaced) = (0, None, (0, 0), 0, 0);
        Ok(Self { path, file, about, bad_bytes, column, group, chunk, rows, next, number, text, replaced })
    }

    /// About how many bytes of text the column holds.
    pub(super) fn bytes(&self) -> u64 {
        let chunks = self.about.row_groups.iter().filter_map(|group| group.parquet_columns().get(self.column));
        chunks.map(|chunk| chunk.uncompressed_size().max(0).unsigned_abs()).sum()
    }

    /// The text of the next row, empty where it is null.
    pub(super) fn next(&mut self) -> Result<Option<&str>, Diagnostic> {
        let (array, row) = loop {
            match self.rows.get(self.next.0) {
                Some(rows) if self.next.1 < rows.len() => break (rows, self.next.1),
                Some(_) => self.next = (self.next.0 + 1, 0),
                None => {
                    let Some(rows) = self.decode()? else { return Ok(None) };
                    (self.rows, self.next) = (rows, (0, 0));
                }
            }
        };
        self.next.1 += 1;
        self.number += 1;
        let bytes = array.get(row).unwrap_or_default();
        let Some(text) = self.bad_bytes.decode(bytes, &mut self.text, &mut self.replaced) else {
            return Err(Diagnostic::new(format!("the text of row {} is not valid UTF-8", self.number))
                .in_file(&self.path)
                .hint("write it as UTF-8; `--replace-bad-bytes` drops such bytes and counts the rows"));
        };
        Ok(Some(text))
    }

    /// The rows of the next pages; `None` at the end of the file.
    fn decode(&mut self) -> Result<Option<Vec<BinaryViewArray>>, Diagnostic> {
        let mut chunk = match self.chunk.take() {
            Some(chunk) => chunk,
            None => match self.next_chunk()? {
                Some(chunk) => chunk,
                None => return Ok(None),
            },
        };
        let (path, file) = (&self.path, &mut self.file);
        let rows = chunk.next(file).map_err(|cause| damaged(path, &cause))?;
        self.chunk = Some(chunk).filter(Chunk::has_more_pages);
        Ok(Some(rows))
    }

    /// Opens the chunk of the next row group that has rows.
    fn next_chunk(&mut self) -> Result<Option<Chunk>, Diagnostic> {
        while let Some(group) = self.about.row_groups.get(self.group) {
            self.group += 1;
            if group.num_rows() == 0 {
                continue;
            }
            let chunk = Chunk::open(&mut self.file, &group.parquet_columns()[self.column], group.num_rows());
            return chunk.map(Some).map_err(|cause| damaged(&self.path, &cause));
        }
        Ok(None)
    }
}

/// Whether the file at `path` begins as Parquet does.
pub(super) fn begins(path: &Path) -> Result<bool, Diagnostic> {
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut first));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(first == PARQUET_MAGIC)
}

fn damaged(path: &Path, cause: &str) -> Diagnostic {
    Diagnostic::new(format!("the Parquet file is damaged: {cause}"))
        .in_file(path)
        .hint("is it whole? compare it with its source, or write it again")
}
