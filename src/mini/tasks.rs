//! The table of the mini tasks: what each one is called, how large it is, how noisy, and who draws it.

use super::example::{Domain, Example, Use};
use super::formats::{self, Format};
use super::world::World;
use super::{acceptability, answers, duplicates, inference, paraphrase, pronouns, sentiment, similarity};
use crate::metric::{ACCURACY, F1, MCC, Metric, SPEARMAN};
use crate::random::Draws;

/// One file of a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    /// File name without `.tsv`.
    pub(super) stem: &'static str,
    /// What it is for.
    pub(super) purpose: Use,
    /// Which genres it has.
    pub(super) domain: Domain,
    /// Examples.
    pub(super) rows: usize,
}

const fn split(stem: &'static str, purpose: Use, rows: usize) -> Split {
    Split { stem, purpose, domain: Domain::Matched, rows }
}

/// One file for each use, with so many rows.
const fn three(train: usize, dev: usize, test: usize) -> [Split; 3] {
    [split("train", Use::Train, train), split("dev", Use::Dev, dev), split("test", Use::Test, test)]
}

const fn mismatched(stem: &'static str, purpose: Use, rows: usize) -> Split {
    Split { domain: Domain::Mismatched, ..split(stem, purpose, rows) }
}

pub(super) struct MiniTask {
    /// Lower-case name, such as `rte`.
    pub(super) name: &'static str,
    /// Folder, as GLUE names it.
    pub(super) folder: &'static str,
    /// The classes as the files write them; empty when the answer is a score.
    pub(super) classes: &'static [&'static str],
    /// How many of a hundred examples each class has, before noise; one row of 100 when there is no class.
    pub(super) percent: &'static [usize],
    /// The score by which it is judged, as in the GLUE paper.
    pub(super) primary: &'static Metric,
    pub(super) splits: &'static [Split],
    /// Probability of a wrong class; for scores, the standard deviation of the annotators' error.
    pub(super) noise: f64,
    /// Draws one example whose right answer is the class asked for; a score is drawn freely.
    pub(super) draw: fn(&World, Domain, usize, &mut Draws) -> Example,
    pub(super) format: Format,
}

/// Every task and the diagnostic set. Training sets are small so that a sweep of 216 runs takes minutes.
pub(super) const TASKS: [MiniTask; 10] = [
    MiniTask {
        name: "cola",
        folder: "CoLA",
        classes: &["0", "1"],
        percent: &[40, 60],
        primary: &MCC,
        splits: &three(1200, 300, 100),
        noise: 0.04,
        draw: acceptability::draw,
        format: formats::COLA,
    },
    MiniTask {
        name: "sst2",
        folder: "SST-2",
        classes: &["0", "1"],
        percent: &[47, 53],
        primary: &ACCURACY,
        splits: &three(1000, 300, 100),
        noise: 0.04,
        draw: sentiment::draw,
        format: formats::SST2,
    },
    MiniTask {
        name: "mrpc",
        folder: "MRPC",
        classes: &["0", "1"],
        percent: &[40, 60],
        primary: &F1,
        splits: &three(700, 300, 100),
        noise: 0.04,
        draw: paraphrase::draw,
        format: formats::MRPC,
    },
    MiniTask {
        name: "stsb",
        folder: "STS-B",
        classes: &[],
        percent: &[100],
        primary: &SPEARMAN,
        splits: &three(700, 300, 100),
        noise: 0.4,
        draw: similarity::draw,
        format: formats::STSB,
    },
    MiniTask {
        name: "qqp",
        folder: "QQP",
        classes: &["0", "1"],
        percent: &[44, 56],
        primary: &F1,
        splits: &three(800, 300, 100),
        noise: 0.04,
        draw: duplicates::draw,
        format: formats::QQP,
    },
    MiniTask {
        name: "mnli",
        folder: "MNLI",
        classes: &["contradiction", "entailment", "neutral"],
        percent: &[33, 33, 34],
        primary: &ACCURACY,
        splits: &[
            split("train", Use::Train, 900),
            split("dev_matched", Use::Dev, 300),
            mismatched("dev_mismatched", Use::Dev, 300),
            split("test_matched", Use::Test, 100),
            mismatched("test_mismatched", Use::Test, 100),
        ],
        noise: 0.04,
        draw: inference::draw_three_way,
        format: formats::MNLI,
    },
    MiniTask {
        name: "qnli",
        folder: "QNLI",
        classes: &["entailment", "not_entailment"],
        percent: &[48, 52],
        primary: &ACCURACY,
        splits: &three(800, 300, 100),
        noise: 0.04,
        draw: answers::draw,
        format: formats::QNLI,
    },
    MiniTask {
        name: "rte",
        folder: "RTE",
        classes: &["entailment", "not_entailment"],
        percent: &[52, 48],
        primary: &ACCURACY,
        splits: &three(500, 300, 100),
        noise: 0.04,
        draw: inference::draw_two_way,
        format: formats::PAIR,
    },
    MiniTask {
        name: "wnli",
        folder: "WNLI",
        classes: &["0", "1"],
        percent: &[54, 46],
        primary: &ACCURACY,
        splits: &three(200, 100, 60),
        noise: 0.04,
        draw: pronouns::draw,
        format: formats::PAIR,
    },
    MiniTask {
        name: "ax",
        folder: "AX",
        classes: &["contradiction", "entailment", "neutral"],
        percent: &[33, 33, 34],
        primary: &ACCURACY,
        splits: &[split("diagnostic", Use::Test, 150)],
        noise: 0.0,
        draw: inference::draw_diagnostic,
        format: formats::AX,
    },
];
