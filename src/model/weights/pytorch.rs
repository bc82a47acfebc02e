//! `pytorch_model.bin`, parsed without executing its pickle (by the `pytorch-reader` crate).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pytorch_reader::{DType, PytorchReader};

use super::{NumberType, Place, Stored};
use crate::model::CheckpointError;

/// Where and how a tar archive says what it is.
const TAR: (usize, &[u8]) = (257, b"ustar");
/// A tensor may show the same stored numbers again and again (`expand` in PyTorch), and stored numbers may be compressed,
/// but weights are hardly either: so many times the file's size, and this much besides, bound what they unpack to.
const RATIO: u64 = 16;
const ALLOWANCE: u64 = 16 << 20;

/// The tensors of a file; their numbers stay in it.
pub(super) fn tensors(path: &Path) -> Result<Vec<Stored>, CheckpointError> {
    // Whether the file is there and may be read is another finding than what is in it.
    let file = File::open(path).map_err(CheckpointError::io(path))?;
    let size = file.metadata().map_err(CheckpointError::io(path))?.len();
    let mut begin = Vec::new();
    file.take((TAR.0 + TAR.1.len()) as u64).read_to_end(&mut begin).map_err(CheckpointError::io(path))?;
    if begin.get(TAR.0..) == Some(TAR.1) {
        return Err(CheckpointError::damaged(path, "a tar archive, as PyTorch wrote before 0.1.10; save it again"));
    }
    let reader = PytorchReader::new(path)
        .map_err(|error| CheckpointError::damaged(path, format!("not a readable PyTorch file: {error}")))?;
    let bytes = |tensor: &pytorch_reader::Tensor| {
        let numbers = tensor
            .shape()
            .iter()
            .try_fold(tensor.dtype().size() as u64, |bytes, &length| bytes.checked_mul(length as u64));
        numbers.unwrap_or(u64::MAX)
    };
    let total = reader.tensors().values().fold(0u64, |total, tensor| total.saturating_add(bytes(tensor)));
    if total > size.saturating_mul(RATIO).saturating_add(ALLOWANCE) {
        return Err(CheckpointError::damaged(
            path,
            format!("its tensors unpack to {total} bytes, the file has {size}"),
        ));
    }
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
