//! The optimizer's step on a GPU: the norm of all gradients, then all parameters, several tensors a launch.

use burn::backend::Cube;
use burn::tensor::Tensor;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::sparse;
use super::sums::cube_sum;
use super::tensor::{empty, length, primitive, units, zeros};
use crate::kernel::{Adam, AdamRule, Clipping, Moments, Trained};

/// Tensors of a launch at most.
const TENSORS: usize = 8;
/// Units of a cube.
const UNITS: usize = 256;
/// Cubes that add up one gradient's squares.
const PARTS: usize = 64;
/// Cubes that update one parameter at most: the rest of it they take in turns.
const MOST_CUBES: usize = 4096;

/// As many tensors of `buffers` each as the device takes in a launch, beside two buffers more.
fn tensors_per_launch(on: &CubeTensor, buffers: usize) -> usize {
    let most = on.client.properties().hardware.max_bindings as usize;
    (most.saturating_sub(3) / buffers).clamp(1, TENSORS)
}

/// √Σ‖g‖² and the factor of clipping, two numbers on the device.
fn norm_and_factor(gradients: &[CubeTensor], clipping: Clipping) -> Option<CubeTensor> {
    let on = gradients.first()?;
    let (parts, found) = (empty(on, [gradients.len() * PARTS]), empty(on, [2]));
    let at_a_time = tensors_per_launch(on, 1);
    let (sparse, dense): (Vec<_>, Vec<_>) =
        gradients.iter().map(|gradient| (gradient, sparse::rows_of(gradient))).partition(|(_, rows)| rows.is_some());
    for (number, gradients) in dense.chunks(at_a_time).enumerate() {
        let mut pieces = SequenceArg::new();
        for (number, (gradient, _)) in (0..).zip(gradients) {
            let gradient: &CubeTensor = gradient;
            pieces.push(GradientLaunch::new(gradient.clone().into_buffer_arg(), length(gradient) as u32, number));
        }
        let count = CubeCount::Static(PARTS as u32, gradients.len() as u32, 1);
        let first = (number * at_a_time) as u32;
        squares::launch(&on.client, count, units(UNITS), pieces, parts.clone().into_buffer_arg(), first);
    }
    for (number, (gradient, rows)) in (dense.len()..).zip(sparse) {
        if let Some(rows) = rows {
            sparse::squares(gradient, &rows, &parts, number * PARTS, PARTS);
        }
    }
    let [parts_arg, found_arg] = [&parts, &found].map(|tensor| tensor.clone().into_buffer_arg());
    finish_norm::launch(
        &on.client,
        CubeCount::Static(1, 1, 1),
        units(UNITS),
        parts_arg,
        found_arg,
        length(&parts) as u32,
        clipping.max_norm as f32,
        clipping.added as f32,
    );
    Some(found)
}

/// One step on every parameter, of tensors on a GPU; with the norm of the gradients, `[1]`, which is still to be read.
pub(in crate::kernel) fn adam_step(
    all: Vec<Trained>,
    rule: AdamRule,
    with: &Adam,
    clipping: Clipping,
) -> (Vec<(Tensor<1>, Moments<1>)>, Option<Tensor<1>>) {
    let mut all: Vec<State> = all.into_iter().map(|one| State::new(one, with)).collect();
    let gradients: Vec<CubeTensor> = all.iter().map(|state| state.gradient.clone()).collect();
    let Some(norm) = norm_and_factor(&gradients, clipping) else { return (Vec::new(), None) };
    let at_a_time = tensors_per_launch(&norm, 4);
    let [first, second] = rule.corrections(with);
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
        );
    }
    let norm = Tensor::<1>::from_primitive::<Cube>(norm).slice_dim(0, 0..1);
    (all.drain(..).map(State::into_tensors).collect(), Some(norm))
}

/// √Σ‖g‖², of tensors on a GPU.
pub(in crate::kernel) fn global_norm(gradients: &[Tensor<1>]) -> f64 {
    let gradients: Vec<CubeTensor> = gradients.iter().cloned().map(primitive).collect();
    let found = norm_and_factor(&gradients, Clipping { max_norm: 1.0, added: 0.0 });
    found.map_or(0.0, |found| {
        f64::from(Tensor::<1>::from_primitive::<Cube>(found).slice_dim(0, 0..1).into_scalar::<f32>())
    })
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

/// As [`primitive`], to be overwritten; copied only when someone else holds it.
fn writable(tensor: Tensor<1>) -> CubeTensor {
    let tensor = primitive(tensor);
    if tensor.can_mut() { tensor } else { tensor.copy() }
}

#[derive(CubeLaunch, CubeType)]
struct Gradient {
    values: Box<[f32]>,
    length: u32,
    #[cube(comptime)]
    number: u32,
}

#[cube(launch)]
fn squares(gradients: Sequence<Gradient>, parts: &mut [f32], first: u32) {
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut sum = 0.0f32;
    for gradient in gradients {
        if CUBE_POS_Y == gradient.number {
            let values = gradient.values;
            let mut at = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
            while at < gradient.length as usize {
                sum += values[at] * values[at];
                at += UNITS * PARTS;
            }
        }
    }
    let total = cube_sum(sum, &mut shared);
    if UNIT_POS == 0 {
        parts[(first + CUBE_POS_Y) as usize * PARTS + CUBE_POS_X as usize] = total;
    }
}

#[cube(launch)]
fn finish_norm(parts: &[f32], found: &mut [f32], count: u32, max_norm: f32, added: f32) {
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut sum = 0.0f32;
    let mut at = UNIT_POS as usize;
    while at < count as usize {
        sum += parts[at];
        at += UNITS;
    }
    let norm = cube_sum(sum, &mut shared).sqrt();
    if UNIT_POS == 0 {
        found[0] = norm;
        found[1] = 1.0f32;
        if norm + added > max_norm {
            found[1] = max_norm / (norm + added);
        }
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

#[cube(launch)]
fn update(parameters: Sequence<Parameter>, norm: &[f32], with: Scalars) {
    let scale = norm[1];
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
                let step = with.rate * mean / (square.sqrt() * with.root_scale + with.epsilon);
                parameter[at] = parameter[at] * one.kept - step;
                at += CUBE_COUNT_X as usize * UNITS;
            }
        }
    }
}
