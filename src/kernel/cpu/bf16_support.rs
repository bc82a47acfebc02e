//! Which of the processor's bf16 instructions may be used.

#[cfg(all(target_arch = "x86_64", not(miri)))]
use super::isa::Isa;

/// How this processor multiplies bf16 matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bf16Support {
    /// After conversion to f32.
    None,
    /// AVX512-BF16: dot products of pairs, 16 at a time.
    Avx512,
    /// AMX besides: products of 16 × 32 with 32 × 16 tiles.
    Amx,
}

impl Bf16Support {
    /// The best of this processor, as far as the operating system lets it be used, found out once; none with a lower
    /// [`Isa`] than all of them need.
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        if Isa::detect() == Isa::Avx512 {
            static BEST: std::sync::OnceLock<Bf16Support> = std::sync::OnceLock::new();
            return *BEST.get_or_init(x86::look);
        }
        Self::None
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86 {
    use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};

    use super::Bf16Support;

    /// `CPUID.(7, 0).EDX`: AMX-BF16 and AMX-TILE.
    const AMX: u32 = (1 << 22) | (1 << 24);
    /// `CPUID.1.ECX`: the operating system uses XSAVE, so XCR0 can be read.
    const OSXSAVE: u32 = 1 << 27;
    /// XCR0: the tiles' configuration and the tiles are saved with a thread's state.
    const TILE_STATE: u64 = (1 << 17) | (1 << 18);

    /// For processors with AVX-512.
    pub(super) fn look() -> Bf16Support {
        if !is_x86_feature_detected!("avx512bf16") {
            return Bf16Support::None;
        }
        if has_amx() && permitted() { Bf16Support::Amx } else { Bf16Support::Avx512 }
    }

    fn has_amx() -> bool {
        let leaves = __cpuid(0).eax;
        let saved = leaves >= 7 && __cpuid(1).ecx & OSXSAVE != 0 && {
            // SAFETY: OSXSAVE is set, so XGETBV exists and register 0 may be read.
            let enabled = unsafe { _xgetbv(0) };
            enabled & TILE_STATE == TILE_STATE
        };
        saved && __cpuid_count(7, 0).edx & AMX == AMX
    }

    /// Asks Linux to let this process use the tiles: their state is large (8 KiB a thread) and given on
    /// request only. It holds for all threads. See `Documentation/arch/x86/xstate.rst` of the kernel.
    #[cfg(target_os = "linux")]
    fn permitted() -> bool {
        const ARCH_PRCTL: i64 = 158;
        const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
        const XFEATURE_XTILEDATA: i64 = 18;
        let mut result = ARCH_PRCTL;
        // SAFETY: a system call by the kernel's convention (it changes rax, rcx and r11), with no address in it.
        unsafe {
            std::arch::asm!(
                "syscall",
                inlateout("rax") result,
                in("rdi") ARCH_REQ_XCOMP_PERM,
                in("rsi") XFEATURE_XTILEDATA,
                lateout("rcx") _,
                lateout("r11") _,
                options(nostack),
            );
        }
        result == 0
    }

    /// Elsewhere it is not known how to ask.
    #[cfg(not(target_os = "linux"))]
    fn permitted() -> bool {
        false
    }
}
