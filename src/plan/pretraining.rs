//! An experiment that pretrains → its runs, one for each model and seed.

use super::{CorporaInput, CorpusInput, Inputs, ModelInput, Plan, Sizes, optimization};
use crate::config::{self, PretrainModel, Pretraining};
use crate::diagnostic::Diagnostic;
use crate::store::{
    CorpusPhase, HeldOutEvaluation, NUMERICS_VERSION, Objective, Optimization, PretrainingObjective, RunIdentity,
    RunSettings, Warmup,
};

/// The runs of an experiment, by what decides their results alone.
///
/// # Errors
/// Examples longer than a model's positions; two models that are the same; inputs that are missing.
pub fn identify_pretraining(experiment: &Pretraining, inputs: &Inputs) -> Result<Vec<RunIdentity>, Diagnostic> {
    let mut runs: Vec<RunIdentity> = Vec::new();
    for model in &experiment.models {
        let key = format!("models.{}", model.name);
        let Some(input) = inputs.models.get(&model.name) else {
            return Err(experiment.base.finding(&key, format!("the model `{}` was not read", model.name)));
        };
        let Some(corpora) = inputs.corpora.get(&model.name) else {
            return Err(experiment.base.finding(&key, format!("the corpora of `{}` were not read", model.name)));
        };
        fits(experiment, model, input, corpora)?;
        for &seed in &experiment.base.seeds {
            let objective = objective(experiment, model, corpora);
            let run = RunIdentity::of(settings(experiment, (model, input), objective, (&inputs.device, seed)));
            if let Some(other) = runs.iter().find(|other| other.id == run.id) {
                let message = format!("the models `{}` and `{}` are the same", other.settings.model, model.name);
                let found = experiment.base.finding(&key, message);
                return Err(found.hint("remove one of them; for a second draw of random weights, add a seed"));
            }
            runs.push(run);
        }
    }
    Ok(runs)
}

/// Expands an experiment into its runs, and how much they compute.
///
/// # Errors
/// As [`identify_pretraining`].
pub fn expand_pretraining(experiment: &Pretraining, inputs: &Inputs, sizes: &Sizes) -> Result<Plan, Diagnostic> {
    let mut runs = Vec::new();
    for run in identify_pretraining(experiment, inputs)? {
        let key = format!("models.{}", run.settings.model);
        let objective = run.settings.pretraining().cloned();
        let planned = objective.and_then(|objective| sizes.of_pretraining(run, &objective));
        runs.push(planned.ok_or_else(|| experiment.base.finding(&key, "the size of a corpus is not known"))?);
    }
    Ok(Plan { experiment: experiment.base.name.clone(), runs })
}

fn fits(
    experiment: &Pretraining,
    model: &PretrainModel,
    input: &ModelInput,
    corpora: &CorporaInput,
) -> Result<(), Diagnostic> {
    let positions = input.architecture.max_positions;
    let mut lengths = corpora.phases.iter().chain(&corpora.held_out).map(|corpus| corpus.max_length);
    let Some(long) = lengths.find(|length| *length > positions) else { return Ok(()) };
    let message = format!("examples of {long} tokens, but `{}` has {positions} positions", model.name);
    let found = experiment.base.finding(&format!("models.{}", model.name), message);
    Err(found.hint("a smaller `max_length` in `phases`, or more `max_positions`"))
}

fn objective(experiment: &Pretraining, model: &PretrainModel, corpora: &CorporaInput) -> PretrainingObjective {
    let recipe = &model.recipe;
    let phase = |(phase, corpus): (&config::Phase, &CorpusInput)| CorpusPhase {
        max_length: corpus.max_length,
        steps: phase.steps,
        data: corpus.id.clone(),
    };
    PretrainingObjective {
        loss: recipe.objective,
        phases: recipe.phases.iter().zip(&corpora.phases).map(phase).collect(),
        evaluation: corpora.held_out.as_ref().map(|corpus| HeldOutEvaluation {
            data: corpus.id.clone(),
            every: experiment.eval_steps.unwrap_or_else(|| recipe.steps().div_ceil(10)),
        }),
        masking: corpora.masking,
        snapshots: experiment.snapshots.clone(),
        saving: experiment.save,
        logging_steps: experiment.logging_steps,
    }
}

fn settings(
    experiment: &Pretraining,
    (model, input): (&PretrainModel, &ModelInput),
    objective: PretrainingObjective,
    (device, seed): (&str, u64),
) -> RunSettings {
    let recipe = &model.recipe;
    RunSettings {
        model: model.name.clone(),
        architecture: input.architecture,
        initial_weights: input.initial_weights.clone(),
        vocabulary: input.vocabulary.clone(),
        seed,
        device: device.to_owned(),
        optimization: Optimization {
            batch_size: recipe.batch_size,
            learning_rate: recipe.learning_rate,
            warmup: Warmup::Steps(recipe.warmup_steps),
            ..optimization(&experiment.base.training, experiment.optimizer(), experiment.epsilon())
        },
        objective: Objective::Pretraining(objective),
        numerics_version: NUMERICS_VERSION,
    }
}
