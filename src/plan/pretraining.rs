//! An experiment that pretrains → its runs, one for each model and seed; and what they will take.

use std::collections::BTreeMap;

use super::filter::Filter;
use super::forecast::{Calibration, Forecast, forward_flops, parameters};
use super::work::kept_by_encoder;
use super::{optimizer, precision};
use crate::config::{self, PretrainModel, Pretraining};
use crate::diagnostic::Diagnostic;
use crate::store::settings::PRETRAINING_NUMERICS_VERSION;
use crate::store::{
    Architecture, InitialWeights, Masking, Objective, PretrainEvaluation, PretrainPhase, PretrainSaving,
    PretrainSettings, RunId,
};
use crate::units::{Bytes, Seconds, Tokens};

/// What planning needs to know of the machine, the models and the corpora.
#[derive(Clone, Debug, PartialEq)]
pub struct PretrainInputs {
    /// The resolved device.
    pub device: String,
    /// By the model's name.
    pub models: BTreeMap<String, PretrainInput>,
}

/// A model and its corpora, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct PretrainInput {
    /// Its dimensions, vocabulary included.
    pub architecture: Architecture,
    /// Where its first weights come from.
    pub start: InitialWeights,
    /// SHA-256 of its vocabulary file.
    pub vocabulary_sha256: String,
    /// The corpus of each phase.
    pub phases: Vec<CorpusInput>,
    /// The corpus that it is evaluated on.
    pub held_out: Option<CorpusInput>,
    /// What the corpora ask for in the places of masked tokens.
    pub masking: Option<Masking>,
}

/// A prepared corpus.
#[derive(Clone, Debug, PartialEq)]
pub struct CorpusInput {
    /// Its checksum.
    pub checksum: String,
    /// Longest example in tokens.
    pub max_length: u32,
    /// Examples.
    pub examples: u64,
    /// Tokens of an example, on average.
    pub mean_length: f64,
}

/// The runs of an experiment that pretrains.
#[derive(Clone, Debug, PartialEq)]
pub struct PretrainPlan {
    /// The experiment's name.
    pub experiment: String,
    /// In the order of the file: models, seeds.
    pub runs: Vec<PlannedPretraining>,
}

/// A pretraining run to make, or made already.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedPretraining {
    /// Its id.
    pub id: RunId,
    /// Everything that decides its weights.
    pub settings: PretrainSettings,
    /// Optimisation steps.
    pub steps: u64,
    /// Tokens seen in training, by the mean length of examples.
    pub tokens: Tokens,
    /// Examples of one evaluation, and their tokens.
    pub held_out: (u64, Tokens),
}

impl PretrainPlan {
    /// The runs that at least one of the filters lets pass; all of them without a filter.
    ///
    /// # Errors
    /// A filter that lets no run of this plan pass.
    pub fn only(&self, filters: &[Filter]) -> Result<Self, Diagnostic> {
        let settings: Vec<&PretrainSettings> = self.runs.iter().map(|run| &run.settings).collect();
        filters.iter().try_for_each(|filter| filter.refuse_if_empty(&settings))?;
        let passes =
            |run: &&PlannedPretraining| filters.is_empty() || filters.iter().any(|filter| filter.passes(&run.settings));
        Ok(Self { experiment: self.experiment.clone(), runs: self.runs.iter().filter(passes).cloned().collect() })
    }
}

/// Expands an experiment into its runs.
///
/// # Errors
/// Examples longer than a model's positions; two models that are the same; inputs that are missing.
pub fn expand_pretraining(experiment: &Pretraining, inputs: &PretrainInputs) -> Result<PretrainPlan, Diagnostic> {
    let mut runs: Vec<PlannedPretraining> = Vec::new();
    for model in &experiment.models {
        let key = format!("models.{}", model.name);
        let Some(input) = inputs.models.get(&model.name) else {
            return Err(experiment.finding(&key, format!("the model `{}` was not read", model.name)));
        };
        fits(experiment, model, input)?;
        for &seed in &experiment.seeds {
            let settings = settings(experiment, model, input, (&inputs.device, seed));
            let run = planned(settings, input);
            if let Some(other) = runs.iter().find(|other| other.id == run.id) {
                let message = format!("the models `{}` and `{}` are the same", other.settings.model, model.name);
                let found = experiment.finding(&key, message);
                return Err(found.hint("remove one of them; for a second draw of random weights, add a seed"));
            }
            runs.push(run);
        }
    }
    Ok(PretrainPlan { experiment: experiment.name.clone(), runs })
}

fn fits(experiment: &Pretraining, model: &PretrainModel, input: &PretrainInput) -> Result<(), Diagnostic> {
    let positions = input.architecture.max_positions;
    let corpora = input.phases.iter().chain(&input.held_out);
    let Some(long) = corpora.map(|corpus| corpus.max_length).find(|length| *length > positions) else { return Ok(()) };
    let message = format!("examples of {long} tokens, but `{}` has {positions} positions", model.name);
    let found = experiment.finding(&format!("models.{}", model.name), message);
    Err(found.hint("a smaller `max_length` in `phases`, or more `max_positions`"))
}

fn settings(
    experiment: &Pretraining,
    model: &PretrainModel,
    input: &PretrainInput,
    (device, seed): (&str, u64),
) -> PretrainSettings {
    let (training, recipe) = (&experiment.training, &model.recipe);
    let steps = recipe.steps();
    let phase = |(phase, corpus): (&config::Phase, &CorpusInput)| PretrainPhase {
        max_length: corpus.max_length,
        steps: phase.steps,
        data: corpus.checksum.clone(),
    };
    PretrainSettings {
        model: model.name.clone(),
        architecture: input.architecture,
        start: input.start.clone(),
        objective: objective(recipe.objective),
        phases: recipe.phases.iter().zip(&input.phases).map(phase).collect(),
        batch_size: recipe.batch_size,
        gradient_accumulation_steps: training.gradient_accumulation_steps,
        learning_rate: recipe.learning_rate,
        warmup_steps: recipe.warmup_steps,
        weight_decay: training.weight_decay,
        optimizer: optimizer(experiment.optimizer()),
        adam_beta1: training.adam_beta1,
        adam_beta2: training.adam_beta2,
        adam_epsilon: experiment.epsilon(),
        max_grad_norm: training.max_grad_norm,
        dropout: training.dropout,
        precision: precision(training.precision),
        seed,
        device: device.to_owned(),
        vocabulary_sha256: input.vocabulary_sha256.clone(),
        evaluation: input.held_out.as_ref().map(|corpus| PretrainEvaluation {
            data: corpus.checksum.clone(),
            every: experiment.eval_steps.unwrap_or_else(|| steps.div_ceil(10)),
        }),
        masking: input.masking,
        snapshots: experiment.snapshots.clone(),
        gradient_checkpointing: training.gradient_checkpointing,
        saving: experiment.save.map(|save| PretrainSaving {
            save_steps: save.save_steps,
            save_minutes: save.save_minutes,
            save_total_limit: save.save_total_limit,
        }),
        logging_steps: experiment.logging_steps,
        numerics_version: PRETRAINING_NUMERICS_VERSION,
    }
}

/// An objective as the file names it, as the settings of a run do.
#[must_use]
pub fn objective(written: config::Objective) -> Objective {
    match written {
        config::Objective::MaskedLmAndNextSentence => Objective::MaskedLmAndNextSentence,
        config::Objective::MaskedLm => Objective::MaskedLm,
        config::Objective::CausalLm => Objective::CausalLm,
    }
}

fn planned(settings: PretrainSettings, input: &PretrainInput) -> PlannedPretraining {
    let batch = f64::from(settings.batch_size);
    let of_phase = |(phase, corpus): (&PretrainPhase, &CorpusInput)| phase.steps as f64 * batch * corpus.mean_length;
    let tokens = settings.phases.iter().zip(&input.phases).map(of_phase).sum::<f64>();
    let held_out = input.held_out.as_ref();
    PlannedPretraining {
        id: settings.id(),
        steps: settings.steps(),
        tokens: Tokens(tokens as u64),
        held_out: held_out.map_or((0, Tokens(0)), |corpus| {
            (corpus.examples, Tokens((corpus.examples as f64 * corpus.mean_length) as u64))
        }),
        settings,
    }
}

/// Weight, gradient and two moments.
const COPIES: u64 = 4;
const FLOAT_BYTES: u64 = 4;
/// A checkpoint has the weights and both moments.
const CHECKPOINT_COPIES: u64 = 3;
/// Settings, record, and lines of the log.
const FILES_BYTES: u64 = 16 * 1024;
const LOG_LINE_BYTES: u64 = 320;
/// As many checkpoints as a run keeps whose file says nothing, and one that is being written.
const CHECKPOINTS: u64 = 3;
/// A backward pass costs twice the forward pass.
const TRAINING_TO_FORWARD: f64 = 3.0;

/// Operations of a whole run, evaluations included, counted as [`forward_flops`].
#[must_use]
pub fn pretraining_flops(run: &PlannedPretraining) -> f64 {
    let settings = &run.settings;
    let (held_out, held_out_tokens) = run.held_out;
    let examples = run.steps * u64::from(settings.batch_size);
    TRAINING_TO_FORWARD * flops(settings, run.tokens.0, examples)
        + evaluations(run) as f64 * flops(settings, held_out_tokens.0, held_out)
}

/// How often the model is evaluated, the last step and snapshots included.
fn evaluations(run: &PlannedPretraining) -> u64 {
    let settings = &run.settings;
    let every = settings.evaluation.as_ref().map(|evaluation| evaluation.every.max(1));
    every.map_or(0, |every| run.steps.div_ceil(every) + settings.snapshots.len() as u64)
}

/// What a run will take on a machine with these rates, measured on its encoder.
#[must_use]
pub fn forecast_pretraining(run: &PlannedPretraining, calibration: &Calibration) -> Forecast {
    let settings = &run.settings;
    let examples = run.steps * u64::from(settings.batch_size);
    let training = TRAINING_TO_FORWARD * flops(settings, run.tokens.0, examples);
    let (held_out, held_out_tokens) = run.held_out;
    let evaluation = flops(settings, held_out_tokens.0, held_out);
    let evaluations = evaluations(run);
    let steps = run.steps as f64;
    let all = parameters(&settings.architecture);
    let seconds = training / calibration.forward_backward_flops_per_second
        + evaluations as f64 * evaluation / calibration.evaluation_flops_per_second
        + steps * all as f64 / calibration.optimizer_parameters_per_second
        + steps * f64::from(settings.gradient_accumulation_steps) * calibration.step_overhead.0
        + calibration.run_overhead.0;
    let longest = settings.phases.iter().map(|phase| phase.max_length).max().unwrap_or_default();
    let sequences = u64::from(settings.batch_size.div_ceil(settings.gradient_accumulation_steps.max(1)));
    let kept = sequences
        * u64::from(longest)
        * kept_by_encoder(&settings.architecture, longest, settings.gradient_checkpointing);
    let weights = FLOAT_BYTES * all;
    let checkpoints = settings.saving.map_or(CHECKPOINTS, |saving| u64::from(saving.save_total_limit) + 1);
    let models = 1 + settings.snapshots.len() as u64;
    let lines = run.steps / settings.logging_steps.max(1) + evaluations;
    Forecast {
        seconds: Seconds(seconds),
        peak_memory: Bytes(calibration.base_memory.0 + COPIES * weights + FLOAT_BYTES * kept),
        disk: Bytes(
            FILES_BYTES + LOG_LINE_BYTES * lines + weights * models + weights * CHECKPOINT_COPIES * checkpoints,
        ),
    }
}

/// Operations of a forward pass: the encoder, and the decoder over the tokens that are predicted.
fn flops(settings: &PretrainSettings, tokens: u64, examples: u64) -> f64 {
    let share = settings.masking.map_or(1.0, |masking| masking.masked_lm_prob);
    let [hidden, words] = [settings.architecture.hidden, settings.architecture.vocab_size].map(f64::from);
    forward_flops(&settings.architecture, tokens, examples) + 2.0 * share * tokens as f64 * hidden * (hidden + words)
}

#[cfg(test)]
#[path = "pretraining_tests.rs"]
mod tests;
