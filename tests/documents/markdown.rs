//! As much of Markdown as the documents use.

use std::fs;
use std::path::PathBuf;

/// A document of the project.
pub(crate) struct Document {
    /// Relative to the crate's root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block.
pub(crate) struct Fence {
    /// `yaml`, `sh`, `text`, …
    pub(crate) language: String,
    /// What follows the language, such as `fragment`.
    pub(crate) kind: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// README.md, CHANGELOG.md and everything in docs/.
pub(crate) fn all() -> Vec<Document> {
    let pages = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = pages.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    paths.sort();
    paths.extend(["README.md", "CHANGELOG.md"].map(PathBuf::from));
    assert!(paths.len() > 6, "{paths:?}");
    paths.into_iter().map(|path| Document { text: fs::read_to_string(&path).unwrap(), path }).collect()
}

pub(crate) fn read(path: &str) -> Document {
    all().into_iter().find(|document| document.path.ends_with(path)).unwrap()
}

impl Document {
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self { path: PathBuf::from("README.md"), text: text.to_owned() }
    }

    /// `README.md:12`
    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    pub(crate) fn fences(&self) -> Vec<Fence> {
        let mut fences: Vec<Fence> = Vec::new();
        let mut open = false;
        for (at, line) in self.text.lines().enumerate() {
            match (open, line.strip_prefix("```")) {
                (true, Some(_)) => open = false,
                (false, Some(info)) => {
                    let (language, kind) = info.split_once(' ').unwrap_or((info, ""));
                    let (language, kind) = (language.to_owned(), kind.to_owned());
                    fences.push(Fence { language, kind, line: at + 1, text: String::new() });
                    open = true;
                }
                (true, None) => {
                    let fence = fences.last_mut().unwrap();
                    fence.text.push_str(line);
                    fence.text.push('\n');
                }
                (false, None) => {}
            }
        }
        assert!(!open, "{}: a fence is never closed", self.path.display());
        fences
    }

    /// The lines outside fences, with their numbers.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut open = false;
        let mut lines = Vec::new();
        for (at, line) in self.text.lines().enumerate() {
            if line.starts_with("```") {
                open = !open;
            } else if !open {
                lines.push((at + 1, line));
            }
        }
        lines
    }

    /// What stands between backticks in the prose.
    pub(crate) fn spans(&self) -> Vec<(usize, String)> {
        let of = |(at, line): (usize, &str)| spans(line).into_iter().map(move |span| (at, span)).collect::<Vec<_>>();
        self.prose().into_iter().flat_map(of).collect()
    }

    /// The tables: rows of cells, the head first, the line of hyphens left out.
    pub(crate) fn tables(&self) -> Vec<Vec<Vec<String>>> {
        let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
        let mut last = 0;
        for (at, line) in self.prose() {
            let Some(row) = line.strip_prefix('|').and_then(|row| row.trim_end().strip_suffix('|')) else { continue };
            let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
            if at != last + 1 {
                tables.push(vec![cells]);
            } else if !cells.iter().all(|cell| cell.chars().all(|c| c == '-' || c == ':')) {
                tables.last_mut().unwrap().push(cells);
            }
            last = at;
        }
        tables
    }

    /// The rows below the heads of all tables whose first column has this title.
    pub(crate) fn rows_of(&self, title: &str) -> Vec<Vec<String>> {
        let tables = self.tables().into_iter().filter(|table| table[0][0] == title);
        tables.flat_map(|table| table.into_iter().skip(1)).collect()
    }

    /// The anchors of the headings, as GitHub makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.prose().into_iter().filter(|(_, line)| line.starts_with('#'));
        headings
            .map(|(_, line)| {
                let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
                let text: String = line.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect();
                text.replace(' ', "-")
            })
            .collect()
    }
}

/// What stands between backticks in a line.
pub(crate) fn spans(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn blocks_tables_and_anchors_are_found() {
    let document =
        Document::of("# A b, `c`\n\n| x | y |\n|---|---|\n| `1` | 2 |\n\n```yaml fragment\n# no `span`\n```\n");
    let fences = document.fences();
    assert_eq!((fences.len(), fences[0].language.as_str(), fences[0].kind.as_str()), (1, "yaml", "fragment"));
    assert_eq!((fences[0].line, fences[0].text.as_str()), (7, "# no `span`\n"));
    assert_eq!(document.rows_of("x"), [["`1`", "2"]]);
    assert_eq!(document.anchors(), ["a-b-c"]);
    assert_eq!(document.spans(), [(1, "c".to_owned()), (5, "1".to_owned())]);
}
