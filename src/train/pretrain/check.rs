//! Whether corpora, model and settings fit together.

use crate::corpus::examples::{ExampleSet, Segments, Targets};
use crate::diagnostic::Diagnostic;
use crate::store::{Objective, PretrainSettings};

/// Refuses what could not be trained, or would be something else than it says.
///
/// # Errors
/// The first finding.
pub fn check_pretraining(
    settings: &PretrainSettings,
    phases: &[ExampleSet],
    held_out: Option<&ExampleSet>,
) -> Result<(), Diagnostic> {
    counts(settings, phases)?;
    direction(settings)?;
    let expected = settings.phases.iter().map(|phase| &phase.data);
    let expected = expected.chain(settings.evaluation.iter().map(|evaluation| &evaluation.data));
    for (set, expected) in phases.iter().chain(held_out).zip(expected) {
        if set.checksum() != expected {
            return Err(Diagnostic::new("a corpus changed since the run was planned")
                .hint("start again, so that its checksum is read again"));
        }
        one(settings, set)?;
    }
    Ok(())
}

fn counts(settings: &PretrainSettings, phases: &[ExampleSet]) -> Result<(), Diagnostic> {
    if phases.is_empty() || phases.len() != settings.phases.len() {
        let (corpora, phases) = (phases.len(), settings.phases.len());
        return Err(Diagnostic::new(format!("{corpora} corpora for {phases} phases"))
            .hint("every phase has a corpus and a number of steps"));
    }
    let positive = [
        ("steps of a phase", settings.phases.iter().map(|phase| phase.steps).min().unwrap_or_default()),
        ("examples of a step", settings.batch_size.into()),
        ("passes of a step", settings.gradient_accumulation_steps.into()),
        ("steps between evaluations", settings.evaluation.as_ref().map_or(1, |evaluation| evaluation.every)),
        ("steps between lines of the log", settings.logging_steps),
    ];
    if let Some((what, _)) = positive.into_iter().find(|(_, number)| *number == 0) {
        return Err(Diagnostic::new(format!("0 {what}")).hint("at least 1"));
    }
    let finite = |(_, value): &(&str, f64)| !value.is_finite() || *value < 0.0;
    let numbers = [
        ("learning rate", settings.learning_rate),
        ("weight decay", settings.weight_decay),
        ("dropout", settings.dropout),
        ("norm of clipping", settings.max_grad_norm),
    ];
    if let Some((what, value)) = numbers.into_iter().find(finite) {
        return Err(Diagnostic::new(format!("the {what} is {value}")).hint("a number of at least 0"));
    }
    if settings.dropout >= 1.0 {
        return Err(Diagnostic::new("a dropout of 1 drops everything").hint("the paper's is 0.1"));
    }
    Ok(())
}

/// Masked tokens are read from both sides, and the next token must not be seen.
fn direction(settings: &PretrainSettings) -> Result<(), Diagnostic> {
    match (settings.objective, settings.architecture.causal) {
        (Objective::CausalLm, false) => {
            Err(Diagnostic::new("the objective is the next token, but the model reads in both directions and sees it")
                .hint(
                    "`--left-to-right` begins with random weights or with a left-to-right model, whose config.json has \
                     `\"is_decoder\": true`",
                ))
        }
        (Objective::MaskedLm | Objective::MaskedLmAndNextSentence, true) => {
            Err(Diagnostic::new("the model reads from left to right, and masked tokens are predicted from both sides")
                .hint("`--left-to-right` trains it to predict the next token"))
        }
        (Objective::CausalLm, true) | (Objective::MaskedLm | Objective::MaskedLmAndNextSentence, false) => Ok(()),
    }
}

fn one(settings: &PretrainSettings, set: &ExampleSet) -> Result<(), Diagnostic> {
    let of = set.settings();
    let folder = |message: String| Diagnostic::new(message).in_file(set.folder());
    let rows = settings.architecture.vocab_size;
    if set.vocabulary_sha256() != settings.vocabulary_sha256 || set.vocabulary().len() as u64 != u64::from(rows) {
        let tokens = set.vocabulary().len();
        return Err(folder(format!("its vocabulary of {tokens} tokens is not the model's, which has {rows}"))
            .hint("prepare all corpora with the vocabulary of the model"));
    }
    if of.max_length > settings.architecture.max_positions {
        let positions = settings.architecture.max_positions;
        return Err(folder(format!("examples of {} tokens, and the model has {positions} positions", of.max_length))
            .hint("prepare the corpus with a shorter `--max-length`, or give the model more positions"));
    }
    match (settings.objective, of.targets) {
        (Objective::MaskedLm | Objective::MaskedLmAndNextSentence, Targets::Next) => {
            // A model that sees the next token has nothing to learn.
            return Err(folder("the corpus asks for the next token, which a left-to-right model predicts".into())
                .hint(
                    "BERT reads in both directions: prepare the corpus without `--causal-lm`, or train with \
                 `--left-to-right`",
                ));
        }
        (Objective::CausalLm, Targets::Masked(_)) => {
            return Err(folder("the corpus masks tokens, and a left-to-right model predicts the next one".into())
                .hint("prepare the corpus with `--causal-lm`"));
        }
        (Objective::CausalLm, Targets::Next)
        | (Objective::MaskedLm | Objective::MaskedLmAndNextSentence, Targets::Masked(_)) => {}
    }
    if settings.objective.predicts_next_sentence() && of.segments == Segments::Single {
        return Err(folder("the corpus has single segments, and there is no next sentence to predict".into())
            .hint("`--no-nsp` trains without it; `corpus prepare --segments pairs` makes pairs"));
    }
    Ok(())
}
