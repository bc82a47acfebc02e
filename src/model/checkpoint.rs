//! A model from its configuration and its weights.

use std::path::Path;

use burn::tensor::Device;

use super::classifier::Classifier;
use super::config::Config;
use super::encoders::AnyEncoder;
use super::error::CheckpointError;
use super::head::Head;
use super::loading::{Loaded, check_encoder, load};
use super::reader::NO_POOLER;
use super::tagger::{Tagger, described};
use super::weights::{Weights, folder_of};

/// Reads the encoder of `folder`. A missing pooler is initialised from the `init` stream of `seed`.
///
/// # Errors
/// When a file is unreadable, an encoder tensor is missing or a shape or type is wrong.
pub fn load_encoder(folder: &Path, seed: u64, device: &Device) -> Result<Loaded<AnyEncoder>, CheckpointError> {
    load(folder, seed, device, |reader, _| AnyEncoder::read(reader))
}

/// Reads a classifier as it was trained: its head must be in the file, and decides the number of outputs; its tagger
/// too, if `config.json` describes one.
///
/// # Errors
/// As [`load_encoder`]; also when the file has no head of `kind`, or that needs a pooler and the file has none.
pub fn load_trained_classifier(
    folder: &Path,
    kind: Head,
    device: &Device,
) -> Result<Loaded<Classifier>, CheckpointError> {
    let tagger = described(folder)?;
    let usage = Config::read(folder_of(folder)?)?.usage;
    load(folder, 0, device, |reader, hidden| {
        let name = kind.tensors();
        let weight = format!("{name}.weight");
        let found = reader.weights.shape(&weight);
        let outputs = found.as_ref().and_then(|shape| shape.first()).copied();
        let pooler = "pooler.dense.weight";
        let (Some(outputs), true) =
            (outputs, kind.per_token() || !reader.of.encoder.facts().has_pooler || reader.weights.has(pooler))
        else {
            let parts = [pooler, &weight].into_iter();
            let names = parts.filter(|name| !reader.weights.has(name)).map(str::to_owned).collect();
            return Err(CheckpointError::Missing { path: reader.weights.path().into(), names });
        };
        let encoder = AnyEncoder::read(reader)?;
        if kind.per_token() {
            // Nobody asks for the pooler.
            reader.notes.retain(|note| note != NO_POOLER);
        }
        let layers = encoder.depth() as u32;
        let tagger = tagger.map(|of| reader.tagger((&of, kind), layers, hidden)).transpose()?;
        let read = tagger.as_ref().map_or(hidden, Tagger::width);
        let both_orders = usage.is_some_and(|usage| usage.both_orders);
        Ok(Classifier { tagger, both_orders, ..Classifier::of(encoder, reader.linear(name, read, outputs)?, kind) })
    })
}

/// Whether the checkpoint in `folder` is whole and is an encoder of `config`'s dimensions: every tensor
/// there, of the right shape, of a type that can be read. Reads no numbers.
///
/// # Errors
/// The first finding, as loading the weights would say it.
pub fn check_weights(folder: &Path, config: &Config) -> Result<Weights, CheckpointError> {
    let weights = Weights::open(folder)?;
    check_encoder(&weights, &config.architecture)?;
    Ok(weights)
}
