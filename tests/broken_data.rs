//! Broken data files, each in a data root of its own under `tests/broken/data/`, and what a user is told.

use std::path::Path;

use bertbench::data::{BadRows, Dataset};
use bertbench::diagnostic::Diagnostic;

const ROOT: &str = "tests/broken/data";

/// A data root, the split that is read from it, and the message without `ROOT/` in front.
type Case = (&'static str, &'static str, &'static str, &'static str);

/// One row of each of these files is bad and another is good.
const ROWS: &[Case] = &[
    (
        "too_few_columns",
        "rte",
        "train",
        "too_few_columns/RTE/train.tsv:3: 3 columns where 4 were expected (tab-separated: index, sentence1, sentence2, label; `--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "a_tab_in_a_text",
        "rte",
        "train",
        "a_tab_in_a_text/RTE/train.tsv:3: 5 columns where 4 were expected (tab-separated: index, sentence1, sentence2, label; `--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "misspelled_label",
        "rte",
        "train",
        "misspelled_label/RTE/train.tsv:3: unknown label `not entailment` (did you mean `not_entailment`? `--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "label_of_another_dataset",
        "rte",
        "train",
        "label_of_another_dataset/RTE/train.tsv:3: unknown label `1` (known: entailment, not_entailment; `--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "no_majority_where_there_must_be",
        "rte",
        "train",
        "no_majority_where_there_must_be/RTE/train.tsv:3: unknown label `-` (known: entailment, not_entailment; `--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "empty_label",
        "rte",
        "train",
        "empty_label/RTE/train.tsv:3: column 4 (label) is empty (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "score_is_a_word",
        "stsb",
        "dev",
        "score_is_a_word/STS-B/dev.tsv:3: the score `high` is not a number (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "score_with_a_comma",
        "stsb",
        "dev",
        "score_with_a_comma/STS-B/dev.tsv:3: the score `2,5` is not a number (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "score_out_of_range",
        "stsb",
        "dev",
        "score_out_of_range/STS-B/dev.tsv:3: the score `5.001` is not between 0 and 5 (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "score_is_not_a_number",
        "stsb",
        "dev",
        "score_is_not_a_number/STS-B/dev.tsv:3: the score `NaN` is not a number (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "latin_1",
        "rte",
        "train",
        "latin_1/RTE/train.tsv:3: column 2 (sentence1) is not valid UTF-8 (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "empty_text",
        "rte",
        "train",
        "empty_text/RTE/train.tsv:3: column 3 (sentence2) is empty (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "blank_text",
        "rte",
        "train",
        "blank_text/RTE/train.tsv:3: column 2 (sentence1) is empty (`--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "blank_lines_and_crlf_before",
        "rte",
        "train",
        "blank_lines_and_crlf_before/RTE/train.tsv:6: 2 columns where 4 were expected (tab-separated: index, sentence1, sentence2, label; `--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "a_row_broken_over_two_lines",
        "qqp",
        "train",
        "a_row_broken_over_two_lines/QQP/train.tsv:3: 4 columns where 6 were expected (tab-separated: id, qid1, qid2, question1, question2, is_duplicate; `--skip-bad-rows` skips and counts such rows)",
    ),
    (
        "cola_with_a_header",
        "cola",
        "train",
        "cola_with_a_header/CoLA/train.tsv:1: unknown label `label` (known: 0, 1; `--skip-bad-rows` skips and counts such rows)",
    ),
];

/// These files are refused as a whole, also when bad rows are skipped.
const FILES: &[Case] = &[
    (
        "nowhere",
        "rte",
        "train",
        "nowhere: the data folder cannot be read: No such file or directory (os error 2) (expected there: RTE/train.tsv, RTE/dev.tsv, RTE/test.tsv)",
    ),
    (
        "no_dataset_folder",
        "rte",
        "train",
        "no_dataset_folder: no folder `RTE` (expected there: RTE/train.tsv, RTE/dev.tsv, RTE/test.tsv)",
    ),
    (
        "no_file",
        "rte",
        "train",
        "no_file/RTE/train.tsv: no such file (expected there: RTE/train.tsv, RTE/dev.tsv, RTE/test.tsv)",
    ),
    (
        "mrpc_in_neither_layout",
        "mrpc",
        "dev",
        "mrpc_in_neither_layout/MRPC/dev.tsv: no such file (expected there: MRPC/train.tsv, MRPC/dev.tsv, MRPC/test.tsv; or msr_paraphrase_train.txt, msr_paraphrase_test.txt, dev_ids.tsv)",
    ),
    ("empty_file", "rte", "train", "empty_file/RTE/train.tsv: the file is empty"),
    ("only_a_byte_order_mark", "rte", "train", "only_a_byte_order_mark/RTE/train.tsv: the file is empty"),
    (
        "only_a_header",
        "rte",
        "train",
        "only_a_header/RTE/train.tsv: the file has no rows (was its download cut short?)",
    ),
    (
        "only_blank_lines",
        "cola",
        "train",
        "only_blank_lines/CoLA/train.tsv: the file has no rows (was its download cut short?)",
    ),
    (
        "commas_for_tabs",
        "rte",
        "train",
        "commas_for_tabs/RTE/train.tsv:1: the header has 1 column where 4 were expected (the first line names the columns, tab-separated: index, sentence1, sentence2, label)",
    ),
    (
        "no_header",
        "rte",
        "train",
        "no_header/RTE/train.tsv:1: the header has `A cup fell.` in column 2 where `sentence1` was expected (the first line names the columns, tab-separated: index, sentence1, sentence2, label)",
    ),
    (
        "header_of_another_dataset",
        "rte",
        "train",
        "header_of_another_dataset/RTE/train.tsv:1: the header has `question` in column 2 where `sentence1` was expected (the first line names the columns, tab-separated: index, sentence1, sentence2, label)",
    ),
    ("utf_16", "rte", "train", "utf_16/RTE/train.tsv: the file is UTF-16 (save it as UTF-8)"),
    (
        "a_zip_file",
        "rte",
        "train",
        "a_zip_file/RTE/train.tsv:1: the header has 1 column where 4 were expected (the first line names the columns, tab-separated: index, sentence1, sentence2, label)",
    ),
    (
        "mnli_train_as_dev",
        "mnli",
        "dev_matched",
        "mnli_train_as_dev/MNLI/dev_matched.tsv:1: the header has 12 columns where 16 were expected (the first line names the columns, tab-separated: index, promptID, pairID, genre, sentence1_binary_parse, sentence2_binary_parse, sentence1_parse, sentence2_parse, sentence1, sentence2, label1, label2, label3, label4, label5, gold_label)",
    ),
    ("no_gold_at_all", "mnli", "train", "no_gold_at_all/MNLI/train.tsv: no row of the file has a gold label"),
    (
        "dev_ids_with_labels",
        "mrpc",
        "dev",
        "dev_ids_with_labels/MRPC/dev_ids.tsv:1: 3 columns where 2 were expected (each line is a pair of ids, tab-separated)",
    ),
    (
        "dev_ids_of_another_file",
        "mrpc",
        "dev",
        "dev_ids_of_another_file/MRPC/dev_ids.tsv: no pair of ids of this file is in msr_paraphrase_train.txt",
    ),
];

fn read(case: &str, dataset: &str, split: &str, bad_rows: BadRows) -> Result<(usize, u64), Diagnostic> {
    let dataset = Dataset::find(dataset)?;
    let read = dataset.read(&Path::new(ROOT).join(case), dataset.split(split)?, bad_rows)?;
    Ok((read.examples.len(), read.skipped))
}

fn message(case: &str, dataset: &str, split: &str, bad_rows: BadRows) -> String {
    let found = read(case, dataset, split, bad_rows).map_or_else(|found| found.to_string(), |read| format!("{read:?}"));
    found.replace(&format!("{ROOT}/"), "")
}

#[test]
fn a_bad_row_is_refused_with_its_line_and_what_was_expected() {
    for (case, dataset, split, expected) in ROWS {
        assert_eq!(message(case, dataset, split, BadRows::Refuse), *expected, "{case}");
    }
}

#[test]
fn a_bad_row_is_counted_when_the_user_wants_it_skipped() {
    for (case, dataset, split, _) in ROWS {
        // A row broken over two lines is two bad rows.
        let bad = if *case == "a_row_broken_over_two_lines" { 2 } else { 1 };
        assert_eq!(read(case, dataset, split, BadRows::Skip).unwrap(), (1, bad), "{case}");
    }
}

#[test]
fn a_file_that_is_not_the_datasets_is_refused_under_both_policies() {
    for (case, dataset, split, expected) in FILES {
        for bad_rows in [BadRows::Refuse, BadRows::Skip] {
            assert_eq!(message(case, dataset, split, bad_rows), *expected, "{case}");
        }
    }
}

#[test]
fn a_file_without_a_good_row_is_no_empty_split() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("WNLI")).unwrap();
    let path = folder.path().join("WNLI/dev.tsv");
    std::fs::write(&path, "index\tsentence1\tsentence2\tlabel\n0\tIt fell.\n1\tIt fell.\tA cup fell.\t2\n").unwrap();
    let wnli = Dataset::find("wnli").unwrap();
    let found = wnli.read(folder.path(), wnli.split("dev").unwrap(), BadRows::Skip).unwrap_err();
    assert_eq!(
        (found.message.as_str(), found.hint.as_deref(), found.place.unwrap().path),
        ("none of the file's 2 rows can be read", Some("without `--skip-bad-rows` the first one is explained"), path)
    );
}

#[test]
fn unknown_names_get_the_nearest_one() {
    let unknown =
        |dataset: &str, split: &str| read("no_file", dataset, split, BadRows::Refuse).unwrap_err().to_string();
    assert_eq!(unknown("rt", "train"), "unknown dataset `rt` (did you mean `rte`?)");
    assert_eq!(unknown("rte", "trian"), "rte has no split `trian` (did you mean `train`?)");
    assert_eq!(
        unknown("mnli", "dev"),
        "mnli has no split `dev` (known: train, dev_matched, dev_mismatched, test_matched, test_mismatched)"
    );
}

#[test]
fn every_folder_has_its_case() {
    let mut folders: Vec<String> =
        std::fs::read_dir(ROOT).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut cases: Vec<&str> = ROWS.iter().chain(FILES).map(|case| case.0).filter(|case| *case != "nowhere").collect();
    cases.sort_unstable();
    cases.dedup();
    assert_eq!(folders, cases);
    assert!(cases.len() >= 20);
}
