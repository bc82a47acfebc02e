//! What files of text have in common, whatever their format.

use std::path::Path;

use crate::diagnostic::Diagnostic;

/// UTF-8's, with which some editors begin a file.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The byte order marks of UTF-16, as which some editors save tables.
pub(super) const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// The bytes of the file at `path`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    std::fs::read(path).map_err(|error| unreadable(&error, path))
}

/// That the file at `path` cannot be read, and why.
pub(super) fn unreadable(error: &dyn std::fmt::Display, path: &Path) -> Diagnostic {
    Diagnostic::new(format!("the file cannot be read: {error}")).in_file(path)
}

/// The bytes of a file without its byte order mark; `path` is its name.
///
/// # Errors
/// A file that begins as UTF-16 does.
pub(super) fn without_mark<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a [u8], Diagnostic> {
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(Diagnostic::new("the file is UTF-16").in_file(path).hint("save it as UTF-8"));
    }
    Ok(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes))
}

/// That none of a file's `count` rows, or whatever is in it, can be read.
pub(super) fn none_readable(count: u64, what: &str, path: &Path) -> Diagnostic {
    Diagnostic::new(format!("none of the file's {count} {what} can be read"))
        .in_file(path)
        .hint("without `--skip-bad-rows` the first one is explained")
}

/// `1 column`, `3 columns`.
pub(super) fn columns(count: usize) -> String {
    if count == 1 { "1 column".to_owned() } else { format!("{count} columns") }
}
