//! Adam with decoupled weight decay over many parameters, in place and in one pass.
//!
//! For a parameter p with gradient g and moments m, v; s the factor of clipping, c₁ and c₂ the bias
//! corrections (1 without):
//!
//! ```text
//! m ← β1 m + (1 − β1) s g      v ← β2 v + (1 − β2) (s g)²
//! p ← (1 − α λ) p − (α / c₁) m / (√v / √c₂ + ε)
//! ```
//!
//! Where a table's gradient is 0 but for some rows, only these are read; in the others m and v decay, and
//! where they were never anything but 0, p alone. This is the formula with g = 0, not an approximation.

use rayon::prelude::*;

use super::isa::Isa;
use super::tasks::items_of_a_task;

/// Numbers that one task updates: the four arrays fit into a core's second cache.
const CHUNK: usize = 1 << 15;
/// Numbers whose squares are summed in f32, before the sums are in f64.
const SQUARES: usize = 1 << 11;
/// Independent sums of one reduction: a vector of 512 bits.
const LANES: usize = 16;

/// The scalars of a step.
#[derive(Clone, Copy, Debug)]
pub struct Scalars {
    /// s
    pub gradient_scale: f32,
    /// β1 and 1 − β1.
    pub first: [f32; 2],
    /// β2 and 1 − β2.
    pub second: [f32; 2],
    /// α / c₁
    pub rate: f32,
    /// 1 / √c₂
    pub root_scale: f32,
    /// ε
    pub epsilon: f32,
}

/// A gradient.
#[derive(Clone, Copy, Debug)]
pub enum Gradient<'a> {
    /// Any number anywhere.
    Dense(&'a [f32]),
    /// Zeros but for some rows.
    Rows {
        /// `[rows, width]`, the zeros included.
        values: &'a [f32],
        /// Numbers of a row.
        width: usize,
        /// Which rows are not zero, ascending.
        touched: &'a [u32],
        /// For every row whether its moments may be something else than 0; true for those touched.
        live: &'a [bool],
    },
}

/// What is updated: a parameter and its moments, all of one length.
#[derive(Debug)]
pub struct Piece<'a> {
    /// p
    pub parameter: &'a mut [f32],
    /// m
    pub first: &'a mut [f32],
    /// v
    pub second: &'a mut [f32],
    /// g
    pub gradient: Gradient<'a>,
    /// 1 − α λ
    pub kept: f32,
    /// Whether the moments begin now, at 0; what they hold is not read then.
    pub begins: bool,
}

/// √Σ‖g‖² over all gradients.
///
/// The partial sums are of fixed parts and are added in order, so that the result does not depend on the
/// number of threads.
#[must_use]
pub fn norm(gradients: &[Gradient<'_>]) -> f64 {
    let parts: Vec<&[f32]> = gradients
        .iter()
        .flat_map(|gradient| -> Box<dyn Iterator<Item = &[f32]>> {
            match *gradient {
                Gradient::Dense(values) => Box::new(values.chunks(CHUNK)),
                Gradient::Rows { values, width, touched, .. } => {
                    Box::new(touched.iter().map(move |&row| &values[row as usize * width..][..width]))
                }
            }
        })
        .collect();
    let isa = Isa::detect();
    // Many rows are as small as a vector: tasks of several.
    let sums: Vec<f64> = parts
        .par_iter()
        .with_min_len(16)
        .map(|part| {
            isa.run(
                #[inline(always)]
                || squares(part),
            )
        })
        .collect();
    sums.iter().sum::<f64>().sqrt()
}

#[inline(always)]
fn squares(values: &[f32]) -> f64 {
    let mut total = 0.0;
    for block in values.chunks(SQUARES) {
        let mut lanes = [0f32; LANES];
        let vectors = block.chunks_exact(LANES);
        let rest: f32 = vectors.remainder().iter().map(|x| x * x).sum();
        for vector in vectors {
            for (lane, x) in lanes.iter_mut().zip(vector) {
                *lane += x * x;
            }
        }
        total += f64::from(lanes.iter().sum::<f32>() + rest);
    }
    total
}

/// One step on every piece.
pub fn step(pieces: Vec<Piece<'_>>, scalars: &Scalars) {
    let mut tasks = Vec::new();
    for piece in pieces {
        split(piece, &mut tasks);
    }
    let isa = Isa::detect();
    let most = items_of_a_task(tasks.len());
    tasks.into_par_iter().with_max_len(most).for_each(|task| {
        isa.run(
            #[inline(always)]
            || task.run(scalars),
        );
    });
}

/// At most about [`CHUNK`] numbers of a piece.
struct Task<'a> {
    piece: Piece<'a>,
    /// For [`Gradient::Rows`]: the number of the first row.
    first_row: usize,
}

fn split<'a>(piece: Piece<'a>, tasks: &mut Vec<Task<'a>>) {
    let Piece { mut parameter, mut first, mut second, gradient, kept, begins } = piece;
    let length = match gradient {
        Gradient::Dense(_) => CHUNK,
        Gradient::Rows { width, .. } => (CHUNK / width).max(1) * width,
    };
    let mut start = 0;
    while !parameter.is_empty() {
        let here = length.min(parameter.len());
        let [parameters, firsts, seconds] = [parameter, first, second].map(|whole| whole.split_at_mut(here));
        let (gradient, first_row) = part(gradient, start, here);
        let piece = Piece { parameter: parameters.0, first: firsts.0, second: seconds.0, gradient, kept, begins };
        tasks.push(Task { piece, first_row });
        (parameter, first, second) = (parameters.1, firsts.1, seconds.1);
        start += here;
    }
}

/// `length` numbers of a gradient from `start` on, whole rows, and the number of the first row.
fn part(gradient: Gradient<'_>, start: usize, length: usize) -> (Gradient<'_>, usize) {
    match gradient {
        Gradient::Dense(values) => (Gradient::Dense(&values[start..start + length]), 0),
        Gradient::Rows { values, width, touched, live } => {
            let rows = start / width..(start + length) / width;
            let from = touched.partition_point(|&row| (row as usize) < rows.start);
            let to = touched.partition_point(|&row| (row as usize) < rows.end);
            let (values, live) = (&values[start..start + length], &live[rows.clone()]);
            (Gradient::Rows { values, width, touched: &touched[from..to], live }, rows.start)
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn run(self, with: &Scalars) {
        let Piece { parameter, first, second, gradient, kept, begins } = self.piece;
        match gradient {
            Gradient::Dense(gradient) => {
                if begins {
                    first.fill(0.0);
                    second.fill(0.0);
                }
                update(parameter, first, second, gradient, kept, with);
            }
            Gradient::Rows { values, width, mut touched, live } => {
                for (index, &live) in live.iter().enumerate() {
                    let row = index * width..(index + 1) * width;
                    let (parameter, first, second) =
                        (&mut parameter[row.clone()], &mut first[row.clone()], &mut second[row.clone()]);
                    if touched.first().is_some_and(|&next| next as usize == self.first_row + index) {
                        touched = &touched[1..];
                        update(parameter, first, second, &values[row], kept, with);
                    } else if live {
                        coast(parameter, first, second, kept, with);
                    } else if kept < 1.0 {
                        for p in parameter.iter_mut() {
                            *p *= kept;
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn update(parameter: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32], kept: f32, with: &Scalars) {
    for (((p, m), v), g) in parameter.iter_mut().zip(first).zip(second).zip(gradient) {
        let g = g * with.gradient_scale;
        *m = with.first[0] * *m + with.first[1] * g;
        *v = with.second[0] * *v + with.second[1] * (g * g);
        *p = kept * *p - with.rate * (*m / (v.sqrt() * with.root_scale + with.epsilon));
    }
}

/// [`update`] where the gradient is 0.
#[inline(always)]
fn coast(parameter: &mut [f32], first: &mut [f32], second: &mut [f32], kept: f32, with: &Scalars) {
    for ((p, m), v) in parameter.iter_mut().zip(first).zip(second) {
        *m *= with.first[0];
        *v *= with.second[0];
        *p = kept * *p - with.rate * (*m / (v.sqrt() * with.root_scale + with.epsilon));
    }
}

#[cfg(test)]
mod tests;
