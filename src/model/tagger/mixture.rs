//! What the tagger reads of a frozen encoder.

use std::ops::Range;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation::softmax};

use crate::model::encoder::{Encoder, PackedInput};
use crate::settings::Layers;

/// A choice of hidden states, and how they become one.
#[derive(Module, Debug)]
pub struct Mixture {
    /// Which hidden states.
    #[module(skip)]
    pub layers: Layers,
    /// What a learnt sum learns; none where the states are taken as they are.
    pub scalars: Option<Scalars>,
}

/// A learnt sum of hidden states, γ Σ softmax(s)ₖ hₖ: the scalar mix of Peters et al. 2018, equation 1.
#[derive(Module, Debug)]
pub struct Scalars {
    /// s, a number for every state, the lowest layer's first: `[states]`.
    pub weights: Param<Tensor<1>>,
    /// γ, `[1]`
    pub gamma: Param<Tensor<1>>,
}

impl Mixture {
    /// The mixture for an encoder with `encoder_layers` layers; a learnt sum starts as the mean. `None` when the
    /// encoder has fewer layers than are read.
    #[must_use]
    pub fn new(layers: Layers, encoder_layers: u32, device: &Device) -> Option<Self> {
        let states = layers.states(encoder_layers)?;
        let scalars = layers.is_sum().then(|| Scalars {
            weights: Param::from_tensor(Tensor::zeros([states.len()], device)),
            gamma: Param::from_tensor(Tensor::ones([1], device)),
        });
        Some(Self { layers, scalars })
    }

    /// The width of [`Mixture::read`] for states of `hidden` numbers.
    #[must_use]
    pub fn width(&self, hidden: usize) -> usize {
        match self.layers {
            Layers::ConcatLastFour => 4 * hidden,
            Layers::Embeddings
            | Layers::Last
            | Layers::SecondToLast
            | Layers::SumLastFour
            | Layers::SumAll
            | Layers::SumWithEmbeddings => hidden,
        }
    }

    /// The features of a batch, `[tokens, width]`, by `encoder` as it is: without dropout, and with no gradient to
    /// it. Layers above the last one that is read do not run.
    #[must_use]
    pub fn read(&self, encoder: &dyn Encoder, input: &PackedInput) -> Tensor<2> {
        let Range { start, end } = self.layers.states(encoder.depth() as u32).unwrap_or_default();
        let mut state = encoder.embed(input, None).detach();
        let mut read = Vec::with_capacity((end - start) as usize);
        for index in 0..end {
            if index > 0 {
                state = encoder.layer(index as usize - 1, state, &input.packing, None).detach();
            }
            if index >= start {
                read.push(state.clone());
            }
        }
        self.mix(read)
    }

    /// The states that were chosen, `[tokens, hidden]` each and the lowest layer's first, as one:
    /// `[tokens, width]`.
    #[must_use]
    pub fn mix(&self, states: Vec<Tensor<2>>) -> Tensor<2> {
        match &self.scalars {
            Some(scalars) => scalars.sum(states),
            None => Tensor::cat(states, 1),
        }
    }
}

impl Scalars {
    pub(in crate::model) fn sum(&self, states: Vec<Tensor<2>>) -> Tensor<2> {
        let (count, [tokens, hidden]) = (states.len(), states[0].dims());
        let states: Tensor<3> = Tensor::stack(states, 0);
        let weights = softmax(self.weights.val(), 0) * self.gamma.val();
        weights.reshape([1, count]).matmul(states.reshape([count, tokens * hidden])).reshape([tokens, hidden])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::kernel::comparison::numbers;
    use crate::model::random_classifier;
    use crate::store::{Architecture, example};

    const DEEP: Architecture = example::small_bert(5, 8);

    #[test]
    fn the_states_that_are_named_are_read() {
        let device = Device::flex();
        let bert = random_classifier(&DEEP, 2, 1, &device).encoder;
        let input = PackedInput::new(&[3, 5, 7, 4, 6], &[0, 1, 2, 0, 1], &[0; 5], &[0, 3, 5], &device);
        let states = bert.hidden_states(&input, None);
        let mixture = |layers| Mixture::new(layers, DEEP.layers, &device).unwrap();
        let read = |layers| numbers(mixture(layers).read(&*bert, &input));
        assert_eq!(read(Layers::Embeddings), numbers(states[0].clone()));
        assert_eq!(read(Layers::Last), numbers(states[5].clone()));
        assert_eq!(read(Layers::SecondToLast), numbers(states[4].clone()));
        assert_eq!(read(Layers::ConcatLastFour), numbers(Tensor::cat(states[2..].to_vec(), 1)));
        assert_eq!(mixture(Layers::ConcatLastFour).width(8), 32);
        // At first the means; those of all layers leave the embeddings out, one with the embeddings does not.
        for (layers, from) in [(Layers::SumLastFour, 2), (Layers::SumAll, 1), (Layers::SumWithEmbeddings, 0)] {
            let mean = states[from..].iter().cloned().reduce(|a, b| a + b).unwrap() / (6 - from) as f64;
            for (found, expected) in read(layers).iter().zip(numbers(mean)) {
                assert!((found - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
    }

    #[test]
    fn an_encoder_with_too_few_layers_is_refused() {
        let device = Device::flex();
        for layers in [Layers::ConcatLastFour, Layers::SumLastFour] {
            assert!(Mixture::new(layers, 3, &device).is_none() && Mixture::new(layers, 4, &device).is_some());
        }
    }

    /// By hand: softmax(0, ln 3) = ¼, ¾.
    #[test]
    fn a_sum_is_scaled_by_gamma_and_both_learn() {
        let device = Device::flex().autodiff();
        let tensor = |numbers: Vec<f32>| Tensor::<1>::from_data(TensorData::new(numbers, [2]), &device);
        let scalars = Scalars {
            weights: Param::from_tensor(tensor(vec![0.0, 3f32.ln()])),
            gamma: Param::from_tensor(Tensor::full([1], 2.0, &device)),
        };
        let states = [vec![4.0, 8.0], vec![12.0, -4.0]].map(|row| tensor(row).reshape([1, 2]));
        let sum = scalars.sum(states.to_vec());
        let gradients = sum.clone().sum().backward();
        for (found, expected) in numbers(sum.inner()).iter().zip([20.0, -2.0]) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
        // Σ over the outputs of Σₖ pₖ hₖ is 9, and Σh is 12 and 8: dγ = 9, dsₖ = γ pₖ (Σhₖ − 9).
        let of = |parameter: &Param<Tensor<1>>| numbers(parameter.val().grad(&gradients).unwrap());
        for (found, expected) in of(&scalars.gamma).iter().chain(&of(&scalars.weights)).zip([9.0, 1.5, -1.5]) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}
