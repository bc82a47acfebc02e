//! The table of datasets.
//!
//! Columns as in the files that <https://gluebenchmark.com> gives out; split sizes as counted in them, rows
//! without a gold label not counted, nor the few of QQP that are broken over several lines.

use super::columns::Columns;
use super::dataset::{Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
use super::layouts;
use super::probes::{AGREEMENT, LOOKUP, REACH, SIDES};
use crate::diagnostic::{Diagnostic, suggest};
use SplitRole::{Dev, Test, Train};

const BINARY: Labels = Labels::Classes(&["0", "1"]);
const TWO_WAY: Labels = Labels::Classes(&["entailment", "not_entailment"]);
const THREE_WAY: Labels = Labels::Classes(&["contradiction", "entailment", "neutral"]);

/// Every dataset.
pub static DATASETS: &[&Dataset] = &[
    &COLA, &SST2, &MRPC, &STSB, &QQP, &MNLI, &QNLI, &RTE, &WNLI, &AX, &SQUAD1, &SQUAD2, &SWAG, &CONLL2003, &MSRA,
    &WEIBO, &RESUME, &REACH, &LOOKUP, &AGREEMENT, &SIDES,
];

impl Dataset {
    /// The dataset called `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn find(name: &str) -> Result<&'static Self, Diagnostic> {
        DATASETS.iter().copied().find(|dataset| dataset.name == name).ok_or_else(|| {
            Diagnostic::new(format!("unknown dataset `{name}`"))
                .hint(suggest(name, DATASETS.iter().map(|dataset| &*dataset.name)))
        })
    }
}

/// A dataset of GLUE, as it gives it out.
const fn glue(
    name: &'static str,
    folder: &'static str,
    labels: Labels,
    splits: &'static [SplitFile],
    manifest: &'static str,
) -> Dataset {
    Dataset::tables(name, folder, labels, splits, manifest).group("glue")
}

/// Its files where there is one for each role: the layouts with and without labels, and so many examples.
const fn three(labelled: Layout, test: Layout, examples: [u64; 3]) -> [SplitFile; 3] {
    [
        SplitFile::table("train", Train, "train.tsv", labelled, examples[0]),
        SplitFile::table("dev", Dev, "dev.tsv", labelled, examples[1]),
        SplitFile::table("test", Test, "test.tsv", test, examples[2]),
    ]
}

/// CoLA.
pub static COLA: Dataset = glue(
    "cola",
    "CoLA",
    BINARY,
    &three(layouts::COLA, layouts::SINGLE_TEST, [8551, 1043, 1063]),
    include_str!("../../datasets/cola.yaml"),
);

/// SST-2.
pub static SST2: Dataset = glue(
    "sst2",
    "SST-2",
    BINARY,
    &three(layouts::SST2, layouts::SINGLE_TEST, [67349, 872, 1821]),
    include_str!("../../datasets/sst2.yaml"),
);

/// MRPC.
pub static MRPC: Dataset = glue(
    "mrpc",
    "MRPC",
    BINARY,
    &three(layouts::MRPC, layouts::MRPC_TEST, [3668, 408, 1725]),
    include_str!("../../datasets/mrpc.yaml"),
)
.read_by(Reader::GlueOrMsr);

/// STS-B.
pub static STSB: Dataset = glue(
    "stsb",
    "STS-B",
    Labels::Score { lowest: 0.0, highest: 5.0 },
    &three(layouts::STSB, layouts::STSB_TEST, [5749, 1500, 1379]),
    include_str!("../../datasets/stsb.yaml"),
);

/// QQP.
pub static QQP: Dataset = glue(
    "qqp",
    "QQP",
    BINARY,
    &three(layouts::QQP, layouts::QQP_TEST, [363_846, 40430, 390_965]),
    include_str!("../../datasets/qqp.yaml"),
);

/// MNLI.
pub static MNLI: Dataset = glue(
    "mnli",
    "MNLI",
    THREE_WAY,
    &[
        SplitFile::table("train", Train, "train.tsv", layouts::MNLI, 392_702),
        SplitFile::table("dev_matched", Dev, "dev_matched.tsv", layouts::MNLI_DEV, 9815),
        SplitFile::table("dev_mismatched", Dev, "dev_mismatched.tsv", layouts::MNLI_DEV, 9832),
        SplitFile::table("test_matched", Test, "test_matched.tsv", layouts::MNLI_TEST, 9796),
        SplitFile::table("test_mismatched", Test, "test_mismatched.tsv", layouts::MNLI_TEST, 9847),
    ],
    include_str!("../../datasets/mnli.yaml"),
)
.no_gold("-");

/// QNLI.
pub static QNLI: Dataset = glue(
    "qnli",
    "QNLI",
    TWO_WAY,
    &three(layouts::QNLI, layouts::QNLI_TEST, [104_743, 5463, 5463]),
    include_str!("../../datasets/qnli.yaml"),
);

/// RTE.
pub static RTE: Dataset = glue(
    "rte",
    "RTE",
    TWO_WAY,
    &three(layouts::PAIR, layouts::PAIR_TEST, [2490, 277, 3000]),
    include_str!("../../datasets/rte.yaml"),
);

/// WNLI.
pub static WNLI: Dataset = glue(
    "wnli",
    "WNLI",
    BINARY,
    &three(layouts::PAIR, layouts::PAIR_TEST, [635, 71, 146]),
    include_str!("../../datasets/wnli.yaml"),
);

/// GLUE's diagnostic set, which the model of `mnli` answers.
pub static AX: Dataset = glue(
    "ax",
    "AX",
    Labels::Hidden,
    &[SplitFile::table("test", Test, "diagnostic.tsv", layouts::PAIR_TEST, 1104)],
    include_str!("../../datasets/ax.yaml"),
)
.also(&["diagnostic"]);

/// SQuAD-1.1.
pub static SQUAD1: Dataset = Dataset::structured(
    "squad1",
    "SQuAD-1.1",
    Reader::Squad { unanswerable: false },
    &[
        SplitFile::other("train", Train, "train-v1.1.json", &["train.json"], 87599),
        SplitFile::other("dev", Dev, "dev-v1.1.json", &["dev.json"], 10570),
    ],
    include_str!("../../datasets/squad1.yaml"),
)
.also(&["SQuAD", "SQuAD1", "squad-v1.1"])
.group("squad");

/// SQuAD-2.0.
pub static SQUAD2: Dataset = Dataset::structured(
    "squad2",
    "SQuAD-2.0",
    Reader::Squad { unanswerable: true },
    &[
        SplitFile::other("train", Train, "train-v2.0.json", &["train.json"], 130_319),
        SplitFile::other("dev", Dev, "dev-v2.0.json", &["dev.json"], 11873),
    ],
    include_str!("../../datasets/squad2.yaml"),
)
.also(&["SQuAD2", "squad-v2.0", "SQuAD"])
.group("squad");

/// SWAG.
pub static SWAG: Dataset = Dataset::structured(
    "swag",
    "SWAG",
    Reader::Swag,
    &[
        SplitFile::other("train", Train, "train.csv", &[], 73546),
        SplitFile::other("dev", Dev, "val.csv", &["dev.csv"], 20006),
        SplitFile::other("test", Test, "test.csv", &[], 20005),
    ],
    include_str!("../../datasets/swag.yaml"),
)
.also(&["swagaf"]);

/// CoNLL-2003.
pub static CONLL2003: Dataset = Dataset::structured(
    "conll2003",
    "CoNLL-2003",
    Reader::Columns(Columns::ANY),
    &[
        SplitFile::other("train", Train, "eng.train", &["train.txt"], 14041),
        SplitFile::other("dev", Dev, "eng.testa", &["valid.txt", "dev.txt", "testa.txt"], 3250),
        SplitFile::other("test", Dev, "eng.testb", &["test.txt", "testb.txt"], 3453),
    ],
    include_str!("../../datasets/conll2003.yaml"),
)
.also(&["conll03", "eng"]);

/// MSRA.
pub static MSRA: Dataset = Dataset::structured(
    "msra",
    "MSRA",
    Reader::Columns(Columns::ANY),
    &[
        SplitFile::other("train", Train, "msra_train_bio.txt", &["train.txt"], 45000),
        SplitFile::other("test", Dev, "msra_test_bio.txt", &["test.txt", "dev.txt"], 3442),
    ],
    include_str!("../../datasets/msra.yaml"),
);

/// Weibo.
pub static WEIBO: Dataset = Dataset::structured(
    "weibo",
    "Weibo",
    Reader::Columns(Columns { segmentation_digit: true, ..Columns::ANY }),
    &[
        SplitFile::other("train", Train, "weiboNER_2nd_conll.train", &["train.txt"], 1350),
        SplitFile::other("dev", Dev, "weiboNER_2nd_conll.dev", &["dev.txt"], 270),
        SplitFile::other("test", Dev, "weiboNER_2nd_conll.test", &["test.txt"], 270),
    ],
    include_str!("../../datasets/weibo.yaml"),
)
.also(&["WeiboNER"]);

/// Résumés.
pub static RESUME: Dataset = Dataset::structured(
    "resume",
    "ResumeNER",
    Reader::Columns(Columns::ANY),
    &[
        SplitFile::other("train", Train, "train.char.bmes", &["train.txt"], 3821),
        SplitFile::other("dev", Dev, "dev.char.bmes", &["dev.txt"], 463),
        SplitFile::other("test", Dev, "test.char.bmes", &["test.txt"], 477),
    ],
    include_str!("../../datasets/resume.yaml"),
)
.also(&["resume_ner", "Resume"]);
