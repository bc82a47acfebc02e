//! What can be said of a folder's weights without reading their numbers.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, Metadata};

use super::checkpoint::{CheckpointError, canonical, encoder_tensors, weights_file};
use super::config::Config;

/// Longer headers are refused, as by the `safetensors` crate.
const LONGEST_HEADER: u64 = 100_000_000;

/// Whether the weights of `folder` are whole and are those of an encoder of `config`'s dimensions: every
/// tensor there, of the right shape, of a type that can be read. Reads the file's header only.
///
/// # Errors
/// The first finding, as loading the weights would say it.
pub fn check_weights(folder: &Path, config: &Config) -> Result<(), CheckpointError> {
    let path = weights_file(folder);
    let header = header(&path)?;
    let tensors: Vec<_> = header.tensors().into_iter().map(|(name, info)| (canonical(&name), info)).collect();
    let find = |wanted: &str| tensors.iter().find(|(name, _)| name == wanted).map(|(_, info)| *info);
    let expected = encoder_tensors(&config.architecture);
    let names: Vec<String> =
        expected.iter().map(|(name, _)| name.clone()).filter(|name| find(name).is_none()).collect();
    if !names.is_empty() {
        return Err(CheckpointError::Missing { path, names });
    }
    for (name, expected) in expected {
        let Some(info) = find(&name) else { continue };
        if info.shape != expected {
            return Err(CheckpointError::Shape { path, name, found: info.shape.clone(), expected });
        }
        if !matches!(info.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Err(CheckpointError::Type { path, name, dtype: format!("{:?}", info.dtype) });
        }
    }
    Ok(())
}

/// The header of a safetensors file: 8 bytes of its length, little endian, and JSON. The numbers of all
/// tensors must follow, and nothing else.
fn header(path: &Path) -> Result<Metadata, CheckpointError> {
    let io = |source: io::Error| CheckpointError::Io { path: path.to_path_buf(), source };
    let refused = |source| CheckpointError::Format { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut length = [0; 8];
    if size < length.len() as u64 {
        return Err(refused(SafeTensorError::HeaderTooSmall));
    }
    file.read_exact(&mut length).map_err(io)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(refused(SafeTensorError::HeaderTooLarge));
    }
    if length + 8 > size {
        return Err(refused(SafeTensorError::InvalidHeaderLength));
    }
    let mut json = vec![0; length as usize];
    file.read_exact(&mut json).map_err(io)?;
    let header: Metadata =
        serde_json::from_slice(&json).map_err(|error| refused(SafeTensorError::InvalidHeaderDeserialization(error)))?;
    let expected = header.data_len() as u64 + length + 8;
    if expected == size {
        Ok(header)
    } else {
        Err(CheckpointError::Length { path: path.into(), found: size, expected })
    }
}
