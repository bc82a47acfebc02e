//! The formats that corpora come in, and how one is told from the other.

use std::path::Path;

use super::lines::{BadBytes, Lines};
use super::parquet;
use crate::corpus::examples::split_sentences;
use crate::diagnostic::{Diagnostic, suggest};
use crate::settings::TextFormat;

/// How much of a file is looked at to tell its format.
const LOOKED_AT_LINES: usize = 1000;
/// And at most so much of it, for lines may be long.
const LOOKED_AT_BYTES: usize = 1 << 20;

/// The formats by the names that users give them.
pub const TEXT_FORMATS: &[(&str, TextFormat)] = &[
    ("sentences", TextFormat::Sentences),
    ("text", TextFormat::Text),
    ("wikitext", TextFormat::Wikitext),
    ("jsonl", TextFormat::Jsonl),
    ("parquet", TextFormat::Parquet),
];

/// Endings of names that leave no doubt.
const ENDINGS: &[(&str, TextFormat)] =
    &[("jsonl", TextFormat::Jsonl), ("ndjson", TextFormat::Jsonl), ("parquet", TextFormat::Parquet)];

/// Where documents end in running text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentEnds {
    /// With the file.
    #[default]
    File,
    /// With every blank line.
    BlankLine,
}

impl TextFormat {
    /// The format called `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn find(name: &str) -> Result<Self, Diagnostic> {
        let known = TEXT_FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        known.ok_or_else(|| {
            Diagnostic::new(format!("unknown format `{name}`"))
                .hint(suggest(name, TEXT_FORMATS.iter().map(|(known, _)| *known)))
        })
    }

    /// The format of the file at `path`: by the ending of its name; Parquet by its first bytes; else by its first
    /// thousand lines:
    ///
    /// 1. they begin with `{`: JSON lines;
    /// 2. a blank line and a line ` = Title = ` are among them: `WikiText`;
    /// 3. most of them end as sentences do, and they hold hardly more than one sentence each: sentences;
    /// 4. running text.
    ///
    /// # Errors
    /// A file that cannot be read or, within those lines, is no text.
    pub fn detect(path: &Path, bad_bytes: BadBytes) -> Result<Self, Diagnostic> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        if let Some((_, format)) = ENDINGS.iter().find(|(known, _)| *known == ending) {
            return Ok(*format);
        }
        if parquet::begins(path)? {
            return Ok(Self::Parquet);
        }
        let mut seen = Seen::default();
        let mut lines = Lines::open(path, bad_bytes)?;
        let (mut count, mut bytes) = (0, 0);
        while count < LOOKED_AT_LINES && bytes < LOOKED_AT_BYTES {
            let Some(line) = lines.next()? else { break };
            seen.line(line);
            count += 1;
            bytes += line.len();
        }
        Ok(seen.format())
    }
}

/// Whether a line of `WikiText` is a title (level 1) or a heading below it, by its number of `=`.
pub(super) fn heading_level(line: &str) -> Option<usize> {
    let inner = line.trim();
    let mut level = 0;
    let mut rest = inner;
    while let Some(inside) = rest.strip_prefix("= ").and_then(|rest| rest.strip_suffix(" =")) {
        level += 1;
        rest = inside;
    }
    (level > 0 && rest.contains(|c: char| c != '=' && !c.is_whitespace())).then_some(level)
}

/// What the first lines of a file look like.
#[derive(Debug, Default)]
struct Seen {
    lines: usize,
    blank: usize,
    objects: usize,
    titles: usize,
    sentence_ends: usize,
    sentences: usize,
}

impl Seen {
    fn line(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() {
            self.blank += 1;
            return;
        }
        self.lines += 1;
        self.objects += usize::from(line.starts_with('{'));
        self.titles += usize::from(heading_level(line) == Some(1));
        self.sentence_ends += usize::from(ends_sentence(line));
        split_sentences(line, |_| self.sentences += 1);
    }

    fn format(&self) -> TextFormat {
        if self.lines > 0 && self.objects == self.lines {
            TextFormat::Jsonl
        } else if self.titles > 0 && self.blank > 0 {
            TextFormat::Wikitext
        } else if 2 * self.sentence_ends > self.lines && 2 * self.sentences < 3 * self.lines {
            TextFormat::Sentences
        } else {
            TextFormat::Text
        }
    }
}

fn ends_sentence(line: &str) -> bool {
    let closing = |c: char| matches!(c, '"' | '\'' | '”' | '’' | '」' | '』' | ')' | ']') || c.is_whitespace();
    line.trim_end_matches(closing).ends_with(['.', '!', '?', '…', ':', ';', '。', '！', '？'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(name: &str, text: &str) -> TextFormat {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        TextFormat::detect(&path, BadBytes::Refuse).unwrap()
    }

    #[test]
    fn formats_are_told_by_ending_and_by_look() {
        let sentences = "It rained.\n\"We stayed,\" she said.\nMr. J. Smith came\n\nWhy?\n";
        let wrapped =
            "It rained on the\nroof. We stayed in, and\nread books. Nobody came\nto see us.\n\nThen the sun\n";
        let paragraphs = "It rained. We stayed. We read.\n\nThe sun came. We went.\n";
        let wiki = " \n = Homarus gammarus = \n \n It is a lobster . It is blue . \n";
        for (name, text, format) in [
            ("x.txt", sentences, TextFormat::Sentences),
            ("x.txt", wrapped, TextFormat::Text),
            ("x.txt", paragraphs, TextFormat::Text),
            ("x.tokens", wiki, TextFormat::Wikitext),
            ("x.json", "{\"text\": \"a\"}\n\n{\"text\": \"b\"}\n", TextFormat::Jsonl),
            ("x.JSONL", "", TextFormat::Jsonl),
            ("x.parquet", "", TextFormat::Parquet),
            ("x", "PAR1\u{0}...", TextFormat::Parquet),
            ("x.txt", "", TextFormat::Text),
        ] {
            assert_eq!(detected(name, text), format, "{text}");
        }
    }

    #[test]
    fn headings_have_levels() {
        assert_eq!(heading_level(" = Homarus gammarus = "), Some(1));
        assert_eq!(heading_level(" = = = Life = = = "), Some(3));
        assert_eq!(heading_level(" a = b = "), None);
        assert_eq!(heading_level("= ="), None);
        assert_eq!(heading_level("= = ="), None);
    }

    #[test]
    fn formats_have_names() {
        for (name, format) in TEXT_FORMATS {
            assert_eq!(TextFormat::find(name).unwrap(), *format);
        }
        assert_eq!(
            TextFormat::find("sentence").unwrap_err().to_string(),
            "unknown format `sentence` (did you mean `sentences`?)"
        );
    }
}
