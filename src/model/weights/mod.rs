//! The named tensors of a checkpoint, whatever its format: opened without reading the numbers, read
//! one tensor at a time.

mod locate;
mod pytorch;
mod safetensors;
mod tensorflow;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

pub use locate::folder_of;
use locate::{Index, Layout};
pub(super) use locate::{PYTORCH, PYTORCH_INDEX, SAFETENSORS, SAFETENSORS_INDEX, shards};

use super::error::CheckpointError;
use crate::checksum;

/// The tensors of a checkpoint under Hugging Face's names without `bert.`, as in
/// `encoder.layer.0.output.dense.weight`; `[outputs, inputs]` as PyTorch keeps matrices.
#[derive(Debug)]
pub struct Weights {
    /// The files, the one to name in messages about all of them first.
    files: Vec<PathBuf>,
    tensors: BTreeMap<String, Stored>,
    /// Tensors of the optimizer and counters, which no model has a place for.
    skipped: usize,
}

/// A tensor that is still in its file.
#[derive(Debug)]
struct Stored {
    /// Its name in the file.
    name: String,
    /// Which of the files.
    file: usize,
    /// As stored.
    shape: Vec<usize>,
    numbers: NumberType,
    /// Stored as `[inputs, outputs]`.
    transposed: bool,
    place: Place,
}

/// Where a tensor's bytes are.
#[derive(Debug)]
enum Place {
    /// A range of the file, with the masked CRC-32C of its bytes where the format keeps one.
    Bytes { offset: u64, length: u64, masked_crc: Option<u32> },
    /// Somewhere in a PyTorch container.
    PyTorch(Box<pytorch_reader::Tensor>),
}

/// How numbers are stored, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NumberType {
    F64,
    F32,
    F16,
    BF16,
    /// Any type that weights do not have.
    Other(String),
}

impl Weights {
    /// Opens the weights of `from`: a folder with `model.safetensors`, `pytorch_model.bin`, either in
    /// shards with its index, or a TensorFlow checkpoint; or one such file; or the prefix of a
    /// TensorFlow checkpoint, as in `folder/bert_model.ckpt`.
    ///
    /// # Errors
    /// When there are none, a file is unreadable or not whole, or two tensors have one name.
    pub fn open(from: &Path) -> Result<Self, CheckpointError> {
        match locate::locate(from)? {
            Layout::Safetensors { index, files } => Self::collect(index, files, safetensors::tensors),
            Layout::PyTorch { index, files } => Self::collect(index, files, pytorch::tensors),
            Layout::TensorFlow { prefix } => {
                let (files, tensors, skipped) = tensorflow::tensors(&prefix)?;
                Self { files, tensors: BTreeMap::new(), skipped }.with(tensors)
            }
        }
    }

    /// The tensors of every file; `index` (an index of shards) is put before them.
    fn collect(
        index: Option<Index>,
        files: Vec<PathBuf>,
        tensors: impl Fn(&Path) -> Result<Vec<Stored>, CheckpointError>,
    ) -> Result<Self, CheckpointError> {
        let mut found = Vec::new();
        let first = usize::from(index.is_some());
        for (number, file) in files.iter().enumerate() {
            let here = tensors(file)?;
            if let Some(index) = &index {
                index.check(file, |name| here.iter().any(|tensor| tensor.name == name))?;
            }
            let here = here.into_iter().map(|tensor| Stored { file: first + number, ..tensor });
            found.extend(here.map(|tensor| (canonical(&tensor.name), tensor)));
        }
        let files = index.map(|index| index.path).into_iter().chain(files).collect();
        Self { files, tensors: BTreeMap::new(), skipped: 0 }.with(found)
    }

    /// Puts every tensor under its canonical name.
    fn with(mut self, tensors: Vec<(String, Stored)>) -> Result<Self, CheckpointError> {
        for (name, tensor) in tensors {
            if BUFFERS.iter().any(|buffer| name.ends_with(buffer)) {
                self.skipped += 1;
                continue;
            }
            match self.tensors.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(tensor);
                }
                Entry::Occupied(taken) => {
                    let problem = format!("tensors `{}` and `{}` are one parameter", taken.get().name, tensor.name);
                    return Err(CheckpointError::damaged(&self.files[tensor.file], problem));
                }
            }
        }
        Ok(self)
    }

    /// The file that messages about all tensors name.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// How many stored tensors are no weights: the optimizer's state, step counters, index buffers.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A tensor's shape, `[outputs, inputs]` for matrices.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(|tensor| oriented(&tensor.shape, tensor.transposed))
    }

    /// Whether the tensor is there, has the shape `expected` and is of a type that can be read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, name: &str, expected: &[usize]) -> Result<(), CheckpointError> {
        self.find(name, expected).map(|_| ())
    }

    fn find(&self, name: &str, expected: &[usize]) -> Result<&Stored, CheckpointError> {
        let Some(tensor) = self.tensors.get(name) else {
            return Err(CheckpointError::Missing { path: self.path().into(), names: vec![name.into()] });
        };
        let (path, stored_name) = (self.files[tensor.file].clone(), tensor.name.clone());
        let expected = oriented(expected, tensor.transposed);
        if tensor.shape != expected {
            return Err(CheckpointError::Shape { path, name: stored_name, found: tensor.shape.clone(), expected });
        }
        if let NumberType::Other(dtype) = &tensor.numbers {
            return Err(CheckpointError::Type { path, name: stored_name, dtype: dtype.clone() });
        }
        Ok(tensor)
    }

    /// The numbers of one tensor of shape `expected`, row by row, widened to f32 (f64 is rounded).
    ///
    /// # Errors
    /// As [`Self::check`]; also when the bytes cannot be read or their checksum is wrong.
    pub fn numbers(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let tensor = self.find(name, expected)?;
        let bytes = self.bytes(tensor)?;
        let numbers = widen(&bytes, &tensor.numbers);
        if numbers.len() != expected.iter().product::<usize>() {
            let problem = format!("{} numbers where its shape {expected:?} asks for more or fewer", numbers.len());
            return Err(self.damaged(tensor, problem));
        }
        Ok(match (tensor.transposed, tensor.shape.as_slice()) {
            (true, &[rows, columns]) => {
                let mut transposed = vec![0.0; numbers.len()];
                transpose_into(&numbers, columns, &mut transposed, rows, 0);
                transposed
            }
            _ => numbers,
        })
    }

    fn damaged(&self, tensor: &Stored, problem: String) -> CheckpointError {
        CheckpointError::Tensor { path: self.files[tensor.file].clone(), name: tensor.name.clone(), problem }
    }

    fn bytes(&self, tensor: &Stored) -> Result<Vec<u8>, CheckpointError> {
        match &tensor.place {
            Place::PyTorch(stored) => stored.read().map_err(|error| self.damaged(tensor, error.to_string())),
            Place::Bytes { offset, length, masked_crc } => {
                let path = &self.files[tensor.file];
                let bytes = range(path, *offset, *length).map_err(CheckpointError::io(path))?;
                if masked_crc.is_some_and(|crc| tensorflow::masked_crc(&bytes) != crc) {
                    return Err(self.damaged(tensor, "its checksum (CRC-32C) is not that of its bytes".into()));
                }
                Ok(bytes)
            }
        }
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// SHA-256 over all files: that of the file when there is one; of the list `checksum  name`, a line
    /// each in the order of the names, when there are several.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn sha256(&self) -> Result<String, CheckpointError> {
        let of = |path: &PathBuf| checksum::sha256_of(path).map_err(CheckpointError::io(path));
        if let [file] = self.files.as_slice() {
            return of(file);
        }
        let mut files: Vec<&PathBuf> = self.files.iter().collect();
        files.sort();
        let line = |file| Ok(format!("{}  {}\n", of(file)?, name_of(file)));
        let list: Vec<String> = files.into_iter().map(line).collect::<Result<_, CheckpointError>>()?;
        Ok(checksum::sha256(list.concat().as_bytes()))
    }
}

fn name_of(file: &Path) -> std::borrow::Cow<'_, str> {
    file.file_name().unwrap_or_default().to_string_lossy()
}

/// Ends of the names of tensors that hold no weights: buffers of older transformers (GPT's `attn.bias` is its mask), and
/// counters.
const BUFFERS: [&str; 5] =
    [".attn.bias", "position_ids", "embeddings.token_type_ids", "global_step", "num_batches_tracked"];

/// The name without `bert.` or GPT's `transformer.` (and the `module.` of PyTorch's `DataParallel`), with the newer words for a
/// norm's parameters.
fn canonical(name: &str) -> String {
    let name = name.strip_prefix("module.").unwrap_or(name);
    let name = ["bert.", "transformer."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
}

fn oriented(shape: &[usize], transposed: bool) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if transposed {
        shape.reverse();
    }
    shape
}

fn range(path: &Path, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Little-endian numbers as f32; none for a type that weights do not have.
fn widen(bytes: &[u8], numbers: &NumberType) -> Vec<f32> {
    let halves = || bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    match numbers {
        NumberType::F64 => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        NumberType::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        NumberType::F16 => halves().map(|bits| half::f16::from_bits(bits).to_f32()).collect(),
        NumberType::BF16 => halves().map(|bits| half::bf16::from_bits(bits).to_f32()).collect(),
        NumberType::Other(_) => Vec::new(),
    }
}

/// `[outputs, inputs]` into columns `first..` of a `[inputs, width]` matrix, in cache-sized blocks.
pub(super) fn transpose_into(from: &[f32], inputs: usize, to: &mut [f32], width: usize, first: usize) {
    const BLOCK: usize = 32;
    let outputs = from.len() / inputs.max(1);
    for row in (0..outputs).step_by(BLOCK) {
        for column in (0..inputs).step_by(BLOCK) {
            for output in row..(row + BLOCK).min(outputs) {
                for input in column..(column + BLOCK).min(inputs) {
                    to[input * width + first + output] = from[output * inputs + input];
                }
            }
        }
    }
}
