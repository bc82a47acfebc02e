//! Skip-gram with negative sampling (Mikolov et al. 2013): products of few rows of two large tables.

use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{IndexingUpdateOp, Tensor, TensorData};

use super::cpu::SkipGramPairs;
use super::fused;
use super::indices;

/// What pairs of words lose.
#[derive(Debug)]
pub struct SkipGramLoss {
    /// Σ −log σ(v·u) − Σ over random words of log σ(−v·u), in nats.
    pub loss: f64,
    /// Pairs whose window's word has the greatest product.
    pub right: u64,
    /// The gradients with respect to the vectors and to the contexts, when they were asked for. `[words, width]`
    pub gradients: Option<[Tensor<2>; 2]>,
}

/// The loss of `pairs` with `vectors` v and `context` u `[words, width]`, both without autodiff; with the gradients of its sum
/// divided by `mean_over`, if that is given.
#[must_use]
pub fn skip_gram_loss(
    vectors: &Tensor<2>,
    context: &Tensor<2>,
    pairs: SkipGramPairs<'_>,
    mean_over: Option<usize>,
) -> SkipGramLoss {
    let scale = mean_over.map(|whole| 1.0 / whole.max(1) as f32);
    if fused::is_cpu(&vectors.device()) {
        return fused::skip_gram_loss(vectors, context, pairs, scale);
    }
    composed(vectors, context, pairs, scale)
}

/// [`skip_gram_loss`] of burn's own operations.
fn composed(
    vectors: &Tensor<2>,
    context: &Tensor<2>,
    SkipGramPairs { centres, others }: SkipGramPairs<'_>,
    scale: Option<f32>,
) -> SkipGramLoss {
    let (device, [_, width], count) = (vectors.device(), vectors.dims(), centres.len());
    if count == 0 {
        let zeros = || [vectors.zeros_like(), context.zeros_like()];
        return SkipGramLoss { loss: 0.0, right: 0, gradients: scale.map(|_| zeros()) };
    }
    let each = others.len() / count;
    let [centre_rows, other_rows] = [centres, others].map(|ids| indices(ids.iter().copied(), &device));
    let from: Tensor<3> = vectors.clone().select(0, centre_rows.clone()).reshape([count, 1, width]);
    let to: Tensor<3> = context.clone().select(0, other_rows.clone()).reshape([count, each, width]);
    let products: Tensor<2> = (to.clone() * from.clone()).sum_dim(2).reshape([count, each]);
    let mut is_word = vec![0f32; each];
    is_word[0] = 1.0;
    let is_word = Tensor::<2>::from_data(TensorData::new(is_word, [1, each]), &device);
    let best = products.clone().argmax(1).into_data();
    let right = best.iter::<i64>().filter(|best| *best == 0).count() as u64;
    let signs = is_word.clone().mul_scalar(2.0).sub_scalar(1.0);
    let loss = f64::from(log_sigmoid(products.clone() * signs).sum().neg().into_scalar::<f32>());
    let gradients = scale.map(|scale| {
        let arriving: Tensor<3> = (sigmoid(products) - is_word).mul_scalar(scale).reshape([count, each, 1]);
        let of_centres = (to * arriving.clone()).sum_dim(1).reshape([count, width]);
        let of_others = (arriving * from).reshape([count * each, width]);
        let add = IndexingUpdateOp::Add;
        [
            vectors.zeros_like().select_assign(0, centre_rows, of_centres, add),
            context.zeros_like().select_assign(0, other_rows, of_others, add),
        ]
    });
    SkipGramLoss { loss, right, gradients }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::kernel::comparison::{assert_close, leaf, numbers, random_rows};
    use crate::kernel::cpu::isa::forced::with_every_isa;

    /// More pairs than are added up together; some rows are nobody's.
    #[test]
    fn the_fused_operation_equals_the_composed_one() {
        with_every_isa(|_| {
            let [vectors, context] = [1, 2].map(|seed| leaf::<2>([50, 21], seed, &Device::flex()));
            let (centres, others) = (random_rows(2100, 48), random_rows(2100 * 6, 47));
            let [v, u] = [&vectors, &context].map(|table| numbers(table.clone()));
            let product = |at: usize| -> f64 {
                let (v, u) = (&v[centres[at / 6] as usize * 21..][..21], &u[others[at] as usize * 21..][..21]);
                v.iter().zip(u).map(|(v, u)| f64::from(*v) * f64::from(*u)).sum()
            };
            let signed = |at: usize| if at.is_multiple_of(6) { -product(at) } else { product(at) };
            let exact: f64 = (0..others.len()).map(|at| signed(at).exp().ln_1p()).sum();
            let pairs = SkipGramPairs { centres: &centres, others: &others };
            let ours = skip_gram_loss(&vectors, &context, pairs, Some(2100));
            let expected = composed(&vectors, &context, pairs, Some(1.0 / 2100.0));
            assert!((expected.loss / exact - 1.0).abs() < 1e-5, "{} {exact}", expected.loss);
            assert!((ours.loss / exact - 1.0).abs() < 1e-6, "{} {exact}", ours.loss);
            assert_eq!(ours.right, expected.right);
            let [ours, expected] = [ours, expected].map(|found| found.gradients.unwrap().map(numbers));
            assert_close(&ours, &expected, 1e-5);
            assert!(skip_gram_loss(&vectors, &context, pairs, None).gradients.is_none());
        });
    }
}
