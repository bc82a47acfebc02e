//! The input of BERT: the sum of three embeddings, normed and dropped out.
//!
//! For token t with rows w, p, s of the three tables, x = `word[w] + position[p] + segment[s]` and mask m:
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
use super::norm::{normalize_row, normalize_row_backward};
use super::pool::Buffer;
use super::scratch::scratch;
use super::tasks::items_of_a_task;
use crate::kernel::layer_form::LAYER_NORM_EPSILON;

/// Rows that one task computes.
const ROWS: usize = 32;

/// The tables and the norm, or something for each of them: `M` is of a table, `V` of a vector.
#[derive(Clone, Copy, Debug)]
pub struct PerTable<M, V = M> {
    /// `[vocab_size, hidden]`
    pub word: M,
    /// `[max_positions, hidden]`
    pub position: M,
    /// `[type_vocab_size, hidden]`
    pub segment: M,
    /// Layer norm's γ, `[hidden]`
    pub gamma: V,
    /// Layer norm's β, `[hidden]`
    pub beta: V,
}

type Tables<'a> = PerTable<&'a [f32]>;

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

/// y, `[tokens, hidden]`, overwritten.
pub fn forward(tables: &Tables<'_>, rows: &Rows<'_>, mask: Option<Site>, y: &mut [f32]) {
    let hidden = tables.gamma.len();
    let most = items_of_a_task(y.len() / (ROWS * hidden).max(1));
    y.par_chunks_mut(ROWS * hidden).with_max_len(most).enumerate().for_each(|(chunk, y)| {
        Isa::detect().run(
            #[inline(always)]
            || forward_chunk(tables, rows, mask, chunk * ROWS, y),
        );
    });
}

#[inline(always)]
fn forward_chunk(tables: &Tables<'_>, rows: &Rows<'_>, mask: Option<Site>, first: usize, y: &mut [f32]) {
    let hidden = tables.gamma.len();
    scratch(
        hidden,
        #[inline(always)]
        |x: &mut [f32]| {
            for (row, y) in y.chunks_exact_mut(hidden).enumerate() {
                sum(tables, rows, first + row, x);
                normalize_row(x, tables.gamma, tables.beta, LAYER_NORM_EPSILON as f32, y);
            }
        },
    );
    if let Some(mask) = mask {
        mask.multiply(first, hidden, y);
    }
}

/// The sum of a token's three rows.
#[inline(always)]
fn sum(tables: &Tables<'_>, rows: &Rows<'_>, token: usize, x: &mut [f32]) {
    let hidden = x.len();
    let word = &tables.word[rows.word[token] as usize * hidden..][..hidden];
    let position = &tables.position[rows.position[token] as usize * hidden..][..hidden];
    let segment = &tables.segment[rows.segment[token] as usize * hidden..][..hidden];
    for (((x, word), position), segment) in x.iter_mut().zip(word).zip(position).zip(segment) {
        *x = word + position + segment;
    }
}

/// The gradients for `dy`, `[tokens, hidden]`. Those of the three tables must be 0 before, and only the rows of tokens are
/// touched; those of the norm are overwritten.
pub fn backward(tables: &Tables<'_>, rows: &Rows<'_>, mask: Option<Site>, dy: &[f32], into: PerTable<&mut [f32]>) {
    let hidden = tables.gamma.len();
    let chunks = (dy.len() / hidden).div_ceil(ROWS);
    // dx, and dγ and dβ of each chunk.
    let mut dx = Buffer::<f32>::take(dy.len());
    let mut parts = Buffer::<f32>::zeroed(chunks * 2 * hidden);
    let by_chunk = dx.par_chunks_mut(ROWS * hidden).zip(dy.par_chunks(ROWS * hidden));
    let by_chunk = by_chunk.with_max_len(items_of_a_task(chunks));
    by_chunk.zip(parts.par_chunks_mut(2 * hidden)).enumerate().for_each(|(chunk, ((dx, dy), part))| {
        Isa::detect().run(
            #[inline(always)]
            || backward_chunk(tables, rows, mask, chunk * ROWS, dy, dx, part),
        );
    });
    into.gamma.fill(0.0);
    into.beta.fill(0.0);
    for part in parts.chunks_exact(2 * hidden) {
        let (gamma, beta) = part.split_at(hidden);
        add(into.gamma, gamma);
        add(into.beta, beta);
    }
    let (word, position, segment) = (into.word, into.position, into.segment);
    rayon::join(
        || scatter(rows.word, &dx, word, hidden),
        || {
            rayon::join(
                || scatter(rows.position, &dx, position, hidden),
                || scatter(rows.segment, &dx, segment, hidden),
            )
        },
    );
}

/// `part` is dγ and dβ, to which is added.
#[inline(always)]
fn backward_chunk(
    tables: &Tables<'_>,
    rows: &Rows<'_>,
    mask: Option<Site>,
    first: usize,
    dy: &[f32],
    dx: &mut [f32],
    part: &mut [f32],
) {
    let hidden = tables.gamma.len();
    let (dgamma, dbeta) = part.split_at_mut(hidden);
    dx.copy_from_slice(dy);
    if let Some(mask) = mask {
        mask.multiply(first, hidden, dx);
    }
    scratch(
        2 * hidden,
        #[inline(always)]
        |work: &mut [f32]| {
            let (normed, unused) = work.split_at_mut(hidden);
            for (row, dx) in dx.chunks_exact_mut(hidden).enumerate() {
                sum(tables, rows, first + row, normed);
                let rstd = normalize_row(normed, tables.gamma, tables.beta, LAYER_NORM_EPSILON as f32, unused);
                normalize_row_backward(dx, normed, rstd, tables.gamma, dgamma, dbeta);
            }
        },
    );
}

#[inline(always)]
fn add(to: &mut [f32], more: &[f32]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to += more;
    }
}

/// Adds each row t of `from`, `[tokens, hidden]`, to row `rows[t]` of `table`.
fn scatter(rows: &[u32], from: &[f32], table: &mut [f32], hidden: usize) {
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
        Isa::detect().run(
            #[inline(always)]
            || group.iter().for_each(|&token| add(target, &from[token as usize * hidden..][..hidden])),
        );
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
mod tests;
