//! The table of datasets.
//!
//! Columns as in the files that <https://gluebenchmark.com> gives out; split sizes as counted in them, rows
//! without a gold label not counted, nor the few of QQP that are broken over several lines.

use super::columns::{Columns, Scheme, Separator};
use super::dataset::{Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
use super::layouts::{
    COLA, MNLI, MNLI_DEV, MNLI_TEST, MRPC, MRPC_TEST, PAIR, PAIR_TEST, QNLI, QNLI_TEST, QQP, QQP_TEST, SINGLE_TEST,
    SST2, STSB, STSB_TEST,
};
use SplitRole::{Dev, Test, Train};

const BINARY: Labels = Labels::Classes(&["0", "1"]);
const TWO_WAY: Labels = Labels::Classes(&["entailment", "not_entailment"]);
const THREE_WAY: Labels = Labels::Classes(&["contradiction", "entailment", "neutral"]);

/// A split whose file has its name.
const fn split(name: &'static str, role: SplitRole, file: &'static str, layout: Layout, examples: u64) -> SplitFile {
    SplitFile { name, role, file, also: &[], path: None, layout, examples }
}

/// What most datasets share.
const GLUE: Dataset = Dataset {
    name: "",
    folder: "",
    also: &[],
    labels: BINARY,
    no_gold: None,
    splits: &[],
    reader: Reader::Glue,
    manifest: "",
};

/// A split that is no table, under all the names that its file has.
const fn other(
    name: &'static str,
    role: SplitRole,
    file: &'static str,
    also: &'static [&'static str],
    examples: u64,
) -> SplitFile {
    SplitFile { name, role, file, also, path: None, layout: Layout::NONE, examples }
}

/// What datasets without columns of labels share.
const STRUCTURED: Dataset = Dataset { labels: Labels::Structured, ..GLUE };

/// A word and its tag a line, told apart as they come.
const ANY_COLUMNS: Columns = Columns {
    separator: Separator::Any,
    scheme: Scheme::Auto,
    token_column: 1,
    tag_column: None,
    segmentation_digit: false,
    lossy: false,
};

/// Every dataset.
pub const DATASETS: &[Dataset] = &[
    Dataset {
        name: "cola",
        folder: "CoLA",
        splits: &[
            split("train", Train, "train.tsv", COLA, 8551),
            split("dev", Dev, "dev.tsv", COLA, 1043),
            split("test", Test, "test.tsv", SINGLE_TEST, 1063),
        ],
        manifest: include_str!("../../datasets/cola.yaml"),
        ..GLUE
    },
    Dataset {
        name: "sst2",
        folder: "SST-2",
        splits: &[
            split("train", Train, "train.tsv", SST2, 67349),
            split("dev", Dev, "dev.tsv", SST2, 872),
            split("test", Test, "test.tsv", SINGLE_TEST, 1821),
        ],
        manifest: include_str!("../../datasets/sst2.yaml"),
        ..GLUE
    },
    Dataset {
        name: "mrpc",
        folder: "MRPC",
        splits: &[
            split("train", Train, "train.tsv", MRPC, 3668),
            split("dev", Dev, "dev.tsv", MRPC, 408),
            split("test", Test, "test.tsv", MRPC_TEST, 1725),
        ],
        reader: Reader::GlueOrMsr,
        manifest: include_str!("../../datasets/mrpc.yaml"),
        ..GLUE
    },
    Dataset {
        name: "stsb",
        folder: "STS-B",
        labels: Labels::Score { lowest: 0.0, highest: 5.0 },
        splits: &[
            split("train", Train, "train.tsv", STSB, 5749),
            split("dev", Dev, "dev.tsv", STSB, 1500),
            split("test", Test, "test.tsv", STSB_TEST, 1379),
        ],
        manifest: include_str!("../../datasets/stsb.yaml"),
        ..GLUE
    },
    Dataset {
        name: "qqp",
        folder: "QQP",
        splits: &[
            split("train", Train, "train.tsv", QQP, 363_846),
            split("dev", Dev, "dev.tsv", QQP, 40430),
            split("test", Test, "test.tsv", QQP_TEST, 390_965),
        ],
        manifest: include_str!("../../datasets/qqp.yaml"),
        ..GLUE
    },
    Dataset {
        name: "mnli",
        folder: "MNLI",
        labels: THREE_WAY,
        no_gold: Some("-"),
        splits: &[
            split("train", Train, "train.tsv", MNLI, 392_702),
            split("dev_matched", Dev, "dev_matched.tsv", MNLI_DEV, 9815),
            split("dev_mismatched", Dev, "dev_mismatched.tsv", MNLI_DEV, 9832),
            split("test_matched", Test, "test_matched.tsv", MNLI_TEST, 9796),
            split("test_mismatched", Test, "test_mismatched.tsv", MNLI_TEST, 9847),
        ],
        manifest: include_str!("../../datasets/mnli.yaml"),
        ..GLUE
    },
    Dataset {
        name: "qnli",
        folder: "QNLI",
        labels: TWO_WAY,
        splits: &[
            split("train", Train, "train.tsv", QNLI, 104_743),
            split("dev", Dev, "dev.tsv", QNLI, 5463),
            split("test", Test, "test.tsv", QNLI_TEST, 5463),
        ],
        manifest: include_str!("../../datasets/qnli.yaml"),
        ..GLUE
    },
    Dataset {
        name: "rte",
        folder: "RTE",
        labels: TWO_WAY,
        splits: &[
            split("train", Train, "train.tsv", PAIR, 2490),
            split("dev", Dev, "dev.tsv", PAIR, 277),
            split("test", Test, "test.tsv", PAIR_TEST, 3000),
        ],
        manifest: include_str!("../../datasets/rte.yaml"),
        ..GLUE
    },
    Dataset {
        name: "wnli",
        folder: "WNLI",
        splits: &[
            split("train", Train, "train.tsv", PAIR, 635),
            split("dev", Dev, "dev.tsv", PAIR, 71),
            split("test", Test, "test.tsv", PAIR_TEST, 146),
        ],
        manifest: include_str!("../../datasets/wnli.yaml"),
        ..GLUE
    },
    Dataset {
        name: "ax",
        folder: "AX",
        also: &["diagnostic"],
        labels: Labels::Hidden,
        splits: &[split("test", Test, "diagnostic.tsv", PAIR_TEST, 1104)],
        manifest: include_str!("../../datasets/ax.yaml"),
        ..GLUE
    },
    Dataset {
        name: "squad1",
        folder: "SQuAD-1.1",
        also: &["SQuAD", "SQuAD1", "squad-v1.1"],
        reader: Reader::Squad,
        splits: &[
            other("train", Train, "train-v1.1.json", &["train.json"], 87599),
            other("dev", Dev, "dev-v1.1.json", &["dev.json"], 10570),
        ],
        manifest: include_str!("../../datasets/squad1.yaml"),
        ..STRUCTURED
    },
    Dataset {
        name: "squad2",
        folder: "SQuAD-2.0",
        also: &["SQuAD2", "squad-v2.0", "SQuAD"],
        reader: Reader::Squad,
        splits: &[
            other("train", Train, "train-v2.0.json", &["train.json"], 130_319),
            other("dev", Dev, "dev-v2.0.json", &["dev.json"], 11873),
        ],
        manifest: include_str!("../../datasets/squad2.yaml"),
        ..STRUCTURED
    },
    Dataset {
        name: "swag",
        folder: "SWAG",
        also: &["swagaf"],
        reader: Reader::Swag,
        splits: &[
            other("train", Train, "train.csv", &[], 73546),
            other("dev", Dev, "val.csv", &["dev.csv"], 20006),
            other("test", Test, "test.csv", &[], 20005),
        ],
        manifest: include_str!("../../datasets/swag.yaml"),
        ..STRUCTURED
    },
    Dataset {
        name: "conll2003",
        folder: "CoNLL-2003",
        also: &["conll03", "eng"],
        reader: Reader::Columns(ANY_COLUMNS),
        splits: &[
            other("train", Train, "eng.train", &["train.txt"], 14041),
            other("dev", Dev, "eng.testa", &["valid.txt", "dev.txt", "testa.txt"], 3250),
            other("test", Dev, "eng.testb", &["test.txt", "testb.txt"], 3453),
        ],
        manifest: include_str!("../../datasets/conll2003.yaml"),
        ..STRUCTURED
    },
    Dataset {
        name: "msra",
        folder: "MSRA",
        reader: Reader::Columns(ANY_COLUMNS),
        splits: &[
            other("train", Train, "msra_train_bio.txt", &["train.txt"], 45000),
            other("test", Dev, "msra_test_bio.txt", &["test.txt", "dev.txt"], 3442),
        ],
        manifest: include_str!("../../datasets/msra.yaml"),
        ..STRUCTURED
    },
    Dataset {
        name: "weibo",
        folder: "Weibo",
        also: &["WeiboNER"],
        reader: Reader::Columns(Columns { segmentation_digit: true, ..ANY_COLUMNS }),
        splits: &[
            other("train", Train, "weiboNER_2nd_conll.train", &["train.txt"], 1350),
            other("dev", Dev, "weiboNER_2nd_conll.dev", &["dev.txt"], 270),
            other("test", Dev, "weiboNER_2nd_conll.test", &["test.txt"], 270),
        ],
        manifest: include_str!("../../datasets/weibo.yaml"),
        ..STRUCTURED
    },
    Dataset {
        name: "resume",
        folder: "ResumeNER",
        also: &["resume_ner", "Resume"],
        reader: Reader::Columns(ANY_COLUMNS),
        splits: &[
            other("train", Train, "train.char.bmes", &["train.txt"], 3821),
            other("dev", Dev, "dev.char.bmes", &["dev.txt"], 463),
            other("test", Dev, "test.char.bmes", &["test.txt"], 477),
        ],
        manifest: include_str!("../../datasets/resume.yaml"),
        ..STRUCTURED
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_folders_and_splits_are_unique_and_layouts_stay_within_their_columns() {
        let names: BTreeSet<_> = DATASETS.iter().map(|dataset| dataset.name).collect();
        let folders: BTreeSet<_> = DATASETS.iter().map(|dataset| dataset.folder).collect();
        assert_eq!((names.len(), folders.len()), (DATASETS.len(), DATASETS.len()));
        for dataset in DATASETS {
            let splits: BTreeSet<_> = dataset.splits.iter().map(|split| split.name).collect();
            assert_eq!(splits.len(), dataset.splits.len(), "{}", dataset.name);
            for split in dataset.splits {
                if dataset.labels == Labels::Structured {
                    assert_eq!(split.layout, Layout::NONE);
                    continue;
                }
                let Layout { columns, id, first, second, label, .. } = split.layout;
                let places: Vec<usize> = [id, Some(first), second, label].into_iter().flatten().collect();
                assert!(places.iter().all(|place| *place < columns.len()), "{} {}", dataset.name, split.name);
                assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len(), "a column read twice");
                assert_eq!(label.is_none(), split.role == Test, "{} {}", dataset.name, split.name);
            }
        }
    }

    #[test]
    fn mnli_has_the_12_16_and_10_columns_that_its_readers_trip_over() {
        let columns = |layout: Layout| layout.columns.len();
        assert_eq!((columns(MNLI), columns(MNLI_DEV), columns(MNLI_TEST)), (12, 16, 10));
        for layout in [MNLI, MNLI_DEV, MNLI_TEST] {
            assert_eq!((layout.columns[layout.first], layout.second), ("sentence1", Some(9)));
        }
    }
}
