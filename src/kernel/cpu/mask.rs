//! Dropout masks from a counter-based generator, many blocks at a time.
//!
//! A mask is a matrix of rows. Element e of row r of a site, where rows are w wide, is drawn from half-word
//! e mod 8 of the Philox block with the counters
//!
//! ```text
//! [r ⌈w/8⌉ + ⌊e/8⌋ mod 2³², site, low half of step, high half of step]
//! ```
//!
//! so that any rows can be made without those before them, by any thread, in forward and in backward. A mask
//! repeats after 2³⁵ elements: 128 GiB of activations at one place.

use super::isa::Isa;
use super::scratch::scratch;
use crate::random::{Stream, philox};

/// Elements drawn from one Philox block: eight 16-bit numbers.
const PER_BLOCK: usize = 8;
/// Blocks that are computed together, as lanes of vectors.
const LANES: usize = 16;
/// Elements for which draws are made ahead, or a row.
const AHEAD: usize = 1024;

/// Dropout at one optimisation step.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    /// An element is dropped when its 16-bit number is below this.
    threshold: u32,
    key: [u32; 2],
    step: u64,
}

impl Mask {
    /// Dropout with probability `p` (to the nearest 1/65536) at optimisation step `step` of `stream`;
    /// `None` when nothing would be dropped.
    #[must_use]
    pub fn new(p: f64, stream: Stream, step: u64) -> Option<Self> {
        let threshold = (p.clamp(0.0, 1.0) * 65536.0).round() as u32;
        (threshold > 0).then(|| Self { threshold: threshold.min(65535), key: stream.key(), step })
    }

    /// The mask of one place in the model, whose rows are `width` wide.
    #[must_use]
    pub fn site(self, site: u32, width: usize) -> Site {
        let keep = 1.0 / (1.0 - self.threshold as f32 / 65536.0);
        Site { mask: self, number: site, row_blocks: width.div_ceil(PER_BLOCK), keep }
    }
}

/// The mask of one place in the model: an endless matrix of factors, 0 or 1/(1 − p).
#[derive(Clone, Copy, Debug)]
pub struct Site {
    mask: Mask,
    number: u32,
    row_blocks: usize,
    keep: f32,
}

impl Site {
    /// Elements between two rows of [`Site::draws`].
    #[must_use]
    #[inline(always)]
    pub fn stride(columns: usize) -> usize {
        columns.next_multiple_of(PER_BLOCK)
    }

    /// What another device needs to make the same draws.
    #[cfg(feature = "cube")]
    #[must_use]
    pub fn constants(&self) -> MaskConstants {
        let Self { mask: Mask { threshold, key, step }, number, row_blocks, keep } = *self;
        let step = [step as u32, (step >> 32) as u32];
        MaskConstants { threshold, keep, key, step, site: number, row_blocks: row_blocks as u32 }
    }

    /// The draws for the first `columns` elements of the rows from `first_row` on, as many as `draws` holds:
    /// `[rows, Site::stride(columns)]`.
    #[inline(always)]
    pub fn draws(&self, first_row: usize, columns: usize, draws: &mut [u16]) {
        let used = columns.div_ceil(PER_BLOCK).max(1);
        debug_assert!(used <= self.row_blocks && draws.len().is_multiple_of(used * PER_BLOCK));
        // Few enough rows that `Blocks` divides exactly.
        let rows = ((1 << 31) / (used * used)).max(1);
        for (part, draws) in draws.chunks_mut(rows * used * PER_BLOCK).enumerate() {
            let first = ((first_row + part * rows) as u32).wrapping_mul(self.row_blocks as u32);
            let skip = (self.row_blocks - used) as u32;
            let blocks = Blocks { first, skip, inverse: u32::MAX / used as u32 };
            let mut groups = draws.chunks_exact_mut(LANES * PER_BLOCK);
            let mut index = 0;
            for group in &mut groups {
                self.group(blocks, index, group);
                index += LANES as u32;
            }
            let rest = groups.into_remainder();
            if !rest.is_empty() {
                let mut last = [0; LANES * PER_BLOCK];
                self.group(blocks, index, &mut last);
                rest.copy_from_slice(&last[..rest.len()]);
            }
        }
    }

    /// The draws of 16 blocks, the first of which is number `index` of `blocks`.
    #[inline(always)]
    fn group(self, blocks: Blocks, index: u32, draws: &mut [u16]) {
        let (low, high) = (self.mask.step as u32, (self.mask.step >> 32) as u32);
        let mut words = [[0; PER_BLOCK / 2]; LANES];
        for (words, lane) in words.iter_mut().zip(0..) {
            *words = philox([blocks.number(index + lane), self.number, low, high], self.mask.key);
        }
        for (draws, &word) in draws.chunks_exact_mut(2).zip(words.as_flattened()) {
            draws[0] = word as u16;
            draws[1] = (word >> 16) as u16;
        }
    }

    /// Multiplies the rows from `first_row` on by their factors, `[rows, width]`, in place.
    pub fn multiply(&self, first_row: usize, width: usize, x: &mut [f32]) {
        let mut rows = x.chunks_exact_mut(width.max(1));
        let isa = Isa::detect();
        self.each_row(first_row, width, rows.len(), |draws| {
            let x = rows.next().unwrap_or_default();
            isa.run(
                #[inline(always)]
                || {
                    for (x, &draw) in x.iter_mut().zip(draws) {
                        *x *= self.factor(draw);
                    }
                },
            );
        });
    }

    /// Calls `work` with the draws of each of `count` rows from `first_row` on, one after the other.
    pub fn each_row(&self, first_row: usize, width: usize, count: usize, mut work: impl FnMut(&[u16])) {
        let stride = Self::stride(width).max(PER_BLOCK);
        let ahead = (AHEAD / stride).max(1);
        scratch(ahead * stride, |draws: &mut [u16]| {
            for done in (0..count).step_by(ahead) {
                let draws = &mut draws[..ahead.min(count - done) * stride];
                Isa::detect().run(
                    #[inline(always)]
                    || self.draws(first_row + done, width, draws),
                );
                for draws in draws.chunks_exact(stride) {
                    work(&draws[..width]);
                }
            }
        });
    }

    /// What a draw makes of its element: 0 or 1/(1 − p).
    #[must_use]
    #[inline(always)]
    pub fn factor(&self, draw: u16) -> f32 {
        if u32::from(draw) < self.mask.threshold { 0.0 } else { self.keep }
    }
}

/// The numbers in the definition at the top of this file.
#[cfg(feature = "cube")]
#[derive(Clone, Copy, Debug)]
pub struct MaskConstants {
    /// An element is dropped when its 16-bit number is below this.
    pub threshold: u32,
    /// 1/(1 − p).
    pub keep: f32,
    /// Of Philox.
    pub key: [u32; 2],
    /// Low half and high half.
    pub step: [u32; 2],
    /// The number of the place in the model.
    pub site: u32,
    /// ⌈w/8⌉
    pub row_blocks: u32,
}

/// The numbers of the blocks at the beginnings of some rows.
#[derive(Clone, Copy)]
struct Blocks {
    first: u32,
    /// Blocks at the end of each row that are left out.
    skip: u32,
    /// 2³² − 1 over the blocks of a row that are used, rounded down.
    inverse: u32,
}

impl Blocks {
    /// That of the one at `index`: without a division, so that it vectorises.
    #[inline(always)]
    fn number(self, index: u32) -> u32 {
        let row = ((u64::from(index + 1) * u64::from(self.inverse)) >> 32) as u32;
        self.first.wrapping_add(index).wrapping_add(row.wrapping_mul(self.skip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::cpu::isa::forced::with_every_isa;

    /// One element by the definition at the top of this file.
    fn draw(site: u32, step: u64, key: [u32; 2], width: usize, row: usize, element: usize) -> u16 {
        let block = (row * width.div_ceil(8) + element / 8) as u32;
        let word = philox([block, site, step as u32, (step >> 32) as u32], key)[element % 8 / 2];
        (word >> (16 * (element % 2))) as u16
    }

    #[test]
    fn draws_are_those_of_the_definition_for_any_part_of_a_row() {
        with_every_isa(|_| {
            let stream = Stream::new(9, "dropout");
            let step = (7 << 32) + 5;
            let mask = Mask::new(0.25, stream, step).unwrap();
            let far = (1 << 32) / 4 - 2;
            for (width, columns, first_row, rows) in [
                (8, 8, 0, 1),
                (30, 30, 3, 50),
                (128, 128, 5, 128),
                (128, 28, 9, 28),
                (300, 151, 2, 9),
                (512, 1, 0, 300),
                (30, 30, far, 5),
            ] {
                let site = mask.site(3, width);
                let stride = Site::stride(columns);
                let mut draws = vec![0; rows * stride];
                Isa::detect().run(
                    #[inline(always)]
                    || site.draws(first_row, columns, &mut draws),
                );
                for (row, draws) in draws.chunks(stride).enumerate() {
                    for (element, &got) in draws[..columns].iter().enumerate() {
                        let expected = draw(3, step, stream.key(), width, first_row + row, element);
                        assert_eq!(got, expected, "{width} {columns} {row} {element}");
                    }
                }
            }
        });
    }

    #[test]
    fn rows_are_multiplied_in_place() {
        with_every_isa(|_| {
            let site = Mask::new(0.5, Stream::new(4, "dropout"), 1).unwrap().site(2, 30);
            let mut all = vec![1.0; 100 * 30];
            site.multiply(7, 30, &mut all);
            let mut draws = vec![0; 32];
            for (row, x) in all.chunks(30).enumerate() {
                site.draws(7 + row, 30, &mut draws);
                assert!(x.iter().zip(&draws).all(|(x, &draw)| x.to_bits() == site.factor(draw).to_bits()));
            }
            assert!(all.iter().any(|&x| x < 1.0) && all.iter().any(|&x| x > 1.0));
        });
    }

    #[test]
    fn the_rate_and_the_mean_are_right_and_draws_depend_on_step_and_site() {
        with_every_isa(|_| {
            let stream = Stream::new(1, "dropout");
            let factors = |p: f64, step: u64, number: u32| -> Vec<f32> {
                let site = Mask::new(p, stream, step).unwrap().site(number, 1000);
                let mut draws = vec![0; 1_000_000];
                site.draws(0, 1000, &mut draws);
                draws.into_iter().map(|draw| site.factor(draw)).collect()
            };
            let mask = factors(0.1, 3, 5);
            let n = mask.len() as f64;
            let dropped = mask.iter().filter(|&&m| m < 1.0).count() as f64 / n;
            let mean = mask.iter().map(|&m| f64::from(m)).sum::<f64>() / n;
            // Five standard errors of a Bernoulli(0.1) mean.
            let error = 5.0 * (0.1f64 * 0.9 / n).sqrt();
            assert!((dropped - 0.1).abs() < error, "{dropped}");
            assert!((mean - 1.0).abs() < error / 0.9, "{mean}");
            assert_ne!(mask, factors(0.1, 3, 6));
            assert_ne!(mask, factors(0.1, 4, 5));
            assert!(factors(1.0, 0, 0).iter().filter(|&&m| m > 0.0).count() < 100);
            assert!(Mask::new(0.0, stream, 0).is_none() && Mask::new(1e-6, stream, 0).is_none());
        });
    }
}
