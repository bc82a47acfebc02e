//! The lines of a file as text, one at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

/// A line must fit into memory several times over, so a file without lines must not be taken for one.
pub(super) const LONGEST_LINE: u64 = 64 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is done with bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadBytes {
    /// The file is refused, with the line.
    #[default]
    Refuse,
    /// Each becomes U+FFFD, which BERT's tokeniser drops, and the lines are counted.
    Replace,
}

impl BadBytes {
    /// Puts `bytes` into `text` in place of what was there, and counts in `replaced` whether any had to be replaced.
    /// `None` where they are not UTF-8 and are refused.
    pub(super) fn decode<'a>(self, bytes: &[u8], text: &'a mut String, replaced: &mut u64) -> Option<&'a str> {
        text.clear();
        match (std::str::from_utf8(bytes), self) {
            (Ok(good), _) => text.push_str(good),
            (Err(_), Self::Replace) => {
                text.push_str(&String::from_utf8_lossy(bytes));
                *replaced += 1;
            }
            (Err(_), Self::Refuse) => return None,
        }
        Some(text)
    }
}

/// A file, line by line.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    from: BufReader<File>,
    bad_bytes: BadBytes,
    bytes: Vec<u8>,
    text: String,
    number: usize,
    /// Lines in which bytes were replaced.
    pub(super) replaced: u64,
}

impl Lines {
    pub(super) fn open(path: &Path, bad_bytes: BadBytes) -> Result<Self, Diagnostic> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self {
            path: path.to_path_buf(),
            from: BufReader::with_capacity(1 << 18, file),
            bad_bytes,
            bytes: Vec::new(),
            text: String::new(),
            number: 0,
            replaced: 0,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the line that was given last, from 1.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The next line, without its end (LF or CRLF) and without a byte order mark.
    pub(super) fn next(&mut self) -> Result<Option<&str>, Diagnostic> {
        self.bytes.clear();
        let mut limited = (&mut self.from).take(LONGEST_LINE + 1);
        let read = limited.read_until(b'\n', &mut self.bytes).map_err(|error| unreadable(&self.path, &error))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if read as u64 > LONGEST_LINE {
            return Err(Diagnostic::new(format!("the line is longer than {} MiB", LONGEST_LINE >> 20))
                .at_line(&self.path, self.number)
                .hint("is it a text file?"));
        }
        let mut line = self.bytes.as_slice();
        if self.number == 1 {
            if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
                return Err(Diagnostic::new("the file is UTF-16").in_file(&self.path).hint("save the file as UTF-8"));
            }
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        line = line.strip_suffix(b"\n").unwrap_or(line);
        line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(text) = self.bad_bytes.decode(line, &mut self.text, &mut self.replaced) else {
            return Err(Diagnostic::new("the line is not valid UTF-8")
                .at_line(&self.path, self.number)
                .hint("save the file as UTF-8; `--replace-bad-bytes` drops such bytes and counts the lines"));
        };
        Ok(Some(text))
    }
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("the input cannot be read: {error}")).in_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], bad_bytes: BadBytes) -> Result<(Vec<String>, u64), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.txt");
        std::fs::write(&path, bytes).unwrap();
        let said = |found: Diagnostic| found.to_string().replace(&format!("{}/", folder.path().display()), "");
        let mut lines = Lines::open(&path, bad_bytes).map_err(said)?;
        let mut found = Vec::new();
        while let Some(line) = lines.next().map_err(said)? {
            found.push(line.to_owned());
        }
        Ok((found, lines.replaced))
    }

    #[test]
    fn ends_of_lines_and_byte_order_marks_are_not_text() {
        let (lines, replaced) = read("\u{feff}a\r\n\n b \n\u{feff}\0c\r".as_bytes(), BadBytes::Refuse).unwrap();
        assert_eq!((lines, replaced), (["a", "", " b ", "\u{feff}\0c"].map(str::to_owned).to_vec(), 0));
        assert_eq!(read(b"", BadBytes::Refuse).unwrap().0, Vec::<String>::new());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line_or_replaced_and_counted() {
        let bytes = b"a\n\xe9t\xe9\n\xff\nb\n";
        let said = read(bytes, BadBytes::Refuse).unwrap_err();
        assert!(said.starts_with("x.txt:2: the line is not valid UTF-8 (save the file as UTF-8;"), "{said}");
        let (lines, replaced) = read(bytes, BadBytes::Replace).unwrap();
        assert_eq!((lines[1].as_str(), lines[2].as_str(), replaced), ("\u{fffd}t\u{fffd}", "\u{fffd}", 2));
        let utf16 = read(b"\xff\xfea\0\n\0", BadBytes::Replace).unwrap_err();
        assert_eq!(utf16, "x.txt: the file is UTF-16 (save the file as UTF-8)");
    }

    #[test]
    fn a_file_without_lines_is_no_text() {
        let mut bytes = vec![b'a'; LONGEST_LINE as usize + 3];
        assert_eq!(
            read(&bytes, BadBytes::Refuse).unwrap_err(),
            "x.txt:1: the line is longer than 64 MiB (is it a text file?)"
        );
        bytes[LONGEST_LINE as usize / 2] = b'\n';
        assert_eq!(read(&bytes, BadBytes::Refuse).unwrap().0.len(), 2);
    }
}
