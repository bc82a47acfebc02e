//! Layer norm, forward and backward, and sums over the rows of a matrix.
//!
//! Sums along a row are made in [`LANES`] parts that are added in a fixed order, and sums over rows in chunks of
//! a few rows that are added in order: neither instructions nor threads change a bit of them.

mod columns;

pub use self::columns::{BatchRows, column_sums, column_sums_at};
use self::columns::{column_sums_of, for_chunks};
use super::element::Element;
use super::gemm::Cells;
use super::isa::Isa;
use super::mask::Site;

/// Parts of a sum along a row. Fewer would be enough for the registers, but short loops are unrolled before they
/// can be vectorised, and end up with one number in each register.
const LANES: usize = 128;

/// Σ f(a, b) over the elements of two rows of one length.
#[inline(always)]
fn sum(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += f(a[lane], b[lane]);
        }
    }
    for (lane, (&a, &b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += f(a, b);
    }
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            *low += *high;
        }
        width /= 2;
    }
    lanes[0]
}

/// Layer norm of one row: `z` becomes x̂ = (z − mean)/√(variance + ε), `y` γ x̂ + β; returns 1/√(variance + ε).
#[inline(always)]
pub fn normalize_row(z: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32, y: &mut [f32]) -> f32 {
    let width = z.len();
    let mean = sum(z, z, |z, _| z) / width as f32;
    let variance = sum(z, z, |z, _| (z - mean) * (z - mean)) / width as f32;
    let rstd = 1.0 / (variance + epsilon).sqrt();
    let (gamma, beta, y) = (&gamma[..width], &beta[..width], &mut y[..width]);
    for i in 0..width {
        z[i] = (z[i] - mean) * rstd;
        y[i] = z[i] * gamma[i] + beta[i];
    }
    rstd
}

/// The gradient of [`normalize_row`]: `dy` becomes dz = `rstd` (g − mean(g) − x̂ mean(g x̂)) with g = γ dy.
/// dy x̂ is added to `dgamma`, dy to `dbeta`.
#[inline(always)]
pub fn normalize_row_backward(
    dy: &mut [f32],
    normed: &[f32],
    rstd: f32,
    gamma: &[f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let width = dy.len();
    let (normed, gamma, dgamma, dbeta) = (&normed[..width], &gamma[..width], &mut dgamma[..width], &mut dbeta[..width]);
    for i in 0..width {
        dgamma[i] += dy[i] * normed[i];
        dbeta[i] += dy[i];
        dy[i] *= gamma[i];
    }
    let mean = sum(dy, dy, |g, _| g) / width as f32;
    let along = sum(dy, normed, |g, x| g * x) / width as f32;
    for i in 0..width {
        dy[i] = rstd * (dy[i] - mean - normed[i] * along);
    }
}

/// LayerNorm(dropout(x + bias) + residual) over rows `[tokens, width]`.
#[derive(Clone, Copy, Debug)]
pub struct ResidualNorm<'a> {
    /// Added to x, `[width]`.
    pub bias: &'a [f32],
    /// Scale, `[width]`.
    pub gamma: &'a [f32],
    /// Shift, `[width]`.
    pub beta: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
    /// The mask, whose row is the token.
    pub dropout: Option<Site>,
    /// The tokens.
    pub rows: BatchRows<'a>,
}

/// The gradients of the parameters of [`ResidualNorm`], `[width]` each.
#[derive(Debug)]
pub struct ResidualNormGradients<'a> {
    /// Of the bias.
    pub bias: &'a mut [f32],
    /// Of γ.
    pub gamma: &'a mut [f32],
    /// Of β.
    pub beta: &'a mut [f32],
}

impl ResidualNorm<'_> {
    /// `x` becomes x̂, the normalized rows; `y` the result, and so `copy` in another format if wanted;
    /// `rstd` `[tokens]` 1/√(variance + ε).
    pub fn forward<E: Element>(
        &self,
        x: &mut [f32],
        residual: &[f32],
        y: &mut [f32],
        copy: Option<&mut [E]>,
        rstd: &mut [f32],
    ) {
        let width = self.gamma.len();
        assert!(x.len() == rstd.len() * width && residual.len() == x.len() && y.len() == x.len(), "rows of one width");
        assert!(self.rows.count() == rstd.len(), "a row for each token");
        let (tokens, isa) = (rstd.len(), Isa::detect());
        let (x, y, copy, rstd) = (Cells::new(x), Cells::new(y), copy.map(Cells::new), Cells::new(rstd));
        for_chunks(tokens, |from, rows| {
            // SAFETY: chunks of rows do not overlap.
            let (x, y, rstd) = unsafe {
                (x.part(from * width, rows * width), y.part(from * width, rows * width), rstd.part(from, rows))
            };
            // SAFETY: as above.
            let mut copy = copy.as_ref().map(|copy| unsafe { copy.part(from * width, rows * width) });
            let residual = &residual[from * width..][..rows * width];
            self.each_row(from, rows, |row, draws| {
                let at = row * width..(row + 1) * width;
                let (z, y, residual) = (&mut x[at.clone()], &mut y[at.clone()], &residual[at.clone()]);
                let copy = copy.as_mut().map(|copy| &mut copy[at]);
                isa.run(
                    #[inline(always)]
                    || {
                        self.add(z, residual, draws);
                        rstd[row] = normalize_row(z, self.gamma, self.beta, self.epsilon, y);
                        if let Some(copy) = copy {
                            convert(y, copy);
                        }
                    },
                );
            });
        });
    }

    /// `z` becomes dropout(z + bias) + residual.
    #[inline(always)]
    fn add(&self, z: &mut [f32], residual: &[f32], draws: Option<(Site, &[u16])>) {
        let sums = z.iter_mut().zip(self.bias).zip(residual);
        match draws {
            None => {
                for ((z, &bias), &residual) in sums {
                    *z = *z + bias + residual;
                }
            }
            Some((site, draws)) => {
                for (((z, &bias), &residual), &draw) in sums.zip(draws) {
                    *z = (*z + bias) * site.factor(draw) + residual;
                }
            }
        }
    }

    /// `dy` becomes the gradient of the residual; `dx` is that of x where dropout or the format makes it another.
    /// `normed` is x̂ and `rstd` what [`ResidualNorm::forward`] left.
    pub fn backward<E: Element>(
        &self,
        dy: &mut [f32],
        normed: &[f32],
        rstd: &[f32],
        dx: Option<&mut [E]>,
        gradients: ResidualNormGradients<'_>,
    ) {
        let (tokens, width, isa) = (self.rows.count(), self.gamma.len(), Isa::detect());
        assert!(rstd.len() == tokens && dy.len() == tokens * width && normed.len() == dy.len(), "rows of one width");
        let (dy, dx) = (Cells::new(dy), dx.map(Cells::new));
        let totals = [gradients.bias, gradients.gamma, gradients.beta];
        column_sums_of(totals, self.rows, |from, rows, [dbias, dgamma, dbeta]| {
            // SAFETY: chunks of rows do not overlap.
            let dy = unsafe { dy.part(from * width, rows * width) };
            // SAFETY: as above.
            let mut dx = dx.as_ref().map(|dx| unsafe { dx.part(from * width, rows * width) });
            let (normed, rstd) = (&normed[from * width..][..rows * width], &rstd[from..][..rows]);
            self.each_row(from, rows, |row, draws| {
                let at = row * width..(row + 1) * width;
                let (dz, normed) = (&mut dy[at.clone()], &normed[at.clone()]);
                let dx = dx.as_mut().map(|dx| &mut dx[at]);
                isa.run(
                    #[inline(always)]
                    || {
                        normalize_row_backward(dz, normed, rstd[row], self.gamma, dgamma, dbeta);
                        pass_dropout(dz, draws, dx, dbias);
                    },
                );
            });
        });
    }

    /// Calls `work` with each of `rows` rows, from 0, and its draws; row 0 is that of number `from` at hand.
    fn each_row(&self, from: usize, rows: usize, mut work: impl FnMut(usize, Option<(Site, &[u16])>)) {
        match (self.dropout, self.rows) {
            (None, _) => (0..rows).for_each(|row| work(row, None)),
            (Some(site), BatchRows::All(_)) => {
                let mut row = 0;
                site.each_row(from, self.gamma.len(), rows, |draws| {
                    work(row, Some((site, draws)));
                    row += 1;
                });
            }
            (Some(site), BatchRows::Some { rows: tokens, .. }) => {
                for (row, &token) in tokens[from..from + rows].iter().enumerate() {
                    site.each_row(token as usize, self.gamma.len(), 1, |draws| work(row, Some((site, draws))));
                }
            }
        }
    }
}

/// dx = dropout(dz), also added to `dbias`.
#[inline(always)]
fn pass_dropout<E: Element>(dz: &[f32], draws: Option<(Site, &[u16])>, dx: Option<&mut [E]>, dbias: &mut [f32]) {
    let sums = dbias.iter_mut().zip(dz);
    match (draws, dx) {
        (None, None) => {
            for (sum, &dz) in sums {
                *sum += dz;
            }
        }
        (None, Some(dx)) => {
            for ((sum, &dz), dx) in sums.zip(dx) {
                *dx = E::from_f32(dz);
                *sum += dz;
            }
        }
        (Some((site, draws)), None) => {
            for ((sum, &dz), &draw) in sums.zip(draws) {
                *sum += dz * site.factor(draw);
            }
        }
        (Some((site, draws)), Some(dx)) => {
            for (((sum, &dz), &draw), dx) in sums.zip(draws).zip(dx) {
                let x = dz * site.factor(draw);
                *dx = E::from_f32(x);
                *sum += x;
            }
        }
    }
}

#[inline(always)]
fn convert<E: Element>(from: &[f32], to: &mut [E]) {
    for (to, &x) in to.iter_mut().zip(from) {
        *to = E::from_f32(x);
    }
}

#[cfg(test)]
mod tests;
