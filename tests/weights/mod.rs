//! Checkpoints in every format that PyTorch and TensorFlow write (`tests/golden/weights.py` and
//! `tests/golden/tf_checkpoints.py`): the same numbers come out of all, and damage is named.

mod converted;
mod damaged;
mod formats;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

type Numbers = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Read by the `safetensors` crate, not by the code under test; names without `bert.`.
fn expected(file: &str) -> Numbers {
    let bytes = fs::read(golden(file)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap().tensors();
    let numbers = |data: &[u8]| data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let entry = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        (name.trim_start_matches("bert.").to_owned(), (view.shape().to_vec(), numbers(view.data())))
    };
    tensors.into_iter().map(entry).collect()
}

/// Names, shapes and bytes of a safetensors file.
fn raw(file: &[u8]) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let views = safetensors::SafeTensors::deserialize(file).unwrap().tensors();
    views.into_iter().map(|(name, view)| (name, (view.shape().to_vec(), view.data().to_vec()))).collect()
}

const REFERENCE: &str = "weights/reference/model.safetensors";

/// Folders with the numbers of [`REFERENCE`].
const EXACT: [&str; 10] = [
    "weights/reference",
    "weights/safetensors",
    "weights/gamma-beta",
    "weights/pytorch",
    "weights/pytorch-legacy",
    "weights/pytorch-strided",
    "weights/sharded-safetensors",
    "weights/sharded-pytorch",
    "tensorflow/google",
    "tensorflow/two-files",
];

/// Copies a folder of golden weights to where it may be damaged.
fn copy(from: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden(from)).unwrap().flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}
