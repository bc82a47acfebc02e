//! The mini benchmark's probes of what a representation can do: words and tags, and a dev file for each distance or side.

use super::columns::Columns;
use super::dataset::{Dataset, Reader, SplitFile, SplitRole};
use SplitRole::{Dev, Train};

/// A word and its tag a line.
const COLUMNS: Reader = Reader::Columns(Columns::ANY);

/// A training file of so many sentences, and dev files by distance.
const fn by_distance(train: u64, dev: u64) -> [SplitFile; 9] {
    [
        SplitFile::other("train", Train, "train.txt", &[], train),
        SplitFile::other("dev_2", Dev, "dev_2.txt", &[], dev),
        SplitFile::other("dev_4", Dev, "dev_4.txt", &[], dev),
        SplitFile::other("dev_8", Dev, "dev_8.txt", &[], dev),
        SplitFile::other("dev_16", Dev, "dev_16.txt", &[], dev),
        SplitFile::other("dev_32", Dev, "dev_32.txt", &[], dev),
        SplitFile::other("dev_64", Dev, "dev_64.txt", &[], dev),
        SplitFile::other("dev_128", Dev, "dev_128.txt", &[], dev),
        SplitFile::other("dev_256", Dev, "dev_256.txt", &[], dev),
    ]
}

static REACH_FILES: [SplitFile; 9] = by_distance(1800, 100);
static LOOKUP_FILES: [SplitFile; 9] = by_distance(1200, 100);
static AGREEMENT_FILES: [SplitFile; 9] = by_distance(1600, 100);

/// How far back one word decides.
pub static REACH: Dataset =
    Dataset::structured("reach", "REACH", COLUMNS, &REACH_FILES, include_str!("../../datasets/reach.yaml"));

/// How far back any of many words decides.
pub static LOOKUP: Dataset =
    Dataset::structured("lookup", "LOOKUP", COLUMNS, &LOOKUP_FILES, include_str!("../../datasets/lookup.yaml"));

/// How far agreement and reference go.
pub static AGREEMENT: Dataset = Dataset::structured(
    "agreement",
    "AGREEMENT",
    COLUMNS,
    &AGREEMENT_FILES,
    include_str!("../../datasets/agreement.yaml"),
);

/// From which side words decide.
pub static SIDES: Dataset = Dataset::structured(
    "sides",
    "SIDES",
    COLUMNS,
    &[
        SplitFile::other("train", Train, "train.txt", &[], 6000),
        SplitFile::other("dev_left", Dev, "dev_left.txt", &[], 200),
        SplitFile::other("dev_right", Dev, "dev_right.txt", &[], 200),
        SplitFile::other("dev_both", Dev, "dev_both.txt", &[], 200),
    ],
    include_str!("../../datasets/sides.yaml"),
);
