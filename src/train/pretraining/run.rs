//! A pretraining run from its settings to its model, through as many processes as it takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use super::data::PhaseCorpora;
use super::workload::{LanguageModeling, write_model};
use crate::diagnostic::Diagnostic;
use crate::model::{LanguageModel, Weights, load_pretraining, random_pretraining};
use crate::store::{InitialWeights, Outcome, PretrainingObjective, Record, RunFolder, RunSettings};
use crate::train::attempt::Attempt;
use crate::train::checkpointer::{CheckpointPolicy, Checkpointer};
use crate::train::error::TrainError;
use crate::train::fit::{Fit, FitResult};
use crate::train::model_card::{MODEL_CARD, pretraining_card};
use crate::train::observer::{Observer, StepReport};
use crate::train::ranks::{Alone, Ranks};
use crate::train::ready::{RunContext, unchanged};
use crate::units::Seconds;

/// As [`run`](crate::train::run()), of a pretraining.
pub(in crate::train) fn run_pretraining(
    attempt: &Attempt<'_>,
    objective: &PretrainingObjective,
    observer: &mut dyn Observer,
    ranks: &dyn Ranks,
) -> Result<Record, TrainError> {
    let Attempt { context, settings, folder, .. } = *attempt;
    let data = ranks.leader_first(|| PhaseCorpora::open(&context.corpora, settings, objective, true))?;
    let mut checkpointer = attempt.checkpointer(policy(objective));
    let mut fitted = fit(attempt, &data, objective, observer, &mut checkpointer, ranks)?;
    let weights_sha256 = weights(folder, objective)?;
    let notes = std::mem::take(&mut fitted.notes);
    let mut record = attempt.record(&fitted, Outcome::Pretraining { weights_sha256 }, notes);
    attempt.complete(&mut record, checkpointer.wall());
    // A run that dies from here on is trained again.
    folder.remove_checkpoints()?;
    Ok(record)
}

/// Takes part in a pretraining that another rank leads.
pub(in crate::train) fn follow_pretraining(
    context: &RunContext,
    settings: &RunSettings,
    objective: &PretrainingObjective,
    folder: &RunFolder,
    ranks: &dyn Ranks,
) -> Result<(), TrainError> {
    // The leader has read the whole corpus and held it against its checksums; this rank reads its share of it.
    let data = ranks.leader_first(|| PhaseCorpora::open(&context.corpora, settings, objective, false))?;
    let (fit, model, _) = ranks.agree(ready(context, None, &data, settings, objective, ranks))?;
    fit.follow(model, &mut Checkpointer::of(folder, policy(objective), Instant::now()))
}

/// The first optimisation step, and what is to be known of the weights. Nothing is written.
pub(in crate::train) fn try_pretraining_step(
    context: &RunContext,
    settings: &RunSettings,
    objective: &PretrainingObjective,
) -> Result<(StepReport, Vec<String>), TrainError> {
    let data = PhaseCorpora::open(&context.corpora, settings, objective, true)?;
    let (fit, model, notes) = ready(context, None, &data, settings, objective, &Alone)?;
    Ok((fit.first_step(model)?, notes))
}

/// Trains from the newest checkpoint to the last step, and writes the model.
fn fit(
    attempt: &Attempt<'_>,
    data: &PhaseCorpora,
    objective: &PretrainingObjective,
    observer: &mut dyn Observer,
    checkpointer: &mut Checkpointer,
    ranks: &dyn Ranks,
) -> Result<FitResult<LanguageModel>, TrainError> {
    let Attempt { context, settings, folder, .. } = *attempt;
    let (fit, model, mut notes) = ranks.agree(ready(context, Some(folder), data, settings, objective, ranks))?;
    for note in &notes {
        observer.note(note);
    }
    let mut fitted = fit.run(model, observer, Some(checkpointer))?;
    notes.append(&mut fitted.notes);
    fitted.notes = notes;
    folder.write_model(|into| -> Result<(), TrainError> {
        write_model(into, &fitted.model, settings, &data.corpora)?;
        let scores = fitted.evaluations.last().map_or(&[][..], |evaluation| &evaluation.scores);
        Ok(std::fs::write(into.join(MODEL_CARD), pretraining_card(folder, settings, scores))?)
    })?;
    Ok(fitted)
}

/// The model before the first step, and what is to be known of it.
fn ready<'a>(
    context: &RunContext,
    folder: Option<&'a RunFolder>,
    data: &'a PhaseCorpora,
    settings: &'a RunSettings,
    objective: &'a PretrainingObjective,
    ranks: &'a dyn Ranks,
) -> Result<(Fit<'a, LanguageModeling<'a>>, LanguageModel, Vec<String>), TrainError> {
    let named = context.open_device(settings)?;
    let precision = named.precision(settings.optimization.precision)?;
    let device = named.device;
    let (autodiff, predict_next) = (device.clone().autodiff(), objective.loss.predicts_next_sentence());
    let (mut model, notes) = match &settings.initial_weights {
        InitialWeights::Random => {
            let model = random_pretraining(&settings.architecture, predict_next, settings.seed, &autodiff);
            (model, Vec::new())
        }
        InitialWeights::Checkpoint { folder, sha256, .. } => {
            let folder = Path::new(folder);
            let load = || load_pretraining(folder, predict_next, settings.seed, &autodiff);
            let loaded = unchanged(folder, sha256, settings, load)?;
            (loaded.model, loaded.notes)
        }
        InitialWeights::Pretraining { .. } => {
            return Err(Diagnostic::new("a pretraining run starts from random weights or a checkpoint").into());
        }
    };
    model.encoder.set_precision(precision);
    let counts = data.corpora.iter().map(|_| OnceLock::new()).collect();
    let workload = LanguageModeling { settings, objective, data, device: device.clone(), folder, counts };
    Ok((Fit::new(workload, settings, &device, ranks), model, notes))
}

/// As the settings say, else as often as runs on a task.
fn policy(objective: &PretrainingObjective) -> CheckpointPolicy {
    objective.saving.map_or(CheckpointPolicy::of_pretraining(None, CheckpointPolicy::TASK.every, 2), |saving| {
        let every = saving.save_minutes.map(|minutes| Seconds(60.0 * minutes));
        CheckpointPolicy::of_pretraining(saving.save_steps, every, saving.save_total_limit as usize)
    })
}

/// The checksums of the last model and the snapshots, by step.
fn weights(folder: &RunFolder, objective: &PretrainingObjective) -> Result<BTreeMap<u64, String>, TrainError> {
    let sha256 = |path: &Path| -> Result<String, TrainError> { Ok(Weights::open(path)?.sha256()?) };
    let steps = objective.steps();
    let mut found = BTreeMap::from([(steps, sha256(&folder.model_folder())?)]);
    for step in objective.snapshots.iter().filter(|step| **step < steps) {
        found.insert(*step, sha256(&folder.snapshot(*step))?);
    }
    Ok(found)
}
