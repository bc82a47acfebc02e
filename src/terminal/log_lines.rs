//! Lines of a pretraining run's log, as a terminal shows them.

use crate::settings::LmLoss;
use crate::store::{Evaluation, PretrainingObjective, StepEvent};

/// The steps since the line before.
pub(crate) fn step(event: &StepEvent, of: &PretrainingObjective) -> String {
    let StepEvent { step, loss, learning_rate, tokens_per_second, .. } = *event;
    let mlm_accuracy = event.mlm_accuracy.unwrap_or_default();
    let next = event.nsp_accuracy.map(|accuracy| format!(", next sentence {accuracy:.3}")).unwrap_or_default();
    let (steps, tokens) = (of.steps(), tokens(of));
    format!(
        "step {step}/{steps}: loss {loss:.4}, {tokens} {mlm_accuracy:.3}{next}, rate {learning_rate:.2e}, \
         {tokens_per_second:.0} tokens/s"
    )
}

/// Scores on held-out text.
pub(crate) fn evaluation(scores: &Evaluation, of: &PretrainingObjective) -> String {
    let (step, tokens) = (scores.step, tokens(of));
    let value = |metric: &str| scores.value(metric).unwrap_or_default();
    let (mlm_loss, perplexity, mlm_accuracy) = (value("mlm_loss"), value("perplexity"), value("mlm_accuracy"));
    let next = scores.value("nsp_accuracy").map(|accuracy| format!(", next sentence {accuracy:.4}"));
    let next = next.unwrap_or_default();
    format!(
        "held out, step {step}: {tokens} loss {mlm_loss:.4}, perplexity {perplexity:.2}, accuracy {mlm_accuracy:.4}{next}"
    )
}

/// What is predicted of the tokens.
fn tokens(of: &PretrainingObjective) -> &'static str {
    match of.loss {
        LmLoss::MaskedLmAndNextSentence | LmLoss::MaskedLm => "masked tokens",
        LmLoss::CausalLm => "next tokens",
        LmLoss::BidirectionalLm => "next and previous tokens",
        LmLoss::SkipGram => "words and samples",
    }
}
