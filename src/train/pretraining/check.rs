//! Whether corpus, model and objective fit together.

use crate::corpus::examples::{ExampleSet, Segments, Targets};
use crate::diagnostic::Diagnostic;
use crate::model::{Config, Direction, EncoderKind};
use crate::settings::{LmLoss, written};
use crate::store::Architecture;

/// Refuses a prepared corpus that a model of these dimensions and this vocabulary cannot learn with `loss`, or would
/// learn nothing from. Does not say which corpus it is.
///
/// # Errors
/// The first finding.
pub fn corpus_fits(
    architecture: &Architecture,
    vocabulary_sha256: &str,
    loss: LmLoss,
    set: &ExampleSet,
) -> Result<(), Diagnostic> {
    let refused = |message: String, hint: &str| Err(Diagnostic::new(message).hint(hint));
    let (of, tokens, rows) = (set.settings(), set.vocabulary().len(), architecture.vocab_size);
    let fits = || Config::from(*architecture).fits_vocabulary(set.folder(), tokens).is_ok();
    if set.vocabulary_sha256() != vocabulary_sha256 || !fits() {
        return refused(
            format!("the corpus was prepared with another vocabulary than the model's: {tokens} tokens, not {rows}"),
            "prepare all corpora with the vocabulary of the model",
        );
    }
    if of.max_length > architecture.max_positions {
        return refused(
            format!("examples of {} tokens, and the model has {} positions", of.max_length, architecture.max_positions),
            "prepare the corpus with a shorter `--max-length`, or give the model more `max_positions`",
        );
    }
    // Masked tokens are read from both sides, and a model that sees the next token has nothing to learn.
    match (loss, of.targets) {
        (LmLoss::MaskedLm | LmLoss::MaskedLmAndNextSentence, Targets::Next) => {
            return refused(
                "the corpus asks for the next token, which a left-to-right model predicts".to_owned(),
                "BERT reads in both directions: prepare the corpus without `--causal-lm`, or pretrain with \
                 `objective: causal_lm` (`--left-to-right`)",
            );
        }
        (LmLoss::CausalLm | LmLoss::BidirectionalLm | LmLoss::SkipGram, Targets::Masked(_)) => {
            return refused(
                "the corpus masks tokens, and a left-to-right model predicts the next one".to_owned(),
                "prepare the corpus with `--causal-lm`",
            );
        }
        (LmLoss::CausalLm | LmLoss::BidirectionalLm | LmLoss::SkipGram, Targets::Next)
        | (LmLoss::MaskedLm | LmLoss::MaskedLmAndNextSentence, Targets::Masked(_)) => {}
    }
    if of.segments == Segments::Pairs && architecture.type_vocab_size < 2 {
        return refused(
            "the corpus has pairs of segments, and the model has one segment embedding".to_owned(),
            "`corpus prepare --segments single` makes examples without pairs",
        );
    }
    if loss.predicts_next_sentence() && of.segments != Segments::Pairs {
        return refused(
            "the corpus has single segments, and there is no next sentence to predict".to_owned(),
            "`objective: masked_lm` (`--no-nsp`) trains without it; `corpus prepare --segments pairs` makes pairs",
        );
    }
    direction_fits(architecture, loss)
}

fn direction_fits(architecture: &Architecture, loss: LmLoss) -> Result<(), Diagnostic> {
    let refused = |message: String, hint: String| Err(Diagnostic::new(message).hint(hint));
    let kind = EncoderKind::of(architecture.encoder);
    match (kind.direction(loss), architecture.causal) {
        (Some(Direction::LeftToRight), false) => refused(
            "the objective is the next token, but the model reads in both directions and sees it".to_owned(),
            "start from random weights or from a left-to-right model, whose config.json has `\"is_decoder\": true`"
                .to_owned(),
        ),
        (Some(Direction::Both | Direction::Token), true) => refused(
            "the model reads from left to right, and masked tokens are predicted from both sides".to_owned(),
            "`objective: causal_lm` (`--left-to-right`) trains it to predict the next token".to_owned(),
        ),
        (Some(Direction::LeftToRight), true) | (Some(Direction::Both | Direction::Token), false) => Ok(()),
        (None, _) => {
            let known: Vec<String> = kind.directions.iter().map(|(loss, _)| format!("`{}`", written(loss))).collect();
            refused(
                format!("{} is not pretrained for `{}`", architecture.encoder, written(&loss)),
                format!("`objective` can be {} for it", known.join(", ")),
            )
        }
    }
}
