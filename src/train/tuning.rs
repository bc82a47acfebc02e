//! `autotune`: kernels of matrix products that are timed, and kept with the runs.

use std::io;
use std::sync::Arc;

use super::device::{NamedDevice, NothingToTune};
use super::error::TrainError;
use super::ranks::Ranks;
use super::ready::RunContext;
use crate::kernel::{KeptKernels, ProductTuning, TimedKernels, product_kernels};
use crate::store::{ProductKernels, ProductKey, RunSettings, RunsRoot, StoreError};

/// The choices of a folder of runs, on one device.
#[derive(Debug)]
struct KeptWithRuns {
    products: ProductKernels,
    device: String,
}

impl KeptWithRuns {
    fn key(&self, product: &str) -> ProductKey {
        let (device, kernels) = (self.device.clone(), product_kernels().to_owned());
        ProductKey { device, kernels, product: product.to_owned() }
    }
}

impl KeptKernels for KeptWithRuns {
    fn kept(&self, product: &str) -> io::Result<Option<String>> {
        self.products.chosen(&self.key(product)).map_err(as_io)
    }

    fn keep(&self, product: &str, TimedKernels { kernel, seconds }: TimedKernels) -> io::Result<String> {
        self.products.choose(&self.key(product), &kernel, seconds).map_err(as_io)
    }
}

/// A full disk stays one.
fn as_io(error: StoreError) -> io::Error {
    if let StoreError::Io(error) = error { error } else { io::Error::other(error) }
}

/// Nothing is kept longer than the process.
#[derive(Debug)]
struct Forgotten;

impl KeptKernels for Forgotten {
    fn kept(&self, _: &str) -> io::Result<Option<String>> {
        Ok(None)
    }

    fn keep(&self, _: &str, timed: TimedKernels) -> io::Result<String> {
        Ok(timed.kernel)
    }
}

impl NamedDevice {
    /// Times kernels for as long as what is given lives, and keeps no choice.
    pub(super) fn tune(&self) -> Result<ProductTuning, NothingToTune> {
        self.can_tune()?;
        Ok(ProductTuning::start(Arc::new(Forgotten)))
    }
}

/// For as long as it lives, matrix products are made by the kernels that were chosen for the runs beside this one, and
/// those of which none was chosen are timed; nothing where the settings do not ask for it. All `ranks` of a run call it.
///
/// # Errors
/// When the device is no GPU or cannot be opened, or the folder of the choices cannot be read.
pub(super) fn tuning(
    context: &RunContext,
    settings: &RunSettings,
    ranks: &dyn Ranks,
) -> Result<Option<ProductTuning>, TrainError> {
    if !settings.optimization.autotune {
        return Ok(None);
    }
    ranks.agree(start(context, settings)).map(Some)
}

fn start(context: &RunContext, settings: &RunSettings) -> Result<ProductTuning, TrainError> {
    let device = context.open_device(settings)?;
    device.can_tune()?;
    let products = RunsRoot::new(&context.runs).product_kernels();
    products.clean()?;
    Ok(ProductTuning::start(Arc::new(KeptWithRuns { products, device: device.described() })))
}

/// What is to be known of a run whose products were tuned.
///
/// # Errors
/// When a choice could not be read or kept.
pub(super) fn note(tuning: &ProductTuning) -> Result<String, TrainError> {
    let chosen = tuning.chosen()?;
    let mut kernels: Vec<&str> = chosen.iter().map(|(_, kernel)| &**kernel).collect();
    kernels.sort_unstable();
    kernels.dedup();
    let (products, kernels) = (chosen.len(), kernels.join(", "));
    Ok(format!("autotuned: kernels of matrix products of {products} sizes, chosen once for all runs: {kernels}"))
}
