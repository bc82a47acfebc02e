//! What decides the examples that are made of a corpus.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;

/// Probabilities that should add up to 1 may miss it by rounding.
const SUM_TOLERANCE: f64 = 1e-9;
/// Lengths are kept in 16 bits.
const LONGEST: u32 = u16::MAX as u32;

/// How examples are cut out of documents.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleSettings {
    /// Longest example in tokens, special tokens included: `max_seq_length`.
    pub max_length: u32,
    /// The share of documents that aim at a random shorter length: `short_seq_prob`.
    pub short_sequence_probability: f64,
    /// How often the corpus is gone through, each time with other cuts and other random segments:
    /// `dupe_factor`.
    pub dupe_factor: u32,
    /// What an example consists of.
    pub segments: Segments,
    /// What the model has to predict.
    pub targets: Targets,
    /// When masks are drawn.
    pub drawn: Drawn,
    /// The seed of every draw.
    pub seed: u64,
}

/// What an example consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segments {
    /// `[CLS] a [SEP] b [SEP]`: in half of the examples b follows a in its document, in the others it is of
    /// another document (section 3.1, task 2 of the paper).
    Pairs,
    /// `[CLS] a [SEP]`, as long as it may be, for models without next-sentence prediction (section 5.1, "No NSP").
    Single,
    /// Tokens of a document one after the other, as many as there may be, with no special one: as the published GPT was
    /// pretrained (Radford et al. 2018, §4.1), whose special tokens only come with fine-tuning.
    Contiguous,
}

/// What the model has to predict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Targets {
    /// Some of the tokens, most of which are hidden from it (section 3.1, task 1).
    Masked(MaskingRules),
    /// After every token the next one, for left-to-right models (section 5.1, "LTR").
    Next,
}

/// When masks are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawn {
    /// Once for each example, as `create_pretraining_data.py` does, which writes them into its files.
    Once,
    /// Anew in each epoch.
    EachEpoch,
}

/// Which tokens are to be predicted, and what the model sees in their places.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskingRules {
    /// The share of an example's tokens: `masked_lm_prob`.
    pub share: f64,
    /// But at most so many: `max_predictions_per_seq`.
    pub most: u32,
    /// Whether all pieces of a word are chosen together: `do_whole_word_mask`.
    pub whole_words: bool,
    /// What is seen in their places.
    pub replacement: Replacement,
}

/// How often a chosen token is replaced by what; the three add up to 1. Table 8 of the paper compares such rates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// By `[MASK]`.
    pub mask: f64,
    /// By itself.
    pub same: f64,
    /// By any token of the vocabulary.
    pub random: f64,
}

impl Default for ExampleSettings {
    /// The first phase of the paper: examples of 128 tokens.
    fn default() -> Self {
        Self {
            max_length: 128,
            short_sequence_probability: 0.1,
            // The default of create_pretraining_data.py.
            dupe_factor: 10,
            segments: Segments::Pairs,
            targets: Targets::Masked(MaskingRules::default()),
            drawn: Drawn::EachEpoch,
            seed: 1,
        }
    }
}

impl Default for MaskingRules {
    /// For examples of 128 tokens.
    fn default() -> Self {
        Self { share: 0.15, most: 20, whole_words: false, replacement: Replacement::default() }
    }
}

impl Default for Replacement {
    fn default() -> Self {
        Self { mask: 0.8, same: 0.1, random: 0.1 }
    }
}

impl Segments {
    /// The special tokens of an example.
    #[must_use]
    pub fn special_tokens(self) -> u32 {
        match self {
            Self::Pairs => 3,
            Self::Single => 2,
            Self::Contiguous => 0,
        }
    }
}

impl ExampleSettings {
    /// The tokens of text that an example has room for: `max_num_tokens`.
    pub(super) fn room(&self) -> u64 {
        u64::from(self.max_length.saturating_sub(self.segments.special_tokens()))
    }

    /// Whether examples can be made by these settings.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), Diagnostic> {
        // A random length is drawn from 2 tokens of text on.
        let shortest = self.segments.special_tokens() + 2;
        if !(shortest..=LONGEST).contains(&self.max_length) {
            return Err(Diagnostic::new(format!("examples cannot have {} tokens", self.max_length))
                .hint(format!("from {shortest} to {LONGEST}; BERT has 128 and 512")));
        }
        if self.dupe_factor == 0 {
            return Err(Diagnostic::new("0 passes over the corpus give no examples"));
        }
        probability("the share of short sequences", self.short_sequence_probability)?;
        match self.targets {
            Targets::Masked(_) if self.segments == Segments::Contiguous => {
                Err(Diagnostic::new("examples without special tokens are for models that predict the next token")
                    .hint("`objective: causal_lm` (`--causal-lm`) asks for the next token"))
            }
            Targets::Masked(rules) => rules.check(),
            Targets::Next => Ok(()),
        }
    }
}

impl MaskingRules {
    /// Whether masks can be drawn by these rules.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), Diagnostic> {
        probability("the share of masked tokens", self.share)?;
        if self.most == 0 {
            return Err(Diagnostic::new("0 predictions per example leave nothing to learn")
                .hint("BERT's: 20 of 128 tokens, 77 of 512"));
        }
        let Replacement { mask, same, random } = self.replacement;
        for (name, share) in [("[MASK]", mask), ("the token itself", same), ("a random token", random)] {
            probability(&format!("the share of {name}"), share)?;
        }
        if (mask + same + random - 1.0).abs() > SUM_TOLERANCE {
            let sum = mask + same + random;
            return Err(Diagnostic::new(format!("the probabilities of what replaces a token add up to {sum}"))
                .hint("they must add up to 1; BERT's are 0.8, 0.1 and 0.1"));
        }
        Ok(())
    }
}

fn probability(name: &str, value: f64) -> Result<(), Diagnostic> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Diagnostic::new(format!("{name} is {value}")).hint("it is a number from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_examples_are_refused() {
        let fine = ExampleSettings::default();
        assert!(fine.check().is_ok());
        let rules = MaskingRules::default();
        let masked = |rules| ExampleSettings { targets: Targets::Masked(rules), ..fine };
        let replaced =
            |mask| masked(MaskingRules { replacement: Replacement { mask, ..Replacement::default() }, ..rules });
        let cases = [
            (ExampleSettings { max_length: 4, ..fine }, "examples cannot have 4 tokens"),
            (ExampleSettings { max_length: 65536, ..fine }, "examples cannot have 65536 tokens"),
            (ExampleSettings { dupe_factor: 0, ..fine }, "0 passes over the corpus give no examples"),
            (ExampleSettings { short_sequence_probability: f64::NAN, ..fine }, "the share of short sequences is NaN"),
            (masked(MaskingRules { share: 1.5, ..rules }), "the share of masked tokens is 1.5"),
            (masked(MaskingRules { most: 0, ..rules }), "0 predictions per example leave nothing to learn"),
            (replaced(0.7), "the probabilities of what replaces a token add up to 0.8999999999999999"),
            (replaced(-0.1), "the share of [MASK] is -0.1"),
        ];
        for (settings, message) in cases {
            assert_eq!(settings.check().unwrap_err().message, message);
        }
        assert!(ExampleSettings { max_length: 4, segments: Segments::Single, ..fine }.check().is_ok());
        let bare = ExampleSettings { max_length: 2, segments: Segments::Contiguous, ..fine };
        assert!(bare.check().unwrap_err().message.contains("for models that predict the next token"));
        assert!(ExampleSettings { targets: Targets::Next, ..bare }.check().is_ok());
    }
}
