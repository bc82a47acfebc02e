//! Adam (Kingma & Ba 2015) with decoupled weight decay, in the two forms that BERTs are trained with.

use burn::tensor::Tensor;

#[cfg(feature = "cube")]
use super::cube;
use super::deferred::Deferred;
use super::fused;
use super::loss_scale::{LossScale, ScaledStep};

/// The scalars of one optimisation step.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// α, the schedule included.
    pub learning_rate: f64,
    /// β1.
    pub beta1: f64,
    /// β2.
    pub beta2: f64,
    /// ε, added to the root of the second moment.
    pub epsilon: f64,
    /// λ; the parameter shrinks by α λ.
    pub weight_decay: f64,
    /// Factor on the gradient: global-norm clipping.
    pub gradient_scale: f64,
}

/// The two running averages of a parameter's gradient, of the parameter's shape.
#[derive(Clone, Debug)]
pub struct Moments<const D: usize> {
    /// Of the gradient.
    pub first: Tensor<D>,
    /// Of its square.
    pub second: Tensor<D>,
    /// For a table of which few rows have had a gradient: whether a row's moments may be something else
    /// than 0. `None` when any row's may be.
    pub live_rows: Option<Vec<bool>>,
}

/// The two forms of Adam. With g scaled and m, v the moments, from 0:
///
/// ```text
/// m ← β1 m + (1 − β1) g        v ← β2 v + (1 − β2) g²
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdamRule {
    /// Loshchilov & Hutter 2019, algorithm 2; `torch.optim.AdamW`:
    ///
    /// ```text
    /// p ← p − α λ p − α m / (1 − β1^step) / (√(v / (1 − β2^step)) + ε)
    /// ```
    AdamW {
        /// Steps taken, this one included.
        step: u64,
    },
    /// BERT's own (google-research/bert, `optimization.py`, `AdamWeightDecayOptimizer`). No bias correction: the first
    /// steps are larger than `AdamW`'s by up to (1 − β1) / √(1 − β2), about 3, and the warmup makes up for it.
    ///
    /// ```text
    /// p ← p − α (m / (√v + ε) + λ p)
    /// ```
    BertAdam,
}

/// A parameter with what updates it, flattened; all tensors of one length, without autodiff.
#[derive(Debug)]
pub struct Trained {
    /// p
    pub parameter: Tensor<1>,
    /// g
    pub gradient: Tensor<1>,
    /// `None` before the first step.
    pub moments: Option<Moments<1>>,
    /// Whether weight decay applies.
    pub decays: bool,
}

/// Clipping of the gradients by their global norm.
#[derive(Clone, Copy, Debug)]
pub struct Clipping {
    /// What a norm is brought down to.
    pub max_norm: f64,
    /// Added to the norm.
    pub added: f64,
}

impl Clipping {
    /// The factor on gradients of this norm, at most 1.
    fn factor(self, norm: f64) -> f64 {
        (self.max_norm / (norm + self.added)).min(1.0)
    }
}

/// The norm of the gradients of a step, before clipping.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepNorm {
    /// √Σ‖g‖² of the loss itself, however it was scaled; not finite where the step was skipped.
    pub norm: f64,
    /// What loss scaling did, where there is some.
    pub scaled: Option<ScaledStep>,
}

/// [`adam_step`] with the factor on the gradient that `clipping` gives, and the norm of the gradients before it. Devices
/// that can do not wait for the norm. With a `scale`, gradients are those of the loss times its factor; parameters and
/// moments stay as they are when one of them is not finite, and the step then does not count for `rule`.
#[must_use]
pub fn clipped_adam_step(
    all: Vec<Trained>,
    rule: AdamRule,
    with: &Adam,
    clipping: Clipping,
    scale: Option<&mut LossScale>,
) -> (Vec<(Tensor<1>, Moments<1>)>, Deferred<StepNorm>) {
    #[cfg(feature = "cube")]
    if all.iter().all(|one| super::is_gpu(&one.parameter.device())) {
        let is_scaled = scale.is_some();
        let (updated, found) = cube::adam_step(all, rule, with, clipping, scale);
        let read = |found| Deferred::read([found], move |[found]| StepNorm::of_device(&found, is_scaled));
        return (updated, found.map_or_else(Deferred::default, read));
    }
    let gradients: Vec<Tensor<1>> = all.iter().map(|one| one.gradient.clone()).collect();
    let norm = global_norm(&gradients);
    drop(gradients);
    match scale {
        None => {
            let with = Adam { gradient_scale: clipping.factor(norm), ..*with };
            (adam_step(all, rule, &with), Deferred::known(StepNorm { norm, scaled: None }))
        }
        Some(scale) => {
            let (updated, found) = scaled_step(all, rule, with, clipping, norm, scale);
            (updated, Deferred::known(found))
        }
    }
}

impl StepNorm {
    /// From the numbers that a GPU sends: the norm; with loss scaling also whether the step was taken, its factor, and
    /// how many were skipped.
    #[cfg(feature = "cube")]
    fn of_device(found: &[f32], is_scaled: bool) -> Self {
        let number = |at: usize| found.get(at).map_or(0.0, |number| f64::from(*number));
        let scaled = ScaledStep { loss_scale: number(2), skipped: number(1) < 0.5, skipped_steps: number(3) as u64 };
        Self { norm: number(0), scaled: is_scaled.then_some(scaled) }
    }
}

/// A step of which the gradients, of this `norm`, are multiplied by the factor of `scale`.
fn scaled_step(
    all: Vec<Trained>,
    rule: AdamRule,
    with: &Adam,
    clipping: Clipping,
    norm: f64,
    scale: &mut LossScale,
) -> (Vec<(Tensor<1>, Moments<1>)>, StepNorm) {
    let before = scale.read();
    let (norm, skipped) = (norm / f64::from(before.scale), !norm.is_finite());
    let after = before.after(!skipped, [with.beta1, with.beta2]);
    scale.write(after);
    let scaled = ScaledStep { loss_scale: f64::from(before.scale), skipped, skipped_steps: after.skipped as u64 };
    let updated = if skipped {
        let unchanged = |one: Trained| {
            let zeros = || one.gradient.zeros_like();
            let moments =
                one.moments.clone().unwrap_or_else(|| Moments { first: zeros(), second: zeros(), live_rows: None });
            (one.parameter, moments)
        };
        all.into_iter().map(unchanged).collect()
    } else {
        let rule = match rule {
            AdamRule::AdamW { .. } => AdamRule::AdamW { step: after.taken as u64 },
            AdamRule::BertAdam => AdamRule::BertAdam,
        };
        let gradient_scale = clipping.factor(norm) / f64::from(before.scale);
        adam_step(all, rule, &Adam { gradient_scale, ..*with })
    };
    (updated, StepNorm { norm, scaled: Some(scaled) })
}

/// One step on every parameter, in the order given. A parameter is overwritten in place when nobody else
/// holds it.
#[must_use]
pub fn adam_step(all: Vec<Trained>, rule: AdamRule, with: &Adam) -> Vec<(Tensor<1>, Moments<1>)> {
    if all.iter().all(|one| fused::is_cpu(&one.parameter.device())) {
        return fused::adam_step(all, rule, with);
    }
    all.into_iter().map(|one| composed_step(one, rule, with)).collect()
}

/// [`adam_step`] of burn's own operations, on every backend.
fn composed_step(one: Trained, rule: AdamRule, with: &Adam) -> (Tensor<1>, Moments<1>) {
    let (Trained { parameter, gradient, moments, decays }, corrections) = (one, rule.corrections(with));
    let gradient = if with.gradient_scale < 1.0 { gradient.mul_scalar(with.gradient_scale) } else { gradient };
    let first_part = gradient.clone().mul_scalar(1.0 - with.beta1);
    let second_part = gradient.square().mul_scalar(1.0 - with.beta2);
    let (first, second) = match moments {
        Some(old) => (old.first.mul_scalar(with.beta1) + first_part, old.second.mul_scalar(with.beta2) + second_part),
        None => (first_part, second_part),
    };
    let denominator = second.clone().sqrt().div_scalar(corrections[1].sqrt()).add_scalar(with.epsilon);
    let update = first.clone().div(denominator).mul_scalar(with.learning_rate / corrections[0]);
    let kept = if decays && with.weight_decay > 0.0 {
        parameter.mul_scalar(1.0 - with.learning_rate * with.weight_decay)
    } else {
        parameter
    };
    (kept - update, Moments { first, second, live_rows: None })
}

impl AdamRule {
    /// What the moments are divided by: 1 − β1^step and 1 − β2^step, or nothing.
    pub(super) fn corrections(self, with: &Adam) -> [f64; 2] {
        match self {
            Self::AdamW { step } => [with.beta1, with.beta2].map(|beta| 1.0 - beta.powf(step as f64)),
            Self::BertAdam => [1.0, 1.0],
        }
    }
}

/// √Σ‖g‖² over all gradients, 0 without any.
#[must_use]
pub fn global_norm(gradients: &[Tensor<1>]) -> f64 {
    if gradients.iter().all(|gradient| fused::is_cpu(&gradient.device())) {
        return fused::global_norm(gradients);
    }
    #[cfg(feature = "cube")]
    if gradients.iter().all(|gradient| super::is_gpu(&gradient.device())) {
        return cube::global_norm(gradients);
    }
    composed_norm(gradients)
}

/// [`global_norm`] of burn's own operations, in f32 as PyTorch computes it.
fn composed_norm(gradients: &[Tensor<1>]) -> f64 {
    let parts: Vec<Tensor<1>> = gradients.iter().map(|gradient| gradient.clone().square().sum()).collect();
    if parts.is_empty() { 0.0 } else { f64::from(Tensor::cat(parts, 0).sum().into_scalar::<f32>()).sqrt() }
}

#[cfg(test)]
mod tests;
