//! f32 rows as operands of products: themselves, or a rounded copy.

use half::bf16;
use rayon::prelude::*;

use super::gemm::Operand;
use super::isa::Isa;
use super::pool::{Buffer, Plain};

/// Elements that a task converts.
const PART: usize = 1 << 16;

/// Operands that are made of f32 rows.
pub(super) trait Stored: Operand + Plain {
    /// A buffer for a copy of `length` numbers, where one is needed.
    fn buffer(length: usize) -> Option<Buffer<Self>>;

    /// The operand for `rows`, whose copy is `copy` where there is one.
    fn operand<'a>(rows: &'a [f32], copy: Option<&'a [Self]>) -> &'a [Self];

    /// What of `rows` and their copy the backward pass reads.
    fn keep(rows: Buffer<f32>, copy: Option<Buffer<Self>>) -> Buffer<Self>;

    /// The copy of `rows`, where one is needed.
    fn copy(rows: &[f32]) -> Option<Buffer<Self>> {
        let mut copy = Self::buffer(rows.len())?;
        copy.par_chunks_mut(PART).zip(rows.par_chunks(PART)).for_each(|(to, from)| {
            Isa::detect().run(
                #[inline(always)]
                || to.iter_mut().zip(from).for_each(|(to, &x)| *to = Self::from_f32(x)),
            );
        });
        Some(copy)
    }
}

impl Stored for f32 {
    fn buffer(_length: usize) -> Option<Buffer<Self>> {
        None
    }

    fn operand<'a>(rows: &'a [f32], _copy: Option<&'a [Self]>) -> &'a [Self] {
        rows
    }

    fn keep(rows: Buffer<f32>, _copy: Option<Buffer<Self>>) -> Buffer<Self> {
        rows
    }
}

impl Stored for bf16 {
    fn buffer(length: usize) -> Option<Buffer<Self>> {
        Some(Buffer::take(length))
    }

    fn operand<'a>(_rows: &'a [f32], copy: Option<&'a [Self]>) -> &'a [Self] {
        // `buffer` gave one.
        copy.unwrap_or_default()
    }

    fn keep(rows: Buffer<f32>, copy: Option<Buffer<Self>>) -> Buffer<Self> {
        drop(rows);
        copy.unwrap_or_else(|| Buffer::take(0))
    }
}
