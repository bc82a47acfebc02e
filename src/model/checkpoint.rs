//! Hugging Face folders: `config.json`, `model.safetensors`, `vocab.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};

use super::bert::{Bert, Classifier, Embeddings, Layer, Linear, Norm};
use super::config::{Config, ConfigError};
use super::initialize::{Initializer, random_head};
use crate::random::Stream;
use crate::store::Architecture;

/// Name of the weights file in a folder.
const WEIGHTS: &str = "model.safetensors";

/// Why a folder's weights are refused, or cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// `config.json` is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a whole safetensors file.
    #[error("{}: not a readable safetensors file: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: SafeTensorError,
    },
    /// It is shorter or longer than its header says.
    #[error("{}: {found} bytes where its header promises {expected}: damaged, or not wholly copied", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length that its header promises.
        expected: u64,
    },
    /// Tensors of the encoder are not there.
    #[error("{}: missing {}", path.display(), first_few(names))]
    Missing {
        /// The file.
        path: PathBuf,
        /// Their names, without `bert.`.
        names: Vec<String>,
    },
    /// A tensor has another shape than `config.json` says.
    #[error("{}: tensor `{name}` has shape {found:?} where config.json asks for {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor's numbers are of a type that weights do not have.
    #[error("{}: tensor `{name}` has the type {dtype}; expected F32, F16 or BF16", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        name: String,
        /// Its type.
        dtype: String,
    },
}

/// So many missing tensors are named.
const NAMED: usize = 3;

fn first_few(names: &[String]) -> String {
    match names.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more tensors", names[..NAMED].join(", ")),
        _ => names.join(", "),
    }
}

/// A model with what a reader must know of its loading.
#[derive(Debug)]
pub struct Loaded<M> {
    /// The model.
    pub model: M,
    /// Its configuration.
    pub config: Config,
    /// Parts that the file lacked and that were initialised at random, and tensors that were ignored.
    pub notes: Vec<String>,
}

/// The weights file of `folder`.
#[must_use]
pub fn weights_file(folder: &Path) -> PathBuf {
    folder.join(WEIGHTS)
}

/// Reads the encoder of `folder`. A missing pooler is initialised from the `init` stream of `seed`.
///
/// # Errors
/// When a file is unreadable, an encoder tensor is missing or a shape or type is wrong.
pub fn load_encoder(folder: &Path, seed: u64, device: &Device) -> Result<Loaded<Bert>, CheckpointError> {
    load(folder, seed, device, |reader, _| reader.bert())
}

/// Reads a classifier with `outputs` outputs. A missing head, or one of another size, is initialised
/// from the seed and noted.
///
/// # Errors
/// As [`load_encoder`].
pub fn load_classifier(
    folder: &Path,
    outputs: usize,
    seed: u64,
    device: &Device,
) -> Result<Loaded<Classifier>, CheckpointError> {
    load(folder, seed, device, |reader, hidden| {
        let bert = reader.bert()?;
        let head = match reader.file.get("classifier.weight").map(|view| view.shape().to_vec()) {
            Some(shape) if shape == [outputs, hidden] => reader.linear("classifier", hidden, outputs)?,
            Some(shape) => {
                reader.skip("classifier.");
                reader.notes.push(format!(
                    "the file's head has {} outputs, the task {outputs}: the head was initialised at random",
                    shape.first().copied().unwrap_or_default()
                ));
                random_head(hidden, outputs, seed, device)
            }
            None => {
                reader.notes.push("the file has no classification head: it was initialised at random".into());
                random_head(hidden, outputs, seed, device)
            }
        };
        Ok(Classifier { bert, head })
    })
}

/// Reads a classifier as it was trained: its head must be in the file, and decides the number of outputs.
///
/// # Errors
/// As [`load_encoder`]; also when the file has no classification head.
pub fn load_trained_classifier(folder: &Path, device: &Device) -> Result<Loaded<Classifier>, CheckpointError> {
    load(folder, 0, device, |reader, hidden| {
        let bert = reader.bert()?;
        let shape = reader.file.get("classifier.weight").map(|view| view.shape().to_vec());
        let Some(&outputs) = shape.as_ref().and_then(|shape| shape.first()) else {
            return Err(CheckpointError::Missing { path: reader.path.into(), names: vec!["classifier.weight".into()] });
        };
        Ok(Classifier { bert, head: reader.linear("classifier", hidden, outputs)? })
    })
}

fn load<M>(
    folder: &Path,
    seed: u64,
    device: &Device,
    build: impl FnOnce(&mut Reader<'_>, usize) -> Result<M, CheckpointError>,
) -> Result<Loaded<M>, CheckpointError> {
    let config = Config::read(folder)?;
    let path = weights_file(folder);
    let bytes = std::fs::read(&path).map_err(|source| CheckpointError::Io { path: path.clone(), source })?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|source| CheckpointError::Format { path: path.clone(), source })?;
    let file: BTreeMap<String, TensorView<'_>> =
        tensors.tensors().into_iter().map(|(name, view)| (canonical(&name), view)).collect();
    let of = config.architecture;
    let mut reader = Reader { path: &path, file, used: BTreeSet::new(), notes: Vec::new(), of, seed, device };
    let missing = reader.missing();
    if !missing.is_empty() {
        return Err(CheckpointError::Missing { path, names: missing });
    }
    let model = build(&mut reader, of.hidden as usize)?;
    let ignored: Vec<&str> =
        reader.file.keys().map(String::as_str).filter(|name| !reader.used.contains(*name)).collect();
    let mut notes = std::mem::take(&mut reader.notes);
    if !ignored.is_empty() {
        notes.push(format!("tensors that this model has no place for were ignored: {}", ignored.join(", ")));
    }
    Ok(Loaded { model, config, notes })
}

/// The name without `bert.`, with the newer words for a norm's parameters.
pub(super) fn canonical(name: &str) -> String {
    let name = name.strip_prefix("bert.").unwrap_or(name);
    name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
}

struct Reader<'a> {
    path: &'a Path,
    file: BTreeMap<String, TensorView<'a>>,
    used: BTreeSet<String>,
    notes: Vec<String>,
    of: Architecture,
    seed: u64,
    device: &'a Device,
}

const EMBEDDING_TENSORS: [&str; 5] = [
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
    "LayerNorm.weight",
    "LayerNorm.bias",
];
const LAYER_TENSORS: [&str; 8] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
];

/// Names (without `bert.`) and shapes of an encoder's tensors as PyTorch keeps them, the pooler's, which
/// a file may lack, not among them.
pub(super) fn encoder_tensors(of: &Architecture) -> Vec<(String, Vec<usize>)> {
    let [hidden, intermediate] = [of.hidden, of.intermediate].map(|size| size as usize);
    let rows = [of.vocab_size, of.max_positions, of.type_vocab_size].map(|rows| vec![rows as usize, hidden]);
    let norm = [vec![hidden], vec![hidden]];
    let shapes = rows.into_iter().chain(norm);
    let mut tensors: Vec<_> =
        EMBEDDING_TENSORS.iter().zip(shapes).map(|(name, shape)| (format!("embeddings.{name}"), shape)).collect();
    for layer in 0..of.layers {
        for part in LAYER_TENSORS {
            let weight = match part {
                "intermediate.dense" => vec![intermediate, hidden],
                "output.dense" => vec![hidden, intermediate],
                norm if norm.ends_with("LayerNorm") => vec![hidden],
                _ => vec![hidden, hidden],
            };
            let name = format!("encoder.layer.{layer}.{part}");
            let bias = vec![weight[0]];
            tensors.extend([(format!("{name}.weight"), weight), (format!("{name}.bias"), bias)]);
        }
    }
    tensors
}

impl Reader<'_> {
    /// Encoder tensors that the file lacks; integer buffers do not count as tensors of the model.
    fn missing(&mut self) -> Vec<String> {
        self.file.retain(|name, _| !name.ends_with("position_ids"));
        let names = encoder_tensors(&self.of).into_iter().map(|(name, _)| name);
        names.filter(|name| !self.file.contains_key(name)).collect()
    }

    fn skip(&mut self, prefix: &str) {
        self.file.retain(|name, _| !name.starts_with(prefix));
    }

    /// The numbers of one tensor, of shape `expected`.
    fn numbers(&mut self, name: &str, expected: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let Some(view) = self.file.get(name) else {
            return Err(CheckpointError::Missing { path: self.path.into(), names: vec![name.into()] });
        };
        if view.shape() != expected {
            let (found, expected) = (view.shape().to_vec(), expected.to_vec());
            return Err(CheckpointError::Shape { path: self.path.into(), name: name.into(), found, expected });
        }
        self.used.insert(name.into());
        widen(view).ok_or_else(|| CheckpointError::Type {
            path: self.path.into(),
            name: name.into(),
            dtype: format!("{:?}", view.dtype()),
        })
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Param<Tensor<2>>, CheckpointError> {
        let numbers = self.numbers(name, &[rows, columns])?;
        Ok(Param::from_tensor(Tensor::from_data(TensorData::new(numbers, [rows, columns]), self.device)))
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Param<Tensor<1>>, CheckpointError> {
        let numbers = self.numbers(name, &[length])?;
        Ok(Param::from_tensor(Tensor::from_data(TensorData::new(numbers, [length]), self.device)))
    }

    /// `names` side by side in one projection. PyTorch keeps `[outputs, inputs]`; burn `[inputs, outputs]`.
    fn linears(&mut self, names: &[String], inputs: usize, outputs: usize) -> Result<Linear, CheckpointError> {
        let width = outputs * names.len();
        let mut weight = vec![0f32; inputs * width];
        let mut bias = Vec::with_capacity(width);
        for (part, name) in names.iter().enumerate() {
            let numbers = self.numbers(&format!("{name}.weight"), &[outputs, inputs])?;
            transpose_into(&numbers, inputs, &mut weight, width, part * outputs);
            bias.extend(self.numbers(&format!("{name}.bias"), &[outputs])?);
        }
        let weight = Tensor::from_data(TensorData::new(weight, [inputs, width]), self.device);
        let bias = Tensor::from_data(TensorData::new(bias, [width]), self.device);
        Ok(Linear { weight: Param::from_tensor(weight), bias: Param::from_tensor(bias) })
    }

    fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, CheckpointError> {
        self.linears(&[name.into()], inputs, outputs)
    }

    fn norm(&mut self, name: &str) -> Result<Norm, CheckpointError> {
        let hidden = self.of.hidden as usize;
        let gamma = self.vector(&format!("{name}.weight"), hidden)?;
        Ok(Norm { gamma, beta: self.vector(&format!("{name}.bias"), hidden)? })
    }

    fn layer(&mut self, index: u32) -> Result<Layer, CheckpointError> {
        let (hidden, intermediate) = (self.of.hidden as usize, self.of.intermediate as usize);
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let query_key_value = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Layer {
            query_key_value: self.linears(&query_key_value, hidden, hidden)?,
            attention_output: self.linear(&name("attention.output.dense"), hidden, hidden)?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            intermediate: self.linear(&name("intermediate.dense"), hidden, intermediate)?,
            output: self.linear(&name("output.dense"), intermediate, hidden)?,
            output_norm: self.norm(&name("output.LayerNorm"))?,
        })
    }

    fn bert(&mut self) -> Result<Bert, CheckpointError> {
        let of = self.of;
        let hidden = of.hidden as usize;
        let embeddings = Embeddings {
            word: self.matrix("embeddings.word_embeddings.weight", of.vocab_size as usize, hidden)?,
            position: self.matrix("embeddings.position_embeddings.weight", of.max_positions as usize, hidden)?,
            segment: self.matrix("embeddings.token_type_embeddings.weight", of.type_vocab_size as usize, hidden)?,
            norm: self.norm("embeddings.LayerNorm")?,
        };
        let layers = (0..of.layers).map(|index| self.layer(index)).collect::<Result<_, _>>()?;
        let pooler = if self.file.contains_key("pooler.dense.weight") {
            self.linear("pooler.dense", hidden, hidden)?
        } else {
            self.notes.push("the file has no pooler: it was initialised at random".into());
            Initializer::new(Stream::new(self.seed, "init-pooler"), self.device).linear(hidden, hidden)
        };
        Ok(Bert { embeddings, layers, pooler, heads: of.heads as usize })
    }
}

/// `[outputs, inputs]` into columns `first..` of a `[inputs, width]` matrix, in cache-sized blocks.
fn transpose_into(from: &[f32], inputs: usize, to: &mut [f32], width: usize, first: usize) {
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

/// Little-endian F32, F16 or BF16 as f32; `None` for other types.
fn widen(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    let halves = || data.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let dtype = view.dtype();
    if dtype == Dtype::F32 {
        Some(data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    } else if dtype == Dtype::F16 {
        Some(halves().map(|bits| half::f16::from_bits(bits).to_f32()).collect())
    } else if dtype == Dtype::BF16 {
        Some(halves().map(|bits| half::bf16::from_bits(bits).to_f32()).collect())
    } else {
        None
    }
}
