//! What stands between states and the decoder that predicts words, and is not the word embeddings.

use burn::module::{Module, Param};
use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Tensor};

use super::encoders::{Decoder, EncoderKind};
use super::error::CheckpointError;
use super::initialize::Initializer;
use super::linear::{Linear, Norm};
use super::reader::Reader;
use super::write::Tensors;
use crate::kernel::{self, LAYER_NORM_EPSILON, linear_gelu};
use crate::random::Stream;
use crate::store::Architecture;

/// The head that predicts words from states: masked ones, or the next one. The decoder's matrix is the word embeddings.
#[derive(Module, Debug)]
pub struct TokenHead {
    /// Between a transformer and its decoder, `[hidden, hidden]`; GELU and a norm follow. Others have none.
    pub transform: Option<Linear>,
    /// Norm of the transformed states.
    pub transform_norm: Option<Norm>,
    /// Added to the decoder's outputs, `[vocab_size]`.
    pub decoder_bias: Param<Tensor<1>>,
}

/// Tensors under Hugging Face's names.
mod name {
    pub(super) const TRANSFORM: &str = "cls.predictions.transform.dense";
    pub(super) const TRANSFORM_NORM: &str = "cls.predictions.transform.LayerNorm";
    pub(super) const BIAS: &str = "cls.predictions.bias";
    /// The tied decoder, which PyTorch's files may repeat: its bias is [`BIAS`].
    pub(super) const DECODER: &str = "cls.predictions.decoder.";
    pub(super) const DECODER_BIAS: &str = "cls.predictions.decoder.bias";
}

impl TokenHead {
    /// What heads of pretraining are drawn from.
    pub(super) fn initializer<'a>(of: &Architecture, seed: u64, device: &'a Device) -> Initializer<'a> {
        Initializer::new(Stream::new(seed, "init-pretraining"), of.initializer_range, device)
    }

    /// With random weights.
    pub(super) fn random(initializer: &mut Initializer<'_>, of: &Architecture) -> Self {
        let (hidden, decoder) = (of.hidden as usize, EncoderKind::of(of.encoder).decoder);
        let bias = initializer.vector(of.vocab_size as usize, 0.0);
        let transforms = decoder == Decoder::Transformed;
        Self {
            transform: transforms.then(|| initializer.linear(hidden, hidden)),
            transform_norm: transforms.then(|| initializer.norm(hidden)),
            // What has no bias there keeps this one at 0.
            decoder_bias: if decoder == Decoder::WordsAlone { bias.no_grad() } else { bias },
        }
    }

    /// What the decoder reads: `rows` of `[tokens, hidden]` → `[predictions, width]`. Rows are as wide as the word embeddings,
    /// `width`, and a state with two directions has two.
    #[must_use]
    pub fn read(&self, hidden: Tensor<2>, rows: &[u32], width: usize) -> Tensor<2> {
        let indices = kernel::indices(rows.iter().copied(), &hidden.device());
        let hidden = if hidden.dims()[1] == width {
            hidden
        } else {
            let [tokens, all] = hidden.dims();
            hidden.reshape([tokens * (all / width), width])
        };
        let read = hidden.select(0, indices);
        let (Some(transform), Some(norm)) = (&self.transform, &self.transform_norm) else { return read };
        let transformed = linear_gelu(read, transform.weight.val(), transform.bias.val());
        let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
        layer_norm(transformed, gamma, Some(beta), LAYER_NORM_EPSILON)
    }

    /// Whether the decoder has a bias that is trained.
    #[must_use]
    pub fn has_bias(&self) -> bool {
        self.decoder_bias.is_require_grad()
    }

    /// Adds its tensors, on an encoder of this kind.
    pub(super) fn write(&self, into: &mut Tensors, kind: &EncoderKind) {
        if let (Some(transform), Some(norm)) = (&self.transform, &self.transform_norm) {
            into.linear(name::TRANSFORM, transform);
            into.norm(name::TRANSFORM_NORM, norm);
        }
        if kind.decoder != Decoder::WordsAlone {
            into.tensor(name::BIAS.into(), self.decoder_bias.val());
        }
    }
}

impl Reader<'_> {
    /// Puts what the file has of a head in the place of random weights.
    pub(super) fn token_head(&mut self, head: &mut TokenHead) -> Result<(), CheckpointError> {
        let (hidden, vocabulary) = (self.of.hidden as usize, self.of.vocab_size as usize);
        match EncoderKind::of(self.of.encoder).decoder {
            Decoder::WordsAlone | Decoder::WordsAround => {}
            Decoder::WordsAndBias if self.weights.has(name::BIAS) => {
                head.decoder_bias = self.vector(name::BIAS, vocabulary)?;
            }
            Decoder::Transformed if self.weights.has(&format!("{}.weight", name::TRANSFORM)) => {
                head.transform = Some(self.linear(name::TRANSFORM, hidden, hidden)?);
                head.transform_norm = Some(self.norm(name::TRANSFORM_NORM)?);
                let bias = if self.weights.has(name::BIAS) { name::BIAS } else { name::DECODER_BIAS };
                head.decoder_bias = self.vector(bias, vocabulary)?;
                self.skip(name::DECODER);
            }
            Decoder::WordsAndBias | Decoder::Transformed => {
                self.notes.push("the file has no head that predicts words: it was initialised at random".into());
            }
        }
        Ok(())
    }
}
