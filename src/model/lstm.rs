//! An LSTM that reads from left to right, pretrained for the next token.

use super::encoder::{Direction, EncoderKind};
use crate::settings::{EncoderType, LmLoss};

/// The LSTM among the encoders.
pub const LSTM: EncoderKind = EncoderKind {
    encoder: EncoderType::Lstm,
    model_type: "lstm",
    class: "Lstm",
    directions: &[(LmLoss::CausalLm, Direction::LeftToRight)],
};
