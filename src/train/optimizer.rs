//! `AdamW` or BERT's own Adam over all parameters of a module, with global-norm clipping.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::kernel::{self, Adam, AdamRule, Moments, Trained};
use crate::store::{self, TrainingSettings};

/// Gradients of a module's parameters in its visiting order, flattened; `None` where none flowed.
pub(super) type FlatGradients = Vec<Option<Tensor<1>>>;

/// The optimizer's state. Moments follow the module's visiting order.
#[derive(Debug)]
pub(super) struct Optimizer {
    moments: Vec<Option<Moments<1>>>,
    step: u64,
}

impl Optimizer {
    pub(super) fn new() -> Self {
        Self { moments: Vec::new(), step: 0 }
    }

    /// One step on every parameter that has a gradient. Returns the module and the gradients' global
    /// norm before clipping.
    pub(super) fn step<M: Module>(
        &mut self,
        module: M,
        gradients: FlatGradients,
        learning_rate: f64,
        training: &TrainingSettings,
    ) -> (M, f64) {
        self.step += 1;
        self.moments.resize(gradients.len(), None);
        let norm = global_norm(&gradients);
        let with = Adam {
            learning_rate,
            beta1: training.adam_beta1,
            beta2: training.adam_beta2,
            epsilon: training.adam_epsilon,
            weight_decay: training.weight_decay,
            gradient_scale: gradient_scale(training.optimizer, training.clip_norm, norm),
        };
        let rule = match training.optimizer {
            store::Optimizer::AdamW => AdamRule::AdamW { step: self.step },
            store::Optimizer::BertAdam => AdamRule::BertAdam,
        };
        let has_gradient: Vec<bool> = gradients.iter().map(Option::is_some).collect();
        let mut out = TakeOut { gradients: gradients.into_iter(), moments: self.moments.iter_mut(), taken: Vec::new() };
        let module = module.map(&mut out);
        let updated = kernel::adam_step(out.taken, rule, &with);
        let mut back =
            PutBack { has_gradient: has_gradient.into_iter(), updated: updated.into_iter(), moments: self.moments.iter_mut() };
        (module.map(&mut back), norm)
    }
}

/// The factor that brings the global norm down to `clip_norm`.
fn gradient_scale(optimizer: store::Optimizer, clip_norm: f64, norm: f64) -> f64 {
    match optimizer {
        // PyTorch's clip_grad_norm_ adds 1e-6 to the norm.
        store::Optimizer::AdamW => (clip_norm / (norm + 1e-6)).min(1.0),
        // TensorFlow's clip_by_global_norm does not.
        store::Optimizer::BertAdam => clip_norm / norm.max(clip_norm),
    }
}

fn global_norm(gradients: &FlatGradients) -> f64 {
    let present: Vec<Tensor<1>> = gradients.iter().flatten().cloned().collect();
    kernel::global_norm(&present)
}

/// The gradients of `module`, taken out of `from`.
pub(super) fn take<M: Module>(module: &M, from: &mut Gradients) -> FlatGradients {
    let mut collect = Collect { from, into: Vec::new() };
    module.visit(&mut collect);
    collect.into
}

/// Adds `more` × `weight` to `sum`.
pub(super) fn accumulate(sum: Option<FlatGradients>, more: FlatGradients, weight: f64) -> FlatGradients {
    let more = more
        .into_iter()
        .map(|gradient| gradient.map(|gradient| if weight < 1.0 { gradient.mul_scalar(weight) } else { gradient }));
    match sum {
        None => more.collect(),
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
        // Until it is put back, a view of one number that has the shape.
        let place = Tensor::<D>::zeros([1; D], &device.inner()).expand(shape);
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
