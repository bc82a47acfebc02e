//! Which files of a folder hold its weights.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::model::CheckpointError;

/// The file of a checkpoint in one piece, in safetensors' format.
pub(in crate::model) const SAFETENSORS: &str = "model.safetensors";
/// Its index when it is in shards.
pub(in crate::model) const SAFETENSORS_INDEX: &str = "model.safetensors.index.json";
/// The file of a checkpoint in one piece, in PyTorch's format.
pub(in crate::model) const PYTORCH: &str = "pytorch_model.bin";
/// Its index when it is in shards.
pub(in crate::model) const PYTORCH_INDEX: &str = "pytorch_model.bin.index.json";
/// The name of Google's published checkpoints; those of a training run are called `model.ckpt-<step>`.
const TENSORFLOW: &str = "bert_model.ckpt";

/// Where the weights are.
#[derive(Debug)]
pub(super) enum Layout {
    Safetensors {
        index: Option<Index>,
        files: Vec<PathBuf>,
    },
    PyTorch {
        index: Option<Index>,
        files: Vec<PathBuf>,
    },
    /// `prefix.index` and `prefix.data-00000-of-00001`.
    TensorFlow {
        prefix: PathBuf,
    },
}

/// The index of a checkpoint in shards: which tensor is in which file.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) path: PathBuf,
    shards: BTreeMap<PathBuf, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct WrittenIndex {
    weight_map: BTreeMap<String, String>,
}

/// The weights of a folder (safetensors before PyTorch before TensorFlow), or those that a file's name
/// or the prefix of a TensorFlow checkpoint names.
pub(super) fn locate(from: &Path) -> Result<Layout, CheckpointError> {
    if from.is_dir() {
        return in_folder(from);
    }
    let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let extension = from.extension().unwrap_or_default().to_string_lossy().into_owned();
    if name.ends_with(SAFETENSORS_INDEX) || name.ends_with(PYTORCH_INDEX) {
        return sharded(from, name.ends_with(SAFETENSORS_INDEX));
    }
    match extension.as_str() {
        "safetensors" => one(from, true),
        "bin" | "pt" | "pth" => one(from, false),
        "index" => Ok(Layout::TensorFlow { prefix: from.with_extension("") }),
        _ if from.with_added_extension("index").is_file() => Ok(Layout::TensorFlow { prefix: from.to_path_buf() }),
        _ => Err(CheckpointError::damaged(
            from,
            "no weights: expected a folder, a .safetensors or .bin file, or the prefix of a TensorFlow checkpoint",
        )),
    }
}

fn in_folder(folder: &Path) -> Result<Layout, CheckpointError> {
    for (file, index, safetensors) in [(SAFETENSORS, SAFETENSORS_INDEX, true), (PYTORCH, PYTORCH_INDEX, false)] {
        if folder.join(file).exists() {
            return one(&folder.join(file), safetensors);
        }
        if folder.join(index).exists() {
            return sharded(&folder.join(index), safetensors);
        }
    }
    if folder.join(TENSORFLOW).with_added_extension("index").exists() {
        return Ok(Layout::TensorFlow { prefix: folder.join(TENSORFLOW) });
    }
    let prefixes = tensorflow_prefixes(folder)?;
    match prefixes.as_slice() {
        [] => {
            let known = vec![SAFETENSORS, SAFETENSORS_INDEX, PYTORCH, PYTORCH_INDEX, "bert_model.ckpt.index"];
            Err(CheckpointError::NoWeights { folder: folder.to_path_buf(), known })
        }
        [prefix] => Ok(Layout::TensorFlow { prefix: prefix.clone() }),
        [.., last] => {
            let problem = format!(
                "{} TensorFlow checkpoints: name one by its prefix, such as {}",
                prefixes.len(),
                last.display()
            );
            Err(CheckpointError::damaged(folder, problem))
        }
    }
}

/// `model.ckpt-1000` for `model.ckpt-1000.index`, by name.
fn tensorflow_prefixes(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut prefixes = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(CheckpointError::io(folder))? {
        let path = entry.map_err(CheckpointError::io(folder))?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if stem.contains(".ckpt") && path.extension().is_some_and(|extension| extension == "index") {
            prefixes.push(path.with_extension(""));
        }
    }
    prefixes.sort();
    Ok(prefixes)
}

fn one(file: &Path, safetensors: bool) -> Result<Layout, CheckpointError> {
    refuse_pointer(file)?;
    let (index, files) = (None, vec![file.to_path_buf()]);
    Ok(if safetensors { Layout::Safetensors { index, files } } else { Layout::PyTorch { index, files } })
}

/// What an index puts into each file, by the file's name: the names of its tensors.
///
/// # Errors
/// When it cannot be read, is no index, names no file, or one that is not beside it.
pub(in crate::model) fn shards(path: &Path) -> Result<BTreeMap<String, BTreeSet<String>>, CheckpointError> {
    let bytes = std::fs::read(path).map_err(CheckpointError::io(path))?;
    let written: WrittenIndex = serde_json::from_slice(&bytes)
        .map_err(|error| CheckpointError::damaged(path, format!("not an index of shards: {error}")))?;
    let mut shards: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (tensor, shard) in written.weight_map {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if shard.is_empty() || shard.starts_with('.') || !shard.chars().all(is_plain) {
            let problem = format!("the shard `{shard}` of `{tensor}` is not the name of a file beside it");
            return Err(CheckpointError::damaged(path, problem));
        }
        shards.entry(shard).or_default().insert(tensor);
    }
    if shards.is_empty() {
        return Err(CheckpointError::damaged(path, "its `weight_map` names no tensors"));
    }
    Ok(shards)
}

fn sharded(path: &Path, safetensors: bool) -> Result<Layout, CheckpointError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = shards(path)?.into_iter().map(|(shard, tensors)| (folder.join(shard), tensors));
    let shards: BTreeMap<PathBuf, BTreeSet<String>> = beside.collect();
    let files: Vec<PathBuf> = shards.keys().cloned().collect();
    for file in &files {
        refuse_pointer(file)?;
    }
    let index = Some(Index { path: path.to_path_buf(), shards });
    Ok(if safetensors { Layout::Safetensors { index, files } } else { Layout::PyTorch { index, files } })
}

impl Index {
    /// Refuses a shard that lacks a tensor which the index puts there.
    pub(super) fn check(&self, shard: &Path, has: impl Fn(&str) -> bool) -> Result<(), CheckpointError> {
        let promised = self.shards.get(shard).into_iter().flatten();
        let names: Vec<String> = promised.filter(|name| !has(name)).cloned().collect();
        if names.is_empty() { Ok(()) } else { Err(CheckpointError::Missing { path: shard.to_path_buf(), names }) }
    }
}

/// How a file begins that Git's large file storage has not replaced by the real one.
const POINTER: &[u8] = b"version https://git-lfs";

fn refuse_pointer(path: &Path) -> Result<(), CheckpointError> {
    let mut begin = Vec::new();
    let file = File::open(path).map_err(CheckpointError::io(path))?;
    file.take(POINTER.len() as u64).read_to_end(&mut begin).map_err(CheckpointError::io(path))?;
    if begin == POINTER {
        return Err(CheckpointError::damaged(path, "a pointer of Git LFS, not the weights: run `git lfs pull`"));
    }
    Ok(())
}

/// The folder of a checkpoint that is named by its folder, by its file or, for TensorFlow's, by its prefix.
///
/// # Errors
/// When there is nothing of that name.
pub fn folder_of(checkpoint: &Path) -> Result<&Path, CheckpointError> {
    if checkpoint.is_dir() {
        return Ok(checkpoint);
    }
    if !checkpoint.is_file() && !checkpoint.with_added_extension("index").is_file() {
        return Err(CheckpointError::NotThere { path: checkpoint.to_path_buf() });
    }
    let parent = checkpoint.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(parent.unwrap_or(Path::new(".")))
}
