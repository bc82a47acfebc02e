//! Attention's backward pass: the probabilities are made again from the queries, the keys and the kept log Σ exp, once with
//! a query a unit (the gradients of queries), once with a key a unit (those of keys and values). No sum is shared by units.
//!
//! With P the probabilities, M the mask's factors, O the context and dO its gradient, for a query and a key:
//!
//! ```text
//! dS = P (M dO·V − dO·O)    dQ = Σ dS K / √d    dK = Σ dS Q / √d    dV = Σ P M dO
//! ```

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::attention::{Attention, Heads, load_keys};
use super::mask::{Mask, PER_BLOCK, factors, mask_args};
use super::tensor::{empty, units};

impl Attention<'_> {
    /// The gradient of x Wqkv, `[tokens, 3 × hidden]`, from that of the context, `[tokens, hidden]`.
    pub(super) fn backward(&self, arriving: &CubeTensor, context: &CubeTensor, log_sums: &CubeTensor) -> CubeTensor {
        let heads = self.comptime();
        let of_qkv = empty(self.qkv, [self.tokens, 3 * self.hidden]);
        let products = empty(self.qkv, [heads.number, self.tokens]);
        let arg = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
        queries_back::launch(
            &self.qkv.client,
            self.cubes(),
            units(heads.units),
            arg(self.qkv),
            arg(self.bias),
            arg(self.offsets),
            arg(arriving),
            arg(context),
            arg(log_sums),
            arg(&products),
            arg(&of_qkv),
            mask_args(self.site.as_ref()),
            self.scale(),
            self.tokens as u32,
            heads,
        );
        keys_back::launch(
            &self.qkv.client,
            self.cubes(),
            units(heads.units),
            arg(self.qkv),
            arg(self.bias),
            arg(self.offsets),
            arg(arriving),
            arg(log_sums),
            arg(&products),
            arg(&of_qkv),
            mask_args(self.site.as_ref()),
            self.scale(),
            self.tokens as u32,
            heads,
        );
        of_qkv
    }
}

/// The gradients of the queries, and dO·O of each.
#[cube(launch)]
fn queries_back(
    qkv: &[f32],
    bias: &[f32],
    offsets: &[i32],
    arriving: &[f32],
    context: &[f32],
    log_sums: &[f32],
    products: &mut [f32],
    of_qkv: &mut [f32],
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
    let mut gradient = Array::<f32>::new(heads.size);
    let mut sum = Array::<f32>::new(heads.size);
    let mut product = 0.0f32;
    let mut log_sum = 0.0f32;
    if is_query {
        let row = first + query;
        log_sum = log_sums[head * tokens as usize + row];
        #[unroll]
        for i in 0..heads.size {
            let column = head * heads.size + i;
            sum[i] = 0.0f32;
            q[i] = (qkv[row * 3 * hidden + column] + bias[column]) * scale;
            gradient[i] = arriving[row * hidden + column];
            product += gradient[i] * context[row * hidden + column];
        }
        products[head * tokens as usize + row] = product;
    }
    let mut end = length;
    if comptime!(heads.causal) {
        end = min(length, first_query + heads.units);
    }
    let mut kept = Array::<f32>::new(PER_BLOCK);
    let mut begin = 0usize;
    while begin < end {
        sync_cube();
        load_keys(qkv, bias, &mut keys, &mut values, first + begin, length - begin, head, heads);
        sync_cube();
        let mut group = 0usize;
        while group < tile {
            if is_query && begin + group < end {
                let row = head as u32 * tokens + (first + query) as u32;
                factors(row, ((begin + group) / PER_BLOCK) as u32, &mask, &mut kept, heads.drops);
                for j in 0..PER_BLOCK {
                    let key = begin + group + j;
                    let mut seen = key < length;
                    if comptime!(heads.causal) {
                        seen = seen && key <= query;
                    }
                    if seen {
                        let mut score = 0.0f32;
                        let mut of_probability = 0.0f32;
                        #[unroll]
                        for i in 0..heads.size {
                            score += q[i] * keys[(group + j) * heads.size + i];
                            of_probability += gradient[i] * values[(group + j) * heads.size + i];
                        }
                        let of_score = (score - log_sum).exp() * (of_probability * kept[j] - product);
                        #[unroll]
                        for i in 0..heads.size {
                            sum[i] += of_score * keys[(group + j) * heads.size + i];
                        }
                    }
                }
            }
            group += PER_BLOCK;
        }
        begin += tile;
    }
    if is_query {
        #[unroll]
        for i in 0..heads.size {
            of_qkv[(first + query) * 3 * hidden + head * heads.size + i] = sum[i] * scale;
        }
    }
}

/// The gradients of keys and values.
#[cube(launch)]
fn keys_back(
    qkv: &[f32],
    bias: &[f32],
    offsets: &[i32],
    arriving: &[f32],
    log_sums: &[f32],
    products: &[f32],
    of_qkv: &mut [f32],
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
    let first_key = CUBE_POS_X as usize * heads.units;
    if first_key >= length {
        terminate!();
    }
    let key = first_key + UNIT_POS as usize;
    let is_key = key < length;
    let mut queries = Shared::<[f32]>::new_slice(comptime!(tile * heads.size));
    let mut gradients = Shared::<[f32]>::new_slice(comptime!(tile * heads.size));
    let mut k = Array::<f32>::new(heads.size);
    let mut v = Array::<f32>::new(heads.size);
    let mut of_k = Array::<f32>::new(heads.size);
    let mut of_v = Array::<f32>::new(heads.size);
    if is_key {
        #[unroll]
        for i in 0..heads.size {
            let column = hidden + head * heads.size + i;
            let begin = (first + key) * 3 * hidden;
            k[i] = qkv[begin + column] + bias[column];
            v[i] = qkv[begin + hidden + column] + bias[hidden + column];
            of_k[i] = 0.0f32;
            of_v[i] = 0.0f32;
        }
    }
    let mut kept = Array::<f32>::new(PER_BLOCK);
    let mut begin = 0usize;
    if comptime!(heads.causal) {
        begin = first_key / tile * tile;
    }
    while begin < length {
        sync_cube();
        load_queries(
            qkv,
            bias,
            arriving,
            &mut queries,
            &mut gradients,
            first + begin,
            length - begin,
            head,
            scale,
            heads,
        );
        sync_cube();
        for j in 0..tile {
            let query = begin + j;
            let mut seen = is_key && query < length;
            if comptime!(heads.causal) {
                seen = seen && key <= query;
            }
            if seen {
                let at = head * tokens as usize + first + query;
                factors(at as u32, (key / PER_BLOCK) as u32, &mask, &mut kept, heads.drops);
                let factor = kept[key % PER_BLOCK];
                let mut score = 0.0f32;
                let mut of_probability = 0.0f32;
                #[unroll]
                for i in 0..heads.size {
                    score += k[i] * queries[j * heads.size + i];
                    of_probability += v[i] * gradients[j * heads.size + i];
                }
                let probability = (score - log_sums[at]).exp();
                let of_score = probability * (of_probability * factor - products[at]);
                let dropped = probability * factor;
                #[unroll]
                for i in 0..heads.size {
                    of_k[i] += of_score * queries[j * heads.size + i];
                    of_v[i] += dropped * gradients[j * heads.size + i];
                }
            }
        }
        begin += tile;
    }
    if is_key {
        #[unroll]
        for i in 0..heads.size {
            let column = hidden + head * heads.size + i;
            of_qkv[(first + key) * 3 * hidden + column] = of_k[i];
            of_qkv[(first + key) * 3 * hidden + hidden + column] = of_v[i];
        }
    }
}

/// Brings `first .. first + tile` of a sequence's queries, scaled, and of the context's gradients to shared memory.
#[cube]
fn load_queries(
    qkv: &[f32],
    bias: &[f32],
    arriving: &[f32],
    queries: &mut Shared<[f32]>,
    gradients: &mut Shared<[f32]>,
    first_row: usize,
    rows: usize,
    head: usize,
    scale: f32,
    #[comptime] heads: Heads,
) {
    let hidden = comptime!(heads.hidden());
    let mut at = UNIT_POS as usize;
    while at < comptime!(heads.tile() * heads.size) {
        let row = at / heads.size;
        let column = head * heads.size + at % heads.size;
        let mut query = 0.0f32;
        let mut gradient = 0.0f32;
        if row < rows {
            query = (qkv[(first_row + row) * 3 * hidden + column] + bias[column]) * scale;
            gradient = arriving[(first_row + row) * hidden + column];
        }
        queries[at] = query;
        gradients[at] = gradient;
        at += heads.units;
    }
}
