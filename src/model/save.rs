//! A trained model as transformers reads it.

use std::path::Path;

use burn::tensor::Tensor;

use super::classifier::Classifier;
use super::config::Config;
use super::error::CheckpointError;
use super::linear::{Linear, Norm};
use super::tagger::describe;
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

    /// One direction of a layer of `nn.LSTM` from `[inputs, gates]` and `[directions, hidden, gates]`, its tensors called as
    /// `name` says. PyTorch has two biases for a gate; the second one is 0 here.
    pub(super) fn lstm_direction(
        &mut self,
        name: impl Fn(&str) -> String,
        direction: usize,
        input: Tensor<2>,
        bias: Tensor<1>,
        recurrent: Tensor<3>,
    ) {
        let [_, hidden, gates] = recurrent.dims();
        let own = recurrent.slice_dim(0, direction..direction + 1).reshape([hidden, gates]);
        self.tensor(name("weight_ih"), input.transpose());
        self.tensor(name("weight_hh"), own.transpose());
        self.tensor(name("bias_hh"), bias.zeros_like());
        self.tensor(name("bias_ih"), bias);
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
