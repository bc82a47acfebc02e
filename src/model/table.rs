//! The table of encoders.

use super::bert::BERT;
use super::elmo::ELMO;
use super::encoder::EncoderKind;
use super::gpt::{GPT, OPENAI_GPT};
use super::lstm::LSTM;
use super::word_vectors::WORD_VECTORS;
use crate::settings::EncoderType;

/// Every encoder, in the order of [`EncoderType::ALL`]; the first is what a `config.json` without a name is of.
pub const ENCODERS: &[EncoderKind] = &[BERT, GPT, OPENAI_GPT, LSTM, ELMO, WORD_VECTORS];

impl EncoderKind {
    /// The row of an encoder.
    #[must_use]
    pub const fn of(encoder: EncoderType) -> &'static Self {
        &ENCODERS[encoder as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoder_has_its_row_and_can_be_pretrained_for_its_own_objective() {
        assert_eq!(ENCODERS.len(), EncoderType::ALL.len());
        for encoder in EncoderType::ALL {
            let kind = EncoderKind::of(encoder);
            assert_eq!(kind.encoder, encoder);
            let direction = kind.direction(encoder.objective()).unwrap();
            assert_eq!(direction == super::super::Direction::LeftToRight, encoder.is_causal(encoder.objective()));
        }
    }
}
