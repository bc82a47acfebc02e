//! A pretraining run of an experiment, from its settings to its record.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::check_pretraining;
use super::run::{PretrainContext, PretrainStep, PretrainWatch, Pretrained, Saving, objective_of, pretrain_in};
use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Diagnostic;
use crate::model::Weights;
use crate::store::{
    Evaluation, Event, Outcome, PretrainingObjective, Record, RunFolder, RunSettings, StepEvent, host, peak_memory,
    provenance, reset_peak_memory, unix_now,
};
use crate::train::error::TrainError;
use crate::train::ready::RunContext;
use crate::units::{Seconds, Tokens};

/// When a run of an experiment can go on from, where its settings do not say: as fine-tuning runs do it.
const SAVING: Saving = Saving { save_steps: None, every: Some(Seconds(300.0)), keep: 2 };

/// Pretrains, and writes everything of a run but its record, which is returned.
///
/// # Errors
/// [`TrainError::Stopped`] when `watch` asked for it; otherwise what went wrong.
pub fn pretrain_run(
    context: &RunContext,
    experiment: &str,
    settings: &RunSettings,
    folder: &RunFolder,
    watch: &mut dyn PretrainWatch,
) -> Result<Record, TrainError> {
    let started_unix = unix_now();
    reset_peak_memory();
    let of = pretrain_context(context, settings)?;
    let objective = objective_of(settings)?;
    check_pretraining(settings, objective, &of.corpora, of.held_out.as_ref())?;
    let mut watched = Noted { watch, notes: Vec::new() };
    let done = pretrain_in(folder, &of, settings, &mut watched)?;
    let evaluations = evaluations(folder)?;
    let record = Record {
        id: settings.id(),
        experiment: experiment.to_owned(),
        settings: settings.clone(),
        scores: evaluations.last().map_or_else(Vec::new, |last| last.scores.clone()),
        evaluations,
        steps: done.steps,
        tokens: done.tokens.unwrap_or(Tokens(0)),
        timings: done.timings,
        peak_memory: peak_memory(),
        host: host(&settings.device, context.threads),
        provenance: provenance(started_unix),
        pretraining: None,
        notes: watched.notes,
        outcome: Outcome::Pretraining { weights_sha256: weights(folder, objective, &done)? },
    };
    // A run that dies from here on is trained again.
    folder.remove_checkpoints()?;
    Ok(record)
}

/// The corpora that the settings name by checksum, opened.
///
/// # Errors
/// When one is not known on this machine, or damaged.
pub fn pretrain_context(context: &RunContext, settings: &RunSettings) -> Result<PretrainContext, TrainError> {
    let open = |checksum: &String| -> Result<ExampleSet, TrainError> {
        let folder = context.corpora.get(checksum).ok_or_else(|| {
            Diagnostic::new(format!("the corpus {checksum} is not known on this machine"))
                .hint("start again, so that it is prepared again")
        })?;
        Ok(ExampleSet::open(folder)?)
    };
    let objective = objective_of(settings)?;
    Ok(PretrainContext {
        corpora: objective.phases.iter().map(|phase| open(&phase.data)).collect::<Result<_, _>>()?,
        held_out: objective.evaluation.as_ref().map(|evaluation| open(&evaluation.data)).transpose()?,
        saving: objective.saving.map_or(SAVING, |saving| Saving {
            save_steps: saving.save_steps,
            every: saving.save_minutes.map(|minutes| Seconds(60.0 * minutes)),
            keep: saving.save_total_limit as usize,
        }),
    })
}

fn evaluations(folder: &RunFolder) -> Result<Vec<Evaluation>, TrainError> {
    let events = folder.events()?.into_iter();
    Ok(events
        .filter_map(|event| match event {
            Event::Evaluation(scores) => Some(scores),
            Event::Step(_) => None,
        })
        .collect())
}

/// The checksums of the last model and the snapshots, by step.
fn weights(
    folder: &RunFolder,
    objective: &PretrainingObjective,
    done: &Pretrained,
) -> Result<BTreeMap<u64, String>, TrainError> {
    let sha256 = |path: &Path| -> Result<String, TrainError> { Ok(Weights::open(path)?.sha256()?) };
    let mut found = BTreeMap::from([(done.steps, sha256(&done.model)?)]);
    for step in objective.snapshots.iter().filter(|step| **step < done.steps) {
        found.insert(*step, sha256(&folder.snapshot(*step))?);
    }
    Ok(found)
}

/// Keeps notes for the record on the way to the watcher.
struct Noted<'a> {
    watch: &'a mut dyn PretrainWatch,
    notes: Vec<String>,
}

impl PretrainWatch for Noted<'_> {
    fn begins(&mut self, step: u64, steps: u64) {
        if step > 0 {
            self.notes.push(format!("resumed from the checkpoint of step {step}"));
        }
        self.watch.begins(step, steps);
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
        self.watch.note(text);
    }

    fn step(&mut self, report: &PretrainStep) {
        self.watch.step(report);
    }

    fn logged(&mut self, event: &StepEvent) {
        self.watch.logged(event);
    }

    fn evaluated(&mut self, scores: &Evaluation) {
        self.watch.evaluated(scores);
    }

    fn saved(&mut self, step: u64) {
        self.watch.saved(step);
    }

    fn stop(&mut self) -> bool {
        self.watch.stop()
    }
}
