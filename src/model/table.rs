//! The table of encoders.

use super::bert::BERT;
use super::encoder::EncoderKind;

/// Every encoder; the first is what a `config.json` without a name is of.
pub const ENCODERS: &[EncoderKind] = &[BERT];
