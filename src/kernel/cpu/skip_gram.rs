//! Skip-gram with negative sampling: the loss of pairs of words, and its gradients.

use std::ops::Range;

use rayon::prelude::*;

use super::isa::Isa;
use super::math::exp;
use super::pool::Buffer;

/// Independent sums of one product: a vector of 512 bits.
const LANES: usize = 16;
/// A vector of 128 bits.
const QUARTER: usize = 4;
/// Products whose sums are kept apart at a time.
const TOGETHER: usize = 8;
/// Pairs of one word that are taken together at most: their products stay in the first cache with the rows of a window.
const RUN: usize = 16;
/// Runs of pairs whose losses are added up together, whatever the number of threads.
const RUNS: usize = 64;
/// Rows that a thread takes at least.
const ROWS: usize = 16;

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

/// Row `to` of `into` gets Σ product × row `from` of `table` over the products whose rows `(to, from)` `rows` gives, in their
/// order. A row is one thread's, so that their number changes no sum.
fn scatter(
    products: &[f32],
    rows: impl Fn(usize) -> (u32, u32) + Sync,
    table: &[f32],
    width: usize,
    into: &mut [f32],
) -> Vec<u32> {
    // Sorted by row: how many products each has, then where they begin.
    let mut ends = vec![0u32; into.len() / width.max(1) + 1];
    for product in 0..products.len() {
        ends[rows(product).0 as usize + 1] += 1;
    }
    let touched: Vec<u32> = (0..).zip(&ends[1..]).filter(|(_, count)| **count > 0).map(|(row, _)| row).collect();
    for row in 1..ends.len() {
        ends[row] += ends[row - 1];
    }
    let starts = ends.clone();
    let mut order = vec![0u32; products.len()];
    for product in 0..products.len() {
        let next = &mut ends[rows(product).0 as usize];
        order[*next as usize] = product as u32;
        *next += 1;
    }
    let mut tasks: Vec<(&mut [f32], Range<usize>)> = Vec::with_capacity(touched.len());
    let (mut rest, mut before) = (into, 0);
    for &row in &touched {
        let (_, from) = rest.split_at_mut((row as usize - before) * width);
        let (own, after) = from.split_at_mut(width);
        tasks.push((own, starts[row as usize] as usize..starts[row as usize + 1] as usize));
        (rest, before) = (after, row as usize + 1);
    }
    let isa = Isa::detect();
    tasks.into_par_iter().with_min_len(ROWS).for_each(|(own, range)| {
        isa.run(
            #[inline(always)]
            || {
                for &product in &order[range] {
                    let factor = products[product as usize];
                    let from = row(table, rows(product as usize).1, width);
                    for (sum, x) in own.iter_mut().zip(from) {
                        *sum = x.mul_add(factor, *sum);
                    }
                }
            },
        );
    });
    touched
}

#[inline(always)]
fn row(table: &[f32], row: u32, width: usize) -> &[f32] {
    &table[row as usize * width..][..width]
}

/// The products of `vector` with the rows `others` of `table`.
#[inline(always)]
fn dots(products: &mut [f32], vector: &[f32], table: &[f32], others: &[u32]) {
    // By way of memory: sums that the compiler may keep in registers until they are added up, it makes two at a time.
    let mut parts = [[0f32; LANES]; TOGETHER];
    for (products, others) in products.chunks_mut(TOGETHER).zip(others.chunks(TOGETHER)) {
        for (parts, &other) in parts.iter_mut().zip(others) {
            parts_of_product(parts, vector, row(table, other, vector.len()));
        }
        for (product, parts) in products.iter_mut().zip(&parts) {
            *product = sum(parts);
        }
    }
}

/// A product in as many parts as a vector has; the rest of the row, in quarters, goes into the first ones.
#[inline(always)]
fn parts_of_product(parts: &mut [f32; LANES], a: &[f32], b: &[f32]) {
    let (one, other) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (rest, other_rest) = (one.remainder(), other.remainder());
    let mut sums = [0f32; LANES];
    for (a, b) in one.zip(other) {
        for at in 0..LANES {
            sums[at] = a[at].mul_add(b[at], sums[at]);
        }
    }
    *parts = sums;
    let (four, other_four) = (rest.chunks_exact(QUARTER), other_rest.chunks_exact(QUARTER));
    let last = four.remainder().iter().zip(other_four.remainder());
    for (a, b) in four.zip(other_four) {
        for at in 0..QUARTER {
            parts[at] = a[at].mul_add(b[at], parts[at]);
        }
    }
    for (part, (a, b)) in parts.iter_mut().zip(last) {
        *part = a.mul_add(*b, *part);
    }
}

/// In halves, as vectors are added.
#[inline(always)]
fn sum(parts: &[f32; LANES]) -> f32 {
    let (mut eight, mut four) = ([0f32; 8], [0f32; QUARTER]);
    for at in 0..8 {
        eight[at] = parts[at] + parts[at + 8];
    }
    for at in 0..QUARTER {
        four[at] = eight[at] + eight[at + QUARTER];
    }
    (four[0] + four[2]) + (four[1] + four[3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
    use crate::random::Stream;

    const WIDTH: usize = 21;
    const WORDS: usize = 40;
    const EACH: usize = 6;

    struct Drawn {
        centres: Vec<u32>,
        others: Vec<u32>,
        vectors: Vec<f32>,
        context: Vec<f32>,
    }

    /// More pairs than are added up together, some words more often than others.
    fn drawn() -> Drawn {
        let draws = &mut Stream::new(3, "skip-gram").at(0);
        let mut ids = |count: usize| -> Vec<u32> {
            (0..count).map(|_| draws.below(WORDS - 3).min(draws.below(WORDS - 3)) as u32).collect()
        };
        let (centres, others) = (ids(2 * RUN * RUNS + 9), ids((2 * RUN * RUNS + 9) * EACH));
        let mut table = || (0..WORDS * WIDTH).map(|_| 0.3 * draws.normal() as f32).collect();
        let (vectors, context) = (table(), table());
        Drawn { centres, others, vectors, context }
    }

    fn loss_in_f64(of: &Drawn, numbers: &[f64]) -> f64 {
        let (vectors, context) = numbers.split_at(WORDS * WIDTH);
        let row = |table: &[f64], row: u32| table[row as usize * WIDTH..][..WIDTH].to_vec();
        let mut loss = 0.0;
        for (centre, others) in of.centres.iter().zip(of.others.chunks(EACH)) {
            for (at, other) in others.iter().enumerate() {
                let product: f64 = row(vectors, *centre).iter().zip(row(context, *other)).map(|(a, b)| a * b).sum();
                let x = if at == 0 { -product } else { product };
                loss += x.exp().ln_1p();
            }
        }
        loss
    }

    fn gradients(of: &Drawn, scale: f32) -> (SkipGramFound, [Vec<f32>; 2], [Vec<u32>; 2]) {
        let pairs = SkipGramPairs { centres: &of.centres, others: &of.others };
        let found = pairs.loss(&of.vectors, &of.context, WIDTH, Some(scale));
        let [mut first, mut second] = [vec![0.0; WORDS * WIDTH], vec![0.0; WORDS * WIDTH]];
        let touched = [
            pairs.vectors_gradient(&found.gradients, WIDTH, &mut first),
            pairs.context_gradient(&found.gradients, &of.vectors, WIDTH, &mut second),
        ];
        (found, [first, second], touched)
    }

    #[test]
    fn the_loss_is_that_in_f64_and_gradients_are_its_finite_differences() {
        with_every_isa(|_| {
            let of = drawn();
            let mut numbers: Vec<f64> = of.vectors.iter().chain(&of.context).map(|&x| f64::from(x)).collect();
            let (found, gradients, touched) = gradients(&of, 1.0);
            assert!((found.loss / loss_in_f64(&of, &numbers) - 1.0).abs() < 1e-6);
            let flat: Vec<f32> = gradients.concat();
            for at in (0..numbers.len()).step_by(7) {
                let here = numbers[at];
                let mut beside = |step: f64| {
                    numbers[at] = here + step;
                    loss_in_f64(&of, &numbers)
                };
                let difference = (beside(1e-4) - beside(-1e-4)) / 2e-4;
                numbers[at] = here;
                assert!((f64::from(flat[at]) - difference).abs() < 1e-4, "{at}: {} {difference}", flat[at]);
            }
            for (touched, ids) in touched.iter().zip([&of.centres, &of.others]) {
                assert!(touched.is_sorted() && touched.len() < WORDS, "some rows are nobody's");
                assert!((0..WORDS as u32).all(|row| touched.contains(&row) == ids.contains(&row)));
            }
        });
    }

    #[test]
    fn no_bit_depends_on_the_number_of_threads() {
        let of = drawn();
        let on = |threads| {
            let (found, gradients, _) = pool(threads).install(|| gradients(&of, 0.1));
            let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            (found.loss.to_bits(), found.right, gradients.map(|gradient| bits(&gradient)))
        };
        assert!(on(1) == on(2) && on(1) == on(5));
    }
}
