//! Whether corpora, model and settings fit together.

use crate::corpus::examples::{ExampleSet, Segments, Targets};
use crate::diagnostic::Diagnostic;
use crate::store::{LmLoss, PretrainingObjective, RunSettings};

/// Refuses what could not be trained, or would be something else than it says.
///
/// # Errors
/// The first finding.
pub(super) fn check_pretraining(
    settings: &RunSettings,
    objective: &PretrainingObjective,
    phases: &[ExampleSet],
    held_out: Option<&ExampleSet>,
) -> Result<(), Diagnostic> {
    counts(settings, objective, phases)?;
    direction(settings, objective.loss)?;
    let expected = objective.phases.iter().map(|phase| &phase.data);
    let expected = expected.chain(objective.evaluation.iter().map(|evaluation| &evaluation.data));
    for (set, expected) in phases.iter().chain(held_out).zip(expected) {
        if set.checksum() != expected {
            return Err(Diagnostic::new("a corpus changed since the run was planned")
                .hint("start again, so that its checksum is read again"));
        }
        one(settings, objective.loss, set)?;
    }
    Ok(())
}

fn counts(settings: &RunSettings, objective: &PretrainingObjective, phases: &[ExampleSet]) -> Result<(), Diagnostic> {
    if phases.is_empty() || phases.len() != objective.phases.len() {
        let (corpora, phases) = (phases.len(), objective.phases.len());
        return Err(Diagnostic::new(format!("{corpora} corpora for {phases} phases"))
            .hint("every phase has a corpus and a number of steps"));
    }
    let positive = [
        ("steps of a phase", objective.phases.iter().map(|phase| phase.steps).min().unwrap_or_default()),
        ("examples of a step", settings.optimization.batch_size.into()),
        ("passes of a step", settings.optimization.gradient_accumulation_steps.into()),
        ("steps between evaluations", objective.evaluation.as_ref().map_or(1, |evaluation| evaluation.every)),
        ("steps between lines of the log", objective.logging_steps),
    ];
    if let Some((what, _)) = positive.into_iter().find(|(_, number)| *number == 0) {
        return Err(Diagnostic::new(format!("0 {what}")).hint("at least 1"));
    }
    let finite = |(_, value): &(&str, f64)| !value.is_finite() || *value < 0.0;
    let numbers = [
        ("learning rate", settings.optimization.learning_rate),
        ("weight decay", settings.optimization.weight_decay),
        ("dropout", settings.optimization.dropout),
        ("norm of clipping", settings.optimization.max_grad_norm),
    ];
    if let Some((what, value)) = numbers.into_iter().find(finite) {
        return Err(Diagnostic::new(format!("the {what} is {value}")).hint("a number of at least 0"));
    }
    if settings.optimization.dropout >= 1.0 {
        return Err(Diagnostic::new("a dropout of 1 drops everything").hint("the paper's is 0.1"));
    }
    Ok(())
}

/// Masked tokens are read from both sides, and the next token must not be seen.
fn direction(settings: &RunSettings, loss: LmLoss) -> Result<(), Diagnostic> {
    match (loss, settings.architecture.causal) {
        (LmLoss::CausalLm, false) => {
            Err(Diagnostic::new("the objective is the next token, but the model reads in both directions and sees it")
                .hint(
                    "`--left-to-right` begins with random weights or with a left-to-right model, whose config.json has \
                     `\"is_decoder\": true`",
                ))
        }
        (LmLoss::MaskedLm | LmLoss::MaskedLmAndNextSentence, true) => {
            Err(Diagnostic::new("the model reads from left to right, and masked tokens are predicted from both sides")
                .hint("`--left-to-right` trains it to predict the next token"))
        }
        (LmLoss::CausalLm, true) | (LmLoss::MaskedLm | LmLoss::MaskedLmAndNextSentence, false) => Ok(()),
    }
}

fn one(settings: &RunSettings, loss: LmLoss, set: &ExampleSet) -> Result<(), Diagnostic> {
    let of = set.settings();
    let folder = |message: String| Diagnostic::new(message).in_file(set.folder());
    let rows = settings.architecture.vocab_size;
    if set.vocabulary_sha256() != settings.vocabulary.sha256 || set.vocabulary().len() as u64 != u64::from(rows) {
        let tokens = set.vocabulary().len();
        return Err(folder(format!("its vocabulary of {tokens} tokens is not the model's, which has {rows}"))
            .hint("prepare all corpora with the vocabulary of the model"));
    }
    if of.max_length > settings.architecture.max_positions {
        let positions = settings.architecture.max_positions;
        return Err(folder(format!("examples of {} tokens, and the model has {positions} positions", of.max_length))
            .hint("prepare the corpus with a shorter `--max-length`, or give the model more positions"));
    }
    match (loss, of.targets) {
        (LmLoss::MaskedLm | LmLoss::MaskedLmAndNextSentence, Targets::Next) => {
            // A model that sees the next token has nothing to learn.
            return Err(folder("the corpus asks for the next token, which a left-to-right model predicts".into())
                .hint(
                    "BERT reads in both directions: prepare the corpus without `--causal-lm`, or train with \
                 `--left-to-right`",
                ));
        }
        (LmLoss::CausalLm, Targets::Masked(_)) => {
            return Err(folder("the corpus masks tokens, and a left-to-right model predicts the next one".into())
                .hint("prepare the corpus with `--causal-lm`"));
        }
        (LmLoss::CausalLm, Targets::Next)
        | (LmLoss::MaskedLm | LmLoss::MaskedLmAndNextSentence, Targets::Masked(_)) => {}
    }
    if loss.predicts_next_sentence() && of.segments == Segments::Single {
        return Err(folder("the corpus has single segments, and there is no next sentence to predict".into())
            .hint("`--no-nsp` trains without it; `corpus prepare --segments pairs` makes pairs"));
    }
    Ok(())
}
