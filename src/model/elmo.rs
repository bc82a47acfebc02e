//! ELMo (Peters et al. 2018): LSTM layers from left to right, others from right to left, and γ Σ softmax(s)ₖ hₖ over the
//! embeddings and the layers, which tasks learn. Words come from one table of pieces instead of a convolution over
//! characters, and the LSTMs have neither projections nor residual connections.

use super::encoder::{Direction, EncoderKind};
use crate::settings::{EncoderType, LmLoss};

/// ELMo among the encoders.
pub const ELMO: EncoderKind = EncoderKind {
    encoder: EncoderType::Elmo,
    model_type: "elmo",
    class: "Elmo",
    directions: &[(LmLoss::BidirectionalLm, Direction::Both)],
};
