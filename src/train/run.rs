//! One run from its settings to its record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;

use super::checkpointer::Checkpointer;
use super::error::TrainError;
use super::evaluate::predict;
use super::fit::{FitResult, StepReport, TrainingData, Watch, fit_with_checkpoints};
use super::ready::{Ready, RunContext, feature_source, vocabulary};
use crate::model::{Classifier, Config, HeadLabels, save_classifier};
use crate::store::{
    self, Evaluation, Event, EventLog, Record, RunFolder, RunSettings, StepEvent, TaskOutcome, host, peak_memory,
    provenance, reset_peak_memory, unix_now,
};
use crate::task::{Task, TaskFeatures};
use crate::text::{FeatureCache, TokenizerFiles};
use crate::units::Seconds;

/// Trains, evaluates and writes everything of a run but its record, which is returned.
///
/// # Errors
/// [`TrainError::Stopped`] when `watch` asked for it; otherwise what went wrong.
pub fn run(
    context: &RunContext,
    experiment: &str,
    settings: &RunSettings,
    folder: &RunFolder,
    watch: &mut dyn Watch,
) -> Result<Record, TrainError> {
    let clock = Clock { begin: Instant::now(), started_unix: unix_now() };
    reset_peak_memory();
    let Ready { task, features, device, model, config, pretraining, mut notes } = Ready::new(context, settings)?;
    let setup = Seconds(clock.begin.elapsed().as_secs_f64());
    let mut log = Logged { folder, log: None, watch };
    let mut checkpointer = Checkpointer::of(folder, clock.begin);
    let material = TrainingData { task, train: &features.train, dev: &features.dev, tags: &features.tags };
    let mut fitted = fit_with_checkpoints(model, settings, material, &device, &mut log, Some(&mut checkpointer))?;
    notes.append(&mut fitted.notes);
    fitted.timings.setup = setup;
    let outcome = Outcome { context, experiment, settings, task, features: &features, fitted: &fitted, notes };
    for ((_, outputs), split) in fitted.logits.iter().zip(&features.dev) {
        for file in task.prediction_files(outputs, split, &features.tags) {
            folder.write_predictions(&file.name, &file.content)?;
        }
    }
    let predicting = predict_unlabelled(context, settings, task, &fitted.model, &device, folder)?;
    let mut record = outcome.record(&clock);
    record.pretraining = pretraining;
    record.timings.evaluation.0 += predicting.0;
    if folder.wants_model(&record)? {
        let vocabulary = context.vocabularies.get(&settings.model).map(PathBuf::as_path);
        folder.write_model(|into| {
            write_model(into, &fitted.model, &config, &task.head_labels(&features.tags), settings, vocabulary)
        })?;
    }
    clock.stop(&mut record, checkpointer.earlier());
    // A run that dies from here on is trained again.
    folder.remove_checkpoints()?;
    Ok(record)
}

/// Predicts the sets of other datasets that are answered with this task's model (AX with MNLI's), when
/// they are there. They have no labels, so they decide no score. Gives the time of the predictions.
fn predict_unlabelled(
    context: &RunContext,
    settings: &RunSettings,
    task: &'static Task,
    model: &Classifier,
    device: &Device,
    folder: &RunFolder,
) -> Result<Seconds, TrainError> {
    let others: Vec<_> = task.predicts.iter().filter(|set| set.dataset != task.dataset).collect();
    let mut predicting = Seconds(0.0);
    if others.is_empty() {
        return Ok(predicting);
    }
    let vocabulary = vocabulary(context, settings)?;
    let cache = FeatureCache::new(&context.features);
    let source = feature_source(context, settings, &vocabulary, &cache)?;
    for set in others {
        if !Task::has_split(set.dataset, set.split, &context.data) {
            continue;
        }
        let (features, _) = Task::split_features(set.dataset, set.split, &source)?;
        let start = Instant::now();
        let outputs = predict(model, &features, device);
        predicting.0 += start.elapsed().as_secs_f64();
        let name = format!("predictions-{}.tsv", set.dataset);
        folder.write_predictions(&name, &task.predictions_tsv(&outputs, features.labels()))?;
    }
    Ok(predicting)
}

fn write_model(
    folder: &Path,
    model: &Classifier,
    config: &Config,
    labels: &HeadLabels<'_>,
    settings: &RunSettings,
    vocabulary: Option<&Path>,
) -> Result<(), TrainError> {
    let beside = match vocabulary {
        Some(path) => files_beside(path, settings)?,
        None => Vec::new(),
    };
    Ok(save_classifier(folder, model, config, labels, settings.optimization.dropout, Some(&beside))?)
}

/// The vocabulary and the settings of the tokenizer.
fn files_beside(vocabulary: &Path, settings: &RunSettings) -> Result<Vec<(&'static str, Vec<u8>)>, TrainError> {
    let files = TokenizerFiles::of(vocabulary, settings.vocabulary.lower_case, settings.architecture.max_positions)?;
    Ok(files.as_slice().to_vec())
}

struct Clock {
    begin: Instant,
    started_unix: u64,
}

impl Clock {
    /// Fills in what is known only at the end; `earlier` processes worked on the run as well.
    fn stop(&self, record: &mut Record, earlier: Seconds) {
        let wall = Seconds(earlier.0 + self.begin.elapsed().as_secs_f64());
        record.timings = record.timings.concluded(wall, record.tokens);
        record.peak_memory = peak_memory();
        record.provenance = provenance(self.started_unix);
    }
}

struct Outcome<'a> {
    context: &'a RunContext,
    experiment: &'a str,
    settings: &'a RunSettings,
    task: &'static Task,
    features: &'a TaskFeatures,
    fitted: &'a FitResult,
    notes: Vec<String>,
}

impl Outcome<'_> {
    fn record(&self, clock: &Clock) -> Record {
        let Self { context, experiment, settings, task, features, fitted, .. } = *self;
        let last = fitted.evaluations.last();
        let primary = features.dev.first();
        let mut examples: BTreeMap<String, u64> =
            features.dev.iter().map(|split| (split.name.to_owned(), split.examples())).collect();
        examples.insert("train".into(), features.train.len() as u64);
        Record {
            id: settings.id(),
            experiment: experiment.into(),
            settings: settings.clone(),
            scores: last.map_or_else(Vec::new, |evaluation| evaluation.scores.clone()),
            evaluations: fitted.evaluations.clone(),
            steps: fitted.steps,
            tokens: fitted.tokens,
            timings: fitted.timings,
            peak_memory: peak_memory(),
            host: host(&settings.device, context.threads),
            provenance: provenance(clock.started_unix),
            pretraining: None,
            notes: self.notes(),
            outcome: store::Outcome::Task(TaskOutcome {
                benchmark: context.benchmark(task).to_owned(),
                primary_metric: task.primary_metric.into(),
                primary_split: task.primary_split().into(),
                majority: primary.map_or(0.0, |split| task.majority(split.features.labels())),
                ceiling: context.ceiling(task),
                examples,
                skipped_rows: features.skipped_rows.clone(),
            }),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        let truncated = self.features.train.truncated();
        if truncated > 0 {
            let (of, at) = (self.features.train.len(), self.settings.max_length());
            notes.push(format!("{truncated} of {of} training examples were truncated to {at} tokens"));
        }
        let unfindable = self.features.train.left_out().unfindable;
        if unfindable > 0 {
            notes.push(format!("{unfindable} training questions whose answer is not in their text were left out"));
        }
        for (file, rows) in self.features.skipped_rows.iter().filter(|(_, rows)| **rows > 0) {
            notes.push(format!("{rows} malformed rows of {file} were skipped"));
        }
        notes
    }
}

/// Writes the event log on the way to the watcher.
struct Logged<'a> {
    folder: &'a RunFolder,
    /// Open as soon as it is known what it goes on from.
    log: Option<EventLog>,
    watch: &'a mut dyn Watch,
}

impl Logged<'_> {
    /// A log that cannot be written (a full disk) does not end a run; the record's own writing would say so.
    fn append(&mut self, event: &Event) {
        let _ = self.log.as_mut().map(|log| log.append(event));
    }
}

impl Watch for Logged<'_> {
    fn on_resume(&mut self, step: u64) -> Result<(), TrainError> {
        self.log = Some(self.folder.event_log_after(step)?);
        self.watch.on_resume(step)
    }

    fn step(&mut self, report: &StepReport) {
        self.append(&Event::Step(StepEvent {
            step: report.step,
            epoch: Some(report.epoch),
            gradient_norm: Some(report.gradient_norm),
            loss: report.loss,
            learning_rate: report.learning_rate,
            tokens_per_second: report.tokens as f64 / report.seconds.0.max(f64::MIN_POSITIVE),
            ..StepEvent::default()
        }));
        self.watch.step(report);
    }

    fn evaluated(&mut self, evaluation: &Evaluation) {
        self.append(&Event::Evaluation(evaluation.clone()));
        self.watch.evaluated(evaluation);
    }

    fn stop(&mut self) -> bool {
        self.watch.stop()
    }
}
