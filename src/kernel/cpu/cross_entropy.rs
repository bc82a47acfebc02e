//! Cross-entropy of rows of logits, and its gradient in their place.

use rayon::prelude::*;

use super::isa::Isa;
use super::math::exp;

/// Independent sums of one reduction: a vector of 512 bits.
const LANES: usize = 16;

/// Σ −log softmax(row)\[label\] over `[labels, classes]`, in nats, and how many rows are largest at their label. With
/// `scale`, the rows become the gradient of `scale` × that sum; else they hold nothing of use afterwards.
///
/// Rows are added in order, so that the result does not depend on the number of threads.
#[must_use]
pub fn cross_entropy_rows(logits: &mut [f32], labels: &[u32], scale: Option<f32>) -> (f64, u64) {
    let classes = logits.len() / labels.len().max(1);
    let isa = Isa::detect();
    let rows: Vec<(f64, bool)> = logits
        .par_chunks_mut(classes.max(1))
        .zip(labels)
        .map(|(row, &label)| {
            isa.run(
                #[inline(always)]
                || cross_entropy_row(row, label as usize, scale),
            )
        })
        .collect();
    rows.iter().fold((0.0, 0), |(loss, right), row| (loss + row.0, right + u64::from(row.1)))
}

#[inline(always)]
fn cross_entropy_row(row: &mut [f32], label: usize, scale: Option<f32>) -> (f64, bool) {
    let largest = largest(row);
    let chosen = row[label];
    let right = chosen >= largest && row[..label].iter().all(|&x| x < largest);
    let mut sums = [0f32; LANES];
    let mut vectors = row.chunks_exact_mut(LANES);
    for vector in &mut vectors {
        for (sum, x) in sums.iter_mut().zip(vector) {
            *x = exp(*x - largest);
            *sum += *x;
        }
    }
    for (sum, x) in sums.iter_mut().zip(vectors.into_remainder()) {
        *x = exp(*x - largest);
        *sum += *x;
    }
    let total: f64 = sums.iter().map(|&sum| f64::from(sum)).sum();
    if let Some(scale) = scale {
        let factor = (f64::from(scale) / total) as f32;
        for x in row.iter_mut() {
            *x *= factor;
        }
        row[label] -= scale;
    }
    (total.ln() + f64::from(largest) - f64::from(chosen), right)
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let vectors = row.chunks_exact(LANES);
    let rest = vectors.remainder();
    for vector in vectors {
        for (lane, &x) in lanes.iter_mut().zip(vector) {
            *lane = lane.max(x);
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |most, &x| most.max(x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::cpu::isa::forced::with_every_isa;
    use crate::random::Stream;

    #[test]
    fn losses_and_gradients_are_those_in_f64() {
        with_every_isa(|_| {
            for (rows, classes) in [(1, 1), (3, 15), (7, 16), (40, 1003)] {
                let mut draws = Stream::new(1, "logits").at(classes as u64);
                let logits: Vec<f32> = (0..rows * classes).map(|_| (8.0 * draws.normal()) as f32).collect();
                let labels: Vec<u32> = (0..rows).map(|_| draws.below(classes) as u32).collect();
                let (mut expected, mut expected_right, mut gradient) = (0.0, 0, Vec::new());
                for (row, &label) in logits.chunks(classes).zip(&labels) {
                    let total: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
                    expected += total.ln() - f64::from(row[label as usize]);
                    let best = (0..classes).fold(0, |best, at| if row[at] > row[best] { at } else { best });
                    expected_right += u64::from(best == label as usize);
                    let own = |at: usize| if at == label as usize { 1.0 } else { 0.0 };
                    gradient
                        .extend(row.iter().enumerate().map(|(at, &x)| 0.25 * (f64::from(x).exp() / total - own(at))));
                }
                let mut ours = logits.clone();
                let (loss, right) = cross_entropy_rows(&mut ours, &labels, Some(0.25));
                assert!((loss / expected - 1.0).abs() < 1e-6 || expected.abs() < 1e-6, "{loss} {expected}");
                assert_eq!(right, expected_right);
                for (ours, expected) in ours.iter().zip(gradient) {
                    assert!((f64::from(*ours) - expected).abs() < 1e-7, "{ours} {expected}");
                }
                assert_eq!(cross_entropy_rows(&mut logits.clone(), &labels, None), (loss, right));
            }
        });
    }

    #[test]
    fn equal_logits_are_right_at_the_first_and_huge_ones_are_no_infinity() {
        with_every_isa(|_| {
            let mut logits = [2.0, 2.0, -1.0, 2.0, 2.0, -1.0, 1e30, 0.0, -1e30];
            let (loss, right) = cross_entropy_rows(&mut logits, &[0, 1, 0], Some(1.0));
            assert_eq!(right, 2);
            let expected = 2.0 * (2.0 + (-3.0f64).exp()).ln();
            assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
            assert!(logits.iter().all(|g| g.abs() <= 1.0));
            assert!(cross_entropy_rows(&mut [f32::NAN, 0.0], &[1], Some(1.0)).0.is_nan());
        });
    }
}
