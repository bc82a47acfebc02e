//! A trained model as transformers reads it.

use std::path::Path;

use burn::tensor::Tensor;

use super::bert::{Bert, Layer};
use super::classifier::Classifier;
use super::config::Config;
use super::error::CheckpointError;
use super::linear::{Linear, Norm};
use super::tagger::describe;
use super::word_vectors::{WORDS, WordVectors};
use super::write::{FilesBeside, Tensors, write_folder};

/// Writes `config.json`, `model.safetensors` and `beside` into the empty folder `folder`.
///
/// `names` are those of the classes or tags in the order of the logits; other heads have none.
///
/// The folder is not flushed and not renamed: it is meant to be [`crate::store::RunFolder::write_model`]'s,
/// which flushes it and puts it in its place.
///
/// # Errors
/// When a file cannot be written.
pub fn save_classifier<S: AsRef<str>>(
    folder: &Path,
    model: &Classifier,
    config: &Config,
    names: &[S],
    dropout: f64,
    beside: Option<&FilesBeside>,
) -> Result<(), CheckpointError> {
    let mut tensors = Tensors::default();
    tensors.classifier(model);
    let mut config = config.to_json(model.kind, names, dropout);
    if let Some(tagger) = &model.tagger {
        describe(tagger, &mut config);
    }
    write_folder(folder, &config, &tensors, beside.unwrap_or_default())
}

impl Tensors {
    pub(super) fn tensor<const D: usize>(&mut self, name: String, tensor: Tensor<D>) {
        let shape = tensor.dims().to_vec();
        let numbers: Vec<f32> = tensor.into_data().iter::<f32>().collect();
        self.push(name, shape, &numbers);
    }

    pub(super) fn linear(&mut self, name: &str, linear: &Linear) {
        self.tensor(format!("{name}.weight"), linear.weight.val().transpose());
        self.tensor(format!("{name}.bias"), linear.bias.val());
    }

    pub(super) fn norm(&mut self, name: &str, norm: &Norm) {
        self.tensor(format!("{name}.weight"), norm.gamma.val());
        self.tensor(format!("{name}.bias"), norm.beta.val());
    }

    fn layer(&mut self, name: &str, layer: &Layer, hidden: usize) {
        for (part, projection) in ["query", "key", "value"].into_iter().enumerate() {
            let columns = part * hidden..(part + 1) * hidden;
            let weight = layer.query_key_value.weight.val().slice_dim(1, columns.clone());
            self.tensor(format!("{name}.attention.self.{projection}.weight"), weight.transpose());
            let bias = layer.query_key_value.bias.val().slice_dim(0, columns);
            self.tensor(format!("{name}.attention.self.{projection}.bias"), bias);
        }
        self.linear(&format!("{name}.attention.output.dense"), &layer.attention_output);
        self.norm(&format!("{name}.attention.output.LayerNorm"), &layer.attention_norm);
        self.linear(&format!("{name}.intermediate.dense"), &layer.intermediate);
        self.linear(&format!("{name}.output.dense"), &layer.output);
        self.norm(&format!("{name}.output.LayerNorm"), &layer.output_norm);
    }

    pub(super) fn word_vectors(&mut self, encoder: &WordVectors) {
        self.tensor(WORDS.into(), encoder.word.val());
    }

    /// BERT, with its pooler if that is wanted.
    pub(super) fn bert(&mut self, bert: &Bert, pooler: bool) {
        let [_, hidden] = bert.embeddings.word.dims();
        self.tensor("bert.embeddings.word_embeddings.weight".into(), bert.embeddings.word.val());
        self.tensor("bert.embeddings.position_embeddings.weight".into(), bert.embeddings.position.val());
        self.tensor("bert.embeddings.token_type_embeddings.weight".into(), bert.embeddings.segment.val());
        self.norm("bert.embeddings.LayerNorm", &bert.embeddings.norm);
        for (index, layer) in bert.layers.iter().enumerate() {
            self.layer(&format!("bert.encoder.layer.{index}"), layer, hidden);
        }
        if pooler {
            self.linear("bert.pooler.dense", &bert.pooler);
        }
    }

    fn classifier(&mut self, model: &Classifier) {
        // transformers' classes for tokens have no pooler.
        model.encoder.write(self, !model.kind.per_token());
        if let Some(tagger) = &model.tagger {
            self.tagger(tagger);
        }
        self.linear(model.kind.tensors(), &model.head);
    }
}
