//! Features of tokens: hidden states of a model that is not trained further (Devlin et al. 2018, §5.3).

mod extractor;
mod json_lines;
mod layers;
mod packed;

pub use extractor::{Extractor, line_features};
pub use json_lines::JsonLines;
pub use layers::{Layer, parse_layers};
pub use packed::Packed;

use std::cmp::Reverse;
use std::io;
use std::ops::Range;

use burn::tensor::Device;

use crate::model::{AnyEncoder, PackedInput};
use crate::text::{ExampleFeatures, FeatureSet, PackedBatch};

/// Batches whose hidden states are held at a time: their lines are sorted by length, so that little is padded,
/// and written in the input's order.
const BATCHES_AT_A_TIME: usize = 4;

/// Why features are not all there.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// They cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The model's numbers overflow.
    #[error("a hidden state of example {example} is not a finite number")]
    NotFinite {
        /// The example, from 0.
        example: usize,
    },
    /// The user stopped it.
    #[error("stopped")]
    Stopped,
}

/// Who takes the features of one example after the other.
pub trait Sink {
    /// Example `index`: its tokens, and for each layer that was asked for its hidden states, `[tokens, hidden]`
    /// row by row.
    ///
    /// # Errors
    /// When they cannot be written.
    fn example(&mut self, index: usize, tokens: ExampleFeatures<'_>, layers: &[Vec<f32>]) -> io::Result<()>;
}

/// What is extracted.
#[derive(Clone, Copy, Debug)]
pub struct Extraction<'a> {
    /// The encoder; its pooler is not used.
    pub model: &'a AnyEncoder,
    /// Where the encoder is.
    pub device: &'a Device,
    /// The examples.
    pub features: &'a FeatureSet,
    /// The layers, as [`parse_layers`] gives them.
    pub layers: &'a [Layer],
    /// Sequences in a batch. The last digits may depend on it.
    pub batch_size: u32,
}

impl Extraction<'_> {
    /// Gives every example to `sink`, in order. `stop` is asked before every batch.
    ///
    /// # Errors
    /// What `sink` answers; a number that is not finite; a stop.
    pub fn run(&self, sink: &mut dyn Sink, stop: &dyn Fn() -> bool) -> Result<(), ExtractError> {
        let at_a_time = BATCHES_AT_A_TIME * self.batch_size.max(1) as usize;
        for first in (0..self.features.len()).step_by(at_a_time) {
            let examples = first..(first + at_a_time).min(self.features.len());
            for (states, index) in self.hidden_states(examples.clone(), stop)?.iter().zip(examples) {
                if states.iter().flatten().any(|number| !number.is_finite()) {
                    return Err(ExtractError::NotFinite { example: index });
                }
                sink.example(index, self.features.example(index), states)?;
            }
        }
        Ok(())
    }

    /// For each of `examples` and each layer, `[tokens, hidden]` row by row.
    fn hidden_states(
        &self,
        examples: Range<usize>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Vec<Vec<f32>>>, ExtractError> {
        let mut order: Vec<u32> = examples.clone().map(|example| example as u32).collect();
        order.sort_by_key(|example| Reverse(self.features.length(*example as usize)));
        let mut all = vec![Vec::new(); examples.len()];
        for indices in order.chunks(self.batch_size.max(1) as usize) {
            if stop() {
                return Err(ExtractError::Stopped);
            }
            let batch = PackedBatch::pack(self.features, indices);
            let PackedBatch { ids, positions, segments, offsets, .. } = &batch;
            let input = PackedInput::new(ids, positions, segments, offsets, self.device);
            let states = self.model.hidden_states(&input, None);
            for layer in self.layers {
                let state = &states[layer.state];
                let [_, width] = state.dims();
                let numbers: Vec<f32> = state.clone().into_data().iter::<f32>().collect();
                for (rows, example) in offsets.windows(2).zip(indices) {
                    let rows = &numbers[rows[0] as usize * width..rows[1] as usize * width];
                    all[*example as usize - examples.start].push(rows.to_vec());
                }
            }
        }
        Ok(all)
    }
}
