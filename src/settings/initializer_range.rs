//! How large random weights are.

use serde::{Deserialize, Serialize};

/// The standard deviation that random weights of transformers are drawn with before they are truncated at twice it:
/// transformers' `initializer_range`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct InitializerRange(f64);

/// It is never NaN.
impl Eq for InitializerRange {}

impl InitializerRange {
    /// That of every published BERT (google-research/bert, `BertConfig`).
    pub const BERT: Self = Self(0.02);

    /// A standard deviation; `None` for what is none: 0, negative, infinite or no number.
    #[must_use]
    pub fn new(standard_deviation: f64) -> Option<Self> {
        (standard_deviation > 0.0 && standard_deviation.is_finite()).then_some(Self(standard_deviation))
    }

    /// Whether it is [`Self::BERT`].
    #[must_use]
    pub fn is_of_bert(&self) -> bool {
        *self == Self::BERT
    }
}

impl Default for InitializerRange {
    fn default() -> Self {
        Self::BERT
    }
}

impl TryFrom<f64> for InitializerRange {
    type Error = String;

    fn try_from(standard_deviation: f64) -> Result<Self, String> {
        Self::new(standard_deviation).ok_or_else(|| format!("must be a number above 0, not {standard_deviation}"))
    }
}

impl From<InitializerRange> for f64 {
    fn from(range: InitializerRange) -> Self {
        range.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_deviation_is_above_zero_and_finite() {
        assert_eq!(InitializerRange::new(0.1).map(f64::from), Some(0.1));
        for wrong in [0.0, -0.02, f64::INFINITY, f64::NAN] {
            assert_eq!(InitializerRange::new(wrong), None, "{wrong}");
        }
        assert!(serde_json::from_str::<InitializerRange>("-1").is_err());
    }
}
