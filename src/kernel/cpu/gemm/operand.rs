//! Which micro-kernel multiplies operands of a format.

use half::bf16;

use super::micro::Micro;
use super::portable::{FUSED, Portable};
#[cfg(all(target_arch = "x86_64", not(miri)))]
use super::{amx, avx2, avx512, avx512_bf16};
use crate::kernel::cpu::bf16_support::Bf16Support;
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::isa::Isa;
use crate::kernel::cpu::pool::Plain;

/// Storage formats that products can be made of.
pub trait Operand: Element + Plain {
    /// `work` with the best micro-kernel of this processor.
    #[doc(hidden)]
    fn with_micro<W: WithMicro<Self>>(work: W) -> W::Result;
}

/// Something to do with a micro-kernel.
#[doc(hidden)]
pub trait WithMicro<E> {
    type Result;
    #[expect(private_bounds, reason = "the trait is sealed by it")]
    fn with<M: Micro<Element = E>>(self, micro: M) -> Self::Result;
}

impl Operand for f32 {
    fn with_micro<W: WithMicro<Self>>(work: W) -> W::Result {
        match Isa::detect() {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Isa::Avx512 => work.with(avx512::Avx512),
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Isa::Avx2 => work.with(avx2::Avx2),
            _ => work.with(Portable::<f32, FUSED>::new()),
        }
    }
}

impl Operand for bf16 {
    fn with_micro<W: WithMicro<Self>>(work: W) -> W::Result {
        match Bf16Support::detect() {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Bf16Support::Amx => work.with(amx::Amx),
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Bf16Support::Avx512 => work.with(avx512_bf16::Avx512Bf16),
            _ => work.with(Portable::<bf16, FUSED>::new()),
        }
    }
}

/// The micro-kernel for operands of this format: its instructions, and what it multiplies at once.
pub fn kernel_name<E: Operand>() -> &'static str {
    struct Name;
    impl<E> WithMicro<E> for Name {
        type Result = &'static str;

        fn with<M: Micro<Element = E>>(self, _micro: M) -> &'static str {
            M::NAME
        }
    }
    E::with_micro(Name)
}

/// `turns` of independent multiply-adds on registers alone, on this thread; returns how many they were.
pub fn multiply_adds<E: Operand>(turns: usize) -> usize {
    struct Turns(usize);
    impl<E> WithMicro<E> for Turns {
        type Result = usize;

        fn with<M: Micro<Element = E>>(self, micro: M) -> usize {
            // SAFETY: `with_micro` chose a micro-kernel that the processor has.
            unsafe { micro.multiply_adds(self.0) }
        }
    }
    E::with_micro(Turns(turns))
}
