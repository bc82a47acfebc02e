//! Which kernel multiplies matrices of a size on a GPU, found out by timing them.

use std::io;
use std::sync::Arc;

use super::kept_kernels::KeptKernels;

/// Has this process choose the kernels of matrix products on GPUs by timing them, for as long as it lives; without, size,
/// types and device alone decide. There is one at a time.
#[derive(Debug)]
pub struct ProductTuning {
    #[cfg(feature = "cube")]
    tuner: Arc<super::cube::Tuner>,
    #[cfg(not(feature = "cube"))]
    _kept: Arc<dyn KeptKernels>,
}

impl ProductTuning {
    /// Chooses from now on, but for products that `kept` knows.
    #[must_use]
    pub fn start(kept: Arc<dyn KeptKernels>) -> Self {
        #[cfg(feature = "cube")]
        let tuning = Self { tuner: super::cube::Tuner::start(kept) };
        #[cfg(not(feature = "cube"))]
        let tuning = Self { _kept: kept };
        tuning
    }

    /// The products so far, each with its kernel.
    ///
    /// # Errors
    /// When a choice could not be read or kept; such products were not timed.
    pub fn chosen(&self) -> io::Result<Vec<(String, String)>> {
        #[cfg(feature = "cube")]
        let chosen = self.tuner.chosen();
        #[cfg(not(feature = "cube"))]
        let chosen = Ok(Vec::new());
        chosen
    }
}

#[cfg(feature = "cube")]
impl Drop for ProductTuning {
    fn drop(&mut self) {
        self.tuner.stop();
    }
}
