//! The input of BERT: the sum of three embeddings, normed and dropped out.
//!
//! For token t with rows w, p, s of the three tables, x = word[w] + position[p] + segment[s] and mask m:
//!
//! ```text
//! x̂ = (x − mean x) / σ,   σ = √(mean (x − mean x)² + ε)          y = m (γ x̂ + β)
//! g = m dy                dγ = Σₜ g x̂      dβ = Σₜ g
//! dx = (γ g − mean(γ g) − x̂ mean(γ g x̂)) / σ
//! dword[w] = Σ dx over the tokens of w;   position and segment alike
//! ```
//!
//! Nothing is kept for the backward pass: it reads the rows again and makes the mask again. Sums over
//! tokens have one order, whatever the number of threads: dγ and dβ over chunks of rows, combined in
//! order; a table's row over its tokens in order.

use rayon::prelude::*;

use super::isa::Isa;
use super::mask::Site;
use super::pool::Buffer;

/// google-research/bert, `modeling.layer_norm`.
const EPSILON: f32 = 1e-12;
/// Rows that one task computes.
const ROWS: usize = 32;
/// Independent sums of one reduction: a vector of 512 bits.
const LANES: usize = 16;

/// The tables and the norm.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// `[vocab_size, hidden]`
    pub word: &'a [f32],
    /// `[max_positions, hidden]`
    pub position: &'a [f32],
    /// `[type_vocab_size, hidden]`
    pub segment: &'a [f32],
    /// γ, `[hidden]`; its length is the width of everything.
    pub gamma: &'a [f32],
    /// β, `[hidden]`
    pub beta: &'a [f32],
}

/// Rows of the three tables for each token, three of `[tokens]`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Of the word table.
    pub word: &'a [u32],
    /// Of the position table.
    pub position: &'a [u32],
    /// Of the segment table.
    pub segment: &'a [u32],
}

/// Where the gradients go, of the shapes of [`Tables`]. The three tables' must be 0 before; the other two
/// are overwritten.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Only the rows of tokens are touched.
    pub word: &'a mut [f32],
    /// Only the rows of tokens are touched.
    pub position: &'a mut [f32],
    /// Only the rows of tokens are touched.
    pub segment: &'a mut [f32],
    /// dγ
    pub gamma: &'a mut [f32],
    /// dβ
    pub beta: &'a mut [f32],
}

/// y, `[tokens, hidden]`, overwritten.
pub fn forward(tables: &Tables<'_>, rows: &Rows<'_>, mask: Option<Site>, y: &mut [f32]) {
    let hidden = tables.gamma.len();
    let isa = Isa::detect();
    y.par_chunks_mut(ROWS * hidden).enumerate().for_each_init(Vec::new, |draws, (chunk, y)| {
        isa.run(|| forward_chunk(tables, rows, mask, chunk * ROWS, draws, y));
    });
}

#[inline(always)]
fn forward_chunk(
    tables: &Tables<'_>,
    rows: &Rows<'_>,
    mask: Option<Site>,
    first: usize,
    draws: &mut Vec<u16>,
    y: &mut [f32],
) {
    let hidden = tables.gamma.len();
    let stride = draw(mask, first, y.len() / hidden, hidden, draws);
    for (row, y) in y.chunks_exact_mut(hidden).enumerate() {
        let scale = normalize(tables, rows, first + row, y);
        for ((y, gamma), beta) in y.iter_mut().zip(tables.gamma).zip(tables.beta) {
            *y = *y * scale * gamma + beta;
        }
        if let Some(mask) = mask {
            drop_out(mask, &draws[row * stride..], y);
        }
    }
}

/// The draws of `rows` rows; returns the distance between two rows of them.
#[inline(always)]
fn draw(mask: Option<Site>, first: usize, rows: usize, hidden: usize, draws: &mut Vec<u16>) -> usize {
    let stride = Site::stride(hidden);
    if let Some(mask) = mask {
        draws.resize(rows * stride, 0);
        mask.draws(first, hidden, draws);
    }
    stride
}

#[inline(always)]
fn drop_out(mask: Site, draws: &[u16], y: &mut [f32]) {
    for (y, draw) in y.iter_mut().zip(draws) {
        *y *= mask.factor(*draw);
    }
}

/// Puts x − mean x of a token into `centred`; returns 1/σ.
#[inline(always)]
fn normalize(tables: &Tables<'_>, rows: &Rows<'_>, token: usize, centred: &mut [f32]) -> f32 {
    let hidden = centred.len();
    let word = &tables.word[rows.word[token] as usize * hidden..][..hidden];
    let position = &tables.position[rows.position[token] as usize * hidden..][..hidden];
    let segment = &tables.segment[rows.segment[token] as usize * hidden..][..hidden];
    for (((x, word), position), segment) in centred.iter_mut().zip(word).zip(position).zip(segment) {
        *x = word + position + segment;
    }
    let mean = sum(centred, |x| x) / hidden as f32;
    centred.iter_mut().for_each(|x| *x -= mean);
    1.0 / (sum(centred, |x| x * x) / hidden as f32 + EPSILON).sqrt()
}

/// Σ `of`(x), in [`LANES`] sums that are combined in order.
#[inline(always)]
fn sum(x: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|&x| of(x)).sum();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += of(x);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// The gradients for `dy`, `[tokens, hidden]`.
pub fn backward(tables: &Tables<'_>, rows: &Rows<'_>, mask: Option<Site>, dy: &[f32], into: Gradients<'_>) {
    let hidden = tables.gamma.len();
    let isa = Isa::detect();
    let chunks = (dy.len() / hidden).div_ceil(ROWS);
    // dx, and dγ and dβ of each chunk.
    let mut dx = Buffer::<f32>::take(dy.len());
    let mut parts = Buffer::<f32>::zeroed(chunks * 2 * hidden);
    let by_chunk = dx.par_chunks_mut(ROWS * hidden).zip(dy.par_chunks(ROWS * hidden));
    by_chunk.zip(parts.par_chunks_mut(2 * hidden)).enumerate().for_each_init(
        Vec::new,
        |draws, (chunk, ((dx, dy), part))| {
            let (gamma, beta) = part.split_at_mut(hidden);
            isa.run(|| backward_chunk(tables, rows, mask, chunk * ROWS, draws, dy, dx, gamma, beta));
        },
    );
    into.gamma.fill(0.0);
    into.beta.fill(0.0);
    for part in parts.chunks_exact(2 * hidden) {
        let (gamma, beta) = part.split_at(hidden);
        isa.run(|| add(into.gamma, gamma));
        isa.run(|| add(into.beta, beta));
    }
    let (word, position, segment) = (into.word, into.position, into.segment);
    let tables = || rayon::join(|| scatter(rows.position, &dx, position, hidden), || scatter(rows.segment, &dx, segment, hidden));
    rayon::join(|| scatter(rows.word, &dx, word, hidden), tables);
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the body of one loop, compiled for each instruction set")]
fn backward_chunk(
    tables: &Tables<'_>,
    rows: &Rows<'_>,
    mask: Option<Site>,
    first: usize,
    draws: &mut Vec<u16>,
    dy: &[f32],
    dx: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let hidden = tables.gamma.len();
    let stride = draw(mask, first, dy.len() / hidden, hidden, draws);
    let (mut normed, mut g) = (vec![0.0; hidden], vec![0.0; hidden]);
    for (row, (dy, dx)) in dy.chunks_exact(hidden).zip(dx.chunks_exact_mut(hidden)).enumerate() {
        let scale = normalize(tables, rows, first + row, &mut normed);
        normed.iter_mut().for_each(|x| *x *= scale);
        g.copy_from_slice(dy);
        if let Some(mask) = mask {
            drop_out(mask, &draws[row * stride..], &mut g);
        }
        for ((dgamma, g), normed) in dgamma.iter_mut().zip(&g).zip(&normed) {
            *dgamma += g * normed;
        }
        add(dbeta, &g);
        for (g, gamma) in g.iter_mut().zip(tables.gamma) {
            *g *= gamma;
        }
        let mean = sum(&g, |g| g) / hidden as f32;
        for ((dx, g), normed) in dx.iter_mut().zip(&g).zip(&normed) {
            *dx = g * normed;
        }
        let along = sum(dx, |x| x) / hidden as f32;
        for ((dx, g), normed) in dx.iter_mut().zip(&g).zip(&normed) {
            *dx = (g - mean - normed * along) * scale;
        }
    }
}

#[inline(always)]
fn add(to: &mut [f32], more: &[f32]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to += more;
    }
}

/// Adds each row t of `from`, `[tokens, hidden]`, to row `rows[t]` of `table`.
fn scatter(rows: &[u32], from: &[f32], table: &mut [f32], hidden: usize) {
    let isa = Isa::detect();
    let order = by_row(rows);
    let groups: Vec<&[u32]> = order.chunk_by(|&a, &b| rows[a as usize] == rows[b as usize]).collect();
    let mut left = table;
    let mut next = 0;
    let targets: Vec<&mut [f32]> = groups
        .iter()
        .map(|group| {
            let row = rows[group[0] as usize] as usize;
            let (target, after) = std::mem::take(&mut left)[(row - next) * hidden..].split_at_mut(hidden);
            (left, next) = (after, row + 1);
            target
        })
        .collect();
    targets.into_par_iter().zip(groups).for_each(|(target, group)| {
        isa.run(|| {
            for &token in group {
                add(target, &from[token as usize * hidden..][..hidden]);
            }
        });
    });
}

/// Tokens by their row, those of one row in order.
fn by_row(rows: &[u32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|&token| rows[token as usize]);
    order
}

/// The rows that tokens have, each once, ascending.
#[must_use]
pub fn distinct(rows: &[u32]) -> Vec<u32> {
    let mut distinct = rows.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

#[cfg(test)]
#[path = "embeddings_tests.rs"]
mod tests;
