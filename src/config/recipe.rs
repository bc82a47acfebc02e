//! The checks of one model's recipe for pretraining: what is written at the model, else what is written for all.

use super::document::Document;
use super::limits::{MAX_STEPS, SHORTEST_PAIR};
use super::model::ModelSource;
use super::pretraining::{Phase, PhaseExamples, Recipe};
use super::values::{for_example, not_empty, path, shown};
use super::written_pretrain::{WrittenPhase, WrittenPretrain, WrittenRecipe};
use crate::diagnostic::Diagnostic;
use crate::settings::{EncoderType, Masking};

/// Probabilities that should add up to 1 may miss it by rounding.
const SUM_TOLERANCE: f64 = 1e-9;

/// Where a setting of a model's recipe is written: at the model, or under `pretrain`.
struct Keys<'a> {
    document: &'a Document,
    model: &'a str,
}

impl Keys<'_> {
    fn of(&self, key: &str) -> String {
        let own = format!("models.{}.pretrain.{key}", self.model);
        let first = key.split('.').next().unwrap_or(key);
        let is_own = self.document.spot(&format!("models.{}.pretrain.{first}", self.model)).is_some();
        if is_own { own } else { format!("pretrain.{key}") }
    }

    fn refused(&self, key: &str, message: String) -> Diagnostic {
        self.document.at_nearest(&self.of(key), message)
    }
}

pub(super) fn recipe(
    document: &Document,
    model: &str,
    all: &WrittenPretrain,
    own: Option<&WrittenRecipe>,
    (source, has_text): (&ModelSource, bool),
) -> Result<Recipe, Diagnostic> {
    let keys = Keys { document, model };
    let none = WrittenRecipe::default();
    let own = own.unwrap_or(&none);
    let masking = own.masking.unwrap_or(all.masking);
    check_masking(&keys, &masking)?;
    let written = own.phases.as_ref().unwrap_or(&all.phases);
    not_empty(document, &keys.of("phases"), written)?;
    let phases: Vec<Phase> = written
        .iter()
        .enumerate()
        .map(|(at, phase)| check_phase(&keys, at, phase, source, has_text))
        .collect::<Result<_, _>>()?;
    let steps = all_steps(&keys, &phases)?;
    let batch_size = own.batch_size.unwrap_or(all.batch_size);
    if batch_size == 0 {
        let found = keys.refused("batch_size", "`batch_size` takes 1 or more, found `0`".to_owned());
        return Err(found.hint("for example `batch_size: 256`"));
    }
    let learning_rate = own.learning_rate.unwrap_or(all.learning_rate);
    if !(learning_rate > 0.0 && learning_rate < 1.0) {
        let found = shown(document, &keys.of("learning_rate"), learning_rate);
        let message = format!("`learning_rate` takes more than 0 and less than 1, found `{found}`");
        return Err(keys.refused("learning_rate", message).hint("for example `learning_rate: 1e-4`"));
    }
    // 10,000 of 1,000,000 steps (Devlin et al. 2018, appendix A.2).
    let warmup_steps = own.warmup_steps.or(all.warmup_steps).unwrap_or_else(|| steps.div_ceil(100));
    if warmup_steps > steps {
        let message = format!("`warmup_steps` is {warmup_steps}, but there are only {steps} steps");
        return Err(keys.refused("warmup_steps", message).hint("leave it out for a hundredth of the steps"));
    }
    let encoder = match source {
        ModelSource::Random(of) => of.encoder,
        ModelSource::Checkpoint(_) | ModelSource::Hub(_) | ModelSource::Pretraining(_) => EncoderType::Bert,
    };
    let objective = own.objective.or(all.objective).unwrap_or(encoder.facts().objective);
    Ok(Recipe { objective, masking, phases, batch_size, learning_rate, warmup_steps })
}

/// The steps of all phases.
fn all_steps(keys: &Keys<'_>, phases: &[Phase]) -> Result<u64, Diagnostic> {
    let mut steps: u64 = 0;
    for (at, phase) in phases.iter().enumerate() {
        steps = steps.saturating_add(phase.steps);
        if steps > MAX_STEPS {
            let message = format!("`steps` of all phases together may be {MAX_STEPS}, found `{}` here", phase.steps);
            return Err(keys.refused(&format!("phases.{at}.steps"), message).hint("the paper's are 1000000"));
        }
    }
    Ok(steps)
}

fn check_masking(keys: &Keys<'_>, masking: &Masking) -> Result<(), Diagnostic> {
    let Masking { masked_lm_prob, max_predictions_per_seq, mask_prob, keep_prob, random_prob, .. } = *masking;
    if !(masked_lm_prob > 0.0 && masked_lm_prob < 1.0) {
        let message = format!("`masked_lm_prob` takes more than 0 and less than 1, found `{masked_lm_prob}`");
        let found = keys.refused("masking.masked_lm_prob", message);
        return Err(found.hint("BERT's is 0.15"));
    }
    if max_predictions_per_seq == Some(0) {
        let found = keys.refused(
            "masking.max_predictions_per_seq",
            "`max_predictions_per_seq` takes 1 or more, found `0`".to_owned(),
        );
        return Err(found.hint("leave it out for `masked_lm_prob` of the longest example"));
    }
    let rates = [mask_prob, keep_prob, random_prob];
    if rates.iter().any(|rate| !(0.0..=1.0).contains(rate)) || (rates.iter().sum::<f64>() - 1.0).abs() > SUM_TOLERANCE {
        let message = format!(
            "`mask_prob`, `keep_prob` and `random_prob` must add up to 1, found {mask_prob}, {keep_prob} and {random_prob}"
        );
        return Err(keys.refused("masking", message).hint("BERT's are 0.8, 0.1 and 0.1; write all three"));
    }
    Ok(())
}

fn check_phase(
    keys: &Keys<'_>,
    at: usize,
    phase: &WrittenPhase,
    source: &ModelSource,
    has_text: bool,
) -> Result<Phase, Diagnostic> {
    let key = |key: &str| format!("phases.{at}.{key}");
    if phase.steps == 0 {
        let found = keys.refused(&key("steps"), "`steps` takes 1 or more, found `0`".to_owned());
        return Err(found.hint(for_example("steps")));
    }
    let examples = match (phase.max_length, &phase.corpus) {
        (Some(_), Some(_)) => {
            let found = keys.refused(&key("max_length"), "a prepared corpus has its own `max_length`".to_owned());
            return Err(found.hint("keep `corpus`, or `max_length` with `pretrain.text`"));
        }
        (None, None) => {
            let found = keys.refused(&format!("phases.{at}"), "a phase has `max_length` or `corpus`".to_owned());
            return Err(found.hint("for example `{max_length: 128, steps: 10000}`"));
        }
        (None, Some(folder)) => PhaseExamples::Corpus(path(keys.document, &keys.of(&key("corpus")), folder)?),
        (Some(max_length), None) => {
            if !has_text {
                let found = keys.document.at_key("pretrain", "there is no text to pretrain on");
                return Err(found.hint(
                    "`text: [path/to/text]` under `pretrain`, or `mini: {seed: 1}`, or a `corpus` in each phase",
                ));
            }
            if !(SHORTEST_PAIR..=u32::from(u16::MAX)).contains(&max_length) {
                let message = format!("`max_length` takes {SHORTEST_PAIR} to {}, found `{max_length}`", u16::MAX);
                return Err(keys.refused(&key("max_length"), message).hint("BERT's are 128 and 512"));
            }
            if let ModelSource::Random(of) = source
                && of.max_positions < max_length
            {
                let (model, positions) = (keys.model, of.max_positions);
                let message = format!("examples of {max_length} tokens, but `{model}` has {positions} positions");
                return Err(keys
                    .refused(&key("max_length"), message)
                    .hint("a smaller `max_length`, or more `max_positions`"));
            }
            PhaseExamples::Text { max_length }
        }
    };
    Ok(Phase { examples, steps: phase.steps })
}
