//! Skip-gram on burn tensors.

use burn::backend::Flex;
use burn::tensor::{Shape, Tensor};

use super::memory::{numbers, primitive};
use super::sparse::Zeros;
use crate::kernel::SkipGramLoss;
use crate::kernel::cpu::SkipGramPairs;

/// See [`skip_gram_loss`](crate::kernel::skip_gram_loss); tensors on `flex`, and gradients of which few rows are not zero.
pub(in crate::kernel) fn skip_gram_loss(
    vectors: &Tensor<2>,
    context: &Tensor<2>,
    pairs: SkipGramPairs<'_>,
    scale: Option<f32>,
) -> SkipGramLoss {
    let [words, width] = vectors.dims();
    let [vectors, context] = [vectors, context].map(|tensor| primitive(tensor.clone()));
    let (vectors, context) = (numbers(&vectors), numbers(&context));
    let found = pairs.loss(vectors, context, width, scale);
    let gradients = scale.map(|_| {
        let [mut first, mut second] = [Zeros::take(words * width), Zeros::take(words * width)];
        let touched = [
            pairs.vectors_gradient(&found.gradients, width, first.numbers()),
            pairs.context_gradient(&found.gradients, vectors, width, second.numbers()),
        ];
        let [of_vectors, of_context] = touched;
        [(first, of_vectors), (second, of_context)].map(|(zeros, touched)| {
            Tensor::from_primitive::<Flex>(zeros.into_tensor(touched, Shape::new([words, width])))
        })
    });
    SkipGramLoss { loss: found.loss, right: found.right, gradients }
}
