//! Adam (Kingma & Ba 2015) with decoupled weight decay, in the two forms that BERTs are trained with.

use burn::tensor::Tensor;

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
    let step = step as f64;
    update(parameter, gradient, moments, with, [1.0 - with.beta1.powf(step), 1.0 - with.beta2.powf(step)])
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
    update(parameter, gradient, moments, with, [1.0, 1.0])
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
    (kept - update, Moments { first, second })
}

/// Sum of squares, `[…] → [1]`: a part of the global gradient norm.
#[must_use]
pub fn squared_norm<const D: usize>(gradient: Tensor<D>) -> Tensor<1> {
    gradient.square().sum()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

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
        let got = five_steps(|p, g, moments, step| adamw(p, g, moments, &scalars(step), step));
        agree(&got, &formula(|step| [1.0 - 0.9f64.powf(step as f64), 1.0 - 0.999f64.powf(step as f64)]));
    }

    #[test]
    fn bert_adam_follows_the_formula_without() {
        let got = five_steps(|p, g, moments, step| bert_adam(p, g, moments, &scalars(step)));
        agree(&got, &formula(|_| [1.0, 1.0]));
    }
}
