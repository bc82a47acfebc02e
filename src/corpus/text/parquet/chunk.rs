//! A column chunk, some whole pages at a time.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use polars_arrow::array::BinaryViewArray;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_parquet::parquet::error::ParquetError;
use polars_parquet::parquet::metadata::ColumnChunkMetadata;
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::parquet::read::{BasicDecompressor, PageMetaData, PageReader};
use polars_parquet::read::column_iter_to_arrays;

use super::footer::dictionary_claims;
use super::guarded::guarded;

/// So much of a column chunk is read at once, more only where a page is larger.
const WINDOW: u64 = 1 << 20;
/// Pages are decoded together up to about so many bytes of text.
const DECODED: usize = 4 << 20;
/// Parquet's own limit: sizes of pages are 32-bit numbers.
const LARGEST_PAGE: usize = i32::MAX as usize;
/// A page may unpack to so many times its size, and to this much besides. Text shrinks to a third or a tenth; what pages
/// claim is memory before it is looked at.
const RATIO: usize = 100;
const ALLOWANCE: usize = 4 << 20;

/// What is left of a column chunk.
pub(super) struct Chunk {
    about: PageMetaData,
    /// The bytes of the page of values that other pages refer to, if there is one.
    dictionary: Vec<u8>,
    /// Where the next page stands in the file.
    at: u64,
    end: u64,
    rows_left: usize,
}

/// Some whole pages at the front of a window.
#[derive(Clone, Copy, Debug, Default)]
struct Pages {
    bytes: usize,
    rows: usize,
}

impl Chunk {
    /// The chunk that `about` tells of, of a row group of `rows` rows. Its dictionary is read, if it begins with one.
    pub(super) fn open(file: &mut File, about: &ColumnChunkMetadata, rows: usize) -> Result<Self, String> {
        let range = range(about)?;
        let about = PageMetaData { num_values: i64::MAX, ..PageMetaData::from(about) };
        let mut chunk = Self { about, dictionary: Vec::new(), at: range.start, end: range.end, rows_left: rows };
        let (length, mut window) = chunk.grow(file, |about, window| {
            let cursor = Cursor::new(window.to_vec().into());
            let mut pages = PageReader::new_with_page_meta(cursor, about.clone(), Vec::new(), window.len());
            if pages.read_dict()?.is_none() {
                return Ok(0);
            }
            let length = pages.into_inner().0.position() as usize;
            let (size, values) = dictionary_claims(window).unwrap_or((usize::MAX, 0));
            unpacks(size, length)?;
            // Each value has its length before it, in four bytes.
            if values > size / 4 {
                return Err(ParquetError::OutOfSpec("a dictionary claims more values than fit".to_owned()));
            }
            Ok(length)
        })?;
        window.truncate(length);
        (chunk.dictionary, chunk.at) = (window, chunk.at + length as u64);
        Ok(chunk)
    }

    /// Whether rows are left.
    pub(super) fn has_more_pages(&self) -> bool {
        self.rows_left > 0
    }

    /// The rows of the next pages.
    pub(super) fn next(&mut self, file: &mut File) -> Result<Vec<BinaryViewArray>, String> {
        let (pages, window) = self.window(file)?;
        let rows = self.rows(pages, &window)?;
        let found: usize = rows.iter().map(BinaryViewArray::len).sum();
        if found != pages.rows || found > self.rows_left {
            return Err("its pages have other numbers of rows than it says".to_owned());
        }
        self.at += pages.bytes as u64;
        self.rows_left -= found;
        Ok(rows)
    }

    /// The next whole pages, and bytes that begin with them.
    fn window(&self, file: &mut File) -> Result<(Pages, Vec<u8>), String> {
        let rows_left = self.rows_left;
        self.grow(file, |about, window| {
            let (mut found, mut decoded) = (Pages::default(), 0);
            let mut cursor = Cursor::new(window.to_vec().into());
            while found.rows < rows_left && decoded < DECODED {
                let mut pages = PageReader::new_with_page_meta(cursor, about.clone(), Vec::new(), window.len());
                let page = match pages.next() {
                    Some(Ok(CompressedPage::Data(page))) => page,
                    // The window ends within the page after these, or that one is damaged, which it will be next time.
                    _ if found.rows > 0 => break,
                    Some(Err(error)) => return Err(error),
                    Some(Ok(CompressedPage::Dict(_))) | None => {
                        return Err(ParquetError::OutOfSpec("a page of text was expected".to_owned()));
                    }
                };
                unpacks(page.uncompressed_size(), page.compressed_size())?;
                if page.num_values() > rows_left - found.rows {
                    return Err(ParquetError::OutOfSpec("it has more rows than it says".to_owned()));
                }
                found.rows += page.num_values();
                decoded += page.uncompressed_size();
                cursor = pages.into_inner().0;
                found.bytes = cursor.position() as usize;
            }
            Ok(found)
        })
    }

    /// What `parse` finds in a window from `at` on, and the window. It is made larger while `parse` fails and the
    /// chunk goes on, for then the window may end within a page.
    fn grow<T>(
        &self,
        file: &mut File,
        parse: impl Fn(&PageMetaData, &[u8]) -> Result<T, ParquetError>,
    ) -> Result<(T, Vec<u8>), String> {
        let left = self.end.saturating_sub(self.at);
        let mut length = WINDOW.min(left);
        loop {
            let window = read(file, self.at, length).map_err(|error| error.to_string())?;
            match guarded(|| parse(&self.about, &window)) {
                Ok(found) => return Ok((found, window)),
                Err(_) if length < left => length = (length * 4).min(left),
                Err(cause) => return Err(cause),
            }
        }
    }

    /// The rows of `pages`, which `window` begins with.
    fn rows(&self, pages: Pages, window: &[u8]) -> Result<Vec<BinaryViewArray>, String> {
        let bytes = [&self.dictionary, &window[..pages.bytes]].concat();
        let about = PageMetaData { num_values: pages.rows as i64, ..self.about.clone() };
        let kind = about.descriptor.primitive_type.clone();
        let pages = PageReader::new_with_page_meta(Cursor::new(bytes.into()), about, Vec::new(), LARGEST_PAGE);
        // As bytes, for what is no UTF-8 is told with its row, or replaced.
        let field = Field::new(kind.field_info.name.clone(), ArrowDataType::BinaryView, true);
        let arrays = guarded(|| {
            let pages = BasicDecompressor::new(pages, Vec::new());
            column_iter_to_arrays(vec![pages], vec![&kind], field, None)
        });
        let texts = arrays?.0.into_iter().map(|array| array.as_any().downcast_ref::<BinaryViewArray>().cloned());
        texts.collect::<Option<_>>().ok_or_else(|| "a page holds no text".to_owned())
    }
}

/// Where a column chunk stands in its file.
pub(super) fn range(about: &ColumnChunkMetadata) -> Result<std::ops::Range<u64>, String> {
    guarded(|| Ok::<_, String>(about.byte_range())).map_err(|_| "a column stands outside of it".to_owned())
}

fn unpacks(size: usize, packed: usize) -> Result<(), ParquetError> {
    if size > packed.saturating_mul(RATIO).saturating_add(ALLOWANCE) {
        return Err(ParquetError::OutOfSpec(format!("a page of {packed} bytes claims to unpack to {size}")));
    }
    Ok(())
}

fn read(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
