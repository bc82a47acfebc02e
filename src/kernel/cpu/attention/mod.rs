//! Multi-head self-attention within each sequence of a packed batch, forward and backward.
//!
//! For each sequence and head, with Q, K, V `[length, head size]`, d the head size and the dropout mask M:
//!
//! ```text
//! S = Q Kᵀ/√d     P = softmax(S)     P̃ = M ∘ P     O = P̃ V                    (Vaswani et al. 2017, §3.2)
//! dV = P̃ᵀ dO      dP = M ∘ (dO Vᵀ)   dS = P ∘ (dP − rowsum(dP ∘ P))/√d
//! dQ = dS K       dK = dSᵀ Q
//! ```
//!
//! Where the heads are causal, the softmax of a query is over the keys up to it, and P is 0 after these.
//!
//! Nothing of the size of S is kept: backward computes P again. Both work on blocks of [`QUERIES`] queries and the keys
//! that any of these attends to, which stay in the second cache. Softmax is in f32; P̃ and dS are stored as operands of the products.

use rayon::prelude::*;

use super::element::Element;
use super::gemm::{Cells, Matrix, Operand, Output, Place, Store, Sum, gemm_on_this_thread, tile_row};
use super::isa::Isa;
use super::mask::Site;
use super::scratch::scratch;
use super::softmax::{Draws, LANES, Rows};
use super::tasks::items_of_a_task;
use crate::kernel::AttentionHeads;

/// Queries whose scores are in memory at a time.
const QUERIES: usize = 128;
/// Multiplications that are worth a task.
const TASK_WORK: usize = 1 << 20;

/// softmax(Q Kᵀ/√d) V for each head within each sequence, `[tokens, 3 × hidden] → [tokens, hidden]`, on all threads.
///
/// `qkv` holds queries, keys and values side by side, each with its heads side by side; `offsets` are the
/// `batch + 1` first rows of the sequences. With `dropout`, probabilities are dropped: rows of its mask are
/// `head × tokens + token` of the query, as wide as the longest sequence is long.
pub fn forward<E: Operand>(
    qkv: &[E],
    context: &mut [E],
    heads: AttentionHeads,
    offsets: &[u32],
    dropout: Option<Site>,
) {
    let shape = Shape::new(context.len(), heads, offsets);
    assert!(qkv.len() == 3 * context.len(), "three parts");
    let context = Cells::new(context);
    shape.each(offsets, |part| part.forward(qkv, context, dropout));
}

/// The gradient `dqkv` `[tokens, 3 × hidden]` from that of the context, `[tokens, hidden]`; arguments as those of
/// [`forward`].
pub fn backward<E: Operand>(
    qkv: &[E],
    dcontext: &[E],
    dqkv: &mut [E],
    heads: AttentionHeads,
    offsets: &[u32],
    dropout: Option<Site>,
) {
    let shape = Shape::new(dcontext.len(), heads, offsets);
    assert!(qkv.len() == 3 * dcontext.len() && dqkv.len() == qkv.len(), "three parts");
    let dqkv = Cells::new(dqkv);
    shape.each(offsets, |part| part.backward(qkv, dcontext, dqkv, dropout));
}

#[derive(Clone, Copy)]
struct Shape {
    tokens: usize,
    hidden: usize,
    heads: usize,
    head_size: usize,
    causal: bool,
}

impl Shape {
    fn new(elements: usize, heads: AttentionHeads, offsets: &[u32]) -> Self {
        let AttentionHeads { number: heads, causal } = heads;
        let tokens = offsets.last().map_or(0, |&last| last as usize);
        let hidden = elements / tokens.max(1);
        assert!(hidden * tokens == elements && hidden.is_multiple_of(heads), "heads of one size");
        Self { tokens, hidden, heads, head_size: hidden / heads, causal }
    }

    /// Calls `work` for each head of each sequence, on all threads.
    fn each(self, offsets: &[u32], work: impl Fn(Part) + Sync) {
        let pairs = offsets.len().saturating_sub(1) * self.heads;
        let all: usize =
            offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).map(|length| length * length).sum();
        let mean = all * self.head_size * self.heads / pairs.max(1);
        let tasks = (0..pairs).into_par_iter().with_min_len(TASK_WORK / mean.max(1) + 1);
        tasks.with_max_len(items_of_a_task(pairs)).for_each(|pair| {
            let (sequence, head) = (pair / self.heads, pair % self.heads);
            let first = offsets[sequence] as usize;
            let length = offsets[sequence + 1] as usize - first;
            if length > 0 {
                work(Part { shape: self, first, length, head });
            }
        });
    }
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Part {
    shape: Shape,
    first: usize,
    length: usize,
    head: usize,
}

/// Queries of a part whose scores are in memory at a time.
#[derive(Clone, Copy)]
struct Block {
    /// The first of them.
    from: usize,
    count: usize,
    /// The keys, from the first, that any of them attends to.
    keys: usize,
}

impl Block {
    /// Elements between two rows of scores.
    fn stride(self) -> usize {
        self.keys.next_multiple_of(LANES)
    }
}

/// The parts of a row of `qkv`.
#[derive(Clone, Copy)]
enum Side {
    Query,
    Key,
    Value,
}

impl Part {
    /// Where the head's elements of a row begin in `qkv`.
    fn at(self, side: Side, row: usize) -> usize {
        let shape = self.shape;
        (self.first + row) * 3 * shape.hidden + side as usize * shape.hidden + self.head * shape.head_size
    }

    /// Where they begin in the context.
    fn at_context(self, row: usize) -> usize {
        (self.first + row) * self.shape.hidden + self.head * self.shape.head_size
    }

    fn view<E>(self, qkv: &[E], side: Side, from: usize, rows: usize) -> Matrix<'_, E> {
        Matrix::strided(&qkv[self.at(side, from)..], rows, self.shape.head_size, 3 * self.shape.hidden)
    }

    fn blocks(self) -> impl Iterator<Item = Block> {
        (0..self.length).step_by(QUERIES).map(move |from| {
            let count = QUERIES.min(self.length - from);
            Block { from, count, keys: if self.shape.causal { from + count } else { self.length } }
        })
    }

    /// The largest number of scores at a time.
    fn block_size(self) -> usize {
        QUERIES.min(self.length) * self.length.next_multiple_of(LANES)
    }

    /// What is done with the scores of a block.
    fn rows(self, block: Block) -> Rows {
        let scale = 1.0 / (self.shape.head_size as f32).sqrt();
        Rows { length: block.keys, stride: block.stride(), scale, causal_from: self.shape.causal.then_some(block.from) }
    }

    fn forward<E: Operand>(self, qkv: &[E], context: Cells<'_, E>, dropout: Option<Site>) {
        scratch(self.block_size(), |scores: &mut [f32]| {
            scratch(self.block_size(), |probabilities: &mut [E]| {
                let mut inverse_sums = [0.0; QUERIES];
                for block in self.blocks() {
                    let (Block { from, count, keys }, stride) = (block, block.stride());
                    let scores = &mut scores[..count * stride];
                    let query = self.view(qkv, Side::Query, from, count);
                    let [key, value] = [Side::Key, Side::Value].map(|side| self.view(qkv, side, 0, keys));
                    gemm_on_this_thread(query, key.transpose(), &Store { to: Cells::new(scores), stride, bias: None });
                    self.with_draws(dropout, block, |draws| {
                        self.rows(block).weigh(scores, probabilities, draws, &mut inverse_sums);
                    });
                    let probabilities = Matrix::strided(probabilities, count, keys, stride);
                    let to = context.skip(self.at_context(from));
                    gemm_on_this_thread(
                        probabilities,
                        value,
                        &Scaled { to, stride: self.shape.hidden, factors: &inverse_sums },
                    );
                }
            });
        });
    }

    fn backward<E: Operand>(self, qkv: &[E], dcontext: &[E], dqkv: Cells<'_, E>, dropout: Option<Site>) {
        let size = self.shape.head_size;
        let mut sums = KeySums::new(self, dqkv);
        scratch(2 * self.block_size(), |both: &mut [f32]| {
            scratch(2 * self.block_size(), |operands: &mut [E]| {
                let (scores, dp) = both.split_at_mut(self.block_size());
                let (probabilities, ds) = operands.split_at_mut(self.block_size());
                for block in self.blocks() {
                    let (Block { from, count, keys }, stride) = (block, block.stride());
                    let [key, value] = [Side::Key, Side::Value].map(|side| self.view(qkv, side, 0, keys));
                    let (scores, dp) = (&mut scores[..count * stride], &mut dp[..count * stride]);
                    let query = self.view(qkv, Side::Query, from, count);
                    let doutput = Matrix::strided(&dcontext[self.at_context(from)..], count, size, self.shape.hidden);
                    gemm_on_this_thread(query, key.transpose(), &Store { to: Cells::new(scores), stride, bias: None });
                    gemm_on_this_thread(doutput, value.transpose(), &Store { to: Cells::new(dp), stride, bias: None });
                    self.with_draws(dropout, block, |draws| {
                        self.rows(block).differentiate(scores, dp, draws, probabilities, ds);
                    });
                    let [probabilities, ds] = [&*probabilities, &*ds].map(|x| Matrix::strided(x, count, keys, stride));
                    sums.add(Side::Value, probabilities.transpose(), doutput, from);
                    sums.add(Side::Key, ds.transpose(), query, from);
                    let to = dqkv.skip(self.at(Side::Query, from));
                    gemm_on_this_thread(ds, key, &Store { to, stride: 3 * self.shape.hidden, bias: None });
                }
            });
        });
        sums.store();
    }

    /// Calls `work` with the mask and its draws for a block, if there is one.
    fn with_draws<R>(self, dropout: Option<Site>, block: Block, work: impl FnOnce(Option<Draws<'_>>) -> R) -> R {
        let Some(site) = dropout else { return work(None) };
        let row = self.head * self.shape.tokens + self.first + block.from;
        let stride = Site::stride(block.keys);
        scratch(block.count * stride, |draws: &mut [u16]| {
            Isa::detect().run(
                #[inline(always)]
                || site.draws(row, block.keys, draws),
            );
            work(Some(Draws { site, rows: draws, stride }))
        })
    }
}

/// The sums over all queries, dK and dV of one head of one sequence.
struct KeySums<'a, E> {
    part: Part,
    dqkv: Cells<'a, E>,
    /// Both in f32, if there is more than one block of queries; they start at 0, for a first block may have few keys.
    sums: [Vec<f32>; 2],
}

impl<'a, E: Operand> KeySums<'a, E> {
    fn new(part: Part, dqkv: Cells<'a, E>) -> Self {
        let elements = if part.length > QUERIES { part.length * part.shape.head_size } else { 0 };
        Self { part, dqkv, sums: [(); 2].map(|()| vec![0.0; elements]) }
    }

    /// Adds the product of one block of queries.
    fn add(&mut self, side: Side, weights: Matrix<'_, E>, rows: Matrix<'_, E>, from: usize) {
        let shape = self.part.shape;
        if self.part.length > QUERIES {
            let to = Cells::new(&mut self.sums[side as usize - 1]);
            gemm_on_this_thread(weights, rows, &Sum { to, stride: shape.head_size, add: from > 0 });
        } else {
            let to = self.dqkv.skip(self.part.at(side, 0));
            gemm_on_this_thread(weights, rows, &Store { to, stride: 3 * shape.hidden, bias: None });
        }
    }

    /// Stores what was summed in f32.
    fn store(self) {
        let size = self.part.shape.head_size;
        for (side, sums) in [Side::Key, Side::Value].into_iter().zip(&self.sums) {
            for (row, sums) in sums.chunks_exact(size).enumerate() {
                // SAFETY: no other task has this head of this sequence.
                let to = unsafe { self.dqkv.part(self.part.at(side, row), size) };
                to.iter_mut().zip(sums).for_each(|(to, &sum)| *to = E::from_f32(sum));
            }
        }
    }
}

/// Stores the product with each row multiplied by its factor.
struct Scaled<'a, E> {
    to: Cells<'a, E>,
    stride: usize,
    factors: &'a [f32],
}

impl<E: Element> Output for Scaled<'_, E> {
    unsafe fn take(&self, place: Place, tile: &[f32]) {
        Isa::detect().run(
            #[inline(always)]
            || {
                for row in 0..place.rows {
                    let from = tile_row(tile, row, place.columns);
                    let factor = self.factors[place.row + row];
                    // SAFETY: tiles do not overlap, so neither do their rows.
                    let to = unsafe { self.to.part((place.row + row) * self.stride + place.column, place.columns) };
                    for (to, &x) in to.iter_mut().zip(from) {
                        *to = E::from_f32(x * factor);
                    }
                }
            },
        );
    }
}

#[cfg(test)]
mod tests;
