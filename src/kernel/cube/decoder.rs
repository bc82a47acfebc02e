//! The decoder's loss on a GPU: as many rows of logits at a time as fit into a piece of memory, which becomes their
//! gradient where it lies.

use burn::backend::Cube;
use burn::tensor::Tensor;
use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::product::{product, product_of_transposed, product_with_transposed};
use super::sums::{Partials, cube_max, cube_sum, sum_blocks};
use super::tensor::{cubes, empty, operand, primitive, units, upload};
use crate::kernel::{Decoded, DecoderGradients, DecoderLoss, Deferred, Precision};

/// Logits that are held at a time: 256 MiB.
const HELD_LOGITS: usize = 1 << 26;
/// Rows that are decoded at a time at least.
const LEAST_ROWS: usize = 256;
/// Units that share a row of logits.
const ROW_UNITS: usize = 256;

/// See [`decoder_loss`](crate::kernel::decoder_loss); tensors on a GPU, and gradients of `scale` times the loss.
pub(in crate::kernel) fn decoder_loss(
    states: &Tensor<2>,
    table: &Tensor<2>,
    bias: &Tensor<1>,
    labels: &[u32],
    scale: Option<f32>,
    precision: Precision,
) -> DecoderLoss {
    let [vocabulary, _] = table.dims();
    let (table, bias) = (operand(&primitive(table.clone()), precision), primitive(bias.clone()));
    // A gradient divided by the number of predictions is too small for float16: it is divided after the products.
    let (scale, divided) = if precision == Precision::F16 { (scale.map(|_| 1.0), scale) } else { (scale, None) };
    let at_a_time = (HELD_LOGITS / vocabulary.max(1)).max(LEAST_ROWS);
    let (mut results, mut parts): (Vec<Tensor<1>>, Vec<Tensor<2>>) = (Vec::new(), Vec::new());
    let mut sums: Option<(Tensor<2>, Tensor<1>)> = None;
    for (number, labels) in labels.chunks(at_a_time).enumerate() {
        let (first, rows) = (number * at_a_time, labels.len());
        let states = operand(&primitive(states.clone().slice_dim(0, first..first + rows)), precision);
        let logits = product_with_transposed(&states, &table);
        let found = empty(&logits, [2 * rows]);
        let [logits_arg, bias_arg, labels_arg, found_arg] =
            [&logits, &bias, &upload(&logits, labels), &found].map(|tensor| tensor.clone().into_buffer_arg());
        let (count, dim) = (cubes(rows), units(ROW_UNITS));
        cross_entropy::launch(
            &logits.client,
            count,
            dim,
            logits_arg,
            bias_arg,
            labels_arg,
            found_arg,
            scale.unwrap_or(0.0),
            rows as u32,
            vocabulary,
            scale.is_some(),
        );
        results.push(Tensor::from_primitive::<Cube>(found));
        if scale.is_some() {
            let partials = Partials::new(&logits, rows, vec![vocabulary]);
            sum_blocks(&logits, vocabulary, &partials, 0);
            let of_bias = partials.totals().into_iter().map(Tensor::<1>::from_primitive::<Cube>).next();
            let arriving = operand(&logits, precision);
            let [of_states, of_table] = [product(&arriving, &table), product_of_transposed(&arriving, &states)]
                .map(Tensor::<2>::from_primitive::<Cube>);
            parts.push(of_states);
            sums = match (sums, of_bias) {
                (Some((table, bias)), Some(of_bias)) => Some((table + of_table, bias + of_bias)),
                (_, of_bias) => of_bias.map(|of_bias| (of_table, of_bias)),
            };
        }
    }
    let gradients = sums.map(|(table, bias)| {
        let states = Tensor::cat(parts, 0);
        let Some(by) = divided else { return DecoderGradients { states, table, bias } };
        DecoderGradients { states: states * by, table: table * by, bias: bias * by }
    });
    let found = results.into_iter().fold(Deferred::default(), |all: Deferred<Decoded>, found| {
        all.and(Deferred::read([found], |[found]| found)).map(|(sum, found)| {
            let (losses, rights) = found.split_at(found.len() / 2);
            Decoded {
                loss: sum.loss + losses.iter().map(|&loss| f64::from(loss)).sum::<f64>(),
                right: sum.right + rights.iter().filter(|&&right| right > 0.5).count() as u64,
            }
        })
    });
    DecoderLoss { found, gradients }
}

/// A cube a row: its loss, and whether its label is the likeliest (the first, among several); the row becomes the
/// gradient of `scale` times its loss.
#[cube(launch)]
fn cross_entropy(
    logits: &mut [f32],
    bias: &[f32],
    labels: &[u32],
    found: &mut [f32],
    scale: f32,
    rows: u32,
    #[comptime] classes: usize,
    #[comptime] keeps: bool,
) {
    let row = CUBE_POS;
    if row >= rows as usize {
        terminate!();
    }
    let begin = row * classes;
    let label = labels[row] as usize;
    let chosen = logits[begin + label] + bias[label];
    let mut shared = Shared::<[f32]>::new_slice(ROW_UNITS);
    let mut most = chosen;
    let mut class = UNIT_POS as usize;
    while class < classes {
        most = max(most, logits[begin + class] + bias[class]);
        class += ROW_UNITS;
    }
    let greatest = cube_max(most, &mut shared);
    let mut total = 0.0f32;
    let mut better = 0.0f32;
    class = UNIT_POS as usize;
    while class < classes {
        let logit = logits[begin + class] + bias[class];
        total += (logit - greatest).exp();
        if class < label && logit >= greatest {
            better = 1.0f32;
        }
        class += ROW_UNITS;
    }
    let all = cube_sum(total, &mut shared);
    let is_beaten = cube_sum(better, &mut shared);
    if comptime!(keeps) {
        let factor = scale / all;
        class = UNIT_POS as usize;
        while class < classes {
            let mut gradient = (logits[begin + class] + bias[class] - greatest).exp() * factor;
            if class == label {
                gradient -= scale;
            }
            logits[begin + class] = gradient;
            class += ROW_UNITS;
        }
    }
    if UNIT_POS == 0 {
        found[row] = all.ln() + greatest - chosen;
        found[rows as usize + row] = select(chosen >= greatest && is_beaten < 0.5f32, 1.0f32, 0.0f32);
    }
}
