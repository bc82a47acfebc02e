//! Skip-gram with negative sampling: the loss of pairs of words, and its gradients.

mod rows;

use std::ops::Range;

use rayon::prelude::*;

use self::rows::{dots, row, scatter};
use super::isa::Isa;
use super::math::exp;
use super::pool::Buffer;

/// Pairs of one word that are taken together at most: their products stay in the first cache with the rows of a window.
const RUN: usize = 16;
/// Runs of pairs whose losses are added up together, whatever the number of threads.
const RUNS: usize = 64;

/// Pairs of words, by the rows of the tables.
#[derive(Clone, Copy, Debug)]
pub struct SkipGramPairs<'a> {
    /// Rows of the vectors. `[pairs]`
    pub centres: &'a [u32],
    /// Rows of the contexts: of the window's word, then of the random ones. `[pairs × each]`
    pub others: &'a [u32],
}

/// What the pairs lose.
#[derive(Debug)]
pub struct SkipGramFound {
    /// Σ −log σ(v·u) − Σ over random words of log σ(−v·u), in nats.
    pub loss: f64,
    /// Pairs whose window's word has the greatest product.
    pub right: u64,
    /// The gradients of a multiple of the loss.
    pub gradients: SkipGramGradients,
}

/// Gradients by product and by run, which is what pairs of one word that follow each other are called; to be added up by row.
#[derive(Debug)]
pub struct SkipGramGradients {
    /// With respect to each product. `[pairs × each]`
    products: Buffer<f32>,
    /// With respect to the vector of each run. `[runs, width]`, or nothing when no gradient was asked for
    vectors: Buffer<f32>,
    /// The row of each run's vector. `[runs]`
    rows: Vec<u32>,
}

/// A run on its way: its pairs, and where its gradients go.
struct Run<'a> {
    pairs: Range<usize>,
    products: &'a mut [f32],
    gradient: &'a mut [f32],
}

impl SkipGramPairs<'_> {
    fn each(&self) -> usize {
        self.others.len() / self.centres.len().max(1)
    }

    /// The loss with `vectors` and `context`, both `[words, width]`, and the gradients of `scale` × it, if that is given. On
    /// all threads; no number depends on how many there are.
    #[must_use]
    pub fn loss(&self, vectors: &[f32], context: &[f32], width: usize, scale: Option<f32>) -> SkipGramFound {
        let runs = self.runs();
        let mut products = Buffer::<f32>::take(self.others.len());
        let mut gradients = Buffer::<f32>::take(if scale.is_some() { runs.len() * width } else { 0 });
        let mut tasks = self.tasks(&runs, &mut products, &mut gradients, if scale.is_some() { width } else { 0 });
        let isa = Isa::detect();
        let parts: Vec<(f64, u64)> = tasks
            .par_chunks_mut(RUNS)
            .map(|runs| {
                isa.run(
                    #[inline(always)]
                    || {
                        let (mut loss, mut right) = (0.0, 0);
                        for run in runs {
                            let found = self.run(run, vectors, context, width, scale.unwrap_or_default());
                            (loss, right) = (loss + found.0, right + found.1);
                        }
                        (loss, right)
                    },
                )
            })
            .collect();
        drop(tasks);
        let (loss, right) = parts.iter().fold((0.0, 0), |(loss, right), part| (loss + part.0, right + part.1));
        let rows = runs.iter().map(|run| self.centres[run.start]).collect();
        SkipGramFound { loss, right, gradients: SkipGramGradients { products, vectors: gradients, rows } }
    }

    /// Pairs of one word that follow each other, at most [`RUN`].
    fn runs(&self) -> Vec<Range<usize>> {
        let of_one_word = self.centres.chunk_by(|a, b| a == b);
        let ends = of_one_word.flat_map(|pairs| pairs.chunks(RUN)).scan(0, |at, pairs| {
            *at += pairs.len();
            Some(*at - pairs.len()..*at)
        });
        ends.collect()
    }

    fn tasks<'a>(
        &self,
        runs: &[Range<usize>],
        mut products: &'a mut [f32],
        mut gradients: &'a mut [f32],
        width: usize,
    ) -> Vec<Run<'a>> {
        let each = self.each();
        let split = runs.iter().map(|pairs| {
            let (own, rest) = std::mem::take(&mut products).split_at_mut(pairs.len() * each);
            let (gradient, others) = std::mem::take(&mut gradients).split_at_mut(width);
            (products, gradients) = (rest, others);
            Run { pairs: pairs.clone(), products: own, gradient }
        });
        split.collect()
    }

    /// Loss and right pairs of a run; its gradients, while the rows that it read are in the first cache.
    #[inline(always)]
    fn run(&self, run: &mut Run<'_>, vectors: &[f32], context: &[f32], width: usize, scale: f32) -> (f64, u64) {
        let each = self.each();
        let others = &self.others[run.pairs.start * each..run.pairs.end * each];
        let vector = row(vectors, self.centres[run.pairs.start], width);
        let products = &mut *run.products;
        dots(products, vector, context, others);
        let (mut words, mut right) = (0.0, 0);
        for products in products.chunks_exact(each) {
            words += products[0];
            right += u64::from(products.iter().all(|product| *product <= products[0]));
        }
        // −log σ(x) = max(−x, 0) + ln(1 + e^−|x|), and max(−x, 0) = max(x, 0) − x; one logarithm for all.
        let (mut linear, mut factors) = (0.0f32, 1.0f64);
        for product in products.iter_mut() {
            let x = *product;
            let e = exp(-x.abs());
            linear += x.max(0.0);
            *product = scale * (if x < 0.0 { e } else { 1.0 } / (1.0 + e));
            factors *= f64::from(1.0 + e);
        }
        for products in products.chunks_exact_mut(each) {
            products[0] -= scale;
        }
        if !run.gradient.is_empty() {
            run.gradient.fill(0.0);
            for (product, &other) in products.iter().zip(others) {
                for (sum, x) in run.gradient.iter_mut().zip(row(context, other, width)) {
                    *sum = x.mul_add(*product, *sum);
                }
            }
        }
        (f64::from(linear - words) + factors.ln(), right)
    }

    /// Adds to `into`, zero in all its rows, the gradient of the vectors; the rows that it wrote, ascending.
    pub fn vectors_gradient(&self, of: &SkipGramGradients, width: usize, into: &mut [f32]) -> Vec<u32> {
        let ones = vec![1.0; of.rows.len()];
        scatter(&ones, |run| (of.rows[run], run as u32), &of.vectors, width, into)
    }

    /// As [`Self::vectors_gradient`], that of the contexts.
    pub fn context_gradient(
        &self,
        of: &SkipGramGradients,
        vectors: &[f32],
        width: usize,
        into: &mut [f32],
    ) -> Vec<u32> {
        let each = self.each();
        let by_product = |product: usize| (self.others[product], self.centres[product / each]);
        scatter(&of.products, by_product, vectors, width, into)
    }
}

#[cfg(test)]
mod tests;
