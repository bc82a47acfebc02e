//! `model.safetensors`: 8 bytes of the header's length, the header (JSON), the numbers.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, Metadata};

use super::{NumberType, Place, Stored};
use crate::model::CheckpointError;

/// Longer headers are refused, as by the `safetensors` crate.
const LONGEST_HEADER: u64 = 100_000_000;

/// The tensors of a file. Only its header is read; its length must be what the header promises.
pub(super) fn tensors(path: &Path) -> Result<Vec<Stored>, CheckpointError> {
    let (header, begin) = header(path)?;
    let tensors = header.tensors().into_iter().map(|(name, info)| {
        let (from, to) = info.data_offsets;
        let place = Place::Bytes { offset: begin + from as u64, length: (to - from) as u64, masked_crc: None };
        let (shape, numbers) = (info.shape.clone(), number_type(info.dtype));
        Stored { name, file: 0, shape, numbers, transposed: false, place }
    });
    Ok(tensors.collect())
}

fn number_type(dtype: Dtype) -> NumberType {
    if dtype == Dtype::F64 {
        NumberType::F64
    } else if dtype == Dtype::F32 {
        NumberType::F32
    } else if dtype == Dtype::F16 {
        NumberType::F16
    } else if dtype == Dtype::BF16 {
        NumberType::BF16
    } else {
        NumberType::Other(dtype.to_string())
    }
}

/// The header, whose offsets the `safetensors` crate checks, and where the numbers begin.
fn header(path: &Path) -> Result<(Metadata, u64), CheckpointError> {
    let refused = |source| CheckpointError::Format { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(CheckpointError::io(path))?;
    let size = file.metadata().map_err(CheckpointError::io(path))?.len();
    let mut length = [0; 8];
    if size < length.len() as u64 {
        return Err(refused(SafeTensorError::HeaderTooSmall));
    }
    file.read_exact(&mut length).map_err(CheckpointError::io(path))?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(refused(SafeTensorError::HeaderTooLarge));
    }
    if length + 8 > size {
        return Err(refused(SafeTensorError::InvalidHeaderLength));
    }
    let mut json = vec![0; length as usize];
    file.read_exact(&mut json).map_err(CheckpointError::io(path))?;
    let header: Metadata =
        serde_json::from_slice(&json).map_err(|error| refused(SafeTensorError::InvalidHeaderDeserialization(error)))?;
    let expected = header.data_len() as u64 + length + 8;
    if expected == size {
        Ok((header, length + 8))
    } else {
        Err(CheckpointError::Length { path: path.into(), found: size, expected })
    }
}
