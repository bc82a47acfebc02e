//! What is kept of the kernels that were chosen for matrix products.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

/// The kernels that were timed for a product.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedKernels {
    /// The fastest of them.
    pub kernel: String,
    /// Seconds of each that multiplies such matrices there, by its name.
    pub seconds: BTreeMap<String, f64>,
}

/// What was chosen before, for as long as it is to be kept. Another kernel may give other bits, so whoever wants the same
/// bits again keeps the choices.
pub trait KeptKernels: fmt::Debug + Send + Sync {
    /// The name of the kernel of `product`, if one was chosen.
    ///
    /// # Errors
    /// When what was kept cannot be read.
    fn kept(&self, product: &str) -> io::Result<Option<String>>;

    /// Keeps the choice for `product` and gives the kernel's name: of several that choose at once that of the first.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn keep(&self, product: &str, timed: TimedKernels) -> io::Result<String>;
}
