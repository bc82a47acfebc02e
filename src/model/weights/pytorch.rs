//! `pytorch_model.bin`, parsed without executing its pickle (by the `pytorch-reader` crate).

use std::path::Path;

use pytorch_reader::{DType, PytorchReader};

use super::{NumberType, Place, Stored};
use crate::model::CheckpointError;

/// The tensors of a file; their numbers stay in it.
pub(super) fn tensors(path: &Path) -> Result<Vec<Stored>, CheckpointError> {
    // Whether the file is there and may be read is another finding than what is in it.
    std::fs::File::open(path).map_err(CheckpointError::io(path))?;
    let reader = PytorchReader::new(path)
        .map_err(|error| CheckpointError::damaged(path, format!("not a readable PyTorch file: {error}")))?;
    let tensors = reader.into_tensors().into_iter().map(|(name, tensor)| Stored {
        name,
        file: 0,
        shape: tensor.shape().to_vec(),
        numbers: number_type(tensor.dtype()),
        transposed: false,
        place: Place::PyTorch(Box::new(tensor)),
    });
    Ok(tensors.collect())
}

fn number_type(dtype: DType) -> NumberType {
    match dtype {
        DType::F64 => NumberType::F64,
        DType::F32 => NumberType::F32,
        DType::F16 => NumberType::F16,
        DType::BF16 => NumberType::BF16,
        DType::I64
        | DType::I32
        | DType::I16
        | DType::I8
        | DType::U64
        | DType::U32
        | DType::U16
        | DType::U8
        | DType::Bool => NumberType::Other(format!("{dtype:?}")),
    }
}
