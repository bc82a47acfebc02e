//! A table of vectors as the folder of a model.

use std::path::Path;

use super::table::VectorTable;
use crate::model::config::Config;
use crate::model::encoders::WORDS;
use crate::model::error::CheckpointError;
use crate::model::write::{FilesBeside, Tensors, publish_folder};
use crate::settings::EncoderType;
use crate::store::Architecture;

/// The longest sequence of a model that has no positions: BERT's.
pub const VECTOR_POSITIONS: u32 = 512;
/// BERT's dropout (Devlin et al. 2018, appendix A.2); what trains the model decides its own.
const DROPOUT: f64 = 0.1;

impl VectorTable {
    /// The rows of a vocabulary of `tokens` tokens whose ids are `id`'s: `[tokens, width]`, and the ids of those that have no
    /// vector, whose rows are 0.
    #[must_use]
    pub fn rows(&self, tokens: usize, id: impl Fn(&str) -> Option<u32>) -> (Vec<f32>, Vec<u32>) {
        let mut rows = vec![0.0; tokens * self.width];
        let mut has = vec![false; tokens];
        for (word, vector) in self.words.iter().zip(self.numbers.chunks_exact(self.width)) {
            if let Some(id) = id(word) {
                let row = id as usize;
                rows[row * self.width..(row + 1) * self.width].copy_from_slice(vector);
                has[row] = true;
            }
        }
        let without = (0..).zip(has).filter(|(_, has)| !has).map(|(id, _)| id).collect();
        (rows, without)
    }
}

/// Writes `folder` as a model of word vectors: `rows` of a vocabulary, `width` numbers each, with `beside`; all at once.
///
/// # Errors
/// When a file cannot be written; `folder` is then as it was.
pub fn write_vectors(folder: &Path, rows: &[f32], width: usize, beside: &FilesBeside) -> Result<(), CheckpointError> {
    let tokens = rows.len() / width;
    let architecture = Architecture {
        vocab_size: tokens as u32,
        max_positions: VECTOR_POSITIONS,
        ..Architecture::without_attention(EncoderType::WordVectors, 0, width as u32)
    };
    let mut tensors = Tensors::default();
    tensors.push(WORDS.to_owned(), vec![tokens, width], rows);
    let config = Config::from(architecture).encoder_json("WordVectorsModel", DROPOUT);
    publish_folder(folder, &config, &tensors, beside)
}
