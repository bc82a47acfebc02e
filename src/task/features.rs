//! A task's features, through the cache.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use super::shape::{DevSplit, Gold, Reading, Shape, shape};
use super::{TRAIN, Task};
use crate::checksum::touched_while;
use crate::data::{BadRows, Content, Dataset, SplitFile, SplitRole, sha256_of};
use crate::diagnostic::Diagnostic;
use crate::model::Head;
use crate::store::TaskOptions;
use crate::text::{CacheOutcome, FeatureCache, FeatureKey, FeatureSet, Purpose, Tokenizer, Vocabulary};

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
    /// The settings of the task's shape; without them, the task's own.
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
    /// The features of the training split and the dev splits. Splits that are in the cache are not tokenised: the
    /// checksums stand for their text. What answers are read off or held against is read anew.
    ///
    /// # Errors
    /// A missing file; with [`BadRows::Refuse`], the first malformed row; a file that is no longer what its
    /// checksum says.
    pub fn features(&self, source: &FeatureSource<'_>) -> Result<TaskFeatures, Diagnostic> {
        let default = self.default_options();
        let source = &FeatureSource { options: source.options.or(default.as_ref()), ..*source };
        let training = self.dataset.split(TRAIN)?;
        let tags = self.tags(training, source)?;
        let mut skipped_rows = BTreeMap::new();
        let mut outcomes = Vec::new();
        let mut get = |split: &'static SplitFile| {
            let part = SplitSource::new(&self.dataset, split, self.head, source, &tags)?;
            let (set, outcome) = part.features()?;
            outcomes.push((split.name, outcome));
            if set.left_out().malformed > 0 {
                skipped_rows.insert(part.published_name(), set.left_out().malformed);
            }
            Ok((part, set))
        };
        let (_, train) = get(training)?;
        let dev = self.dev().map(|split| {
            let (part, features) = get(split)?;
            Ok(DevSplit { name: split.name, features, gold: part.gold()? })
        });
        let dev = dev.collect::<Result<_, Diagnostic>>()?;
        Ok(TaskFeatures { train, dev, tags, skipped_rows, outcomes })
    }

    /// SHA-256 of every file that training and dev scoring read, by its published name (`RTE/train.tsv`).
    ///
    /// # Errors
    /// A file that is missing or cannot be read.
    pub fn checksums(&self, data_root: &Path) -> Result<BTreeMap<String, String>, Diagnostic> {
        let mut checksums = BTreeMap::new();
        for split in self.read_splits()? {
            for (name, path) in self.dataset.files(data_root, split)? {
                // MRPC's train and dev may share a file.
                if let Entry::Vacant(entry) = checksums.entry(name) {
                    entry.insert(checksum(&path)?);
                }
            }
        }
        Ok(checksums)
    }

    /// The classes that the training split names; none for a task that has them in its table, or no classes.
    fn tags(&self, training: &SplitFile, source: &FeatureSource<'_>) -> Result<Vec<String>, Diagnostic> {
        match self.head {
            Head::Tags => Ok(shape(self.head).names(&source.read(&self.dataset, training)?)),
            Head::Classes | Head::Regression | Head::Choices | Head::Spans => Ok(Vec::new()),
        }
    }

    /// The features of one test split of any dataset that the task's model answers, as [`Task::predicts`] gives them.
    ///
    /// # Errors
    /// As [`Task::features`].
    pub fn split_features(
        &self,
        dataset: &Dataset,
        split: &'static SplitFile,
        source: &FeatureSource<'_>,
    ) -> Result<(FeatureSet, CacheOutcome), Diagnostic> {
        SplitSource::new(dataset, split, self.head, source, &[])?.features()
    }

    /// Features and gold answers of what was read, as those of a dev split; `tags` are the classes of a model that tags
    /// words, in the order of its outputs. Without `options` the task's own count.
    ///
    /// # Errors
    /// Options of another kind of task; a `max_length` that leaves no room for text.
    pub fn split_of(
        &self,
        name: &'static str,
        read: Content,
        tokenizer: &Tokenizer,
        max_length: u32,
        options: Option<&TaskOptions>,
        tags: &[String],
    ) -> Result<DevSplit, Diagnostic> {
        let default = self.default_options();
        let options = options.or(default.as_ref());
        let reading = Reading { tokenizer, max_length, options, names: tags, purpose: Purpose::Evaluation };
        let features = shape(self.head).features(&read, &reading)?;
        Ok(DevSplit { name, features, gold: shape(self.head).gold(read, options) })
    }
}

impl FeatureSource<'_> {
    /// What a split holds: of the files that the checksums stand for, or nothing.
    pub(super) fn read(&self, dataset: &Dataset, split: &SplitFile) -> Result<Content, Diagnostic> {
        let files = dataset.files(self.data_root, split)?;
        let paths = files.iter().map(|(_, path)| path.as_path());
        let (read, touched) = touched_while(paths, || dataset.load(self.data_root, split, self.bad_rows));
        // After reading, and whether it could be read or not: what a file holds that changed is none of this run's.
        match changed(&files, self.checksums)?.or(touched.as_deref()) {
            Some(path) => Err(Diagnostic::changed(path)),
            None => read,
        }
    }
}

/// The first of these files that has another checksum than the known one.
fn changed<'a>(
    files: &'a [(String, PathBuf)],
    known: &BTreeMap<String, String>,
) -> Result<Option<&'a Path>, Diagnostic> {
    for (name, path) in files {
        if let Some(known) = known.get(name)
            && *known != checksum(path)?
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// SHA-256 of a data file.
fn checksum(path: &Path) -> Result<String, Diagnostic> {
    sha256_of(path).map_err(|error| Diagnostic::new(format!("the file cannot be read: {error}")).in_file(path))
}

/// One split, found on disk.
struct SplitSource<'a> {
    dataset: &'a Dataset,
    split: &'static SplitFile,
    shape: &'static dyn Shape,
    files: Vec<(String, PathBuf)>,
    source: &'a FeatureSource<'a>,
    tags: &'a [String],
}

impl<'a> SplitSource<'a> {
    fn new(
        dataset: &'a Dataset,
        split: &'static SplitFile,
        head: Head,
        source: &'a FeatureSource<'a>,
        tags: &'a [String],
    ) -> Result<Self, Diagnostic> {
        let files = dataset.files(source.data_root, split)?;
        Ok(Self { dataset, split, shape: shape(head), files, source, tags })
    }

    /// The file that holds the split's rows, as published.
    fn published_name(&self) -> String {
        self.files.first().map(|(name, _)| name.clone()).unwrap_or_default()
    }

    fn features(&self) -> Result<(FeatureSet, CacheOutcome), Diagnostic> {
        let FeatureSource { bad_rows, checksums, vocabulary, lower_case, max_length, options, cache, .. } =
            *self.source;
        let mut data_sha256 = BTreeMap::new();
        for (name, path) in &self.files {
            let known = checksums.get(name).cloned();
            data_sha256.insert(name.clone(), known.map_or_else(|| checksum(path), Ok)?);
        }
        let key = FeatureKey {
            dataset: self.dataset.name.to_string(),
            split: self.split.name.to_owned(),
            data_sha256,
            vocabulary_sha256: vocabulary.identity(),
            lower_case,
            max_length,
            skip_bad_rows: bad_rows == BadRows::Skip,
            options: self.shape.feature_key(options, self.tags),
        };
        cache.get_or_build(&key, || self.build(&key.data_sha256))
    }

    fn build(&self, data_sha256: &BTreeMap<String, String>) -> Result<FeatureSet, Diagnostic> {
        let FeatureSource { vocabulary, lower_case, max_length, options, .. } = *self.source;
        let read = self.source.read(self.dataset, self.split)?;
        // Files that the plan has no checksum of, such as test files, were read for theirs before.
        let mut own = self.files.clone();
        own.retain(|(name, _)| !self.source.checksums.contains_key(name));
        if let Some(path) = changed(&own, data_sha256)? {
            return Err(Diagnostic::changed(path));
        }
        // Made only here: a start whose features are all on disk needs none.
        let tokenizer = &Tokenizer::new(vocabulary, lower_case)?;
        let purpose = if self.split.role == SplitRole::Train { Purpose::Training } else { Purpose::Evaluation };
        self.shape.features(&read, &Reading { tokenizer, max_length, options, names: self.tags, purpose })
    }

    /// What a model's outputs for this split are held against. Labels are in the features; all else is read anew.
    fn gold(&self) -> Result<Gold, Diagnostic> {
        if self.shape.row_names(&[]).is_some() {
            return Ok(Gold::Labels);
        }
        Ok(self.shape.gold(self.source.read(self.dataset, self.split)?, self.source.options))
    }
}
