//! Weights as safetensors, and the folder around them.

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensorError, TensorView};
use serde_json::Value;

use super::error::CheckpointError;
use super::weights::SAFETENSORS;
use crate::store::atomic;

/// Files that are kept beside the weights, by name: the vocabulary and what a tokenizer must know.
pub type FilesBeside = [(&'static str, Vec<u8>)];

/// Tensors under their Hugging Face names, as little-endian float32.
#[derive(Default)]
pub(super) struct Tensors {
    tensors: Vec<(String, Vec<usize>, Vec<u8>)>,
}

impl Tensors {
    /// Adds a tensor, row by row.
    pub(super) fn push(&mut self, name: String, shape: Vec<usize>, numbers: &[f32]) {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensors.push((name, shape, bytes));
    }

    /// The bytes of a safetensors file. The same tensors give the same bytes.
    ///
    /// # Errors
    /// When numbers do not fill a shape, or there are more than a header can describe.
    pub(super) fn serialize(&self) -> Result<Vec<u8>, SafeTensorError> {
        let views: Vec<(&str, TensorView<'_>)> = self
            .tensors
            .iter()
            .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<_, SafeTensorError>>()?;
        // transformers refuses a file without this key.
        let about = [("format".to_owned(), "pt".to_owned())].into_iter().collect();
        safetensors::tensor::serialize(views, Some(about))
    }
}

/// Writes `config.json`, `model.safetensors` and the files `beside` into `folder`, which is made when it
/// is missing. Nothing is flushed.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write_folder(
    folder: &Path,
    config: &Value,
    tensors: &Tensors,
    beside: &FilesBeside,
) -> Result<(), CheckpointError> {
    std::fs::create_dir_all(folder).map_err(CheckpointError::io(folder))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(CheckpointError::io(&path))
    };
    write("config.json", format!("{config:#}\n").as_bytes())?;
    for (name, bytes) in beside {
        write(name, bytes)?;
    }
    let path = folder.join(SAFETENSORS);
    let bytes = tensors.serialize().map_err(|source| CheckpointError::Format { path: path.clone(), source })?;
    write(SAFETENSORS, &bytes)
}

/// As [`write_folder`], all at once: when it returns, `folder` has everything on disk, or is as it was.
///
/// # Errors
/// As [`write_folder`].
pub(super) fn publish_folder(
    folder: &Path,
    config: &Value,
    tensors: &Tensors,
    beside: &FilesBeside,
) -> Result<(), CheckpointError> {
    let staged = atomic::stage_folder(folder).map_err(CheckpointError::io(folder))?;
    let written = write_folder(&staged, config, tensors, beside)
        .and_then(|()| atomic::publish_folder(&staged, folder).map_err(CheckpointError::io(folder)));
    if written.is_err() {
        // The first error tells what happened; what is left has a temporary name.
        let _ = atomic::remove(&staged);
    }
    written
}
