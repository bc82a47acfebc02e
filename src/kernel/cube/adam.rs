//! The optimizer's step on a GPU: all parameters, several tensors a launch.

use burn::backend::Cube;
use burn::tensor::Tensor;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::gradient_norm::{norm_and_factor, scaled_norm, squares_of, tensors_per_launch};
use super::tensor::{length, primitive, units, writable, zeros};
use crate::kernel::loss_scale::LossScale;
use crate::kernel::{Adam, AdamRule, Clipping, Moments, Trained};

/// Units of a cube.
const UNITS: usize = 256;
/// Cubes that update one parameter at most: the rest of it they take in turns.
const MOST_CUBES: usize = 4096;

/// One step on every parameter, of tensors on a GPU; with the norm of the gradients, `[1]`, which is still to be read. With a
/// `scale` the step may change nothing, and what is still to be read is `[4]`: the norm, 1 if the step was taken, the
/// factor on its loss, and how many steps were not taken.
pub(in crate::kernel) fn adam_step(
    all: Vec<Trained>,
    rule: AdamRule,
    with: &Adam,
    clipping: Clipping,
    scale: Option<&mut LossScale>,
) -> (Vec<(Tensor<1>, Moments<1>)>, Option<Tensor<1>>) {
    let mut all: Vec<State> = all.into_iter().map(|one| State::new(one, with)).collect();
    let gradients: Vec<CubeTensor> = all.iter().map(|state| state.gradient.clone()).collect();
    let Some(parts) = squares_of(&gradients) else { return (Vec::new(), None) };
    drop(gradients);
    let is_scaled = scale.is_some();
    let (norm, [first, second]) = match scale {
        None => (norm_and_factor(&parts, clipping), rule.corrections(with)),
        // How many steps were taken is known to the device.
        Some(scale) => (scaled_norm(&parts, rule, with, clipping, scale), [1.0; 2]),
    };
    let at_a_time = tensors_per_launch(&norm, 4);
    for states in all.chunks_mut(at_a_time) {
        let longest = states.iter().map(|state| length(&state.gradient)).max().unwrap_or(1);
        let cubes = longest.div_ceil(UNITS).clamp(1, MOST_CUBES);
        let mut parameters = SequenceArg::new();
        for (number, state) in (0..).zip(&*states) {
            let [parameter, gradient, first, second] = [&state.parameter, &state.gradient, &state.first, &state.second]
                .map(|tensor| tensor.clone().into_buffer_arg());
            let length = length(&state.gradient) as u32;
            parameters.push(ParameterLaunch::new(parameter, gradient, first, second, length, state.kept, number));
        }
        update::launch(
            &norm.client,
            CubeCount::Static(cubes as u32, states.len() as u32, 1),
            units(UNITS),
            parameters,
            norm.clone().into_buffer_arg(),
            ScalarsLaunch::new(
                with.beta1 as f32,
                (1.0 - with.beta1) as f32,
                with.beta2 as f32,
                (1.0 - with.beta2) as f32,
                (with.learning_rate / first) as f32,
                (1.0 / second.sqrt()) as f32,
                with.epsilon as f32,
            ),
            is_scaled,
        );
    }
    let told = if is_scaled { 4 } else { 1 };
    let norm = Tensor::<1>::from_primitive::<Cube>(norm).slice_dim(0, 0..told);
    (all.drain(..).map(State::into_tensors).collect(), Some(norm))
}

/// A parameter in the middle of a step.
struct State {
    parameter: CubeTensor,
    gradient: CubeTensor,
    first: CubeTensor,
    second: CubeTensor,
    kept: f32,
}

impl State {
    fn new(trained: Trained, with: &Adam) -> Self {
        let Trained { parameter, gradient, moments, decays } = trained;
        let gradient = primitive(gradient);
        let weight_decay = if decays { with.weight_decay } else { 0.0 };
        let new = || zeros(&gradient, [length(&gradient)]);
        let (first, second) = match moments {
            Some(Moments { first, second, .. }) => (writable(first), writable(second)),
            None => (new(), new()),
        };
        let kept = (1.0 - with.learning_rate * weight_decay) as f32;
        Self { parameter: writable(parameter), gradient, first, second, kept }
    }

    fn into_tensors(self) -> (Tensor<1>, Moments<1>) {
        let [parameter, first, second] = [self.parameter, self.first, self.second].map(Tensor::from_primitive::<Cube>);
        (parameter, Moments { first, second, live_rows: None })
    }
}

#[derive(CubeLaunch, CubeType)]
struct Parameter {
    numbers: Box<[f32]>,
    gradient: Box<[f32]>,
    first: Box<[f32]>,
    second: Box<[f32]>,
    length: u32,
    /// What weight decay leaves of it.
    kept: f32,
    #[cube(comptime)]
    number: u32,
}

#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Scalars {
    beta1: f32,
    rest1: f32,
    beta2: f32,
    rest2: f32,
    rate: f32,
    root_scale: f32,
    epsilon: f32,
}

/// A step, where `found` says that it is taken.
#[cube(launch)]
fn update(parameters: Sequence<Parameter>, found: &[f32], with: Scalars, #[comptime] is_scaled: bool) {
    let mut scale = found[1];
    let mut rate = with.rate;
    let mut root_scale = with.root_scale;
    if comptime!(is_scaled) {
        if found[1] < 0.5f32 {
            terminate!();
        }
        scale = found[4];
        rate *= found[5];
        root_scale *= found[6];
    }
    for one in parameters {
        if CUBE_POS_Y == one.number {
            let mut parameter = one.numbers;
            let gradients = one.gradient;
            let mut first = one.first;
            let mut second = one.second;
            let mut at = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
            while at < one.length as usize {
                let gradient = gradients[at] * scale;
                let mean = first[at] * with.beta1 + gradient * with.rest1;
                let square = second[at] * with.beta2 + gradient * gradient * with.rest2;
                first[at] = mean;
                second[at] = square;
                let step = rate * mean / (square.sqrt() * root_scale + with.epsilon);
                parameter[at] = parameter[at] * one.kept - step;
                at += CUBE_COUNT_X as usize * UNITS;
            }
        }
    }
}
