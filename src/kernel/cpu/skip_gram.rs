//! Skip-gram with negative sampling: the loss of pairs of words, and its gradients.

use std::ops::Range;

use rayon::prelude::*;

use super::isa::Isa;
use super::math::exp;
use super::pool::Buffer;

/// Independent sums of one product: a vector of 512 bits.
const LANES: usize = 16;
/// Pairs whose losses are added up together, whatever the number of threads.
const PAIRS: usize = 256;
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
    /// The gradient of a multiple of the loss with respect to each product. `[pairs × each]`
    pub products: Buffer<f32>,
}

impl SkipGramPairs<'_> {
    fn each(&self) -> usize {
        self.others.len() / self.centres.len().max(1)
    }

    /// The loss with `vectors` and `context`, both `[words, width]`, and the gradients of `scale` × it by product. On all
    /// threads; no number depends on how many there are.
    #[must_use]
    pub fn loss(&self, vectors: &[f32], context: &[f32], width: usize, scale: f32) -> SkipGramFound {
        let each = self.each();
        let mut products = Buffer::<f32>::take(self.others.len());
        let isa = Isa::detect();
        let parts: Vec<(f64, u64)> = products
            .par_chunks_mut(PAIRS * each.max(1))
            .zip(self.centres.par_chunks(PAIRS))
            .zip(self.others.par_chunks(PAIRS * each.max(1)))
            .map(|((products, centres), others)| {
                isa.run(
                    #[inline(always)]
                    || {
                        let (mut loss, mut right) = (0.0, 0);
                        for ((products, &centre), others) in
                            products.chunks_exact_mut(each).zip(centres).zip(others.chunks_exact(each))
                        {
                            let vector = row(vectors, centre, width);
                            for (product, &other) in products.iter_mut().zip(others) {
                                *product = dot(vector, row(context, other, width));
                            }
                            right += u64::from(products.iter().all(|product| *product <= products[0]));
                            // −log σ(x) = max(−x, 0) + ln(1 + e^−|x|), with one logarithm for all.
                            let (mut linear, mut factors) = (0.0, 1.0);
                            for (at, product) in products.iter_mut().enumerate() {
                                let (x, is_word) = (*product, if at == 0 { 1.0 } else { 0.0 });
                                let e = exp(-x.abs());
                                factors *= f64::from(1.0 + e);
                                linear += f64::from(if at == 0 { -x } else { x }.max(0.0));
                                *product = scale * (if x < 0.0 { e } else { 1.0 } / (1.0 + e) - is_word);
                            }
                            loss += linear + factors.ln();
                        }
                        (loss, right)
                    },
                )
            })
            .collect();
        let (loss, right) = parts.iter().fold((0.0, 0), |(loss, right), part| (loss + part.0, right + part.1));
        SkipGramFound { loss, right, products }
    }

    /// Adds to `into`, zero in all its rows, the gradient of the vectors, by that of the `products`; the rows that it wrote,
    /// ascending.
    pub fn vectors_gradient(&self, products: &[f32], context: &[f32], width: usize, into: &mut [f32]) -> Vec<u32> {
        let each = self.each();
        let by_product = |product: usize| (self.centres[product / each], self.others[product]);
        scatter(products, by_product, context, width, into)
    }

    /// As [`Self::vectors_gradient`], that of the contexts.
    pub fn context_gradient(&self, products: &[f32], vectors: &[f32], width: usize, into: &mut [f32]) -> Vec<u32> {
        let each = self.each();
        let by_product = |product: usize| (self.others[product], self.centres[product / each]);
        scatter(products, by_product, vectors, width, into)
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

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; LANES];
    let (one, other) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = one.remainder().iter().zip(other.remainder());
    for (a, b) in one.zip(other) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum = a.mul_add(*b, *sum);
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(rest) {
        *sum = a.mul_add(*b, *sum);
    }
    sums.iter().sum()
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
        let (centres, others) = (ids(2 * PAIRS + 9), ids((2 * PAIRS + 9) * EACH));
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
        let found = pairs.loss(&of.vectors, &of.context, WIDTH, scale);
        let [mut first, mut second] = [vec![0.0; WORDS * WIDTH], vec![0.0; WORDS * WIDTH]];
        let touched = [
            pairs.vectors_gradient(&found.products, &of.context, WIDTH, &mut first),
            pairs.context_gradient(&found.products, &of.vectors, WIDTH, &mut second),
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
