//! `pytorch_model.bin`, parsed without executing its pickle (by the `pytorch-reader` crate).

use std::path::Path;

use pytorch_reader::{DType, PytorchError, PytorchReader};

use super::{NumberType, Place, Stored};
use crate::model::CheckpointError;

/// The tensors of a file; their numbers stay in it.
pub(super) fn tensors(path: &Path) -> Result<Vec<Stored>, CheckpointError> {
    let reader = PytorchReader::new(path).map_err(|error| match error {
        PytorchError::Io(source) if source.kind() != std::io::ErrorKind::InvalidData => {
            CheckpointError::Io { path: path.to_path_buf(), source }
        }
        other => CheckpointError::damaged(path, format!("not a readable PyTorch file: {other}")),
    })?;
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
