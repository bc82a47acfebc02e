//! AdamW: Adam with bias correction and decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2;
//! as in PyTorch's `torch.optim.AdamW`).

use burn::tensor::Tensor;

/// The scalars of one optimisation step.
#[derive(Clone, Copy, Debug)]
pub struct AdamW {
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
    /// Number of this step, from 1.
    pub step: u64,
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

/// One step on one parameter; all tensors of one shape.
#[must_use]
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<Moments<D>>,
    with: &AdamW,
) -> (Tensor<D>, Moments<D>) {
    let gradient = if with.gradient_scale < 1.0 { gradient.mul_scalar(with.gradient_scale) } else { gradient };
    let first_part = gradient.clone().mul_scalar(1.0 - with.beta1);
    let second_part = gradient.square().mul_scalar(1.0 - with.beta2);
    let (first, second) = match moments {
        Some(old) => (old.first.mul_scalar(with.beta1) + first_part, old.second.mul_scalar(with.beta2) + second_part),
        None => (first_part, second_part),
    };
    let step = with.step as f64;
    let (correction1, correction2) = (1.0 - with.beta1.powf(step), 1.0 - with.beta2.powf(step));
    let denominator = second.clone().sqrt().div_scalar(correction2.sqrt()).add_scalar(with.epsilon);
    let update = first.clone().div(denominator).mul_scalar(with.learning_rate / correction1);
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

    /// Against the formula written out in f64, for five steps of a vector, with decay and clipping.
    #[test]
    fn follows_the_formula() {
        let device = Device::flex();
        let start = [0.5f64, -1.25, 2.0];
        let mut reference = start;
        let (mut m, mut v) = ([0.0f64; 3], [0.0f64; 3]);
        let vector = |x: [f64; 3]| Tensor::<1>::from_data(TensorData::new(x.map(|x| x as f32).to_vec(), [3]), &device);
        let (mut parameter, mut moments) = (vector(start), None);
        for step in 1..=5u64 {
            let gradient = [0.1 * step as f64, -0.3, 0.02 / step as f64];
            let with = AdamW {
                learning_rate: 1e-2 / step as f64,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.01,
                step,
                gradient_scale: 0.5,
            };
            let (next, kept) = adamw(parameter, vector(gradient), moments, &with);
            (parameter, moments) = (next, Some(kept));
            for i in 0..3 {
                let g = gradient[i] * with.gradient_scale;
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let m_hat = m[i] / (1.0 - 0.9f64.powf(step as f64));
                let v_hat = v[i] / (1.0 - 0.999f64.powf(step as f64));
                reference[i] -= with.learning_rate * (m_hat / (v_hat.sqrt() + 1e-8) + 0.01 * reference[i]);
            }
        }
        let got = parameter.into_data().try_to_vec::<f32>().unwrap();
        for i in 0..3 {
            assert!((f64::from(got[i]) - reference[i]).abs() < 1e-6, "{got:?} {reference:?}");
        }
    }
}
