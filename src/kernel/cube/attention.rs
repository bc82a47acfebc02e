//! Attention over the offsets of a packed batch: a unit has a query, keys come in tiles, the softmax is made as they come,
//! and nothing of the size length × length is kept (Dao et al. 2022, arXiv 2205.14135).

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::mask::{Mask, PER_BLOCK, factors, mask_args};
use super::tensor::{empty, units};
use crate::kernel::AttentionHeads;
use crate::kernel::cpu::Site;

/// A score that no query has: its exponential is 0.
pub(super) const MASKED: f32 = -1e30;

/// What is fixed when a kernel is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Heads {
    pub(super) number: usize,
    /// Numbers of a query, key or value.
    pub(super) size: usize,
    pub(super) causal: bool,
    /// Queries (or keys, where those are a unit's) of a cube.
    pub(super) units: usize,
    pub(super) drops: bool,
}

impl Heads {
    pub(super) fn hidden(self) -> usize {
        self.number * self.size
    }

    /// Rows of the other side that are in shared memory at a time: with two vectors each at most 16 KiB, which every
    /// device has, up to a size of 128.
    pub(super) fn tile(self) -> usize {
        if self.size <= 64 { 16 } else { 8 }
    }
}

/// One call of attention.
pub(super) struct Attention<'a> {
    /// x Wqkv, `[tokens, 3 × hidden]`, and its bias, `[3 × hidden]`.
    pub(super) qkv: &'a CubeTensor,
    pub(super) bias: &'a CubeTensor,
    /// `[batch + 1]`, i32.
    pub(super) offsets: &'a CubeTensor,
    pub(super) longest: usize,
    pub(super) tokens: usize,
    pub(super) hidden: usize,
    pub(super) heads: AttentionHeads,
    pub(super) site: Option<Site>,
}

impl Attention<'_> {
    pub(super) fn comptime(&self) -> Heads {
        Heads {
            number: self.heads.number,
            size: self.hidden / self.heads.number,
            causal: self.heads.causal,
            units: self.longest.next_power_of_two().clamp(16, 64),
            drops: self.site.is_some(),
        }
    }

    /// 1/√size.
    pub(super) fn scale(&self) -> f32 {
        (1.0 / ((self.hidden / self.heads.number) as f64).sqrt()) as f32
    }

    /// A cube for each tile of the longest sequence, each head, each sequence.
    pub(super) fn cubes(&self) -> CubeCount {
        let tiles = self.longest.div_ceil(self.comptime().units).max(1);
        let batch = self.offsets.meta.shape().num_elements() - 1;
        CubeCount::Static(tiles as u32, self.heads.number as u32, batch as u32)
    }

    /// The context, `[tokens, hidden]`, and log Σ exp of each query's scores, `[heads, tokens]`.
    pub(super) fn forward(&self) -> [CubeTensor; 2] {
        let heads = self.comptime();
        let context = empty(self.qkv, [self.tokens, self.hidden]);
        let log_sums = empty(self.qkv, [heads.number, self.tokens]);
        let [qkv, bias, offsets, context_arg, log_sums_arg] =
            [self.qkv, self.bias, self.offsets, &context, &log_sums].map(|tensor| tensor.clone().into_buffer_arg());
        attend::launch(
            &self.qkv.client,
            self.cubes(),
            units(heads.units),
            qkv,
            bias,
            offsets,
            context_arg,
            log_sums_arg,
            mask_args(self.site.as_ref()),
            self.scale(),
            self.tokens as u32,
            heads,
        );
        [context, log_sums]
    }
}

/// Brings `first .. first + tile` of a sequence's keys and values to shared memory; zeros past its end.
#[cube]
pub(super) fn load_keys(
    qkv: &[f32],
    bias: &[f32],
    keys: &mut Shared<[f32]>,
    values: &mut Shared<[f32]>,
    first_row: usize,
    rows: usize,
    head: usize,
    #[comptime] heads: Heads,
) {
    let hidden = comptime!(heads.hidden());
    let mut at = UNIT_POS as usize;
    while at < comptime!(heads.tile() * heads.size) {
        let row = at / heads.size;
        let key = hidden + head * heads.size + at % heads.size;
        let mut key_number = 0.0f32;
        let mut value_number = 0.0f32;
        if row < rows {
            let begin = (first_row + row) * 3 * hidden;
            key_number = qkv[begin + key] + bias[key];
            value_number = qkv[begin + hidden + key] + bias[hidden + key];
        }
        keys[at] = key_number;
        values[at] = value_number;
        at += heads.units;
    }
}

#[cube(launch)]
fn attend(
    qkv: &[f32],
    bias: &[f32],
    offsets: &[i32],
    context: &mut [f32],
    log_sums: &mut [f32],
    mask: Mask,
    scale: f32,
    tokens: u32,
    #[comptime] heads: Heads,
) {
    let tile = comptime!(heads.tile());
    let hidden = comptime!(heads.hidden());
    let head = CUBE_POS_Y as usize;
    let first = u32::cast_from(offsets[CUBE_POS_Z as usize]) as usize;
    let length = u32::cast_from(offsets[CUBE_POS_Z as usize + 1]) as usize - first;
    let first_query = CUBE_POS_X as usize * heads.units;
    if first_query >= length {
        terminate!();
    }
    let query = first_query + UNIT_POS as usize;
    let is_query = query < length;
    let mut keys = Shared::<[f32]>::new_slice(comptime!(tile * heads.size));
    let mut values = Shared::<[f32]>::new_slice(comptime!(tile * heads.size));
    let mut q = Array::<f32>::new(heads.size);
    let mut sum = Array::<f32>::new(heads.size);
    #[unroll]
    for i in 0..heads.size {
        sum[i] = 0.0f32;
        q[i] = 0.0f32;
        if is_query {
            let column = head * heads.size + i;
            q[i] = (qkv[(first + query) * 3 * hidden + column] + bias[column]) * scale;
        }
    }
    // The greatest score so far, and Σ exp of the differences to it.
    let mut state = Array::<f32>::new(2usize);
    state[0] = MASKED;
    state[1] = 0.0f32;
    let mut end = length;
    if comptime!(heads.causal) {
        end = min(length, first_query + heads.units);
    }
    let mut begin = 0usize;
    while begin < end {
        sync_cube();
        load_keys(qkv, bias, &mut keys, &mut values, first + begin, length - begin, head, heads);
        sync_cube();
        let mut group = 0usize;
        while group < tile {
            if is_query && begin + group < end {
                let row = head as u32 * tokens + (first + query) as u32;
                attend_to_block(
                    &q, &keys, &values, &mut sum, &mut state, &mask, row, query, begin, group, length, heads,
                );
            }
            group += PER_BLOCK;
        }
        begin += tile;
    }
    if is_query {
        #[unroll]
        for i in 0..heads.size {
            context[(first + query) * hidden + head * heads.size + i] = sum[i] / state[1];
        }
        log_sums[head * tokens as usize + first + query] = state[0] + state[1].ln();
    }
}

/// Eight keys more, whose probabilities one Philox block drops.
#[cube]
fn attend_to_block(
    q: &Array<f32>,
    keys: &Shared<[f32]>,
    values: &Shared<[f32]>,
    sum: &mut Array<f32>,
    state: &mut Array<f32>,
    mask: &Mask,
    row: u32,
    query: usize,
    begin: usize,
    group: usize,
    length: usize,
    #[comptime] heads: Heads,
) {
    let mut scores = Array::<f32>::new(PER_BLOCK);
    let mut kept = Array::<f32>::new(PER_BLOCK);
    let greatest = state[0];
    let mut most = greatest;
    for j in 0..PER_BLOCK {
        let mut score = 0.0f32;
        #[unroll]
        for i in 0..heads.size {
            score += q[i] * keys[(group + j) * heads.size + i];
        }
        let key = begin + group + j;
        let mut seen = key < length;
        if comptime!(heads.causal) {
            seen = seen && key <= query;
        }
        scores[j] = select(seen, score, MASKED);
        most = max(most, scores[j]);
    }
    factors(row, ((begin + group) / PER_BLOCK) as u32, mask, &mut kept, heads.drops);
    let correction = (greatest - most).exp();
    let mut total = state[1] * correction;
    for j in 0..PER_BLOCK {
        let probability = (scores[j] - most).exp();
        total += probability;
        scores[j] = probability * kept[j];
    }
    state[0] = most;
    state[1] = total;
    #[unroll]
    for i in 0..heads.size {
        sum[i] *= correction;
    }
    for j in 0..PER_BLOCK {
        let factor = scores[j];
        #[unroll]
        for i in 0..heads.size {
            sum[i] += factor * values[(group + j) * heads.size + i];
        }
    }
}
