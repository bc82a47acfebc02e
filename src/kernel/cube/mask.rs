//! Dropout masks inside kernels: the draws of `kernel::cpu`'s `Site`, bit for bit.

use burn::backend::{Cube, DispatchDevice};
use burn::tensor::{Device, Tensor};
use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::tensor::{cubes, on_device, units};
use crate::kernel::cpu::Site;

/// Elements drawn from one Philox block.
pub(super) const PER_BLOCK: usize = 8;

/// The constants of a mask.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
pub(super) struct Mask {
    /// An element is dropped when its 16-bit number is below this.
    threshold: u32,
    /// What an element is multiplied by that is not dropped.
    keep: f32,
    key_low: u32,
    key_high: u32,
    step_low: u32,
    step_high: u32,
    site: u32,
    /// Philox blocks of a row.
    row_blocks: u32,
}

/// The launch arguments of `site`'s mask; of a mask that no kernel reads when there is none.
pub(super) fn mask_args(site: Option<&Site>) -> MaskLaunch {
    let Some(site) = site else { return MaskLaunch::new(0, 1.0, 0, 0, 0, 0, 0, 0) };
    let with = site.constants();
    let [key_low, key_high] = with.key;
    let [step_low, step_high] = with.step;
    MaskLaunch::new(with.threshold, with.keep, key_low, key_high, step_low, step_high, with.site, with.row_blocks)
}

/// The factors of the elements `8 × block ..` of `row`, 0 or 1/(1 − p); all 1 when nothing `drops`.
#[cube]
pub(super) fn factors(row: u32, block: u32, mask: &Mask, into: &mut Array<f32>, #[comptime] drops: bool) {
    if comptime!(drops) {
        let mut counter_0 = row * mask.row_blocks + block;
        let mut counter_1 = mask.site;
        let mut counter_2 = mask.step_low;
        let mut counter_3 = mask.step_high;
        let mut key_0 = mask.key_low;
        let mut key_1 = mask.key_high;
        // Philox4x32-10, as `crate::random::philox`.
        for _ in 0..10u32 {
            let high_0 = counter_0.mul_hi(0xD251_1F53u32);
            let low_0 = counter_0 * 0xD251_1F53u32;
            let high_2 = counter_2.mul_hi(0xCD9E_8D57u32);
            let low_2 = counter_2 * 0xCD9E_8D57u32;
            counter_0 = high_2 ^ counter_1 ^ key_0;
            counter_1 = low_2;
            counter_2 = high_0 ^ counter_3 ^ key_1;
            counter_3 = low_0;
            key_0 += 0x9E37_79B9u32;
            key_1 += 0xBB67_AE85u32;
        }
        pair(counter_0, mask, into, 0usize);
        pair(counter_1, mask, into, 2usize);
        pair(counter_2, mask, into, 4usize);
        pair(counter_3, mask, into, 6usize);
    } else {
        #[unroll]
        for element in 0..PER_BLOCK {
            into[element] = 1.0f32;
        }
    }
}

/// The factors of the two elements that one word draws.
#[cube]
fn pair(word: u32, mask: &Mask, into: &mut Array<f32>, #[comptime] first: usize) {
    into[first] = select(word & 0xFFFFu32 < mask.threshold, 0.0f32, mask.keep);
    into[first + 1] = select(word >> 16u32 < mask.threshold, 0.0f32, mask.keep);
}

/// Units that draw a row.
const ROW_UNITS: usize = 32;

/// The factors of `rows` rows, `[rows × width]`, without autodiff; `None` where `device` is no GPU.
pub(in crate::kernel) fn mask_matrix(site: &Site, rows: usize, width: usize, device: &Device) -> Option<Tensor<1>> {
    let DispatchDevice::Cube(device) = device.clone().inner().as_dispatch().clone() else { return None };
    let mask = on_device(&device, [rows * width]);
    let (arg, count) = (mask.clone().into_buffer_arg(), cubes(rows));
    draw::launch(&mask.client, count, units(ROW_UNITS), arg, mask_args(Some(site)), 0, rows as u32, width);
    Some(Tensor::from_primitive::<Cube>(mask))
}

/// A cube a row.
#[cube(launch)]
pub(super) fn draw(into: &mut [f32], mask: Mask, first: u32, rows: u32, #[comptime] width: usize) {
    let row = CUBE_POS;
    if row >= rows as usize {
        terminate!();
    }
    let mut kept = Array::<f32>::new(PER_BLOCK);
    let mut block = UNIT_POS as usize;
    while block * PER_BLOCK < width {
        factors(first + row as u32, block as u32, &mask, &mut kept, true);
        #[unroll]
        for element in 0..PER_BLOCK {
            if block * PER_BLOCK + element < width {
                into[row * width + block * PER_BLOCK + element] = kept[element];
            }
        }
        block += CUBE_DIM as usize;
    }
}
