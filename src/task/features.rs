//! A task's features, through the cache.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::load::checksum;
use super::{DevSplit, Gold, TRAIN, Task};
use crate::data::{BadRows, Dataset, Label, Split, SplitFile};
use crate::diagnostic::Diagnostic;
use crate::store::TaskOptions;
use crate::text::{CacheOutcome, FeatureCache, FeatureKey, FeatureSet, LeftOut, TextPair, Tokenizer, Vocabulary};

/// All that features are made from.
#[derive(Clone, Copy)]
pub struct FeatureSource<'a> {
    /// The folder that holds the datasets' folders.
    pub data_root: &'a Path,
    /// What to do with malformed rows.
    pub bad_rows: BadRows,
    /// What [`Task::checksums`] gave; files that are not in it are read for their checksum.
    pub checksums: &'a BTreeMap<String, String>,
    /// The model's vocabulary.
    pub vocabulary: &'a Vocabulary,
    /// Whether text is lower-cased and stripped of accents.
    pub lower_case: bool,
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included.
    pub max_length: u32,
    /// The particulars of the task's shape.
    pub options: Option<&'a TaskOptions>,
    /// Where features are kept.
    pub cache: &'a FeatureCache,
}

/// The features that a task trains on and is scored on.
#[derive(Clone, Debug)]
pub struct TaskFeatures {
    /// The training split.
    pub train: FeatureSet,
    /// The dev splits, in the order of [`Task::dev`].
    pub dev: Vec<DevSplit>,
    /// The classes of a task whose training data names them, in the order of the logits; else none.
    pub tags: Vec<String>,
    /// Malformed rows that were left out, by file; files without any are not listed.
    pub skipped_rows: BTreeMap<String, u64>,
    /// What the cache did for each split.
    pub outcomes: Vec<(&'static str, CacheOutcome)>,
}

impl Task {
    /// The features of the training split and the dev splits. Splits that are in the cache are neither read nor
    /// tokenised: the checksums stand for their text.
    ///
    /// # Errors
    /// A missing file; with [`BadRows::Refuse`], the first malformed row; a file that is no longer what its
    /// checksum says.
    pub fn features(&self, source: &FeatureSource<'_>) -> Result<TaskFeatures, Diagnostic> {
        let mut skipped_rows = BTreeMap::new();
        let mut outcomes = Vec::new();
        let mut get = |split: &str| {
            let part = SplitSource::new(self.dataset, split, source)?;
            let (set, outcome) = part.features()?;
            outcomes.push((part.split.name, outcome));
            if set.left_out().malformed > 0 {
                skipped_rows.insert(part.published_name(), set.left_out().malformed);
            }
            Ok((part.split.name, set))
        };
        let (_, train) = get(TRAIN)?;
        let dev = self.dev.iter().map(|split| {
            let (name, features) = get(split)?;
            Ok(DevSplit { name, features, gold: Gold::Labels })
        });
        let dev = dev.collect::<Result<_, Diagnostic>>()?;
        Ok(TaskFeatures { train, dev, tags: Vec::new(), skipped_rows, outcomes })
    }

    /// Whether the files of a split are in the data root.
    #[must_use]
    pub fn has_split(dataset: &str, split: &str, data_root: &Path) -> bool {
        let files = Dataset::find(dataset).and_then(|dataset| dataset.files(data_root, dataset.split(split)?));
        files.is_ok_and(|files| files.iter().all(|(_, path)| path.is_file()))
    }

    /// The features of one split of any dataset, such as one of [`Task::predicts`].
    ///
    /// # Errors
    /// As [`Task::features`].
    pub fn split_features(
        dataset: &str,
        split: &str,
        source: &FeatureSource<'_>,
    ) -> Result<(FeatureSet, CacheOutcome), Diagnostic> {
        SplitSource::new(dataset, split, source)?.features()
    }
}

/// One split, found on disk.
struct SplitSource<'a> {
    dataset: &'static Dataset,
    split: &'static SplitFile,
    files: Vec<(String, PathBuf)>,
    source: &'a FeatureSource<'a>,
}

impl<'a> SplitSource<'a> {
    fn new(dataset: &str, split: &str, source: &'a FeatureSource<'a>) -> Result<Self, Diagnostic> {
        let dataset = Dataset::find(dataset)?;
        let split = dataset.split(split)?;
        Ok(Self { dataset, split, files: dataset.files(source.data_root, split)?, source })
    }

    /// The file that holds the split's rows, as published.
    fn published_name(&self) -> String {
        self.files.first().map(|(name, _)| name.clone()).unwrap_or_default()
    }

    fn features(&self) -> Result<(FeatureSet, CacheOutcome), Diagnostic> {
        let FeatureSource { bad_rows, checksums, vocabulary, lower_case, max_length, cache, .. } = *self.source;
        let mut data_sha256 = BTreeMap::new();
        for (name, path) in &self.files {
            let known = checksums.get(name).cloned();
            data_sha256.insert(name.clone(), known.map_or_else(|| checksum(path), Ok)?);
        }
        let key = FeatureKey {
            dataset: self.dataset.name.to_owned(),
            split: self.split.name.to_owned(),
            data_sha256,
            vocabulary_sha256: vocabulary.sha256().to_owned(),
            lower_case,
            max_length,
            skip_bad_rows: bad_rows == BadRows::Skip,
            options: String::new(),
        };
        cache.get_or_build(&key, || self.build(&key.data_sha256))
    }

    fn build(&self, data_sha256: &BTreeMap<String, String>) -> Result<FeatureSet, Diagnostic> {
        let FeatureSource { data_root, bad_rows, vocabulary, lower_case, max_length, .. } = *self.source;
        let read = self.dataset.read(data_root, self.split, bad_rows)?;
        // After reading: a file that changed since the plan was made must not be kept under its old checksum.
        for (name, path) in &self.files {
            if data_sha256.get(name) != Some(&checksum(path)?) {
                return Err(Diagnostic::new("the file changed while it was in use")
                    .in_file(path)
                    .hint("start again, so that the plan reads its new checksum"));
            }
        }
        // Made only here: a start whose features are all on disk needs none.
        features_of(&read, &Tokenizer::new(vocabulary, lower_case)?, max_length)
    }
}

/// The features of rows that were read.
///
/// # Errors
/// As [`FeatureSet::build`].
pub fn features_of(read: &Split, tokenizer: &Tokenizer, max_length: u32) -> Result<FeatureSet, Diagnostic> {
    let examples: Vec<TextPair<'_>> = read
        .examples
        .iter()
        .map(|example| TextPair {
            first: &example.first,
            second: example.second.as_deref(),
            label: example.label.map_or(f32::NAN, Label::number),
        })
        .collect();
    let left_out = LeftOut { malformed: read.skipped, without_gold: read.without_gold, unfindable: 0 };
    FeatureSet::build(tokenizer, &examples, max_length, left_out)
}
