//! Packed batches: sequences one after another, no padding; and the orders in which examples are batched.

use super::features::FeatureSet;
use crate::random::Draws;

/// A batch without padding. `tokens` below is the sum of the sequences' lengths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackedBatch {
    /// Token ids, `[tokens]`.
    pub ids: Vec<u32>,
    /// Segment ids, `[tokens]`.
    pub segments: Vec<u32>,
    /// Positions, `[tokens]`; each sequence starts again at 0.
    pub positions: Vec<u32>,
    /// Where each sequence starts, and at the end the number of tokens, `[batch + 1]`.
    pub offsets: Vec<u32>,
    /// The labels of the batch's examples, as the set's [`super::LabelKind`] says.
    pub labels: Vec<f32>,
    /// Which sequence of the feature set each sequence is, `[batch]`.
    pub sequences: Vec<u32>,
}

impl PackedBatch {
    /// The examples of `set` called `indices`, in that order.
    ///
    /// # Panics
    /// When `set` has no such example.
    #[must_use]
    pub fn pack(set: &FeatureSet, indices: &[u32]) -> Self {
        let tokens = indices.iter().map(|index| set.length(*index as usize)).sum();
        let sequences = indices.len() * set.sequences_per_example();
        let mut batch = Self {
            ids: Vec::with_capacity(tokens),
            segments: Vec::with_capacity(tokens),
            positions: Vec::with_capacity(tokens),
            offsets: Vec::with_capacity(sequences + 1),
            labels: Vec::with_capacity(indices.len()),
            sequences: Vec::with_capacity(sequences),
        };
        batch.offsets.push(0);
        for &index in indices {
            for sequence in set.sequences_of(index as usize) {
                let example = set.example(sequence);
                batch.ids.extend(example.ids);
                batch.segments.extend(example.segments.iter().map(|segment| u32::from(*segment)));
                batch.positions.extend(0..example.ids.len() as u32);
                batch.offsets.push(batch.ids.len() as u32);
                batch.sequences.push(sequence as u32);
            }
            batch.labels.extend(set.labels_of(index as usize));
        }
        batch
    }

    /// The same pairs of texts in both orders, one behind the other: `[CLS] a [SEP] b [SEP]` and `[CLS] b [SEP] a [SEP]`. A
    /// single text stands there twice. `sequences` and `labels` stay those of the pairs.
    #[must_use]
    pub fn in_both_orders(&self) -> Self {
        self.rearranged(|both, ids, first| {
            both.push(ids, first);
            match (&ids[..first], &ids[first..]) {
                ([start, a @ .., between], [b @ .., end]) => {
                    let swapped = [&[*start], b, &[*between], a, &[*end]].concat();
                    both.push(&swapped, b.len() + 2);
                }
                _ => both.push(ids, first),
            }
        })
    }

    /// The two texts of each pair as two sequences, one behind the other: `[CLS] a [SEP]` and `[CLS] b [SEP]`. A single text
    /// stays as it is. `sequences` and `labels` stay those of the pairs.
    #[must_use]
    pub fn with_texts_apart(&self) -> Self {
        self.rearranged(|apart, ids, first| match (&ids[..first], &ids[first..]) {
            ([start, a @ .., _], [b @ .., end]) => {
                for text in [a, b] {
                    let sequence = [&[*start], text, &[*end]].concat();
                    apart.push(&sequence, sequence.len());
                }
            }
            _ => apart.push(ids, ids.len()),
        })
    }

    /// What `add` makes of each sequence, of whose tokens so many are the first segment's.
    fn rearranged(&self, add: impl Fn(&mut Self, &[u32], usize)) -> Self {
        let (sequences, labels) = (self.sequences.clone(), self.labels.clone());
        let mut made = Self { offsets: vec![0], sequences, labels, ..Self::default() };
        for bounds in self.offsets.windows(2) {
            let tokens = bounds[0] as usize..bounds[1] as usize;
            let (ids, segments) = (&self.ids[tokens.clone()], &self.segments[tokens]);
            add(&mut made, ids, segments.iter().take_while(|segment| **segment == 0).count());
        }
        made
    }

    /// Adds a sequence whose first tokens, so many, are the first segment's.
    fn push(&mut self, ids: &[u32], first: usize) {
        self.segments.extend((0..ids.len()).map(|at| u32::from(at >= first)));
        self.positions.extend(0..ids.len() as u32);
        self.ids.extend(ids);
        self.offsets.push(self.ids.len() as u32);
    }
}

/// The batches of one epoch over `examples` examples: a uniformly random order cut into batches. The last
/// batch may be smaller, as with PyTorch's `drop_last=False`. A `batch_size` of 0 counts as 1.
#[must_use]
pub fn training_batches(examples: usize, batch_size: u32, mut draws: Draws) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..examples as u32).collect();
    draws.shuffle(&mut order);
    order.chunks(batch_size.max(1) as usize).map(<[u32]>::to_vec).collect()
}

/// Batches for evaluation: longest examples first, so that neighbours are of a length and the peak of
/// memory comes at once. Examples of one length stay in order. A `batch_size` of 0 counts as 1.
#[must_use]
pub fn evaluation_batches(set: &FeatureSet, batch_size: u32) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..set.len() as u32).collect();
    order.sort_by_key(|example| std::cmp::Reverse(set.length(*example as usize)));
    order.chunks(batch_size.max(1) as usize).map(<[u32]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::text::pair::tests::three;
    use crate::text::{LabelKind, NO_OFFSET, Parts, SkippedRows};

    #[test]
    fn packing_has_no_padding_and_restarts_positions() {
        let batch = PackedBatch::pack(&three(), &[2, 0]);
        assert_eq!(batch.ids, [2, 15, 3, 2, 5, 6, 7, 3]);
        assert_eq!(batch.positions, [0, 1, 2, 0, 1, 2, 3, 4]);
        assert_eq!(batch.offsets, [0, 3, 8]);
        assert_eq!(batch.sequences, [2, 0]);
        assert!(batch.labels[0].is_nan() && (batch.labels[1] - 1.0).abs() < f32::EPSILON);
        let pair = PackedBatch::pack(&three(), &[1]);
        assert_eq!(pair.segments, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(PackedBatch::pack(&three(), &[]).offsets, [0]);
    }

    #[test]
    fn the_second_order_of_a_pair_has_its_texts_swapped_and_all_else_in_place() {
        let pair = PackedBatch::pack(&three(), &[1, 0]);
        assert_eq!(pair.ids, [2, 15, 18, 3, 18, 15, 18, 3, 2, 5, 6, 7, 3]);
        let both = pair.in_both_orders();
        assert_eq!(both.ids[..16], [2, 15, 18, 3, 18, 15, 18, 3, 2, 18, 15, 18, 3, 15, 18, 3]);
        assert_eq!(both.segments[..16], [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1]);
        assert_eq!(both.positions[8..16], [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(both.ids[16..21], both.ids[21..], "one text");
        assert_eq!(both.offsets, [0, 8, 16, 21, 26]);
        assert_eq!((&both.labels, &both.sequences), (&pair.labels, &pair.sequences));
    }

    #[test]
    fn texts_that_are_apart_are_sequences_of_their_own_without_a_second_segment() {
        let apart = PackedBatch::pack(&three(), &[1, 0]).with_texts_apart();
        assert_eq!(apart.ids, [2, 15, 18, 3, 2, 18, 15, 18, 3, 2, 5, 6, 7, 3]);
        assert_eq!(apart.positions, [0, 1, 2, 3, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
        assert_eq!((apart.segments, apart.offsets), (vec![0; 14], vec![0, 4, 9, 14]));
        assert_eq!((apart.sequences, apart.labels.len()), (vec![1, 0], 2));
    }

    #[test]
    fn choices_stay_together_and_other_labels_follow_their_sequences() {
        let set = three().into_choices(3, vec![2.0]);
        assert_eq!((set.len(), set.sequences(), set.length(0)), (1, 3, 16));
        let batch = PackedBatch::pack(&set, &[0]);
        assert_eq!((&batch.offsets[..], &batch.labels[..]), (&[0, 5, 13, 16][..], &[2.0][..]));
        let parts = Parts {
            offsets: vec![0, 3, 5],
            ids: vec![2, 7, 3, 2, 3],
            segments: vec![0; 5],
            labels: vec![1.0, 1.0, 0.0, 0.0],
            source_index: vec![4, 4],
            offset_mapping: vec![NO_OFFSET, [0, 3], NO_OFFSET, NO_OFFSET, NO_OFFSET],
            truncated: 0,
        };
        let spans = FeatureSet::from_parts(parts.clone(), LabelKind::Spans, SkippedRows::default());
        assert_eq!(PackedBatch::pack(&spans, &[1, 0]).labels, [0.0, 0.0, 1.0, 1.0]);
        let parts = Parts { labels: vec![9.0, 1.0, 2.0, 3.0, 4.0], ..parts };
        let tokens = FeatureSet::from_parts(parts, LabelKind::Tokens, SkippedRows::default());
        assert_eq!(PackedBatch::pack(&tokens, &[1, 0]).labels, [3.0, 4.0, 9.0, 1.0, 2.0]);
        assert_eq!((&tokens.parts.source_index[..], tokens.parts.offset_mapping[1]), (&[4, 4][..], [0, 3]));
    }

    #[test]
    fn an_epoch_sees_every_example_once_in_an_order_of_its_own() {
        let epoch = |step| training_batches(103, 16, Stream::new(1, "shuffle").at(step));
        let batches = epoch(0);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [16, 16, 16, 16, 16, 16, 7]);
        let mut seen = batches.concat();
        assert_ne!(seen, (0..103).collect::<Vec<_>>());
        seen.sort_unstable();
        assert_eq!(seen, (0..103).collect::<Vec<_>>());
        assert_eq!(batches, epoch(0));
        assert_ne!(batches, epoch(1));
        assert!(training_batches(0, 16, Stream::new(1, "shuffle").at(0)).is_empty());
    }

    #[test]
    fn evaluation_goes_from_long_to_short() {
        assert_eq!(evaluation_batches(&three(), 2), [vec![1, 0], vec![2]]);
    }
}
