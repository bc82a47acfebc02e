//! How a pass goes backward.

use burn::tensor::Tensor;

use super::optimizer::FlatGradients;
use super::tape::Graph;

/// How a pass goes backward.
#[derive(Clone, Debug)]
pub(super) struct Backward {
    /// What is kept for it.
    pub(super) graph: Graph,
    /// What the loss is multiplied by before, `[1]`, without autodiff; nothing where losses are not scaled.
    pub(super) loss_scale: Option<Tensor<1>>,
}

impl From<Graph> for Backward {
    /// Of the loss itself.
    fn from(graph: Graph) -> Self {
        Self { graph, loss_scale: None }
    }
}

impl Backward {
    /// `loss`, `[1]` with autodiff, times the scale.
    pub(super) fn scaled_loss(&self, loss: Tensor<1>) -> Tensor<1> {
        match &self.loss_scale {
            Some(scale) => loss * Tensor::from_inner(scale.clone()),
            None => loss,
        }
    }

    /// A gradient of the loss itself, flattened and without autodiff, times the scale.
    pub(super) fn scaled(&self, gradient: Tensor<1>) -> Tensor<1> {
        match &self.loss_scale {
            Some(scale) => gradient * scale.clone(),
            None => gradient,
        }
    }

    /// As [`Self::scaled`], of each.
    pub(super) fn all_scaled(&self, gradients: FlatGradients) -> FlatGradients {
        gradients.into_iter().map(|gradient| gradient.map(|gradient| self.scaled(gradient))).collect()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_scale_multiplies_losses_and_gradients() {
        let device = Device::flex();
        let scale = Tensor::<1>::from_floats([8.0], &device);
        let backward = Backward { loss_scale: Some(scale), ..Graph::Whole.into() };
        let x = Tensor::<1>::from_floats([3.0], &device.clone().autodiff()).require_grad();
        let loss = backward.scaled_loss(x.clone() * 2.0);
        let gradient = x.grad(&loss.backward()).unwrap();
        let number = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(number(gradient.clone()), [16.0]);
        let all = backward.all_scaled(vec![None, Some(gradient)]);
        assert!(all[0].is_none());
        assert_eq!(number(all[1].clone().unwrap()), [128.0]);
    }
}
