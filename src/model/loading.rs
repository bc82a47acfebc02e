//! A checkpoint's configuration and weights, and a model from both.

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;

use super::config::Config;
use super::encoders::EncoderKind;
use super::error::CheckpointError;
use super::reader::Reader;
use super::weights::{Weights, folder_of};
use crate::diagnostic::first_of;
use crate::store::Architecture;

/// So many of a file's names stand in a note.
const MOST_NAMES: usize = 40;

/// A model with what a reader must know of its loading.
#[derive(Debug)]
pub struct Loaded<M> {
    /// The model.
    pub model: M,
    /// Its configuration.
    pub config: Config,
    /// Parts that the file lacked and that were initialised at random, and tensors that were ignored.
    pub notes: Vec<String>,
}

pub(super) fn load<M>(
    folder: &Path,
    seed: u64,
    device: &Device,
    build: impl FnOnce(&mut Reader<'_>, usize) -> Result<M, CheckpointError>,
) -> Result<Loaded<M>, CheckpointError> {
    load_as(Config::read(folder_of(folder)?)?, folder, seed, device, build)
}

/// As [`load`], of weights that are read as `config` says.
pub(super) fn load_as<M>(
    config: Config,
    folder: &Path,
    seed: u64,
    device: &Device,
    build: impl FnOnce(&mut Reader<'_>, usize) -> Result<M, CheckpointError>,
) -> Result<Loaded<M>, CheckpointError> {
    let weights = Weights::open(folder)?;
    check_encoder(&weights, &config.architecture)?;
    let of = config.architecture;
    let mut reader = Reader { weights: &weights, used: BTreeSet::new(), notes: Vec::new(), of, seed, device };
    let model = build(&mut reader, of.hidden as usize)?;
    let ignored: Vec<&str> = weights.names().filter(|name| !reader.used.contains(*name)).collect();
    let mut notes = reader.notes;
    if !ignored.is_empty() {
        notes
            .push(format!("tensors that this model has no place for were ignored: {}", first_of(&ignored, MOST_NAMES)));
    }
    Ok(Loaded { model, config, notes })
}

/// Refuses weights that lack tensors of the encoder or have them in another shape.
pub(super) fn check_encoder(weights: &Weights, of: &Architecture) -> Result<(), CheckpointError> {
    let expected = (EncoderKind::of(of.encoder).tensors)(of, weights);
    let names: Vec<String> = expected.iter().map(|(name, _)| name).filter(|name| !weights.has(name)).cloned().collect();
    if !names.is_empty() {
        return Err(CheckpointError::Missing { path: weights.path().into(), names });
    }
    expected.iter().try_for_each(|(name, shape)| weights.check(name, shape))
}
