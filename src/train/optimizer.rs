//! `AdamW` or BERT's own Adam over all parameters of a module, with global-norm clipping.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

use crate::kernel::{self, Adam, AdamRule, Clipping, Deferred, LossScale, Moments, StepNorm, Trained};
use crate::settings;
use crate::store::Optimization;

/// Gradients of a module's parameters in its visiting order, flattened; `None` where none flowed.
pub(super) type FlatGradients = Vec<Option<Tensor<1>>>;

/// The optimizer's state. Moments follow the module's visiting order.
#[derive(Debug)]
pub(super) struct Optimizer {
    pub(super) moments: Vec<Option<Moments<1>>>,
    /// Steps taken, or skipped because of an overflow.
    pub(super) step: u64,
    /// Where losses are scaled.
    pub(super) loss_scale: Option<LossScale>,
}

impl Optimizer {
    pub(super) fn new() -> Self {
        Self { moments: Vec::new(), step: 0, loss_scale: None }
    }

    /// What the loss of the next step on `device` is to be multiplied by, if `precision` needs that.
    pub(super) fn loss_factor(&mut self, precision: settings::Precision, device: &Device) -> Option<Tensor<1>> {
        let is_scaled = precision == settings::Precision::F16;
        is_scaled.then(|| self.loss_scale.get_or_insert_with(|| LossScale::new(device)).factor())
    }

    /// One step on every parameter that has a gradient: of the loss, times [`Self::loss_factor`] if there is one. Returns
    /// the module and the gradients' global norm before clipping.
    pub(super) fn step<M: Module>(
        &mut self,
        module: M,
        gradients: FlatGradients,
        learning_rate: f64,
        of: &Optimization,
    ) -> (M, Deferred<StepNorm>) {
        self.step += 1;
        self.moments.resize(gradients.len(), None);
        let with = Adam {
            learning_rate,
            beta1: of.adam_beta1,
            beta2: of.adam_beta2,
            epsilon: of.adam_epsilon,
            weight_decay: of.weight_decay,
            gradient_scale: 1.0,
        };
        let rule = match of.optimizer {
            settings::Optimizer::AdamW {} => AdamRule::AdamW { step: self.step },
            settings::Optimizer::BertAdam {} => AdamRule::BertAdam,
        };
        let has_gradient: Vec<bool> = gradients.iter().map(Option::is_some).collect();
        let mut out = TakeOut { gradients: gradients.into_iter(), moments: self.moments.iter_mut(), taken: Vec::new() };
        let module = module.map(&mut out);
        let clipping = clipping(of.optimizer, of.max_grad_norm);
        let (updated, norm) = kernel::clipped_adam_step(out.taken, rule, &with, clipping, self.loss_scale.as_mut());
        let mut back = PutBack {
            has_gradient: has_gradient.into_iter(),
            updated: updated.into_iter(),
            moments: self.moments.iter_mut(),
        };
        (module.map(&mut back), norm)
    }
}

/// Brings the global norm down to `max_grad_norm`.
fn clipping(optimizer: settings::Optimizer, max_grad_norm: f64) -> Clipping {
    let added = match optimizer {
        // PyTorch's clip_grad_norm_.
        settings::Optimizer::AdamW {} => 1e-6,
        // TensorFlow's clip_by_global_norm.
        settings::Optimizer::BertAdam {} => 0.0,
    };
    Clipping { max_norm: max_grad_norm, added }
}

/// The gradients of `module`, taken out of `from`.
pub(super) fn take<M: Module>(module: &M, from: &mut Gradients) -> FlatGradients {
    let mut collect = Collect { from, into: Vec::new() };
    module.visit(&mut collect);
    collect.into
}

/// `gradients` × `weight`.
pub(super) fn weighted(gradients: FlatGradients, weight: f64) -> FlatGradients {
    let times = |gradient: Tensor<1>| if weight < 1.0 { gradient.mul_scalar(weight) } else { gradient };
    gradients.into_iter().map(|gradient| gradient.map(times)).collect()
}

/// Adds `more` × `weight` to `sum`.
pub(super) fn accumulate(sum: Option<FlatGradients>, more: FlatGradients, weight: f64) -> FlatGradients {
    let more = weighted(more, weight);
    match sum {
        None => more,
        Some(sum) => sum
            .into_iter()
            .zip(more)
            .map(|pair| match pair {
                (Some(a), Some(b)) => Some(a + b),
                (one, other) => one.or(other),
            })
            .collect(),
    }
}

/// Adds `more` to the gradient of a parameter.
pub(super) fn add(gradient: &mut Option<Tensor<1>>, more: Tensor<1>) {
    // In this order the sum is made where `more` is, and only the rows of the lookup's gradient are cleared for the next
    // step.
    *gradient = Some(match gradient.take() {
        Some(gradient) => more + gradient,
        None => more,
    });
}

struct Collect<'a> {
    from: &'a mut Gradients,
    into: FlatGradients,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad_remove(self.from);
        self.into.push(gradient.map(|gradient| {
            let elements = gradient.dims().iter().product::<usize>();
            gradient.reshape([elements])
        }));
    }
}

/// Takes the parameters that have a gradient out of the module, so that nobody else holds them and they
/// are updated in place, all in one call.
struct TakeOut<'a> {
    gradients: std::vec::IntoIter<Option<Tensor<1>>>,
    moments: std::slice::IterMut<'a, Option<Moments<1>>>,
    taken: Vec<Trained>,
}

impl ModuleMapper for TakeOut<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (gradient, moments) = (self.gradients.next().flatten(), self.moments.next());
        let (Some(gradient), Some(moments)) = (gradient, moments) else { return parameter };
        let (id, value, mapper) = parameter.consume();
        let (shape, device) = (value.dims(), value.device());
        let parameter = value.inner().reshape([shape.iter().product::<usize>()]);
        // Biases and layer norms, which do not decay, are BERT's vectors; all its matrices decay.
        self.taken.push(Trained { parameter, gradient, moments: moments.take(), decays: D > 1 });
        // Until it is put back, a view of one number that has the shape and that nobody reads.
        let place = Tensor::<D>::empty([1; D], &device.inner()).expand(shape);
        Param::from_mapped_value(id, Tensor::from_inner(place).require_grad(), mapper)
    }
}

/// Puts them back, in the same order.
struct PutBack<'a> {
    has_gradient: std::vec::IntoIter<bool>,
    updated: std::vec::IntoIter<(Tensor<1>, Moments<1>)>,
    moments: std::slice::IterMut<'a, Option<Moments<1>>>,
}

impl ModuleMapper for PutBack<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (Some(true), Some(moments)) = (self.has_gradient.next(), self.moments.next()) else {
            return parameter;
        };
        let Some((value, kept)) = self.updated.next() else { return parameter };
        *moments = Some(kept);
        let (id, place, mapper) = parameter.consume();
        let value = value.reshape(place.dims());
        Param::from_mapped_value(id, Tensor::from_inner(value).require_grad(), mapper)
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::model::{Classifier, random_classifier};
    use crate::store::example;
    use crate::train::invariants::{SMALL, device, gradients_of};

    struct Addresses(Vec<usize>);

    impl ModuleVisitor for Addresses {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let flat = parameter.val().inner().reshape([parameter.dims().iter().product::<usize>()]);
            let flat: Tensor<1> = flat;
            self.0.push(flat.try_into_primitive::<Flex>().unwrap().bytes().as_ptr() as usize);
        }
    }

    fn addresses(model: &Classifier) -> Vec<usize> {
        let mut addresses = Addresses(Vec::new());
        model.visit(&mut addresses);
        addresses.0
    }

    #[test]
    fn parameters_stay_where_they_are_and_all_change() {
        let optimization = Optimization { weight_decay: 0.01, ..example::settings("rte", 1).optimization };
        let mut model = random_classifier(&SMALL, 3, 1, &device());
        let numbers =
            |model: &Classifier| -> Vec<f32> { model.encoder.words().val().inner().into_data().try_to_vec().unwrap() };
        let (before, start) = (addresses(&model), numbers(&model));
        let mut optimizer = Optimizer::new();
        for ids in [[1, 2, 3], [7, 8, 9]] {
            let gradients = gradients_of(&model, &ids);
            let norm;
            (model, norm) = optimizer.step(model, gradients, 1e-2, &optimization);
            assert!(norm.wait().unwrap().norm > 0.0);
        }
        assert_eq!(addresses(&model), before);
        // Every row decays; rows with a gradient move by about the learning rate.
        let end = numbers(&model);
        for (row, (start, end)) in start.chunks(16).zip(end.chunks(16)).enumerate() {
            let moved = start.iter().zip(end).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let expected = if [1, 2, 3, 7, 8, 9].contains(&row) { 5e-3..0.1 } else { 1e-9..1e-4 };
            assert!(expected.contains(&moved), "row {row}: {moved}");
        }
    }

    #[test]
    fn accumulated_gradients_are_the_sum() {
        let model = random_classifier(&SMALL, 3, 1, &device());
        let [a, b] = [[1, 2, 3], [3, 4, 5]].map(|ids| gradients_of(&model, &ids));
        let numbers =
            |gradients: &FlatGradients| -> Vec<f32> { gradients[0].clone().unwrap().into_data().try_to_vec().unwrap() };
        let expected: Vec<f32> = numbers(&a).iter().zip(numbers(&b)).map(|(a, b)| a * 0.5 + b * 0.5).collect();
        let sum = accumulate(Some(accumulate(None, a, 0.5)), b, 0.5);
        for (sum, expected) in numbers(&sum).iter().zip(&expected) {
            assert!((sum - expected).abs() < 1e-7, "{sum} {expected}");
        }
        // The norm counts every row, though which are zero is no longer known.
        let exact = sum
            .iter()
            .flatten()
            .map(|g| g.clone().into_data().iter::<f32>().map(|g| f64::from(g).powi(2)).sum::<f64>());
        let exact = exact.sum::<f64>().sqrt();
        let sum: Vec<Tensor<1>> = sum.into_iter().flatten().collect();
        assert!((kernel::global_norm(&sum) / exact - 1.0).abs() < 1e-6);
    }
}
