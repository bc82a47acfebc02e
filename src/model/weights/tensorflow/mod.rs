//! TensorFlow's tensor bundle (`tensorflow/core/util/tensor_bundle`): an index of tensors in the form of
//! a LevelDB table, and their bytes in `data-00000-of-0000N`.

mod bundle;
mod names;
mod table;

use std::path::{Path, PathBuf};

use super::{NumberType, Place, Stored};
use crate::model::CheckpointError;

pub(super) use table::masked_crc;

/// A checkpoint's files, its tensors under Hugging Face's names, and the number of other variables.
type Bundled = (Vec<PathBuf>, Vec<(String, Stored)>, usize);

/// The tensors of the checkpoint `prefix.index`, under Hugging Face's names, with its files (the index
/// first) and the number of variables that no model has a place for.
pub(super) fn tensors(prefix: &Path) -> Result<Bundled, CheckpointError> {
    let index = prefix.with_added_extension("index");
    let bytes = std::fs::read(&index).map_err(CheckpointError::io(&index))?;
    let bundle = bundle::Bundle::parse(&bytes).map_err(|problem| CheckpointError::damaged(&index, problem))?;
    let mut files = vec![index.clone()];
    let mut lengths = Vec::new();
    for shard in 0..bundle.shards {
        let data = prefix.with_added_extension(format!("data-{shard:05}-of-{:05}", bundle.shards));
        lengths.push(std::fs::metadata(&data).map_err(CheckpointError::io(&data))?.len());
        files.push(data);
    }
    let (mut tensors, mut skipped) = (Vec::new(), 0);
    for (variable, entry) in bundle.entries {
        let refused =
            |problem: String| CheckpointError::Tensor { path: index.clone(), name: variable.clone(), problem };
        let shard = entry.shard as usize;
        let end = entry.offset.checked_add(entry.length);
        if lengths.get(shard).is_none_or(|length| end.is_none_or(|end| end > *length)) {
            let (end, file) = (end.unwrap_or(u64::MAX), files.get(shard + 1).unwrap_or(&index));
            let found = lengths.get(shard).copied().unwrap_or(0);
            let problem = format!("its bytes end at {end}, but {} has {found}: not fully copied?", file.display());
            return Err(refused(problem));
        }
        if names::is_object_based(&variable) {
            let problem = "an object-based checkpoint of TensorFlow 2; bertbench reads checkpoints by variable \
                           names, as google-research/bert writes them";
            return Err(CheckpointError::damaged(&index, problem));
        }
        let Some((name, transposed)) = names::translate(&variable) else {
            skipped += 1;
            continue;
        };
        if !entry.slices.is_empty() {
            return Err(refused("it is stored in slices; save it without partitions".into()));
        }
        let (numbers, shape) = (number_type(entry.dtype), entry.shape());
        if let Some(size) = size_of(&numbers)
            && shape.iter().try_fold(size, |bytes, length| bytes.checked_mul(*length)) != Some(entry.length)
        {
            return Err(refused(format!("{} bytes do not hold the shape {shape:?}", entry.length)));
        }
        let shape = shape.into_iter().map(|length| length as usize).collect();
        let place = Place::Bytes { offset: entry.offset, length: entry.length, masked_crc: Some(entry.masked_crc) };
        tensors.push((name, Stored { name: variable, file: shard + 1, shape, numbers, transposed, place }));
    }
    Ok((files, tensors, skipped))
}

/// `DataType` of `tensorflow/core/framework/types.proto`.
fn number_type(dtype: u64) -> NumberType {
    match dtype {
        1 => NumberType::F32,
        2 => NumberType::F64,
        14 => NumberType::BF16,
        19 => NumberType::F16,
        3 => NumberType::Other("int32".into()),
        7 => NumberType::Other("string".into()),
        9 => NumberType::Other("int64".into()),
        other => NumberType::Other(format!("DataType {other}")),
    }
}

fn size_of(numbers: &NumberType) -> Option<u64> {
    match numbers {
        NumberType::F64 => Some(8),
        NumberType::F32 => Some(4),
        NumberType::F16 | NumberType::BF16 => Some(2),
        NumberType::Other(_) => None,
    }
}
