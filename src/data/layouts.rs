//! The columns of GLUE's files, as <https://gluebenchmark.com> gives them out.

use super::dataset::Layout;

pub(super) const PAIR_TEST: Layout = Layout {
    header: true,
    columns: &["index", "sentence1", "sentence2"],
    id: Some(0),
    first: 1,
    second: Some(2),
    label: None,
};
pub(super) const PAIR: Layout =
    Layout { columns: &["index", "sentence1", "sentence2", "label"], label: Some(3), ..PAIR_TEST };
pub(super) const QNLI_TEST: Layout = Layout { columns: &["index", "question", "sentence"], ..PAIR_TEST };
pub(super) const QNLI: Layout = Layout { columns: &["index", "question", "sentence", "label"], ..PAIR };
pub(super) const SINGLE_TEST: Layout =
    Layout { header: true, columns: &["index", "sentence"], id: Some(0), first: 1, second: None, label: None };
pub(super) const COLA: Layout = Layout {
    header: false,
    columns: &["source", "label", "original mark", "sentence"],
    id: None,
    first: 3,
    second: None,
    label: Some(1),
};
pub(super) const SST2: Layout =
    Layout { header: true, columns: &["sentence", "label"], id: None, first: 0, second: None, label: Some(1) };
pub(super) const MRPC: Layout = Layout {
    header: true,
    columns: &["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
    id: None,
    first: 3,
    second: Some(4),
    label: Some(0),
};
pub(super) const MRPC_TEST: Layout =
    Layout { columns: &["index", "#1 ID", "#2 ID", "#1 String", "#2 String"], id: Some(0), label: None, ..MRPC };
pub(super) const STSB: Layout = Layout {
    header: true,
    columns: &[
        "index",
        "genre",
        "filename",
        "year",
        "old_index",
        "source1",
        "source2",
        "sentence1",
        "sentence2",
        "score",
    ],
    id: Some(0),
    first: 7,
    second: Some(8),
    label: Some(9),
};
pub(super) const STSB_TEST: Layout = Layout { columns: STSB.columns.split_at(9).0, label: None, ..STSB };
pub(super) const QQP: Layout = Layout {
    header: true,
    columns: &["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
    id: Some(0),
    first: 3,
    second: Some(4),
    label: Some(5),
};
pub(super) const QQP_TEST: Layout =
    Layout { columns: &["id", "question1", "question2"], first: 1, second: Some(2), label: None, ..QQP };
pub(super) const MNLI_DEV: Layout = Layout {
    header: true,
    columns: &[
        "index",
        "promptID",
        "pairID",
        "genre",
        "sentence1_binary_parse",
        "sentence2_binary_parse",
        "sentence1_parse",
        "sentence2_parse",
        "sentence1",
        "sentence2",
        "label1",
        "label2",
        "label3",
        "label4",
        "label5",
        "gold_label",
    ],
    id: Some(0),
    first: 8,
    second: Some(9),
    label: Some(15),
};
pub(super) const MNLI: Layout = Layout {
    columns: &[
        "index",
        "promptID",
        "pairID",
        "genre",
        "sentence1_binary_parse",
        "sentence2_binary_parse",
        "sentence1_parse",
        "sentence2_parse",
        "sentence1",
        "sentence2",
        "label1",
        "gold_label",
    ],
    label: Some(11),
    ..MNLI_DEV
};
pub(super) const MNLI_TEST: Layout = Layout { columns: MNLI_DEV.columns.split_at(10).0, label: None, ..MNLI_DEV };
