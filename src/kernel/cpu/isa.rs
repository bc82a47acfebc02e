//! Which vector instructions are used.

use std::ffi::OsStr;
use std::sync::OnceLock;

/// Names the instruction set to use in place of the processor's best.
const VARIABLE: &str = "BERTBENCH_ISA";

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

/// Why `BERTBENCH_ISA` cannot be heeded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IsaError {
    /// It names nothing that kernels are compiled for.
    #[error("`{VARIABLE}` is `{0}`, which is no instruction set that there are kernels for")]
    Unknown(String),
    /// The processor is another.
    #[error("`{VARIABLE}` is `{}`, which this processor does not have", .0.name())]
    Lacking(Isa),
}

impl IsaError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let names = |sets: &[Isa]| sets.iter().map(|isa| format!("`{}`", isa.name())).collect::<Vec<_>>().join(", ");
        match self {
            Self::Unknown(_) => format!("known are {}; without the variable the best one is used", names(&Isa::ALL)),
            Self::Lacking(_) => {
                format!("it has {}; without the variable the best one is used", names(Isa::available()))
            }
        }
    }
}

impl Isa {
    /// All of them, each with what the ones before it have.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// Its name in `BERTBENCH_ISA`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Those of this processor.
    #[must_use]
    pub fn available() -> &'static [Self] {
        static BEST: OnceLock<Isa> = OnceLock::new();
        let best = *BEST.get_or_init(Self::look);
        &Self::ALL[..=best as usize]
    }

    /// What `BERTBENCH_ISA` names, else the best of this processor.
    ///
    /// # Errors
    /// A name that is unknown, or of a set that this processor lacks.
    pub fn chosen() -> Result<Self, IsaError> {
        Self::named(&std::env::var_os(VARIABLE).unwrap_or_default(), Self::available())
    }

    /// The one of `available` that is called `name`; the last one without a name.
    fn named(name: &OsStr, available: &[Self]) -> Result<Self, IsaError> {
        if name.is_empty() {
            return Ok(available.last().copied().unwrap_or(Self::Portable));
        }
        let unknown = || IsaError::Unknown(name.to_string_lossy().into_owned());
        let isa = Self::ALL.into_iter().find(|isa| *isa.name() == *name).ok_or_else(unknown)?;
        if available.contains(&isa) { Ok(isa) } else { Err(IsaError::Lacking(isa)) }
    }

    /// The one that is used: [`Isa::chosen`], found out once; the best if that is an error, which the command line has
    /// told before.
    #[must_use]
    pub fn detect() -> Self {
        static USED: OnceLock<Isa> = OnceLock::new();
        #[cfg(test)]
        if let Some(isa) = forced::of_this_thread() {
            return isa;
        }
        let best = || Self::available().last().copied().unwrap_or(Self::Portable);
        *USED.get_or_init(|| Self::chosen().unwrap_or_else(|_| best()))
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

/// Instruction sets that tests force on threads of their own.
#[cfg(test)]
pub(in crate::kernel) mod forced {
    use std::cell::Cell;

    use rayon::{ThreadPool, ThreadPoolBuilder};

    use super::Isa;

    thread_local! {
        static FORCED: Cell<Option<Isa>> = const { Cell::new(None) };
    }

    pub(super) fn of_this_thread() -> Option<Isa> {
        FORCED.get()
    }

    /// A pool of threads that use `isa`.
    fn pool_of(isa: Option<Isa>, threads: usize) -> ThreadPool {
        let force = move |_| FORCED.set(isa);
        // What panics says with which.
        let name = move |_| isa.map_or("best", Isa::name).to_owned();
        ThreadPoolBuilder::new().num_threads(threads).start_handler(force).thread_name(name).build().unwrap()
    }

    /// A pool of threads that use what this one does.
    pub(in crate::kernel) fn pool(threads: usize) -> ThreadPool {
        pool_of(FORCED.get(), threads)
    }

    /// Runs `work` with every instruction set that this processor has, on threads that use it.
    pub(in crate::kernel) fn with_every_isa(work: impl Fn(Isa) + Sync) {
        for &isa in Isa::available() {
            pool_of(Some(isa), 2).install(|| work(isa));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_name_chooses_what_the_processor_has_and_nothing_else() {
        let of = |name: &str, available: &[Isa]| {
            Isa::named(OsStr::new(name), available).map_err(|error| (error.to_string(), error.hint()))
        };
        for (end, &best) in Isa::ALL.iter().enumerate() {
            let available = &Isa::ALL[..=end];
            assert_eq!(of("", available), Ok(best));
            assert!(available.iter().all(|isa| of(isa.name(), available) == Ok(*isa)));
        }
        let (unknown, hint) = of("sse9", &Isa::ALL).unwrap_err();
        assert!(unknown.contains("`sse9`") && hint.contains("`portable`, `avx2`, `avx512`"), "{unknown} {hint}");
        let (lacking, _) = of("avx512", &Isa::ALL[..2]).unwrap_err();
        assert!(lacking.contains("`avx512`, which this processor does not have"), "{lacking}");
    }

    #[test]
    fn every_thread_of_a_forced_pool_uses_the_forced_set() {
        forced::with_every_isa(|isa| {
            let everywhere = rayon::broadcast(|_| Isa::detect());
            assert!(everywhere.len() == 2 && everywhere.iter().all(|used| *used == isa));
            assert!(forced::pool(3).broadcast(|_| Isa::detect()).iter().all(|used| *used == isa));
        });
    }
}
