//! `AdamW` or BERT's own Adam over all parameters of a module, with global-norm clipping.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::kernel::{self, Adam, Moments};
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
        let rule = Rule { optimizer: training.optimizer, step: self.step };
        let mut update = Update { gradients: gradients.into_iter(), moments: self.moments.iter_mut(), with, rule };
        (module.map(&mut update), norm)
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

/// √Σ‖g‖², in f32 as PyTorch computes it.
fn global_norm(gradients: &FlatGradients) -> f64 {
    let parts: Vec<Tensor<1>> = gradients.iter().flatten().cloned().map(kernel::squared_norm).collect();
    if parts.is_empty() {
        return 0.0;
    }
    f64::from(Tensor::cat(parts, 0).sum().into_scalar::<f32>()).sqrt()
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

/// The formula, with the number of the step, from 1.
#[derive(Clone, Copy)]
struct Rule {
    optimizer: store::Optimizer,
    step: u64,
}

impl Rule {
    fn apply(
        self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        moments: Option<Moments<1>>,
        with: &Adam,
    ) -> (Tensor<1>, Moments<1>) {
        match self.optimizer {
            store::Optimizer::AdamW => kernel::adamw(parameter, gradient, moments, with, self.step),
            store::Optimizer::BertAdam => kernel::bert_adam(parameter, gradient, moments, with),
        }
    }
}

struct Update<'a> {
    gradients: std::vec::IntoIter<Option<Tensor<1>>>,
    moments: std::slice::IterMut<'a, Option<Moments<1>>>,
    with: Adam,
    rule: Rule,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (Some(gradient), Some(moments)) = (self.gradients.next().flatten(), self.moments.next()) else {
            return parameter;
        };
        // Biases and layer norms, which do not decay, are BERT's vectors; all its matrices decay.
        let weight_decay = if D > 1 { self.with.weight_decay } else { 0.0 };
        let with = Adam { weight_decay, ..self.with };
        let (id, value, mapper) = parameter.consume();
        let shape = value.dims();
        let flat = value.inner().reshape([shape.iter().product::<usize>()]);
        let (updated, kept) = self.rule.apply(flat, gradient, moments.take(), &with);
        *moments = Some(kept);
        Param::from_mapped_value(id, Tensor::from_inner(updated.reshape(shape)).require_grad(), mapper)
    }
}
