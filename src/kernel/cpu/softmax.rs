//! Softmax with dropout, and its gradient, on blocks of attention scores in cache.

use super::element::Element;
use super::isa::Isa;
use super::mask::Site;
use super::math::exp;

/// Rows of scores are padded to a multiple of this, with keys that have no probability.
pub(super) const LANES: usize = 16;

/// The draws of a mask for a block of scores.
#[derive(Clone, Copy)]
pub(super) struct Draws<'a> {
    /// The mask.
    pub(super) site: Site,
    /// `[queries, stride]`
    pub(super) rows: &'a [u16],
    /// [`Site::stride`] of the keys.
    pub(super) stride: usize,
}

impl<'a> Draws<'a> {
    #[inline(always)]
    fn row(self, row: usize) -> &'a [u16] {
        &self.rows[row * self.stride..][..self.stride]
    }
}

/// What is done with the rows of a block of scores, `[queries, stride]`.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// Keys of the block.
    pub(super) length: usize,
    /// `length` rounded up to [`LANES`].
    pub(super) stride: usize,
    /// 1/√d
    pub(super) scale: f32,
    /// Where queries attend to the keys up to themselves: the place of the first query among the keys.
    pub(super) causal_from: Option<usize>,
}

impl Rows {
    /// `weights` become M ∘ exp(S − max), and `inverse` 1/Σ exp(S − max), from `scores` Q Kᵀ.
    pub(super) fn weigh<E: Element>(
        self,
        scores: &mut [f32],
        weights: &mut [E],
        draws: Option<Draws<'_>>,
        inverse: &mut [f32],
    ) {
        let rows = scores.chunks_exact_mut(self.stride).zip(weights.chunks_exact_mut(self.stride)).zip(inverse);
        Isa::detect().run(
            #[inline(always)]
            || {
                for (row, ((scores, weights), inverse)) in rows.enumerate() {
                    *inverse = 1.0 / self.exponentials(row, scores);
                    match draws {
                        None => {
                            for (weight, &x) in weights.iter_mut().zip(&*scores) {
                                *weight = E::from_f32(x);
                            }
                        }
                        Some(draws) => {
                            for ((weight, &x), &draw) in weights.iter_mut().zip(&*scores).zip(draws.row(row)) {
                                *weight = E::from_f32(x * draws.site.factor(draw));
                            }
                        }
                    }
                }
            },
        );
    }

    /// `probabilities` become P̃ and `ds` dS, from `scores` Q Kᵀ and `dp` dO Vᵀ, which are overwritten.
    pub(super) fn differentiate<E: Element>(
        self,
        scores: &mut [f32],
        dp: &mut [f32],
        draws: Option<Draws<'_>>,
        probabilities: &mut [E],
        ds: &mut [E],
    ) {
        let inputs = scores.chunks_exact_mut(self.stride).zip(dp.chunks_exact_mut(self.stride));
        let outputs = probabilities.chunks_exact_mut(self.stride).zip(ds.chunks_exact_mut(self.stride));
        Isa::detect().run(
            #[inline(always)]
            || {
                for (row, ((p, dp), (dropped, ds))) in inputs.zip(outputs).enumerate() {
                    let inverse = 1.0 / self.exponentials(row, p);
                    dp[self.keys(row)..].fill(0.0);
                    match draws {
                        None => {
                            for (dropped, p) in dropped.iter_mut().zip(&mut *p) {
                                *p *= inverse;
                                *dropped = E::from_f32(*p);
                            }
                        }
                        Some(draws) => {
                            let draws = draws.row(row).iter().map(|&draw| draws.site.factor(draw));
                            for (((dropped, p), dp), factor) in dropped.iter_mut().zip(&mut *p).zip(&mut *dp).zip(draws)
                            {
                                *p *= inverse;
                                *dp *= factor;
                                *dropped = E::from_f32(*p * factor);
                            }
                        }
                    }
                    let mean = sum(p, dp, |p, dp| p * dp);
                    for ((ds, &p), &dp) in ds.iter_mut().zip(&*p).zip(&*dp) {
                        *ds = E::from_f32(self.scale * p * (dp - mean));
                    }
                }
            },
        );
    }

    /// The number of keys that the query of a row attends to.
    #[inline(always)]
    fn keys(self, row: usize) -> usize {
        self.causal_from.map_or(self.length, |from| from + row + 1)
    }

    /// The scores of row `row` become exp((s − max)/√d), 0 for the keys that it does not attend to; returns the sum.
    #[inline(always)]
    fn exponentials(self, row: usize, scores: &mut [f32]) -> f32 {
        let keys = self.keys(row);
        let (seen, rest) = scores.split_at_mut(keys.next_multiple_of(LANES));
        seen[keys..].fill(f32::NEG_INFINITY);
        rest.fill(0.0);
        let largest = maximum(seen);
        for x in &mut *seen {
            *x = exp((*x - largest) * self.scale);
        }
        sum(seen, seen, |x, _| x)
    }
}

/// Σ f(a, b), in [`LANES`] parts that are added in a fixed order.
#[inline(always)]
fn sum(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            lanes[lane] += f(a[lane], b[lane]);
        }
    }
    across(lanes, |a, b| a + b)
}

#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let larger = |a, b| if a > b { a } else { b };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for row in row.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            lanes[lane] = larger(row[lane], lanes[lane]);
        }
    }
    across(lanes, larger)
}

/// Halves the lanes until one is left.
#[inline(always)]
fn across(mut lanes: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = f(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}
