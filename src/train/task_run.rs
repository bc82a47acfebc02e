//! A run on a task: trained, evaluated, its predictions written.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::Device;

use super::attempt::Attempt;
use super::checkpointer::{CheckpointPolicy, Checkpointer};
use super::error::TrainError;
use super::evaluate::predict;
use super::model_card::{MODEL_CARD, task_card};
use super::observer::{Observer, StepReport};
use super::ranks::Ranks;
use super::ready::{MINI, Ready, RunContext, feature_source};
use super::task::{TrainingData, first_step, new_fit};
use crate::model::{Classifier, save_classifier};
use crate::store::{Outcome, Record, RunFolder, RunSettings, TaskOutcome};
use crate::task::{OWN_DATA, Task, TaskFeatures};
use crate::text::{FeatureCache, LabelKind, SkippedRows, TokenizerFiles, Vocabulary};
use crate::units::Seconds;

/// Trains, evaluates and writes everything of a run but its record, which is returned.
///
/// # Errors
/// As [`run`](super::run()).
pub(super) fn run_task(
    attempt: &Attempt<'_>,
    observer: &mut dyn Observer,
    ranks: &dyn Ranks,
) -> Result<Record, TrainError> {
    let Attempt { context, settings, folder, .. } = *attempt;
    let Ready { task, features, vocabulary, device, model, config, pretraining, mut notes } =
        ranks.leader_first(|| Ready::new(context, settings))?;
    let setup = attempt.elapsed();
    let mut checkpointer = attempt.checkpointer(CheckpointPolicy::TASK);
    let data = TrainingData { task: &task, train: &features.train, dev: &features.dev, tags: &features.tags };
    let mut fitted = new_fit(settings, data, &device, ranks).run(model, observer, Some(&mut checkpointer))?;
    for ((_, outputs), split) in fitted.dev_outputs.iter().zip(&features.dev) {
        for file in task.prediction_files(outputs, split, &features.tags) {
            folder.write_predictions(&file.name, &file.content)?;
        }
        if split.has_gold() {
            folder.write_answers(split.name, task.answers_by_example(outputs, split, &features.tags))?;
        }
    }
    keep_examples(attempt, &task, &vocabulary, &features)?;
    let predicting = predict_unlabelled(attempt, &task, &vocabulary, &fitted.model, &device)?;
    notes.append(&mut fitted.notes);
    notes.extend(notes_on(&features, settings.max_length()));
    let outcome = outcome(attempt, &task, &features, &mut notes)?;
    let mut record = attempt.record(&fitted, Outcome::Task(outcome), notes);
    record.pretraining = pretraining;
    record.timings.setup = setup;
    record.timings.evaluation.0 += predicting.0;
    if folder.wants_model(&record)? {
        let files =
            TokenizerFiles::of(&vocabulary, settings.vocabulary.do_lower_case, config.architecture.max_positions);
        let (names, dropout) = (task.output_names(&features.tags), settings.optimization.dropout);
        folder.write_model(|into| -> Result<(), TrainError> {
            save_classifier(into, &fitted.model, &config, &names, dropout, Some(files.as_slice()))?;
            let benchmark = record.task().map_or("", |of| &of.benchmark);
            Ok(std::fs::write(into.join(MODEL_CARD), task_card(&record, &task, benchmark))?)
        })?;
    }
    attempt.complete(&mut record, checkpointer.wall());
    // A run that dies from here on is trained again.
    folder.remove_checkpoints()?;
    Ok(record)
}

/// Keeps the texts of the dev splits that have gold answers, for reports. A file that changed since it was trained on is
/// no reason to lose the run: then no text is kept.
fn keep_examples(
    attempt: &Attempt<'_>,
    task: &Task,
    vocabulary: &Vocabulary,
    features: &TaskFeatures,
) -> Result<(), TrainError> {
    let Attempt { context, settings, folder, .. } = *attempt;
    let cache = FeatureCache::new(&context.features);
    let source = feature_source(context, settings, vocabulary, &cache)?;
    for split in features.dev.iter().filter(|split| split.has_gold()) {
        let read = || Ok::<_, TrainError>(task.examples(split.name, &source).ok().flatten());
        folder.keep_examples(settings, split.name, read)?;
    }
    Ok(())
}

/// Takes part in a run that another rank leads.
///
/// # Errors
/// As [`run`](super::run()).
pub(super) fn follow_task(
    context: &RunContext,
    settings: &RunSettings,
    folder: &RunFolder,
    ranks: &dyn Ranks,
) -> Result<(), TrainError> {
    let Ready { task, features, device, model, .. } = ranks.leader_first(|| Ready::new(context, settings))?;
    let data = TrainingData { task: &task, train: &features.train, dev: &[], tags: &features.tags };
    let mut checkpointer = Checkpointer::of(folder, CheckpointPolicy::TASK, Instant::now());
    new_fit(settings, data, &device, ranks).follow(model, &mut checkpointer)
}

/// Predicts the sets of other datasets that are answered with this task's model (AX with MNLI's), when
/// they are there. They have no labels, so they decide no score. Gives the time of the predictions.
fn predict_unlabelled(
    attempt: &Attempt<'_>,
    task: &Task,
    vocabulary: &Vocabulary,
    model: &Classifier,
    device: &Device,
) -> Result<Seconds, TrainError> {
    let Attempt { context, settings, folder, .. } = *attempt;
    let others: Vec<_> = task.predicts().filter(|(dataset, _)| dataset.name != task.dataset.name).collect();
    let mut predicting = Seconds(0.0);
    if others.is_empty() {
        return Ok(predicting);
    }
    let cache = FeatureCache::new(&context.features);
    let source = feature_source(context, settings, vocabulary, &cache)?;
    for (dataset, split) in others {
        if !dataset.has(&context.data, split) {
            continue;
        }
        let (features, _) = task.split_features(dataset, split, &source)?;
        let start = Instant::now();
        let outputs = predict(model, &features, device)?;
        predicting.0 += start.elapsed().as_secs_f64();
        let name = format!("predictions-{}.tsv", dataset.name);
        folder.write_predictions(&name, &task.predictions_tsv(&outputs, features.labels(), false))?;
    }
    Ok(predicting)
}

/// What a task's run leaves besides its scores; that its data is not the published one goes to `notes`.
fn outcome(
    attempt: &Attempt<'_>,
    task: &Task,
    features: &TaskFeatures,
    notes: &mut Vec<String>,
) -> Result<TaskOutcome, TrainError> {
    let Attempt { context, settings, .. } = *attempt;
    let mut examples: BTreeMap<String, u64> =
        features.dev.iter().map(|split| (split.name.to_owned(), split.examples())).collect();
    examples.insert("train".into(), features.train.source_examples());
    let mut benchmark = context.benchmark(task);
    if let Some(of) = settings.task().filter(|_| benchmark != MINI && benchmark != OWN_DATA) {
        let differing = task.dataset.unpublished(&of.data_sha256, &examples)?;
        if !differing.is_empty() {
            notes.push(format!("own data, not that of {benchmark}: {}", differing.join("; ")));
            benchmark = OWN_DATA;
        }
    }
    let dev = features.dev.iter().map(|split| (split.name, &split.features));
    let sets = std::iter::once(("train", &features.train)).chain(dev);
    let windowed = sets.filter(|(_, set)| matches!(set.labelled(), LabelKind::Spans | LabelKind::Tokens));
    Ok(TaskOutcome {
        benchmark: benchmark.to_owned(),
        primary_metric: task.primary_metric().name.into(),
        primary_split: task.primary_split().into(),
        majority: features.dev.first().map_or(0.0, |split| task.majority(split.features.labels())),
        ceiling: context.ceiling(task),
        windows: windowed.map(|(name, set)| (name.to_owned(), set.len() as u64)).collect(),
        examples,
        skipped_rows: features.skipped_rows.clone(),
    })
}

/// What a reader of the scores should know of the examples.
fn notes_on(features: &TaskFeatures, max_length: u32) -> Vec<String> {
    let mut notes = Vec::new();
    let truncated = features.train.parts().truncated;
    if truncated > 0 {
        let of = features.train.len();
        notes.push(format!("{truncated} of {of} training examples were truncated to {max_length} tokens"));
    }
    let SkippedRows { unfindable, without_gold, .. } = features.train.left_out();
    if without_gold > 0 && features.train.labelled() == LabelKind::Spans {
        notes.push(format!("{without_gold} training questions without an answer were left out"));
    }
    if unfindable > 0 {
        notes.push(format!("{unfindable} training questions whose answer is not in their text were left out"));
    }
    for (file, rows) in features.skipped_rows.iter().filter(|(_, rows)| **rows > 0) {
        notes.push(format!("{rows} malformed rows of {file} were skipped"));
    }
    notes
}

/// The first optimisation step.
///
/// # Errors
/// As [`run`](super::run()).
pub(super) fn try_task_step(
    context: &RunContext,
    settings: &RunSettings,
) -> Result<(StepReport, Vec<String>), TrainError> {
    let Ready { task, features, device, model, notes, .. } = Ready::new(context, settings)?;
    let data = TrainingData { task: &task, train: &features.train, dev: &[], tags: &features.tags };
    Ok((first_step(model, settings, data, &device)?, notes))
}
