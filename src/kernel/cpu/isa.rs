//! Which vector instructions this processor has.

use std::sync::OnceLock;

/// The instruction sets that kernels are compiled for, beside the one that the program is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What every processor of the target has.
    Portable,
    /// AVX2 and FMA: 8 lanes of f32.
    Avx2,
    /// AVX-512 F, BW, DQ and VL: 16 lanes of f32.
    Avx512,
}

impl Isa {
    /// The best of this processor; found out once.
    #[must_use]
    pub fn detect() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(Self::look)
    }

    #[cfg(all(target_arch = "x86_64", not(miri)))]
    fn look() -> Self {
        if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
            return Self::Portable;
        }
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        if wide { Self::Avx512 } else { Self::Avx2 }
    }

    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    fn look() -> Self {
        Self::Portable
    }

    /// Runs `work` compiled for this instruction set: loops in it, and in the `#[inline(always)]` functions
    /// that it calls, are vectorised with it. The closure itself must be `#[inline(always)]` too.
    ///
    /// A set that this processor lacks is not used: [`Isa::detect`] bounds it.
    #[inline(always)]
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        match self.min(Self::detect()) {
            Self::Portable => work(),
            // SAFETY: `detect` found AVX2 and FMA.
            Self::Avx2 => unsafe { with_avx2(work) },
            // SAFETY: `detect` found AVX-512 F, BW, DQ and VL besides.
            Self::Avx512 => unsafe { with_avx512(work) },
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        work()
    }
}

/// `work` compiled for AVX2 and FMA.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "avx2,fma")]
pub(super) fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// `work` compiled for AVX-512 F, BW, DQ and VL.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn with_avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}
