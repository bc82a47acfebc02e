//! The norm of all gradients on a GPU, and what it decides: clipping, and with loss scaling whether the step is taken.

use burn::backend::Cube;
use burn::tensor::Tensor;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::sparse;
use super::sums::cube_sum;
use super::tensor::{empty, length, primitive, units, writable};
use crate::kernel::loss_scale::{BACKOFF, GROWTH, GROWTH_INTERVAL, LossScale};
use crate::kernel::{Adam, AdamRule, Clipping};

/// Tensors of a launch at most.
const TENSORS: usize = 8;
/// Units of a cube.
const UNITS: usize = 256;
/// Cubes that add up one gradient's squares.
const PARTS: usize = 64;

/// As many tensors of `buffers` each as the device takes in a launch, beside two buffers more.
pub(super) fn tensors_per_launch(on: &CubeTensor, buffers: usize) -> usize {
    let most = on.client.properties().hardware.max_bindings as usize;
    (most.saturating_sub(3) / buffers).clamp(1, TENSORS)
}

/// Σ‖g‖² in pieces.
pub(super) fn squares_of(gradients: &[CubeTensor]) -> Option<CubeTensor> {
    let on = gradients.first()?;
    let parts = empty(on, [gradients.len() * PARTS]);
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
    Some(parts)
}

/// √Σ‖g‖² and the factor of clipping, two numbers on the device, from Σ‖g‖² in pieces.
pub(super) fn norm_and_factor(parts: &CubeTensor, clipping: Clipping) -> CubeTensor {
    let found = empty(parts, [2]);
    let [parts_arg, found_arg] = [parts, &found].map(|tensor| tensor.clone().into_buffer_arg());
    finish_norm::launch(
        &parts.client,
        CubeCount::Static(1, 1, 1),
        units(UNITS),
        parts_arg,
        found_arg,
        length(parts) as u32,
        clipping.max_norm as f32,
        clipping.added as f32,
    );
    found
}

/// What [`norm_and_factor`] finds of scaled gradients, and what loss scaling decides, [`SCALED`] numbers; `scale` goes on to
/// the next step.
pub(super) fn scaled_norm(
    parts: &CubeTensor,
    rule: AdamRule,
    with: &Adam,
    clipping: Clipping,
    scale: &mut LossScale,
) -> CubeTensor {
    let found = empty(parts, [SCALED]);
    let state = writable(scale.take_state());
    let [parts_arg, found_arg, state_arg] = [parts, &found, &state].map(|tensor| tensor.clone().into_buffer_arg());
    finish_scaled_norm::launch(
        &parts.client,
        CubeCount::Static(1, 1, 1),
        units(UNITS),
        parts_arg,
        found_arg,
        state_arg,
        length(parts) as u32,
        clipping.max_norm as f32,
        clipping.added as f32,
        with.beta1 as f32,
        with.beta2 as f32,
        matches!(rule, AdamRule::AdamW { .. }),
    );
    scale.put_state(Tensor::from_primitive::<Cube>(state));
    found
}

/// √Σ‖g‖², of tensors on a GPU.
pub(in crate::kernel) fn global_norm(gradients: &[Tensor<1>]) -> f64 {
    let gradients: Vec<CubeTensor> = gradients.iter().cloned().map(primitive).collect();
    squares_of(&gradients).map_or(0.0, |parts| {
        let found = norm_and_factor(&parts, Clipping { max_norm: 1.0, added: 0.0 });
        f64::from(Tensor::<1>::from_primitive::<Cube>(found).slice_dim(0, 0..1).into_scalar::<f32>())
    })
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

/// The sum of so many parts, by one cube.
#[cube]
fn sum_of(parts: &[f32], count: u32) -> f32 {
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut sum = 0.0f32;
    let mut at = UNIT_POS as usize;
    while at < count as usize {
        sum += parts[at];
        at += UNITS;
    }
    cube_sum(sum, &mut shared)
}

#[cube(launch)]
fn finish_norm(parts: &[f32], found: &mut [f32], count: u32, max_norm: f32, added: f32) {
    let norm = sum_of(parts, count).sqrt();
    if UNIT_POS == 0 {
        found[0] = norm;
        found[1] = 1.0f32;
        if norm + added > max_norm {
            found[1] = max_norm / (norm + added);
        }
    }
}

/// Numbers that [`finish_scaled_norm`] finds: the norm, whether the step is taken, the factor on its loss, how many steps
/// were not taken, the factor on gradients, and those on the moments' quotient: on the rate and on the root.
const SCALED: usize = 7;

/// As [`finish_norm`], of gradients of the loss times `state[0]`; `state` is that of [`LossScale`], as
/// `loss_scale::State::after` changes it.
#[cube(launch)]
fn finish_scaled_norm(
    parts: &[f32],
    found: &mut [f32],
    state: &mut [f32],
    count: u32,
    max_norm: f32,
    added: f32,
    beta1: f32,
    beta2: f32,
    #[comptime] corrects: bool,
) {
    let total = sum_of(parts, count);
    if UNIT_POS == 0 {
        let scale = state[0];
        let norm = total.sqrt() / scale;
        found[0] = norm;
        found[1] = 0.0f32;
        found[2] = scale;
        found[4] = 1.0f32 / scale;
        found[5] = 1.0f32;
        found[6] = 1.0f32;
        // No number that is not finite is below it.
        if total < 3.0e38f32 {
            found[1] = 1.0f32;
            if norm + added > max_norm {
                found[4] = max_norm / (norm + added) / scale;
            }
            state[1] += 1.0f32;
            if state[1] >= comptime!(GROWTH_INTERVAL as f32) {
                state[0] = scale * comptime!(GROWTH);
                state[1] = 0.0f32;
            }
            state[3] += 1.0f32;
            state[4] = state[4] * beta1 + (1.0f32 - beta1);
            state[5] = state[5] * beta2 + (1.0f32 - beta2);
            if comptime!(corrects) {
                found[5] = 1.0f32 / state[4];
                found[6] = 1.0f32 / state[5].sqrt();
            }
        } else {
            state[0] = scale * comptime!(BACKOFF);
            state[1] = 0.0f32;
            state[2] += 1.0f32;
        }
        found[3] = state[2];
    }
}
