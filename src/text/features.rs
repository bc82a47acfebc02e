//! Features: what a model reads of each example, in columns.

use std::ops::Range;

use rayon::prelude::*;

/// Rows of the source that gave no example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkippedRows {
    /// Malformed rows that the user chose to skip.
    pub malformed: u64,
    /// Rows whose annotators found no majority (MNLI's gold label `-`).
    pub without_gold: u64,
    /// Questions whose answer is not where the file says, which cannot be learnt from.
    pub unfindable: u64,
}

/// What the labels of a [`FeatureSet`] are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// One per sequence: a class's index or a score; NaN when there is none.
    Sequences,
    /// One per so many sequences in a row, which are the choices: the place of the right one, or NaN.
    Choices(u32),
    /// Two per sequence: the first and the last token of the answer, counted in the sequence; 0 and 0, which is
    /// `[CLS]`, where the sequence has none.
    Spans,
    /// One per token: a class's index; NaN for tokens that are not scored.
    Tokens,
}

/// A place that is none: special tokens, and all that cannot be an answer.
pub const NO_OFFSET: [u32; 2] = [u32::MAX; 2];

/// The features of one split. Sequence `i` owns the tokens from `offsets[i]` to `offsets[i + 1]`.
///
/// An *example* is what a batch is counted in: a sequence, or the choices of one question together.
#[derive(Clone, Debug)]
pub struct FeatureSet {
    pub(super) parts: Parts,
    pub(super) labelled: LabelKind,
    pub(super) left_out: SkippedRows,
}

/// Sequences that are parts of something, in columns: windows of a text, parts of a sentence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// Where each sequence starts, and at the end the number of tokens, `[sequences + 1]`.
    pub offsets: Vec<u64>,
    /// Token ids, `[tokens]`.
    pub ids: Vec<u32>,
    /// 0 or 1, `[tokens]`.
    pub segments: Vec<u8>,
    /// As [`LabelKind::Spans`] or [`LabelKind::Tokens`] says.
    pub labels: Vec<f32>,
    /// What each sequence is a part of: the number of a question or a sentence, `[sequences]`.
    pub source_index: Vec<u32>,
    /// Where each token stands in its source; [`NO_OFFSET`] for those that stand for nothing in it, `[tokens]`.
    pub offset_mapping: Vec<[u32; 2]>,
    /// Sources of which something was cut off.
    pub truncated: u64,
}

/// One sequence of a [`FeatureSet`].
#[derive(Clone, Copy, Debug)]
pub struct ExampleFeatures<'a> {
    /// Token ids: `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`.
    pub ids: &'a [u32],
    /// 0 up to the first `[SEP]`, 1 after it.
    pub segments: &'a [u8],
}

impl FeatureSet {
    /// Features that were made elsewhere: ids and segments of each example, of equal lengths.
    #[must_use]
    pub fn from_examples(ids: &[Vec<u32>], segments: &[Vec<u8>], labels: Vec<f32>, left_out: SkippedRows) -> Self {
        let (offsets, ids, segments) = (offsets_of(ids), ids.concat(), segments.concat());
        let parts = Parts { offsets, ids, segments, labels, ..Parts::default() };
        Self { parts, labelled: LabelKind::Sequences, left_out }
    }

    /// Features of sequences that are parts of something, labelled as `labelled` says.
    ///
    /// # Panics
    /// When the columns do not fit each other.
    #[must_use]
    pub fn from_parts(parts: Parts, labelled: LabelKind, left_out: SkippedRows) -> Self {
        let set = Self { parts, labelled, left_out };
        assert!(set.is_whole(), "columns of one set of sequences");
        set
    }

    /// Whether the columns have the lengths that the offsets and the kind of labels ask for.
    pub(super) fn is_whole(&self) -> bool {
        let Parts { offsets, ids, segments, labels: given, source_index, offset_mapping, .. } = &self.parts;
        let (sequences, tokens) = (self.sequences(), ids.len());
        let labels = match self.labelled {
            LabelKind::Sequences => sequences,
            LabelKind::Choices(each) => sequences / each.max(1) as usize,
            LabelKind::Spans => 2 * sequences,
            LabelKind::Tokens => tokens,
        };
        offsets.first() == Some(&0)
            && offsets.last() == Some(&(tokens as u64))
            && offsets.is_sorted()
            && segments.len() == tokens
            && given.len() == labels
            && sequences.is_multiple_of(self.sequences_per_example())
            && [0, sequences].contains(&source_index.len())
            && [0, tokens].contains(&offset_mapping.len())
    }

    /// The same sequences as the choices of questions, `choices` in a row for each of `labels`: the place of the
    /// right one, or NaN.
    #[must_use]
    pub fn into_choices(self, choices: u32, labels: Vec<f32>) -> Self {
        Self { labelled: LabelKind::Choices(choices), parts: Parts { labels, ..self.parts }, ..self }
    }

    /// What the labels are about.
    #[must_use]
    pub fn labelled(&self) -> LabelKind {
        self.labelled
    }

    /// The number of examples: of what batches are counted in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sequences() / self.sequences_per_example()
    }

    /// The number of sequences.
    #[must_use]
    pub fn sequences(&self) -> usize {
        self.parts.offsets.len().saturating_sub(1)
    }

    /// Sequences that belong together: the choices of one question, else 1.
    #[must_use]
    pub fn sequences_per_example(&self) -> usize {
        match self.labelled {
            LabelKind::Choices(choices) => choices.max(1) as usize,
            LabelKind::Sequences | LabelKind::Spans | LabelKind::Tokens => 1,
        }
    }

    /// The sequences of example `i`.
    #[must_use]
    pub fn sequences_of(&self, i: usize) -> Range<usize> {
        let each = self.sequences_per_example();
        i * each..(i + 1) * each
    }

    /// Whether there is no example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sequences in columns; `source_index` and `offset_mapping` are empty where each sequence stands for itself.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The tokens of all examples, special tokens included.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.parts.ids.len() as u64
    }

    /// The number of examples as the source counts them: questions and sentences, however many sequences they became, and
    /// questions that were left out.
    #[must_use]
    pub fn source_examples(&self) -> u64 {
        if !matches!(self.labelled, LabelKind::Spans | LabelKind::Tokens) {
            return self.len() as u64;
        }
        let first = u64::from(!self.parts.source_index.is_empty());
        let changes = self.parts.source_index.windows(2).filter(|two| two[0] != two[1]).count() as u64;
        first + changes + self.left_out.unfindable + self.left_out.without_gold
    }

    /// The rows of segment embeddings that the examples ask for: 1 for single texts, 2 for pairs.
    #[must_use]
    pub fn segment_rows(&self) -> u32 {
        self.parts.segments.par_iter().copied().max().map_or(0, |segment| u32::from(segment) + 1)
    }

    /// The rows of the source that gave no example.
    #[must_use]
    pub fn left_out(&self) -> SkippedRows {
        self.left_out
    }

    /// The labels, as [`FeatureSet::labelled`] says.
    #[must_use]
    pub fn labels(&self) -> &[f32] {
        &self.parts.labels
    }

    /// The labels of example `i`.
    ///
    /// # Panics
    /// When there is no such example.
    #[must_use]
    pub fn labels_of(&self, i: usize) -> &[f32] {
        &self.parts.labels[match self.labelled {
            LabelKind::Sequences | LabelKind::Choices(_) => i..i + 1,
            LabelKind::Spans => 2 * i..2 * i + 2,
            LabelKind::Tokens => self.tokens_of(i),
        }]
    }

    /// The tokens of example `i`, of all its sequences.
    ///
    /// # Panics
    /// When there is no such example.
    #[must_use]
    pub fn length(&self, i: usize) -> usize {
        self.tokens_of(i).len()
    }

    fn tokens_of(&self, i: usize) -> Range<usize> {
        let sequences = self.sequences_of(i);
        self.parts.offsets[sequences.start] as usize..self.parts.offsets[sequences.end] as usize
    }

    /// Sequence `i`.
    ///
    /// # Panics
    /// When there is no such sequence.
    #[must_use]
    pub fn example(&self, i: usize) -> ExampleFeatures<'_> {
        let tokens = self.parts.offsets[i] as usize..self.parts.offsets[i + 1] as usize;
        ExampleFeatures { ids: &self.parts.ids[tokens.clone()], segments: &self.parts.segments[tokens] }
    }
}

fn offsets_of(ids: &[Vec<u32>]) -> Vec<u64> {
    let mut offsets = vec![0];
    offsets.extend(ids.iter().scan(0, |sum, row| {
        *sum += row.len() as u64;
        Some(*sum)
    }));
    offsets
}
