//! Random weights: truncated normal, standard deviation `initializer_range`, biases 0, norms 1 and 0
//! (google-research/bert, `modeling.create_initializer`).

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::linear::{Linear, Norm, parameter};
use crate::random::{Draws, Stream};
use crate::settings::InitializerRange;

/// No weight is further from 0 than so many standard deviations (TensorFlow's `truncated_normal`).
const TRUNCATE_AT: f64 = 2.0;
/// Φ(2) − ½: half of the normal distribution's mass between these bounds.
const HALF_MASS: f64 = 0.477_249_868_051_820_8;
/// Values drawn from one counter range, so that they can be drawn in parallel.
const CHUNK: usize = 1 << 14;

/// Draws parameters one after the other; each has a counter range of its own.
pub(super) struct Initializer<'a> {
    stream: Stream,
    parameter: u64,
    range: InitializerRange,
    device: &'a Device,
}

impl<'a> Initializer<'a> {
    pub(super) fn new(stream: Stream, range: InitializerRange, device: &'a Device) -> Self {
        Self { stream, parameter: 0, range, device }
    }

    pub(super) fn matrix(&mut self, rows: usize, columns: usize) -> Param<Tensor<2>> {
        let standard_deviation = f64::from(self.range);
        let draw = |draws: &mut Draws| (standard_deviation * truncated_normal(draws.next_u32())) as f32;
        let values = self.draw(rows * columns, draw);
        parameter(values, [rows, columns], self.device)
    }

    /// Uniform within ±`bound`.
    pub(super) fn uniform<const D: usize>(&mut self, shape: &[usize; D], bound: f64) -> Tensor<D> {
        let values = self.draw(shape.iter().product(), |draws| ((2.0 * draws.uniform() - 1.0) * bound) as f32);
        Tensor::from_data(TensorData::new(values, *shape), self.device)
    }

    /// The numbers of the next parameter.
    fn draw(&mut self, count: usize, draw: impl Fn(&mut Draws) -> f32 + Sync) -> Vec<f32> {
        let first = self.parameter << 32;
        self.parameter += 1;
        let mut values = vec![0f32; count];
        values.par_chunks_mut(CHUNK).enumerate().for_each(|(index, chunk)| {
            let mut draws = self.stream.at(first + index as u64);
            chunk.fill_with(|| draw(&mut draws));
        });
        values
    }

    pub(super) fn vector(&self, length: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::full([length], value, self.device))
    }

    /// These numbers.
    pub(super) fn numbers(&self, numbers: Vec<f32>) -> Param<Tensor<1>> {
        let length = numbers.len();
        parameter(numbers, [length], self.device)
    }

    pub(super) fn zeros(&self, rows: usize, columns: usize) -> Param<Tensor<2>> {
        Param::from_tensor(Tensor::zeros([rows, columns], self.device))
    }

    pub(super) fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        Linear { weight: self.matrix(inputs, outputs), bias: self.vector(outputs, 0.0) }
    }

    pub(super) fn norm(&self, hidden: usize) -> Norm {
        Norm { gamma: self.vector(hidden, 1.0), beta: self.vector(hidden, 0.0) }
    }
}

/// A standard normal truncated at ±[`TRUNCATE_AT`], from 32 random bits: the quantile of a uniform
/// number. Every weight takes the same bits, whatever the others are, and none is drawn in vain.
fn truncated_normal(bits: u32) -> f64 {
    /// 2³¹: half as many values as `bits` has.
    const HALF_RANGE: f64 = 2_147_483_648.0;
    let uniform = (f64::from(bits) + 0.5) / HALF_RANGE - 1.0;
    normal_quantile(HALF_MASS * uniform).clamp(-TRUNCATE_AT, TRUNCATE_AT)
}

/// Φ⁻¹(½ + `q`) to seven digits, more than a weight's: PPND7 of Wichura 1988, "Algorithm AS 241: the
/// percentage points of the normal distribution", Applied Statistics 37(3). Its second branch for tails
/// (beyond five standard deviations) is left out.
fn normal_quantile(q: f64) -> f64 {
    /// Φ⁻¹(½ + q) / q as a fraction of polynomials in 0.180625 − q², lowest power first.
    const CENTRE: [[f64; 4]; 2] = [
        [3.387_132_717_9, 50.434_271_938, 159.291_132_02, 59.109_374_72],
        [1.0, 17.895_169_469, 78.757_757_664, 67.187_563_6],
    ];
    /// |Φ⁻¹| as such a fraction in √(−ln p) − 1.6, where p is the mass beyond.
    const TAIL: [[f64; 4]; 2] = [
        [1.423_437_277_7, 2.756_815_39, 1.306_728_481_6, 0.170_238_211_03],
        [1.0, 0.737_001_642_5, 0.120_211_329_75, 0.0],
    ];
    let fraction = |[above, below]: [[f64; 4]; 2], x: f64| {
        let at = |[a, b, c, d]: [f64; 4]| ((d * x + c) * x + b) * x + a;
        at(above) / at(below)
    };
    if q.abs() <= 0.425 {
        return q * fraction(CENTRE, 0.180_625 - q * q);
    }
    let beyond = 0.5 - q.abs();
    fraction(TAIL, (-beyond.ln()).sqrt() - 1.6).copysign(q)
}

/// A head with random weights; its stream is not the encoder's, so that it does not depend on the size.
pub(super) fn random_head(
    hidden: usize,
    outputs: usize,
    range: InitializerRange,
    seed: u64,
    device: &Device,
) -> Linear {
    Initializer::new(Stream::new(seed, "init-head"), range, device).linear(hidden, outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Φ⁻¹ of R's `qnorm` at ½ + q: both branches, both signs.
    #[test]
    fn quantiles_of_the_normal_distribution_have_seven_digits() {
        let known = [
            (0.0, 0.0),
            (0.25, 0.674_489_750_2),
            (0.4, 1.281_551_565_5),
            (0.45, 1.644_853_627),
            (0.475, 1.959_963_984_5),
        ];
        for (q, quantile) in known {
            for (q, quantile) in [(q, quantile), (-q, -quantile)] {
                assert!((normal_quantile(q) - quantile).abs() < 3e-7, "{q}: {}", normal_quantile(q));
            }
        }
        let ends = [truncated_normal(0), truncated_normal(u32::MAX)];
        assert!((ends[0] + 2.0).abs() < 3e-7 && (ends[1] - 2.0).abs() < 3e-7, "{ends:?}");
    }

    #[test]
    fn weights_are_truncated_at_two_standard_deviations_and_do_not_depend_on_threads() {
        let device = Device::flex();
        let draw = |range| {
            let matrix = Initializer::new(Stream::new(1, "init"), range, &device).matrix(700, 300);
            matrix.val().into_data().try_to_vec::<f32>().unwrap()
        };
        let values = draw(InitializerRange::BERT);
        let larger = draw(InitializerRange::new(0.1).unwrap());
        assert!(values.iter().zip(&larger).all(|(small, large)| (5.0 * small - large).abs() < 1e-7));
        let largest = values.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(largest <= 0.04 && largest > 0.0399, "{largest}");
        // A normal truncated at ±2 has the standard deviation 0.8796.
        let variance = values.iter().map(|v| f64::from(v * v)).sum::<f64>() / values.len() as f64;
        assert!((variance.sqrt() / 0.02 - 0.8796).abs() < 0.005, "{}", variance.sqrt());
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(values, single.install(|| draw(InitializerRange::BERT)));
    }
}
