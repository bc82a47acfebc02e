//! The mini benchmark's folder, read as a stranger would read the published files.

mod others;
mod tagged;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use bertbench::checksum::sha256;
use bertbench::mini::{MiniError, bounds, generate};
use tempfile::TempDir;

/// Where the published columns of one file are.
struct Layout {
    path: &'static str,
    /// First line, without byte-order mark; `None` for CoLA's train and dev.
    header: Option<&'static str>,
    columns: usize,
    texts: &'static [usize],
    /// `None` in test sets.
    label: Option<usize>,
    rows: usize,
}

const fn layout(
    path: &'static str,
    header: Option<&'static str>,
    columns: usize,
    texts: &'static [usize],
    label: Option<usize>,
    rows: usize,
) -> Layout {
    Layout { path, header, columns, texts, label, rows }
}

const MRPC: &str = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String";
const STSB: &str = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore";
const STSB_TEST: &str = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2";
const QQP: &str = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate";
const MNLI: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label";
const MNLI_DEV: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label";
const MNLI_TEST: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2";
const PAIR: &str = "index\tsentence1\tsentence2\tlabel";
const PAIR_TEST: &str = "index\tsentence1\tsentence2";

/// Every file, as GLUE publishes it; the numbers of rows are those of `docs/mini.md`.
const LAYOUTS: [Layout; 30] = [
    layout("CoLA/train.tsv", None, 4, &[3], Some(1), 1200),
    layout("CoLA/dev.tsv", None, 4, &[3], Some(1), 300),
    layout("CoLA/test.tsv", Some("index\tsentence"), 2, &[1], None, 100),
    layout("SST-2/train.tsv", Some("sentence\tlabel"), 2, &[0], Some(1), 1000),
    layout("SST-2/dev.tsv", Some("sentence\tlabel"), 2, &[0], Some(1), 300),
    layout("SST-2/test.tsv", Some("index\tsentence"), 2, &[1], None, 100),
    layout("MRPC/train.tsv", Some(MRPC), 5, &[3, 4], Some(0), 700),
    layout("MRPC/dev.tsv", Some(MRPC), 5, &[3, 4], Some(0), 300),
    layout("MRPC/test.tsv", Some("index\t#1 ID\t#2 ID\t#1 String\t#2 String"), 5, &[3, 4], None, 100),
    layout("STS-B/train.tsv", Some(STSB), 10, &[7, 8], Some(9), 700),
    layout("STS-B/dev.tsv", Some(STSB), 10, &[7, 8], Some(9), 300),
    layout("STS-B/test.tsv", Some(STSB_TEST), 9, &[7, 8], None, 100),
    layout("QQP/train.tsv", Some(QQP), 6, &[3, 4], Some(5), 800),
    layout("QQP/dev.tsv", Some(QQP), 6, &[3, 4], Some(5), 300),
    layout("QQP/test.tsv", Some("id\tquestion1\tquestion2"), 3, &[1, 2], None, 100),
    layout("MNLI/train.tsv", Some(MNLI), 12, &[8, 9], Some(11), 900),
    layout("MNLI/dev_matched.tsv", Some(MNLI_DEV), 16, &[8, 9], Some(15), 306),
    layout("MNLI/dev_mismatched.tsv", Some(MNLI_DEV), 16, &[8, 9], Some(15), 306),
    layout("MNLI/test_matched.tsv", Some(MNLI_TEST), 10, &[8, 9], None, 100),
    layout("MNLI/test_mismatched.tsv", Some(MNLI_TEST), 10, &[8, 9], None, 100),
    layout("QNLI/train.tsv", Some("index\tquestion\tsentence\tlabel"), 4, &[1, 2], Some(3), 800),
    layout("QNLI/dev.tsv", Some("index\tquestion\tsentence\tlabel"), 4, &[1, 2], Some(3), 300),
    layout("QNLI/test.tsv", Some("index\tquestion\tsentence"), 3, &[1, 2], None, 100),
    layout("RTE/train.tsv", Some(PAIR), 4, &[1, 2], Some(3), 500),
    layout("RTE/dev.tsv", Some(PAIR), 4, &[1, 2], Some(3), 300),
    layout("RTE/test.tsv", Some(PAIR_TEST), 3, &[1, 2], None, 100),
    layout("WNLI/train.tsv", Some(PAIR), 4, &[1, 2], Some(3), 200),
    layout("WNLI/dev.tsv", Some(PAIR), 4, &[1, 2], Some(3), 100),
    layout("WNLI/test.tsv", Some(PAIR_TEST), 3, &[1, 2], None, 60),
    layout("AX/diagnostic.tsv", Some(PAIR_TEST), 3, &[1, 2], None, 150),
];

fn folder(seed: u64) -> TempDir {
    let folder = TempDir::new().unwrap();
    generate(seed, &folder.path().join("mini")).unwrap();
    folder
}

/// The rows of a file, split at tabs, without header and byte-order mark.
fn rows(root: &Path, layout: &Layout) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root.join(layout.path)).unwrap();
    let skip = usize::from(layout.header.is_some());
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    text.lines().skip(skip).map(|line| line.split('\t').map(str::to_string).collect()).collect()
}

fn label<'a>(layout: &Layout, row: &'a [String]) -> &'a str {
    &row[layout.label.unwrap()]
}

/// Path in the folder → content, for every file.
fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_seed_gives_its_own_bytes_and_always_the_same() {
    let (first, again, other) = (folder(1), folder(1), folder(2));
    let (first, other) = (contents(first.path()), contents(other.path()));
    assert_eq!(first, contents(again.path()));
    assert_eq!(first.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, bytes) in &first {
        assert_ne!(bytes, &other[path], "{path} does not depend on the seed");
    }
}

/// Scores on GLUE's tasks stay comparable: the checksums are of version 1's files, joined in the order of
/// their paths, and of its vocabulary.
#[test]
fn what_the_first_version_wrote_is_still_written() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let mut paths = LAYOUTS.map(|layout| layout.path);
    paths.sort_unstable();
    let rows: Vec<u8> = paths.iter().flat_map(|path| fs::read(root.join(path)).unwrap()).collect();
    assert_eq!(sha256(&rows), "32fd8589c5a6f4f64a7eed4c38e2e567d8108014f4c2f65b1997f2967092390e");
    let vocabulary = fs::read_to_string(root.join("vocab.txt")).unwrap();
    let first: String = vocabulary.split_inclusive('\n').take(825).collect();
    assert_eq!(sha256(first.as_bytes()), "98ad6162c67cd00978664865156294fb18d2a4cd09ec6aac43dd7f7f2ae187e1");
}

#[test]
fn the_summary_counts_what_the_files_hold() {
    let folder = TempDir::new().unwrap();
    let summary = generate(1, &folder.path().join("mini")).unwrap();
    let undecided = |path: &str| if path.starts_with("MNLI/dev") { 6 } else { 0 };
    for layout in &LAYOUTS {
        assert_eq!(summary.examples[layout.path], layout.rows - undecided(layout.path), "{}", layout.path);
    }
    for (path, count) in others::FILES {
        let text = fs::read_to_string(summary.folder.join(path)).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(summary.examples[path], if count == 0 { lines } else { count }, "{path}");
    }
    assert_eq!(summary.examples.len(), LAYOUTS.len() + others::FILES.len());
}

#[test]
fn the_folder_holds_exactly_the_published_files() {
    let folder = folder(1);
    let found: BTreeSet<String> = contents(&folder.path().join("mini")).into_keys().collect();
    let expected: BTreeSet<String> = LAYOUTS
        .iter()
        .map(|layout| layout.path)
        .chain(others::FILES.map(|(path, _)| path))
        .chain(["bounds.json", "mini.json", "vocab.txt"])
        .map(String::from)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_file_has_the_published_header_columns_and_rows() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    for layout in &LAYOUTS {
        let text = fs::read_to_string(root.join(layout.path)).unwrap();
        let marked = matches!(layout.path, "MRPC/train.tsv" | "MRPC/dev.tsv");
        assert_eq!(text.starts_with('\u{feff}'), marked, "{}", layout.path);
        if let Some(header) = layout.header {
            assert_eq!(text.trim_start_matches('\u{feff}').lines().next(), Some(header), "{}", layout.path);
        }
        let rows = rows(&root, layout);
        assert_eq!(rows.len(), layout.rows, "{}", layout.path);
        for row in rows {
            assert_eq!(row.len(), layout.columns, "{}: {row:?}", layout.path);
            for text in layout.texts {
                assert!(row[*text].split_whitespace().count() >= 2, "{}: {row:?}", layout.path);
                assert!(row[*text].chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{}: {row:?}", layout.path);
            }
        }
    }
}

/// Allowed labels, and the share of one of them as `docs/mini.md` states it, after noise.
#[test]
fn labels_are_the_published_ones_and_balanced_as_documented() {
    const SHARES: [(&str, &[&str], &str, f64); 8] = [
        ("CoLA/", &["0", "1"], "1", 0.59),
        ("SST-2/", &["0", "1"], "1", 0.53),
        ("MRPC/", &["0", "1"], "1", 0.59),
        ("QQP/", &["0", "1"], "1", 0.555),
        ("MNLI/", &["contradiction", "entailment", "neutral", "-"], "neutral", 0.33),
        ("QNLI/", &["entailment", "not_entailment"], "not_entailment", 0.52),
        ("RTE/", &["entailment", "not_entailment"], "entailment", 0.52),
        ("WNLI/", &["0", "1"], "0", 0.535),
    ];
    let folder = folder(1);
    let root = folder.path().join("mini");
    for layout in LAYOUTS.iter().filter(|layout| layout.label.is_some()) {
        let rows = rows(&root, layout);
        let Some((_, allowed, class, share)) = SHARES.iter().find(|(task, ..)| layout.path.starts_with(task)) else {
            assert!(rows.iter().all(|row| (0.0..=5.0).contains(&label(layout, row).parse::<f64>().unwrap())));
            continue;
        };
        assert!(rows.iter().all(|row| allowed.contains(&label(layout, row))), "{}", layout.path);
        let found = rows.iter().filter(|row| label(layout, row) == *class).count() as f64 / rows.len() as f64;
        // The classes are dealt out exactly; only noise, at 4 %, moves them: four standard deviations of it.
        let tolerance = 4.0 * (0.04 / rows.len() as f64).sqrt() + 0.01;
        assert!((found - share).abs() < tolerance, "{}: {found} of {class}", layout.path);
    }
}

#[test]
fn mnli_has_undecided_rows_in_dev_only_and_majorities_elsewhere() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    for layout in LAYOUTS.iter().filter(|layout| layout.path.starts_with("MNLI/") && layout.label.is_some()) {
        let rows = rows(&root, layout);
        let undecided = rows.iter().filter(|row| label(layout, row) == "-").count();
        assert_eq!(undecided, if layout.path == "MNLI/train.tsv" { 0 } else { 6 }, "{}", layout.path);
        if layout.columns != 16 {
            continue;
        }
        for row in rows {
            let votes = row[10..15].iter().filter(|vote| *vote == label(layout, &row)).count();
            assert!(if label(layout, &row) == "-" { votes == 0 } else { votes >= 3 }, "{row:?}");
        }
    }
}

#[test]
fn no_text_occurs_twice_in_a_task() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let mut seen = HashSet::new();
    for layout in &LAYOUTS {
        for row in rows(&root, layout).iter().filter(|row| layout.label.is_none_or(|label| row[label] != "-")) {
            let texts: Vec<String> = layout.texts.iter().map(|text| row[*text].to_lowercase()).collect();
            let task = layout.path.split('/').next().unwrap();
            assert!(seen.insert((task, texts)), "{}: {row:?}", layout.path);
        }
    }
}

/// The pieces of a lower-cased word: always the longest that fits, as BERT's WordPiece takes them.
fn pieces(word: &str, vocabulary: &HashSet<String>) -> Option<Vec<String>> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let prefix = if pieces.is_empty() { "" } else { "##" };
        let length =
            (1..=rest.len()).rev().find(|length| vocabulary.contains(&format!("{prefix}{}", &rest[..*length])))?;
        pieces.push(format!("{prefix}{}", &rest[..length]));
        rest = &rest[length..];
    }
    Some(pieces)
}

#[test]
fn the_vocabulary_knows_every_word_and_splits_some() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let text = fs::read_to_string(root.join("vocab.txt")).unwrap();
    let vocabulary: HashSet<String> = text.lines().map(String::from).collect();
    assert_eq!(vocabulary.len(), text.lines().count(), "a token occurs twice");
    assert_eq!(text.lines().take(5).collect::<Vec<_>>(), ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
    let (mut words, mut split) = (0, 0);
    for layout in &LAYOUTS {
        for row in rows(&root, layout) {
            for text in layout.texts {
                // ASCII only, as another test holds.
                for word in
                    row[*text].to_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty())
                {
                    let pieces = pieces(word, &vocabulary).unwrap_or_else(|| panic!("`{word}` has no pieces"));
                    words += 1;
                    split += usize::from(pieces.len() > 1);
                }
                for mark in row[*text].chars().filter(char::is_ascii_punctuation) {
                    assert!(vocabulary.contains(&mark.to_string()), "`{mark}` is unknown");
                }
            }
        }
    }
    let share = split as f64 / f64::from(words);
    assert!((0.01..0.2).contains(&share), "{share} of the words are split");
}

#[test]
fn bounds_agree_with_a_recount_of_the_dev_labels() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let bounds = bounds(&root).unwrap();
    let names: Vec<&str> = bounds.keys().map(String::as_str).collect();
    let others = ["conll2003", "msra", "squad1", "squad2", "swag"];
    let rows_of = ["cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "stsb", "wnli"];
    assert_eq!(names.iter().copied().collect::<BTreeSet<_>>(), others.into_iter().chain(rows_of).collect());
    for (name, bound) in bounds.iter().filter(|(name, _)| rows_of.contains(&name.as_str())) {
        assert!(bound.majority < bound.ceiling && bound.ceiling < 1.0, "{name}: {bound:?}");
        let layout = LAYOUTS
            .iter()
            .find(|layout| {
                let task = layout.path.split('/').next().unwrap().to_lowercase().replace('-', "");
                task == *name && layout.path.ends_with(&format!("{}.tsv", bound.split))
            })
            .unwrap();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for row in rows(&root, layout).iter().filter(|row| label(layout, row) != "-") {
            *counts.entry(label(layout, row).to_string()).or_default() += 1;
        }
        let total: usize = counts.values().sum();
        let most = counts.values().copied().max().unwrap() as f64;
        let expected = match bound.metric.as_str() {
            "accuracy" => most / total as f64,
            // All-positive answers: precision is the share of positives, recall is 1.
            "f1" => 2.0 * most / (total as f64 + most),
            "mcc" | "spearman" => 0.0,
            other => panic!("unknown metric {other}"),
        };
        assert!((bound.majority - expected).abs() < 1e-12, "{name}: {} is not {expected}", bound.majority);
    }
}

#[test]
fn a_complete_folder_is_kept_and_a_damaged_or_other_one_replaced() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let before = contents(&root);
    assert!(generate(1, &root).unwrap().kept);
    assert_eq!(contents(&root), before);

    fs::write(root.join("RTE/dev.tsv"), "index\tsentence1\tsentence2\tlabel\n").unwrap();
    assert!(!generate(1, &root).unwrap().kept);
    assert_eq!(contents(&root), before);

    assert!(!generate(2, &root).unwrap().kept);
    assert_ne!(contents(&root), before);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["mini"], "no temporary folder is left");
}

#[test]
fn a_strangers_file_is_never_replaced() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    fs::write(root.join("RTE/notes.txt"), "mine").unwrap();
    let error = generate(2, &root).unwrap_err();
    assert!(matches!(&error, MiniError::Occupied { path } if path.ends_with("RTE/notes.txt")), "{error}");
    assert_eq!(fs::read(root.join("RTE/notes.txt")).unwrap(), b"mine");

    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    assert!(matches!(generate(1, &file), Err(MiniError::Occupied { .. })));
}

#[test]
fn damaged_or_missing_bounds_are_errors_that_name_the_file() {
    let folder = folder(1);
    let path = folder.path().join("mini/bounds.json");
    fs::write(&path, "{\"rte\": 1}").unwrap();
    let error = bounds(&folder.path().join("mini")).unwrap_err();
    assert!(matches!(error, MiniError::Malformed { .. }), "{error}");
    assert!(error.to_string().contains("bounds.json"), "{error}");
    fs::remove_file(&path).unwrap();
    assert!(matches!(bounds(&folder.path().join("mini")), Err(MiniError::File { .. })));
}
