//! GLUE's submission: a zip of eleven tables of predictions, made ([`pack()`]) and judged ([`check()`]).
//!
//! What the server asks for is in its FAQ (<https://gluebenchmark.com/faq>) and in the sample that it gives
//! out; its own code is not published.

mod check;
mod findings;
mod pack;
mod rows;

pub use check::{check, check_archive};
pub use findings::{Finding, Severity};
pub use pack::{Packed, Part, pack};

use super::dataset::SplitFile;
use super::table::DATASETS;

/// The first line of every file.
const HEADER: [&str; 2] = ["index", "prediction"];

/// One file of the zip: a row of [`FILES`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubmissionFile {
    /// Its name in the zip.
    pub name: &'static str,
    /// The dataset that it answers.
    pub dataset: &'static str,
    /// The split that it answers.
    pub split: &'static str,
    /// What its predictions are.
    pub answers: Answers,
}

/// How predictions are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answers {
    /// One of these words. The first one fills files that no model answers.
    Words(&'static [&'static str]),
    /// A number from `lowest` to `highest`, both included: users report that the server fails on others
    /// (github.com/princeton-nlp/DinkyTrain/issues/2, github.com/IshiKura-a/ModelGPT/issues/2). The lowest
    /// fills a file that no model answers.
    Score {
        /// The least.
        lowest: f64,
        /// The most.
        highest: f64,
    },
}

const BINARY: Answers = Answers::Words(&["0", "1"]);
const TWO_WAY: Answers = Answers::Words(&["entailment", "not_entailment"]);
const THREE_WAY: Answers = Answers::Words(&["contradiction", "entailment", "neutral"]);
const SIMILARITY: Answers = Answers::Score { lowest: 0.0, highest: 5.0 };

const fn test(name: &'static str, dataset: &'static str, answers: Answers) -> SubmissionFile {
    SubmissionFile { name, dataset, split: "test", answers }
}

/// Every file that the zip must have.
pub const FILES: &[SubmissionFile] = &[
    test("CoLA.tsv", "cola", BINARY),
    test("SST-2.tsv", "sst2", BINARY),
    test("MRPC.tsv", "mrpc", BINARY),
    test("STS-B.tsv", "stsb", SIMILARITY),
    SubmissionFile { name: "MNLI-m.tsv", dataset: "mnli", split: "test_matched", answers: THREE_WAY },
    SubmissionFile { name: "MNLI-mm.tsv", dataset: "mnli", split: "test_mismatched", answers: THREE_WAY },
    test("QNLI.tsv", "qnli", TWO_WAY),
    test("QQP.tsv", "qqp", BINARY),
    test("RTE.tsv", "rte", TWO_WAY),
    test("WNLI.tsv", "wnli", BINARY),
    test("AX.tsv", "ax", THREE_WAY),
];

impl SubmissionFile {
    /// How many examples the published test file has.
    #[must_use]
    pub fn examples(&self) -> u64 {
        self.published().map_or(0, |split| split.examples)
    }

    /// The prediction for every example that no model answers.
    #[must_use]
    pub fn constant(&self) -> String {
        match self.answers {
            Answers::Words(words) => words.first().copied().unwrap_or_default().to_owned(),
            // With the point that tells a score from a class: `0.0`.
            Answers::Score { lowest, .. } => format!("{lowest:?}"),
        }
    }

    fn published(&self) -> Option<&'static SplitFile> {
        let dataset = DATASETS.iter().find(|dataset| dataset.name == self.dataset)?;
        dataset.splits.iter().find(|split| split.name == self.split)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Labels, SplitRole};

    #[test]
    fn the_files_are_the_test_splits_of_all_datasets_with_their_labels() {
        let ours: Vec<_> = FILES.iter().map(|file| (file.dataset, file.split)).collect();
        for dataset in DATASETS {
            let table = !matches!(dataset.labels, Labels::Structured);
            for split in dataset.splits_of(SplitRole::Test).filter(|_| table) {
                let found = ours.iter().filter(|known| **known == (&*dataset.name, split.name)).count();
                assert_eq!(found, 1, "{} {}", dataset.name, split.name);
            }
        }
        assert_eq!(ours.len(), 11);
        for file in FILES {
            let mnli = Dataset::find("mnli").unwrap().labels;
            let labels = match Dataset::find(file.dataset).unwrap().labels {
                Labels::Hidden => mnli,
                published @ (Labels::Classes(_) | Labels::Score { .. } | Labels::Structured) => published,
            };
            match (file.answers, labels) {
                (Answers::Words(words), Labels::Classes(classes)) => assert_eq!(words, classes),
                (Answers::Score { lowest, highest }, Labels::Score { lowest: from, highest: to }) => {
                    assert_eq!(
                        (lowest.to_bits(), highest.to_bits()),
                        (f64::from(from).to_bits(), f64::from(to).to_bits())
                    );
                }
                other => panic!("{}: {other:?}", file.name),
            }
        }
    }

    #[test]
    fn constants_are_the_first_word_and_the_lowest_score() {
        let constants: Vec<String> = FILES.iter().map(SubmissionFile::constant).collect();
        assert_eq!(
            constants,
            [
                "0",
                "0",
                "0",
                "0.0",
                "contradiction",
                "contradiction",
                "entailment",
                "0",
                "entailment",
                "0",
                "contradiction"
            ]
        );
        // As the benchmark's paper counts them (Wang et al. 2018, table 1), in thousands where it rounds.
        let examples: Vec<u64> = FILES.iter().map(SubmissionFile::examples).collect();
        assert_eq!(examples, [1063, 1821, 1725, 1379, 9796, 9847, 5463, 390_965, 3000, 146, 1104]);
    }
}
