//! BERT's layers under a causal mask, pretrained for the next token (Radford et al. 2018). What it has of BERT and not of
//! the published GPT (segment embeddings and their norm, GELU in its exact form, the pooler) it keeps, so that the direction
//! is all in which the two differ. transformers reads it as a BERT with `is_decoder`.

use super::encoder::{Direction, EncoderKind};
use crate::settings::{EncoderType, LmLoss};

/// GPT among the encoders.
pub const GPT: EncoderKind = EncoderKind {
    encoder: EncoderType::Gpt,
    model_type: "bert",
    class: "Bert",
    directions: &[(LmLoss::CausalLm, Direction::LeftToRight)],
};

/// The published GPT among the encoders.
pub const OPENAI_GPT: EncoderKind = EncoderKind {
    encoder: EncoderType::OpenaiGpt,
    model_type: "openai-gpt",
    class: "OpenAIGPT",
    directions: &[(LmLoss::CausalLm, Direction::LeftToRight)],
};
