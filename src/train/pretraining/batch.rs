//! Examples into packed batches.

use burn::tensor::Device;

use super::windows::SkipGrams;
use crate::corpus::examples::TrainingInstance;
use crate::model::PackedInput;
use crate::settings::LmLoss;
use crate::train::batch::Part;

/// What is to be predicted of some examples.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// The tokens that are to be predicted, ascending. `[predictions]`
    pub(super) rows: Vec<u32>,
    /// What is to be predicted there. `[predictions]`
    pub(super) labels: Vec<u32>,
    /// The examples that have a second segment, and whether it is random.
    pub(super) pairs: Vec<(u32, bool)>,
    /// Predicted tokens of the whole batch, over which the loss is a mean.
    pub(super) all_rows: usize,
    /// Second segments of the whole batch.
    pub(super) all_pairs: usize,
    /// What word vectors learn from, in place of all that.
    pub(super) skip_gram: Option<SkipGrams>,
}

/// `examples` in parts of so many, each packed: one after the other, without padding. With [`LmLoss::BidirectionalLm`],
/// the state of token t has two rows, 2t from left to right and 2t + 1 from right to left, of which the latter predicts the
/// token before.
pub(super) fn pack(examples: &[TrainingInstance], size: usize, loss: LmLoss, device: &Device) -> Vec<Part<Targets>> {
    let mut parts: Vec<_> = examples.chunks(size.max(1)).map(|part| pack_part(part, loss, device)).collect();
    let whole = predictions(&parts);
    complete(&mut parts, whole);
    parts
}

/// Predicted tokens and second segments of `parts`.
pub(super) fn predictions(parts: &[Part<Targets>]) -> [usize; 2] {
    let sum = |of: fn(&Targets) -> usize| parts.iter().map(|part| of(&part.targets)).sum();
    [sum(|targets| targets.rows.len()), sum(|targets| targets.pairs.len())]
}

/// Tells `parts` what [`predictions`] are in the whole batch.
pub(super) fn complete(parts: &mut [Part<Targets>], [all_rows, all_pairs]: [usize; 2]) {
    for Part { targets, .. } in parts {
        (targets.all_rows, targets.all_pairs) = (all_rows, all_pairs);
    }
}

fn pack_part(examples: &[TrainingInstance], loss: LmLoss, device: &Device) -> Part<Targets> {
    let (mut ids, mut positions, mut segments, mut offsets) = (Vec::new(), Vec::new(), Vec::new(), vec![0]);
    let mut targets = Targets::default();
    for (number, example) in (0..).zip(examples) {
        let first = ids.len() as u32;
        if loss == LmLoss::BidirectionalLm {
            for (at, pair) in (first..).zip(example.ids.windows(2)) {
                targets.rows.extend([2 * at, 2 * (at + 1) + 1]);
                targets.labels.extend([pair[1], pair[0]]);
            }
        } else {
            targets.rows.extend(example.masked_positions.iter().map(|at| first + at));
            targets.labels.extend(&example.masked_labels);
        }
        targets.pairs.extend(example.next_is_random.map(|random| (number, random)));
        ids.extend(&example.ids);
        positions.extend(0..example.ids.len() as u32);
        segments.extend(example.segments.iter().map(|&segment| u32::from(segment)));
        offsets.push(ids.len() as u32);
    }
    // Losses are means over the whole batch, so that gradients are summed as they are.
    let (input, tokens) = (PackedInput::new(&ids, &positions, &segments, &offsets, device), ids.len() as u64);
    Part { input, tokens, weight: 1.0, targets }
}
