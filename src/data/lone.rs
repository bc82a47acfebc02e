//! Tables outside a dataset's folder, such as one that comes on standard input: what tells which columns they
//! have is their first line.

use std::path::Path;

use super::dataset::{Dataset, Layout, Reader, SplitRole};
use super::example::{BadRows, Split};
use super::glue::Gathered;
use super::rows::{first_line, for_each_row_of};
use crate::diagnostic::{Diagnostic, suggest};

/// One of the forms in which rows of a dataset come.
#[derive(Clone, Copy, Debug)]
pub struct LoneTable<'a> {
    /// The split that is published in this form, [`LoneTable::TEXTS`], or a name given to it.
    pub name: &'static str,
    /// What that split is for.
    pub role: Option<SplitRole>,
    dataset: &'a Dataset,
    layout: Layout,
}

impl<'a> LoneTable<'a> {
    /// The form that nobody publishes: a header and the texts, nothing else.
    pub const TEXTS: &'static str = "texts";

    /// The forms of `dataset`: its splits', those with scores to compare with first, then its texts alone. None
    /// where it is not made of tables.
    #[must_use]
    pub fn of(dataset: &'a Dataset) -> Vec<Self> {
        if !matches!(dataset.reader, Reader::Glue | Reader::GlueOrMsr) {
            return Vec::new();
        }
        let order = [SplitRole::Dev, SplitRole::Test, SplitRole::Train];
        let splits = order.into_iter().flat_map(|role| dataset.splits_of(role));
        let mut tables: Vec<Self> = splits
            .map(|split| Self { name: split.name, role: Some(split.role), dataset, layout: split.layout })
            .collect();
        let texts = tables.first().map(|table| Self {
            name: Self::TEXTS,
            role: None,
            layout: texts_of(table.layout),
            ..*table
        });
        tables.extend(texts);
        tables
    }

    /// The same form under another name.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The form called `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn find(forms: &[Self], name: &str) -> Result<Self, Diagnostic> {
        forms.iter().find(|form| form.name == name).copied().ok_or_else(|| {
            Diagnostic::new(format!("no table is laid out as `{name}`"))
                .hint(suggest(name, forms.iter().map(|form| form.name)))
        })
    }

    /// The first of `forms` that the table in `bytes` has: by its header, else, where a form has none, by its
    /// number of columns. `path` is the name for messages.
    ///
    /// # Errors
    /// No line at all; a first line that no form has.
    pub fn recognise(forms: &[Self], bytes: &[u8], path: &Path) -> Result<Self, Diagnostic> {
        let (line, fields) = first_line(bytes, path)?;
        let by_header = forms.iter().find(|form| form.layout.header && form.layout.is_header(&fields));
        let by_width = || forms.iter().find(|form| !form.layout.header && form.layout.columns.len() == fields.len());
        by_header.or_else(by_width).copied().ok_or_else(|| {
            let differs = |at: &usize| forms[..*at].iter().all(|form| form.layout != forms[*at].layout);
            let known = (0..forms.len()).filter(differs).map(|at| &forms[at]);
            let known = known.map(|form| format!("{} ({})", form.name, form.layout.columns.join(", ")));
            Diagnostic::new("the first line is not a known header")
                .at_line(path, line)
                .hint(format!("tab-separated, as one of: {}", known.collect::<Vec<_>>().join("; ")))
        })
    }

    /// The rows of the table in `bytes`, as [`Dataset::read`] gives them. `path` is the name for messages.
    ///
    /// # Errors
    /// As [`Dataset::read`].
    pub fn read(&self, bytes: &[u8], path: &Path, bad_rows: BadRows) -> Result<Split, Diagnostic> {
        let mut gathered = Gathered::new(self.dataset, self.name, bad_rows);
        for_each_row_of(bytes, path, &self.layout, |row| gathered.add(row))?;
        gathered.finish(path)
    }
}

/// The texts of a layout alone. They are neighbours in every published file.
fn texts_of(layout: Layout) -> Layout {
    let last = layout.second.unwrap_or(layout.first);
    let columns = layout.columns.get(layout.first..=last).unwrap_or_default();
    Layout { header: true, columns, id: None, first: 0, second: layout.second.map(|_| 1), label: None }
}

impl Layout {
    /// Whether the columns that are read have their published names in this line.
    fn is_header(&self, fields: &[&[u8]]) -> bool {
        let mut read = [Some(self.first), self.second, self.label].into_iter().flatten();
        fields.len() == self.columns.len() && read.all(|column| fields[column] == self.columns[column].as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DATASETS;

    fn recognised(dataset: &str, text: &str) -> Result<&'static str, String> {
        let forms = LoneTable::of(Dataset::find(dataset).unwrap());
        let found = LoneTable::recognise(&forms, text.as_bytes(), Path::new("<stdin>"));
        found.map(|form| form.name).map_err(|found| found.to_string())
    }

    #[test]
    fn every_published_header_and_the_texts_alone_are_recognised() {
        for dataset in DATASETS.iter().filter(|dataset| !LoneTable::of(dataset).is_empty()) {
            for split in dataset.splits.iter().filter(|split| split.layout.header) {
                let found = recognised(&dataset.name, &split.layout.columns.join("\t")).unwrap();
                let same = dataset.split(found).unwrap().layout;
                assert_eq!(same, split.layout, "{} {} is read as {found}", dataset.name, split.name);
            }
            let texts = texts_of(dataset.splits[0].layout);
            assert_eq!(texts.columns.len(), 1 + usize::from(texts.second.is_some()), "{}", dataset.name);
            assert_eq!(recognised(&dataset.name, &texts.columns.join("\t")).unwrap(), "texts", "{}", dataset.name);
        }
    }

    #[test]
    fn cola_is_told_by_its_four_columns_where_it_has_no_header() {
        assert_eq!(recognised("cola", "\u{feff}\r\ngj04\t1\t\tIt is so.\n").unwrap(), "dev");
        assert_eq!(recognised("cola", "index\tsentence\r\n0\tIt is so.\n").unwrap(), "test");
    }

    #[test]
    fn other_tables_are_refused_with_the_columns_that_are_known() {
        assert_eq!(
            recognised("sst2", "\nindex\tsentence1\tsentence2\n").unwrap_err(),
            "<stdin>:2: the first line is not a known header (tab-separated, as one of: dev (sentence, label); \
             test (index, sentence); texts (sentence))"
        );
        assert_eq!(recognised("sst2", "\n\n").unwrap_err(), "<stdin>: the file is empty");
    }

    #[test]
    fn rows_are_those_of_the_file_with_their_lines() {
        let forms = LoneTable::of(Dataset::find("stsb").unwrap());
        let form = LoneTable::find(&forms, "texts").unwrap();
        let read = |text: &str, bad_rows| form.read(text.as_bytes(), Path::new("<stdin>"), bad_rows);
        let rows = read("sentence1\tsentence2\na\tb\n\nc\t d\n", BadRows::Refuse).unwrap();
        let texts: Vec<_> = rows.examples.iter().map(|row| (row.first.as_str(), row.second.as_deref())).collect();
        assert_eq!(texts, [("a", Some("b")), ("c", Some(" d"))]);
        let bad = "sentence1\tsentence2\na\tb\nc\n";
        assert!(read(bad, BadRows::Refuse).unwrap_err().to_string().starts_with("<stdin>:3: 1 column where 2"));
        assert_eq!(read(bad, BadRows::Skip).unwrap().skipped, 1);
        let unknown = LoneTable::find(&forms, "tset").unwrap_err().to_string();
        assert_eq!(unknown, "no table is laid out as `tset` (did you mean `test`?)");
    }
}
