//! Adam (Kingma & Ba 2015) with decoupled weight decay, in the two forms that BERTs are trained with.

use burn::tensor::Tensor;

#[cfg(feature = "cube")]
use super::cube;
use super::fused;

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

/// The two forms of Adam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdamRule {
    /// [`adamw`] with the number of the step, from 1.
    AdamW {
        /// Steps taken, this one included.
        step: u64,
    },
    /// [`bert_adam`].
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

/// √Σ‖g‖², which may still be on its way from the device.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a step")]
pub enum GradientNorm {
    /// A number.
    Known(f64),
    /// `[1]`
    OnDevice(Tensor<1>),
}

impl GradientNorm {
    /// Waits for the device.
    pub fn read(self) -> f64 {
        match self {
            Self::Known(norm) => norm,
            Self::OnDevice(norm) => f64::from(norm.into_scalar::<f32>()),
        }
    }
}

/// [`adam_step`] with the factor on the gradient that `clipping` gives, and the norm of the gradients before it. Devices
/// that can do not wait for the norm.
#[must_use]
pub fn clipped_adam_step(
    all: Vec<Trained>,
    rule: AdamRule,
    with: &Adam,
    clipping: Clipping,
) -> (Vec<(Tensor<1>, Moments<1>)>, GradientNorm) {
    #[cfg(feature = "cube")]
    if all.iter().all(|one| super::is_gpu(&one.parameter.device())) {
        let (updated, norm) = cube::adam_step(all, rule, with, clipping);
        return (updated, norm.map_or(GradientNorm::Known(0.0), GradientNorm::OnDevice));
    }
    let gradients: Vec<Tensor<1>> = all.iter().map(|one| one.gradient.clone()).collect();
    let norm = global_norm(&gradients);
    drop(gradients);
    let with = Adam { gradient_scale: clipping.factor(norm), ..*with };
    (adam_step(all, rule, &with), GradientNorm::Known(norm))
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
    let Trained { parameter, gradient, moments, decays } = one;
    let weight_decay = if decays { with.weight_decay } else { 0.0 };
    let with = Adam { weight_decay, ..*with };
    match rule {
        AdamRule::AdamW { step } => adamw(parameter, gradient, moments, &with, step),
        AdamRule::BertAdam => bert_adam(parameter, gradient, moments, &with),
    }
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

/// One step of `AdamW`, number `step` from 1, on one parameter; all tensors of one shape (Loshchilov &
/// Hutter 2019, algorithm 2; `torch.optim.AdamW`). With g scaled and m, v the moments, from 0:
///
/// ```text
/// m ← β1 m + (1 − β1) g        v ← β2 v + (1 − β2) g²
/// p ← p − α λ p − α m / (1 − β1^step) / (√(v / (1 − β2^step)) + ε)
/// ```
#[must_use]
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<Moments<D>>,
    with: &Adam,
    step: u64,
) -> (Tensor<D>, Moments<D>) {
    update(parameter, gradient, moments, with, AdamRule::AdamW { step }.corrections(with))
}

/// One step of BERT's own Adam on one parameter; all tensors of one shape (google-research/bert,
/// `optimization.py`, `AdamWeightDecayOptimizer`). No bias correction: the first steps are larger than
/// [`adamw`]'s by up to (1 − β1) / √(1 − β2), about 3, and the warmup makes up for it.
///
/// ```text
/// m ← β1 m + (1 − β1) g        v ← β2 v + (1 − β2) g²
/// p ← p − α (m / (√v + ε) + λ p)
/// ```
#[must_use]
pub fn bert_adam<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<Moments<D>>,
    with: &Adam,
) -> (Tensor<D>, Moments<D>) {
    update(parameter, gradient, moments, with, AdamRule::BertAdam.corrections(with))
}

/// The step with the moments divided by `corrections`.
fn update<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<Moments<D>>,
    with: &Adam,
    corrections: [f64; 2],
) -> (Tensor<D>, Moments<D>) {
    let gradient = if with.gradient_scale < 1.0 { gradient.mul_scalar(with.gradient_scale) } else { gradient };
    let first_part = gradient.clone().mul_scalar(1.0 - with.beta1);
    let second_part = gradient.square().mul_scalar(1.0 - with.beta2);
    let (first, second) = match moments {
        Some(old) => (old.first.mul_scalar(with.beta1) + first_part, old.second.mul_scalar(with.beta2) + second_part),
        None => (first_part, second_part),
    };
    let denominator = second.clone().sqrt().div_scalar(corrections[1].sqrt()).add_scalar(with.epsilon);
    let update = first.clone().div(denominator).mul_scalar(with.learning_rate / corrections[0]);
    let kept = if with.weight_decay > 0.0 {
        parameter.mul_scalar(1.0 - with.learning_rate * with.weight_decay)
    } else {
        parameter
    };
    (kept - update, Moments { first, second, live_rows: None })
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
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::kernel::comparison::{assert_close, leaf, random_rows};
    use crate::kernel::cpu::isa::forced::with_every_isa;
    use crate::kernel::{EmbeddingTables, TokenRows, embeddings};

    const START: [f64; 3] = [0.5, -1.25, 2.0];

    fn scalars(step: u64) -> Adam {
        Adam {
            learning_rate: 1e-2 / step as f64,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-6,
            weight_decay: 0.01,
            gradient_scale: 0.5,
        }
    }

    fn gradient(step: u64) -> [f64; 3] {
        [0.1 * step as f64, -0.3, 0.02 / step as f64]
    }

    fn vector(x: [f64; 3]) -> Tensor<1> {
        Tensor::from_data(TensorData::new(x.map(|x| x as f32).to_vec(), [3]), &Device::flex())
    }

    /// The parameters after each of five steps of `one`.
    fn five_steps(
        one: impl Fn(Tensor<1>, Tensor<1>, Option<Moments<1>>, u64) -> (Tensor<1>, Moments<1>),
    ) -> Vec<Vec<f64>> {
        let (mut parameter, mut moments) = (vector(START), None);
        (1..=5)
            .map(|step| {
                let (next, kept) = one(parameter.clone(), vector(gradient(step)), moments.take(), step);
                (parameter, moments) = (next.clone(), Some(kept));
                next.into_data().iter::<f32>().map(f64::from).collect()
            })
            .collect()
    }

    /// The same in f64: `corrected` for the divisors of the moments at a step.
    fn formula(corrected: impl Fn(u64) -> [f64; 2]) -> Vec<Vec<f64>> {
        let (mut p, mut m, mut v) = (START, [0.0f64; 3], [0.0f64; 3]);
        (1..=5)
            .map(|step| {
                let (with, [c1, c2]) = (scalars(step), corrected(step));
                for i in 0..3 {
                    let g = gradient(step)[i] * with.gradient_scale;
                    m[i] = 0.9 * m[i] + 0.1 * g;
                    v[i] = 0.999 * v[i] + 0.001 * g * g;
                    let update = (m[i] / c1) / ((v[i] / c2).sqrt() + 1e-6) + 0.01 * p[i];
                    p[i] -= with.learning_rate * update;
                }
                p.to_vec()
            })
            .collect()
    }

    fn agree(got: &[Vec<f64>], expected: &[Vec<f64>]) {
        for (got, expected) in got.iter().flatten().zip(expected.iter().flatten()) {
            assert!((got - expected).abs() < 1e-6, "{got} and {expected}");
        }
    }

    #[test]
    fn adamw_follows_the_formula_with_bias_correction() {
        with_every_isa(|_| {
            let got = five_steps(|p, g, moments, step| adamw(p, g, moments, &scalars(step), step));
            agree(&got, &formula(|step| [1.0 - 0.9f64.powf(step as f64), 1.0 - 0.999f64.powf(step as f64)]));
        });
    }

    #[test]
    fn bert_adam_follows_the_formula_without() {
        with_every_isa(|_| {
            let got = five_steps(|p, g, moments, step| bert_adam(p, g, moments, &scalars(step)));
            agree(&got, &formula(|_| [1.0, 1.0]));
        });
    }

    /// Parameters of three steps on a table and two vectors of one flex device, and the norms. `sparse` is the
    /// table's gradient as the embeddings give it, or a dense copy.
    fn train(
        step: impl Fn(Vec<Trained>, AdamRule, &Adam) -> Vec<(Tensor<1>, Moments<1>)>,
        norm: impl Fn(&[Tensor<1>]) -> f64,
        form: fn(u64) -> AdamRule,
        sparse: bool,
    ) -> Vec<Vec<f32>> {
        const SIZES: [usize; 3] = [300 * 24, 70_001, 5];
        let device = Device::flex();
        let random = |length, seed| -> Tensor<1> { leaf::<1>([length], seed, &device.clone().autodiff()).inner() };
        let mut state: Vec<_> =
            SIZES.iter().zip(0..).map(|(&length, seed)| (random(length, seed), None::<Moments<1>>)).collect();
        let mut norms = Vec::new();
        for number in 1..=3 {
            let rows = random_rows(40, 250 + number as usize);
            let gradients: Vec<Tensor<1>> = SIZES
                .iter()
                .zip(0..)
                .map(
                    |(&length, index)| {
                        if index == 0 { table_gradient(&rows, sparse) } else { random(length, 10 * number + index) }
                    },
                )
                .collect();
            norms.push(norm(&gradients) as f32);
            let all = state
                .drain(..)
                .zip(gradients)
                .map(|((parameter, moments), gradient)| Trained { parameter, gradient, moments, decays: true })
                .collect();
            let updated = step(all, form(number), &scalars(number));
            state = updated.into_iter().map(|(parameter, moments)| (parameter, Some(moments))).collect();
        }
        let numbers = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
        let tensors = state.into_iter().flat_map(|(parameter, moments)| {
            let moments = moments.unwrap();
            [parameter, moments.first, moments.second]
        });
        tensors.map(numbers).chain([norms]).collect()
    }

    /// The gradient of a table `[300, 24]` of embeddings, flattened.
    fn table_gradient(rows: &std::sync::Arc<[u32]>, sparse: bool) -> Tensor<1> {
        let device = Device::flex().autodiff();
        let [word, position, segment] = [0, 1, 2].map(|seed| leaf::<2>([300, 24], seed, &device));
        let [gamma, beta] = [3, 4].map(|seed| leaf::<1>([24], seed, &device));
        let tables = EmbeddingTables { word: word.clone(), position, segment, gamma, beta };
        let rows = TokenRows { ids: rows.clone(), positions: rows.clone(), segments: rows.clone() };
        let weights = leaf([rows.ids.len(), 24], 5, &device);
        let mut gradients = (embeddings(tables, &rows, None, 0) * weights).sum().backward();
        let gradient = word.grad_remove(&mut gradients).unwrap().reshape([300 * 24]);
        if sparse { gradient } else { Tensor::from_data(gradient.into_data(), &Device::flex()) }
    }

    #[test]
    fn fused_equals_composed() {
        with_every_isa(|_| {
            let composed = |all: Vec<Trained>, rule, with: &Adam| {
                all.into_iter().map(|one| composed_step(one, rule, with)).collect()
            };
            let adamw = |step| AdamRule::AdamW { step };
            for form in [adamw, |_| AdamRule::BertAdam] {
                let expected = train(composed, composed_norm, form, false);
                for sparse in [false, true] {
                    let fused = train(adam_step, global_norm, form, sparse);
                    assert_close(&fused[..9], &expected[..9], 1e-6);
                    // The composed norm is summed in f32.
                    assert_close(&fused[9..], &expected[9..], 1e-5);
                }
            }
        });
    }

    #[test]
    fn a_parameter_that_nobody_else_holds_is_updated_in_place() {
        with_every_isa(|_| {
            let address = |tensor: &Tensor<1>| {
                tensor.clone().try_into_primitive::<burn::backend::Flex>().unwrap().bytes().as_ptr() as usize
            };
            let step = |parameter: Tensor<1>| {
                let one = Trained { parameter, gradient: vector([1.0, 2.0, 3.0]), moments: None, decays: true };
                adam_step(vec![one], AdamRule::BertAdam, &scalars(1)).remove(0).0
            };
            let parameter = vector(START);
            let before = address(&parameter);
            let mine = step(parameter);
            assert_eq!(address(&mine), before);
            let shared = mine.clone();
            let other = step(shared);
            assert_ne!(address(&other), before);
            assert_eq!(address(&mine), before);
        });
    }
}
