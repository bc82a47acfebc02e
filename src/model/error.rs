//! Why weights are refused, or cannot be written.

use std::path::{Path, PathBuf};

use safetensors::tensor::SafeTensorError;

use super::config_error::ConfigError;

/// Why a checkpoint's weights are refused, or cannot be written.
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
    /// There is neither a folder nor a file.
    #[error("no checkpoint at {}", path.display())]
    NotThere {
        /// What was looked for.
        path: PathBuf,
    },
    /// The folder holds no weights in a format that bertbench reads.
    #[error("{}: no weights: none of {}", folder.display(), known.join(", "))]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// The names that were looked for.
        known: Vec<&'static str>,
    },
    /// The file is not a whole safetensors file.
    #[error("{}: not a readable safetensors file: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: SafeTensorError,
    },
    /// The file is damaged, or not what its name says.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It is shorter or longer than its header says.
    #[error("{}: {found} bytes where its header promises {expected}: damaged, or not fully copied", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length that its header promises.
        expected: u64,
    },
    /// Tensors of the model are not there.
    #[error("{}: missing {}", path.display(), first_few(names))]
    Missing {
        /// The file.
        path: PathBuf,
        /// Their names, without `bert.`.
        names: Vec<String>,
    },
    /// A tensor has another shape than `config.json` says.
    #[error("{}: tensor `{name}` has shape {found:?} where the configuration asks for {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor's numbers are of a type that weights do not have.
    #[error("{}: tensor `{name}` has the type {dtype}; expected F32, F16, BF16 or F64", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// Its type.
        dtype: String,
    },
    /// A tensor's bytes are not those that were written.
    #[error("{}: tensor `{name}` is damaged: {problem}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl CheckpointError {
    /// [`Self::Io`] about `path`, for `map_err`.
    pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_path_buf(), source }
    }

    /// [`Self::Damaged`] about `path`.
    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), problem: problem.into() }
    }
}

/// So many missing tensors are named.
const NAMED: usize = 3;

fn first_few(names: &[String]) -> String {
    match names.len().checked_sub(NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more tensors", names[..NAMED].join(", ")),
        _ => names.join(", "),
    }
}
