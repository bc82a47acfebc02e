//! Examples into a packed batch.

use burn::tensor::Device;

use crate::corpus::examples::PretrainingExample;
use crate::model::PackedInput;

/// Examples one after the other, without padding.
pub(super) struct PretrainingBatch {
    /// `[tokens]`
    ids: Vec<u32>,
    /// `[tokens]`
    positions: Vec<u32>,
    /// `[tokens]`
    segments: Vec<u32>,
    /// [examples + 1]
    offsets: Vec<u32>,
    /// The tokens that are to be predicted, ascending. `[predictions]`
    pub(super) rows: Vec<u32>,
    /// What is to be predicted there. `[predictions]`
    pub(super) labels: Vec<u32>,
    /// The examples that have a second segment, and whether it is random.
    pub(super) pairs: Vec<(u32, bool)>,
}

impl PretrainingBatch {
    pub(super) fn of(examples: &[PretrainingExample]) -> Self {
        let mut batch = Self {
            ids: Vec::new(),
            positions: Vec::new(),
            segments: Vec::new(),
            offsets: vec![0],
            rows: Vec::new(),
            labels: Vec::new(),
            pairs: Vec::new(),
        };
        for (number, example) in (0..).zip(examples) {
            let first = batch.ids.len() as u32;
            batch.rows.extend(example.masked_positions.iter().map(|at| first + at));
            batch.labels.extend(&example.masked_labels);
            batch.pairs.extend(example.next_is_random.map(|random| (number, random)));
            batch.ids.extend(&example.ids);
            batch.positions.extend(0..example.ids.len() as u32);
            batch.segments.extend(example.segments.iter().map(|&segment| u32::from(segment)));
            batch.offsets.push(batch.ids.len() as u32);
        }
        batch
    }

    pub(super) fn tokens(&self) -> u64 {
        self.ids.len() as u64
    }

    /// What the model reads.
    pub(super) fn input(&self, device: &Device) -> PackedInput {
        PackedInput::new(&self.ids, &self.positions, &self.segments, &self.offsets, device)
    }
}
