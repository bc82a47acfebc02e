//! Parquet, written by polars and by pyarrow.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars_arrow::array::{Array, BinaryViewArray, Int64Array, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field};
use polars_arrow::record_batch::RecordBatchT;
use polars_parquet::write::{
    CompressionOptions, Encoding, FileWriter, RowGroupIterator, StatisticsOptions, Version, WriteOptions,
};

use super::reader::documents_of;
use super::{BadBytes, Corpus, CorpusOptions, TextFormat};
use crate::corpus::examples::{ExampleSet, ExampleSettings, PassageSource, TokenizedBy, prepare};
use crate::text::{Tokenizer, Vocabulary};

/// Row groups of texts, beside a column of numbers, in pages of about `page` bytes.
fn write(path: &Path, groups: &[Vec<Option<&str>>], encoding: Encoding, page: usize) {
    write_columns(path, groups, encoding, page, ArrowDataType::Utf8View, |texts| {
        Box::new(Utf8ViewArray::from_slice(texts))
    });
}

fn write_columns<T>(
    path: &Path,
    groups: &[Vec<T>],
    encoding: Encoding,
    page: usize,
    kind: ArrowDataType,
    array: impl Fn(&[T]) -> Box<dyn Array>,
) {
    let fields = [
        Field::new("id".into(), ArrowDataType::Int64, false),
        Field::new("text".into(), kind, true),
        Field::new("title".into(), ArrowDataType::Utf8View, true),
    ];
    let schema: ArrowSchema = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
    let options = WriteOptions {
        statistics: StatisticsOptions::empty(),
        version: Version::V1,
        compression: CompressionOptions::Snappy,
        data_page_size: Some(page),
    };
    let batches = groups.iter().map(|group| {
        let ids: Box<dyn Array> = Box::new(Int64Array::from_vec((0..group.len() as i64).collect()));
        let titles: Box<dyn Array> = Box::new(Utf8ViewArray::from_slice_values(vec!["a title"; group.len()]));
        RecordBatchT::try_new(group.len(), schema.clone().into(), vec![ids, array(group), titles])
    });
    let encodings = vec![vec![Encoding::Plain], vec![encoding], vec![Encoding::Plain]];
    let rows = RowGroupIterator::try_new(batches, &schema, options, encodings.into()).unwrap();
    let mut writer = FileWriter::try_new(File::create(path).unwrap(), schema.clone(), options).unwrap();
    for (group, rows) in rows.enumerate() {
        writer.write(groups[group].len() as u64, rows.unwrap()).unwrap();
    }
    writer.end(None).unwrap();
}

fn read_as(path: &Path, options: CorpusOptions) -> Result<Vec<String>, String> {
    let parent = format!("{}/", path.parent().unwrap().display());
    let said = |found: crate::diagnostic::Diagnostic| found.to_string().replace(&parent, "");
    let mut corpus = Corpus::open(&[path.to_path_buf()], options).map_err(said)?;
    documents_of(&mut corpus).map_err(said)
}

fn read(path: &Path) -> Result<Vec<String>, String> {
    read_as(path, CorpusOptions::default())
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parquet").join(name)
}

#[test]
fn row_groups_and_pages_are_read_in_order_and_null_is_an_empty_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    // The last text is larger than a window, so its page has to be read in several.
    let texts: Vec<String> = (0..1000).map(|at| format!("Text {at}.\nIt is {}.", "long ".repeat(at % 50))).collect();
    let large = "It rained. ".repeat(300_000);
    let group = |of: std::ops::Range<usize>| texts[of].iter().map(|text| Some(text.as_str())).collect::<Vec<_>>();
    let mut last = group(990..1000);
    last.extend([None, Some(""), Some(&large)]);
    let groups = [group(0..600), Vec::new(), group(600..990), last];
    let expected: Vec<String> = groups
        .iter()
        .flatten()
        .map(|text| text.unwrap_or_default().lines().map(str::trim).collect::<Vec<_>>().join("|"))
        .collect();
    for encoding in [Encoding::Plain, Encoding::RleDictionary, Encoding::DeltaLengthByteArray] {
        for page in [100, 1 << 20] {
            write(&path, &groups, encoding, page);
            let found = read(&path).unwrap();
            assert_eq!(found.len(), 1003, "{encoding:?}");
            assert!(found == expected, "{encoding:?}, pages of {page} bytes");
        }
    }
}

#[test]
fn what_pyarrow_writes_is_read_as_the_same_json_lines() {
    let expected = read(&golden("documents.jsonl")).unwrap();
    assert_eq!(expected[..4], ["It rained. We stayed in.|Nobody came.", "", "Dr. Smith read a book.", ""]);
    for name in ["default", "delta", "category", "required"] {
        assert_eq!(read(&golden(&format!("{name}.parquet"))).unwrap(), expected, "{name}");
    }
    assert_eq!(
        read(&golden("brotli.parquet")).unwrap_err(),
        "brotli.parquet: its text is compressed as Brotli, which is not supported (write it again with zstd, snappy or gzip)"
    );
}

#[test]
fn the_same_text_in_either_format_is_the_same_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let letters: Vec<String> = ('a'..='z').flat_map(|c| [c.to_string(), format!("##{c}")]).collect();
    let vocabulary = Vocabulary::of_words(letters.iter().map(String::as_str)).unwrap();
    let tokenizer = Tokenizer::new(&vocabulary, true).unwrap();
    let checksum = |name: &str| {
        let out = folder.path().join(name);
        let mut corpus = Corpus::open(&[golden(name)], CorpusOptions::default()).unwrap();
        let by = TokenizedBy { vocabulary: &vocabulary, tokenizer: &tokenizer };
        prepare(&mut corpus, by, &ExampleSettings::default(), &out, &|_| ()).unwrap();
        ExampleSet::open(&out).unwrap().checksum().to_owned()
    };
    assert_eq!(checksum("documents.jsonl"), checksum("default.parquet"));
}

#[test]
fn columns_that_are_missing_or_hold_no_text_are_told_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path, &[vec![Some("A."), Some("B.")]], Encoding::Plain, 1 << 20);
    let by = |column: &str| read_as(&path, CorpusOptions { column: column.into(), ..CorpusOptions::default() });
    assert_eq!(by("title").unwrap(), ["a title", "a title"]);
    assert_eq!(by("txt").unwrap_err(), "x.parquet: the file has no column `txt` (did you mean `text`?)");
    assert_eq!(by("body").unwrap_err(), "x.parquet: the file has no column `body` (known: id, text, title)");
    assert_eq!(
        by("id").unwrap_err(),
        "x.parquet: the column `id` holds no text (`--column` names one that does: text, title)"
    );
    let tags = read_as(&golden("default.parquet"), CorpusOptions { column: "tags".into(), ..CorpusOptions::default() });
    assert_eq!(
        tags.unwrap_err(),
        "default.parquet: the column `tags` holds no text (`--column` names one that does: text)"
    );
}

#[test]
fn damaged_files_are_errors_with_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let texts: Vec<String> = (0..300).map(|at| format!("This is text number {at}.")).collect();
    write(&path, &[texts.iter().map(|text| Some(text.as_str())).collect()], Encoding::Plain, 1000);
    let whole = std::fs::read(&path).unwrap();
    let damage = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read(&path)
    };
    let begins = "x.parquet: the Parquet file is damaged: ";
    let hint = "(is it whole? compare it with its source, or write it again)";
    for length in [0, 4, 20, whole.len() / 2, whole.len() - 1] {
        let said = damage(&whole[..length]).unwrap_err();
        assert!(said.starts_with(begins) && said.ends_with(hint), "{length} bytes: {said}");
    }
    // Whatever byte is wrong, nothing panics; text that reads well may be other text, for there are no checksums.
    let expected = damage(&whole).unwrap();
    let mut noticed = 0;
    for at in (0..whole.len()).step_by(37) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        match damage(&bytes) {
            Ok(found) => noticed += usize::from(found != expected),
            Err(said) => {
                assert!(said.starts_with("x.parquet: "), "{said}");
                noticed += 1;
            }
        }
    }
    assert!(noticed > 20, "{noticed}");
}

#[test]
fn bytes_that_are_not_utf_8_are_an_error_with_their_row_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path, &[vec![Some("A."), Some("B."), Some("caf~.")]], Encoding::Plain, 1 << 20);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|bytes| bytes == b"caf~").unwrap() + 3;
    bytes[at] = 0xe9;
    std::fs::write(&path, bytes).unwrap();
    let said = read(&path).unwrap_err();
    assert!(said.starts_with("x.parquet: the text of row 3 is not valid UTF-8 (write it as UTF-8;"), "{said}");
    let lossy = CorpusOptions { bad_bytes: BadBytes::Replace, ..CorpusOptions::default() };
    assert_eq!(read_as(&path, lossy.clone()).unwrap(), ["A.", "B.", "caf\u{fffd}."]);
    let mut corpus = Corpus::open(&[path], lossy).unwrap();
    while corpus.next_block().unwrap().is_some() {}
    assert_eq!(corpus.remarks()["rows with bytes that are not UTF-8"], 1);
}

#[test]
fn bytes_without_a_mark_that_they_are_text_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    write_columns(
        &path,
        &[vec!["A.".as_bytes()]],
        Encoding::Plain,
        1 << 20,
        ArrowDataType::BinaryView,
        |texts: &[&[u8]]| Box::new(BinaryViewArray::from_slice_values(texts)),
    );
    // Told by its first bytes, as the name has no ending.
    assert_eq!(TextFormat::detect(&path, BadBytes::Refuse).unwrap(), TextFormat::Parquet);
    assert_eq!(read(&path).unwrap_err(), "x: the column `text` holds no text (`--column` names one that does: title)");
}
