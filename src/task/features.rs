//! A task's features, through the cache.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::load::checksum;
use super::tags::TagSet;
use super::{DevSplit, Gold, TRAIN, Task};
use crate::data::{BadRows, Choices, Content, Dataset, Label, Questions, Sentences, Split, SplitFile, SplitRole};
use crate::diagnostic::Diagnostic;
use crate::model::Head;
use crate::store::{self, SpanOptions, TagOptions, TaskOptions};
use crate::text::{
    CacheOutcome, Context, FeatureCache, FeatureKey, FeatureSet, LabelKind, Parts, Purpose, SkippedRows, TextPair,
    Tokenizer, Vocabulary, WindowSettings, Windows, WordFeatures, WordSentence,
};

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
        let tags = self.tag_set(source)?;
        let mut skipped_rows = BTreeMap::new();
        let mut outcomes = Vec::new();
        let mut get = |split: &'static SplitFile| {
            let part = SplitSource::new(&self.dataset, split, source, tags.as_ref())?;
            let (set, outcome) = part.features()?;
            outcomes.push((part.split.name, outcome));
            if set.left_out().malformed > 0 {
                skipped_rows.insert(part.published_name(), set.left_out().malformed);
            }
            Ok((part, set))
        };
        let (_, train) = get(self.dataset.split(TRAIN)?)?;
        let dev = self.dev().map(|split| {
            let (part, features) = get(split)?;
            Ok(DevSplit { name: part.split.name, features, gold: part.gold(self.head)? })
        });
        let dev = dev.collect::<Result<_, Diagnostic>>()?;
        let tags = tags.map_or_else(Vec::new, |tags| tags.names().iter().map(ToString::to_string).collect());
        Ok(TaskFeatures { train, dev, tags, skipped_rows, outcomes })
    }

    /// The classes that the training split names, of a task that tags words.
    fn tag_set(&self, source: &FeatureSource<'_>) -> Result<Option<TagSet>, Diagnostic> {
        if self.head != Head::Tags {
            return Ok(None);
        }
        let content = self.dataset.load(source.data_root, self.dataset.split(TRAIN)?, source.bad_rows)?;
        Ok(Some(match &content {
            Content::Sentences(read) => TagSet::of(&read.sentences),
            Content::Texts(_) | Content::Choices(_) | Content::Questions(_) => TagSet::of(&[]),
        }))
    }

    /// The features of one split of any dataset of texts or choices, such as one of [`Task::predicts`].
    ///
    /// # Errors
    /// As [`Task::features`].
    pub fn split_features(
        dataset: &Dataset,
        split: &'static SplitFile,
        source: &FeatureSource<'_>,
    ) -> Result<(FeatureSet, CacheOutcome), Diagnostic> {
        SplitSource::new(dataset, split, source, None)?.features()
    }
}

/// One split, found on disk.
struct SplitSource<'a> {
    dataset: &'a Dataset,
    split: &'static SplitFile,
    files: Vec<(String, PathBuf)>,
    source: &'a FeatureSource<'a>,
    tags: Option<&'a TagSet>,
}

impl<'a> SplitSource<'a> {
    fn new(
        dataset: &'a Dataset,
        split: &'static SplitFile,
        source: &'a FeatureSource<'a>,
        tags: Option<&'a TagSet>,
    ) -> Result<Self, Diagnostic> {
        Ok(Self { dataset, split, files: dataset.files(source.data_root, split)?, source, tags })
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
            dataset: self.dataset.name.to_string(),
            split: self.split.name.to_owned(),
            data_sha256,
            vocabulary_sha256: vocabulary.sha256().to_owned(),
            lower_case,
            max_length,
            skip_bad_rows: bad_rows == BadRows::Skip,
            options: self.options(),
        };
        cache.get_or_build(&key, || self.build(&key.data_sha256))
    }

    /// What else than the key's other fields decides the features.
    fn options(&self) -> String {
        match (self.source.options, self.tags) {
            (Some(TaskOptions::Spans(SpanOptions { doc_stride, max_query_length, .. })), _) => {
                format!("doc_stride {doc_stride} max_query_length {max_query_length}")
            }
            (Some(TaskOptions::Tags(TagOptions { context, format })), Some(tags)) => {
                format!("{context:?} {format} {:?}", tags.names())
            }
            _ => String::new(),
        }
    }

    fn build(&self, data_sha256: &BTreeMap<String, String>) -> Result<FeatureSet, Diagnostic> {
        let FeatureSource { data_root, bad_rows, vocabulary, lower_case, max_length, .. } = *self.source;
        let read = self.dataset.load(data_root, self.split, bad_rows)?;
        // After reading: a file that changed since the plan was made must not be kept under its old checksum.
        for (name, path) in &self.files {
            if data_sha256.get(name) != Some(&checksum(path)?) {
                return Err(Diagnostic::new("the file changed while it was in use")
                    .in_file(path)
                    .hint("start again, so that the plan reads its new checksum"));
            }
        }
        // Made only here: a start whose features are all on disk needs none.
        let tokenizer = &Tokenizer::new(vocabulary, lower_case)?;
        let purpose = if self.split.role == SplitRole::Train { Purpose::Training } else { Purpose::Evaluation };
        content_features(&read, tokenizer, max_length, self.source.options, self.tags, purpose)
    }

    /// What a model's outputs for this split are held against.
    fn gold(&self, head: Head) -> Result<Gold, Diagnostic> {
        if !matches!(head, Head::Spans | Head::Tags) {
            return Ok(Gold::Labels);
        }
        let FeatureSource { data_root, bad_rows, options, .. } = *self.source;
        Ok(Gold::of(self.dataset.load(data_root, self.split, bad_rows)?, options))
    }
}

/// The features of what was read, whatever it is.
pub(super) fn content_features(
    read: &Content,
    tokenizer: &Tokenizer,
    max_length: u32,
    options: Option<&TaskOptions>,
    tags: Option<&TagSet>,
    purpose: Purpose,
) -> Result<FeatureSet, Diagnostic> {
    match (read, options) {
        (Content::Texts(split), _) => features_of(split, tokenizer, max_length),
        (Content::Choices(choices), _) => features_of_choices(choices, tokenizer, max_length),
        (Content::Questions(questions), Some(TaskOptions::Spans(options))) => {
            features_of_questions(questions, tokenizer, max_length, *options, purpose)
        }
        (Content::Sentences(sentences), Some(TaskOptions::Tags(options))) => {
            features_of_sentences(sentences, tokenizer, max_length, options.context, tags)
        }
        (Content::Questions(_) | Content::Sentences(_), _) => {
            Err(Diagnostic::new("the settings are those of another kind of task"))
        }
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
    let left_out = SkippedRows { malformed: read.skipped, without_gold: read.without_gold, unfindable: 0 };
    FeatureSet::build(tokenizer, &examples, max_length, left_out)
}

/// `[CLS] context [SEP] ending [SEP]` for each ending (Devlin et al. 2018, §4.4).
fn features_of_choices(read: &Choices, tokenizer: &Tokenizer, max_length: u32) -> Result<FeatureSet, Diagnostic> {
    let pairs = read.choices.iter().flat_map(|choice| {
        let pair = |ending| TextPair { first: &choice.context, second: Some(ending), label: f32::NAN };
        choice.endings.iter().map(move |ending| pair(ending.as_str()))
    });
    let pairs: Vec<TextPair<'_>> = pairs.collect();
    let left_out = SkippedRows { malformed: read.skipped, ..SkippedRows::default() };
    // A handful of choices: exact in f32.
    let labels = read.choices.iter().map(|choice| choice.label.map_or(f32::NAN, |label| label as f32)).collect();
    let endings = pairs.len() / read.choices.len().max(1);
    Ok(FeatureSet::build(tokenizer, &pairs, max_length, left_out)?.into_choices(endings as u32, labels))
}

fn features_of_questions(
    read: &Questions,
    tokenizer: &Tokenizer,
    max_length: u32,
    options: SpanOptions,
    purpose: Purpose,
) -> Result<FeatureSet, Diagnostic> {
    let SpanOptions { doc_stride, max_query_length, .. } = options;
    let settings = WindowSettings { max_length, doc_stride, max_query_length };
    let windows = Windows::build(tokenizer, &read.paragraphs, &read.asked(), settings, purpose)?;
    let left_out =
        SkippedRows { malformed: read.skipped, without_gold: windows.unanswered, unfindable: windows.unfindable };
    let Windows {
        offsets, ids, segments, labels, source_index, offset_mapping, truncated_questions: truncated, ..
    } = windows;
    let parts = Parts { offsets, ids, segments, labels, source_index, offset_mapping, truncated };
    Ok(FeatureSet::from_parts(parts, LabelKind::Spans, left_out))
}

fn features_of_sentences(
    read: &Sentences,
    tokenizer: &Tokenizer,
    max_length: u32,
    context: store::Context,
    tags: Option<&TagSet>,
) -> Result<FeatureSet, Diagnostic> {
    let classes: Vec<Vec<Option<u32>>> =
        read.sentences.iter().map(|sentence| tags.map_or_else(Vec::new, |tags| tags.classes(sentence))).collect();
    let sentences: Vec<WordSentence<'_>> = read
        .sentences
        .iter()
        .zip(&classes)
        .map(|(sentence, classes)| WordSentence { words: &sentence.words, classes, document: sentence.document })
        .collect();
    let context = match context {
        store::Context::Sentence => Context::Sentence,
        store::Context::Document => Context::Document,
    };
    let WordFeatures { offsets, source_index, ids, labels, offset_mapping, cut, .. } =
        WordFeatures::build(tokenizer, &sentences, max_length, context)?;
    let segments = vec![0; ids.len()];
    let parts = Parts { offsets, ids, segments, labels, source_index, offset_mapping, truncated: cut };
    Ok(FeatureSet::from_parts(
        parts,
        LabelKind::Tokens,
        SkippedRows { malformed: read.skipped, ..SkippedRows::default() },
    ))
}
