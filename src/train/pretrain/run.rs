//! A pretraining run from its settings to its model, through as many processes as it takes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;

use super::check::check_pretraining;
use super::fit::{Fit, Position};
use super::record::pretrain_context;
use super::running::{Clock, Running};
use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Diagnostic;
use crate::kernel;
use crate::model::{Config, PretrainingModel, Weights, load_pretraining, random_pretraining, save_pretraining};
use crate::store::{
    Evaluation, Event, InitialWeights, LmLoss, PretrainingObjective, RunFolder, RunSettings, StepEvent, Timings,
};
use crate::text::TokenizerFiles;
use crate::train::device::open_device;
use crate::train::error::TrainError;
use crate::train::fit::Phases;
use crate::train::precision::open_precision;
use crate::train::ready::RunContext;
use crate::train::state::read_state;
use crate::units::{Seconds, Tokens};

/// What a run reads that its settings name by checksum, and when it can go on from.
#[derive(Debug)]
pub struct PretrainContext {
    /// The corpus of each phase.
    pub corpora: Vec<ExampleSet>,
    /// What it is evaluated on.
    pub held_out: Option<ExampleSet>,
    /// When it can go on from.
    pub saving: Saving,
}

/// When checkpoints are written. They are also written at the end, and when a run is stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saving {
    /// Steps from one checkpoint to the next.
    pub save_steps: Option<u64>,
    /// After so much time.
    pub every: Option<Seconds>,
    /// The number of checkpoints to keep.
    pub keep: usize,
}

/// One optimisation step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PretrainStep {
    /// Steps finished, this one included.
    pub step: u64,
    /// Steps of all phases.
    pub steps: u64,
    /// Its phase, from 0.
    pub phase: usize,
    /// Loss of both heads, in nats.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// Tokens of the step.
    pub tokens: u64,
    /// The whole step, examples to optimizer.
    pub seconds: Seconds,
    /// Where they went.
    pub phases: Phases,
}

/// Who watches a run, and may stop it between two steps.
pub trait PretrainWatch {
    /// Before the first step: so many were taken before.
    fn begins(&mut self, step: u64, steps: u64);
    /// Something that a reader should know: what is random in the model, a checkpoint that cannot be used.
    fn note(&mut self, text: &str);
    /// After each optimisation step.
    fn step(&mut self, report: &PretrainStep);
    /// A line of the log.
    fn logged(&mut self, event: &StepEvent);
    /// After each evaluation.
    fn evaluated(&mut self, scores: &Evaluation);
    /// A checkpoint was written.
    fn saved(&mut self, step: u64);
    /// Whether to stop before the next step.
    fn stop(&mut self) -> bool;
}

/// A run that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Pretrained {
    /// The folder of the model, as transformers reads it.
    pub model: PathBuf,
    /// Steps of all phases.
    pub steps: u64,
    /// Tokens trained on; `None` when it was done before.
    pub tokens: Option<Tokens>,
    /// Where the time went, in all processes that worked on it.
    pub timings: Timings,
}

/// Trains as `settings` say in the folder `out`, going on from the newest checkpoint that can be used.
///
/// # Errors
/// [`TrainError::Stopped`] when `watch` asked for it, after a checkpoint was written; otherwise what went wrong.
pub fn pretrain(
    out: &Path,
    context: &PretrainContext,
    settings: &RunSettings,
    watch: &mut dyn PretrainWatch,
) -> Result<Pretrained, TrainError> {
    let objective = objective_of(settings)?;
    check_pretraining(settings, objective, &context.corpora, context.held_out.as_ref())?;
    let folder = RunFolder::standing_alone(out, "", settings)?;
    let (steps, model) = (objective.steps(), folder.model_folder());
    if model.exists() {
        return Ok(Pretrained { model, steps, tokens: None, timings: Timings::default() });
    }
    pretrain_in(&folder, context, settings, watch)
}

/// As [`pretrain`], in an open folder without a model.
pub(super) fn pretrain_in(
    folder: &RunFolder,
    context: &PretrainContext,
    settings: &RunSettings,
    watch: &mut dyn PretrainWatch,
) -> Result<Pretrained, TrainError> {
    let begin = Instant::now();
    let objective = objective_of(settings)?;
    let steps = objective.steps();
    let device = open_device(&settings.device)?.device;
    let (fit, model) = ready(context, (settings, objective), folder, &device, watch)?;
    watch.begins(fit.position.step, steps);
    let checkpoints = folder.checkpoints(context.saving.keep);
    let log = folder.event_log_after(fit.position.step)?;
    let last_saved = (fit.position.step, Instant::now());
    // The run may have ended between an evaluation and the model's writing.
    let last_evaluated = last_evaluated(&folder.events()?);
    let clock = Clock { begin, earlier: fit.position.wall };
    let mut running = Running { folder, context, clock, fit, checkpoints, log, last_saved, last_evaluated, watch };
    let model = running.finish(model)?;
    let Position { tokens, timings, .. } = running.fit.position;
    folder.write_model(|into| write_model(into, &model, settings, &context.corpora))?;
    kernel::release_memory();
    let timings = timings.concluded(clock.wall(), Tokens(tokens));
    Ok(Pretrained { model: folder.model_folder(), steps, tokens: Some(Tokens(tokens)), timings })
}

/// The first optimisation step of a run, to see whether it works, and what is to be known of the weights. Nothing is
/// written.
///
/// # Errors
/// As [`pretrain`].
pub fn try_pretraining_step(
    context: &RunContext,
    settings: &RunSettings,
) -> Result<(PretrainStep, Vec<String>), TrainError> {
    let context = pretrain_context(context, settings)?;
    let objective = objective_of(settings)?;
    check_pretraining(settings, objective, &context.corpora, context.held_out.as_ref())?;
    let device = open_device(&settings.device)?.device.autodiff();
    let precision = open_precision(settings.optimization.precision, &settings.device)?;
    let mut fit = Fit::new(settings, objective, &context.corpora, device.clone());
    let (mut model, notes) = started(settings, objective.loss, &device)?;
    model.bert.precision = precision;
    let (_, report) = fit.step(model)?;
    Ok((report, notes))
}

/// What `settings` pretrain a model to do.
pub(super) fn objective_of(settings: &RunSettings) -> Result<&PretrainingObjective, Diagnostic> {
    let task = settings.task_name();
    settings.pretraining().ok_or_else(|| Diagnostic::new(format!("a run on the task `{task}` does not pretrain")))
}

fn last_evaluated(events: &[Event]) -> Option<u64> {
    events.iter().rev().find(|event| matches!(event, Event::Evaluation(_))).map(Event::step)
}

/// The model as it starts or as the newest checkpoint has it.
fn ready<'a>(
    context: &'a PretrainContext,
    (settings, objective): (&'a RunSettings, &'a PretrainingObjective),
    folder: &RunFolder,
    device: &Device,
    watch: &mut dyn PretrainWatch,
) -> Result<(Fit<'a>, PretrainingModel), TrainError> {
    let autodiff = device.clone().autodiff();
    let mut fit = Fit::new(settings, objective, &context.corpora, autodiff.clone());
    let precision = open_precision(settings.optimization.precision, &settings.device)?;
    let (newest, unusable) = folder.checkpoints(context.saving.keep).newest()?;
    for one in unusable {
        watch.note(&format!("the checkpoint {} cannot be used: {}", one.folder.display(), one.cause));
    }
    let (mut model, notes) = started(settings, objective.loss, &autodiff)?;
    match newest {
        Some(checkpoint) => {
            let position: Position = serde_json::from_value(checkpoint.state.clone()).map_err(io::Error::from)?;
            (model, fit.optimizer) = read_state(&checkpoint, model)?;
            fit.position = position;
        }
        None => notes.iter().for_each(|note| watch.note(note)),
    }
    model.bert.precision = precision;
    Ok((fit, model))
}

/// The model before the first step, and what is to be known of it.
fn started(
    settings: &RunSettings,
    loss: LmLoss,
    device: &Device,
) -> Result<(PretrainingModel, Vec<String>), TrainError> {
    let predict_next = loss.predicts_next_sentence();
    match &settings.initial_weights {
        InitialWeights::Random => {
            Ok((random_pretraining(&settings.architecture, predict_next, settings.seed, device), Vec::new()))
        }
        InitialWeights::Checkpoint { folder, sha256, .. } => {
            let folder = Path::new(folder);
            let weights = Weights::open(folder)?;
            if weights.sha256()? != *sha256 {
                return Err(Diagnostic::new("the weights changed since the run was started")
                    .in_file(weights.path())
                    .hint("a run goes on from the weights that it was started with")
                    .into());
            }
            let loaded = load_pretraining(folder, predict_next, settings.seed, device)?;
            Ok((loaded.model, loaded.notes))
        }
        InitialWeights::Pretraining { .. } => {
            Err(Diagnostic::new("a pretraining run starts from random weights or a checkpoint").into())
        }
    }
}

pub(super) fn write_model(
    into: &Path,
    model: &PretrainingModel,
    settings: &RunSettings,
    corpora: &[ExampleSet],
) -> Result<(), TrainError> {
    let beside = match corpora.last() {
        Some(set) => {
            let files =
                TokenizerFiles::of(&set.vocabulary_file(), set.lower_case(), settings.architecture.max_positions)?;
            files.as_slice().to_vec()
        }
        None => Vec::new(),
    };
    let config = Config { architecture: settings.architecture };
    Ok(save_pretraining(into, model, &config, settings.optimization.dropout, &beside)?)
}
