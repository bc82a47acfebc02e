//! Pretraining as the fit loop does it: examples in the order of a cursor, in phases, evaluation on held-out text.

use std::path::Path;
use std::sync::OnceLock;

use burn::module::Module;
use burn::tensor::Device;

use super::batch::{Targets, complete, pack, predictions};
use super::data::PhaseCorpora;
use super::evaluate::evaluate_pretraining;
use super::losses::HeadLosses;
use super::pass::pretraining_pass;
use super::windows::{WordCounts, counted, stream as skip_gram_stream};
use crate::corpus::examples::{Cursor, ExampleSet};
use crate::model::{Config, ForwardDropout, LanguageModel, save_pretraining};
use crate::settings::LmLoss;
use crate::store::{Evaluation, ModelUsage, PretrainingObjective, RunFolder, RunSettings, StepEvent};
use crate::text::TokenizerFiles;
use crate::train::backward::Backward;
use crate::train::batch::{Batch, DataPosition, Losses, Part};
use crate::train::error::TrainError;
use crate::train::gradient_hook::GradientHook;
use crate::train::observer::StepReport;
use crate::train::pass::Pass;
use crate::train::ranks::{Ranks, Share};
use crate::train::workload::{EvaluationPoint, LogWindow, Workload};

/// A model, corpora, and where snapshots go.
pub(super) struct LanguageModeling<'a> {
    pub(super) settings: &'a RunSettings,
    pub(super) objective: &'a PretrainingObjective,
    pub(super) data: &'a PhaseCorpora,
    /// Without autodiff.
    pub(super) device: Device,
    /// None when nothing is to be written.
    pub(super) folder: Option<&'a RunFolder>,
    /// How often words are in the corpus of each phase, for word vectors.
    pub(super) counts: Vec<OnceLock<WordCounts>>,
}

/// Makes the mean that of the whole batch.
fn share_mean(parts: &mut [Part<Targets>]) {
    let all = parts.iter().filter_map(|part| part.targets.skip_gram.as_ref()).map(|pairs| pairs.all).sum();
    for pairs in parts.iter_mut().filter_map(|part| part.targets.skip_gram.as_mut()) {
        pairs.all = all;
    }
}

impl LanguageModeling<'_> {
    /// Where the batch after the one of step `step` begins, when that one ends at `cursor`.
    fn next(&self, phase: usize, step: u64, cursor: Cursor) -> DataPosition {
        let end: u64 = self.objective.phases.iter().take(phase + 1).map(|phase| phase.steps).sum();
        if step == end {
            return DataPosition { phase: phase + 1, cursor: Cursor::default() };
        }
        DataPosition { phase, cursor }
    }

    /// What word vectors learn in the `mine` parts of a batch. Pairs are drawn one after the other, so all examples are read.
    fn pairs_of_words(
        &self,
        step: u64,
        phase: usize,
        set: &ExampleSet,
        numbers: &[(u64, u64)],
        mine: Share,
        device: &Device,
    ) -> Result<Vec<Part<Targets>>, TrainError> {
        let size = (self.settings.optimization.sequences_per_pass() as usize).max(1);
        let examples = set.examples(numbers)?;
        let mut parts = pack(&examples, size, self.objective.loss, device);
        let counts = counted(&self.counts[phase], set)?;
        let mut draws = skip_gram_stream(self.settings.seed).at(step);
        for (part, examples) in parts.iter_mut().zip(examples.chunks(size)) {
            part.targets.skip_gram = Some(counts.pairs(examples, &mut draws));
        }
        share_mean(&mut parts);
        let is_mine = |number: &usize| mine.numbers().any(|own| own == *number);
        Ok(parts.into_iter().enumerate().filter(|(number, _)| is_mine(number)).map(|(_, part)| part).collect())
    }

    /// Whether a model of this step is kept besides the last one.
    fn is_snapshot(&self, step: u64) -> bool {
        step < self.steps() && self.objective.snapshots.contains(&step)
    }
}

impl Workload for LanguageModeling<'_> {
    type Model = LanguageModel;
    type Targets = Targets;
    type Losses = HeadLosses;

    fn steps(&self) -> u64 {
        self.objective.steps()
    }

    fn next_batch(
        &mut self,
        step: u64,
        at: DataPosition,
        device: &Device,
        ranks: &dyn Ranks,
    ) -> Result<Batch<Targets>, TrainError> {
        let DataPosition { phase, cursor } = at;
        let epoch = phase as u32 + 1;
        // There is a corpus for every phase.
        let Some(set) = self.data.corpora.get(phase) else {
            let share = ranks.share_of(0);
            return Ok(Batch { parts: Vec::new(), share, passes: 0, examples: 0, epoch, next: at });
        };
        let optimization = &self.settings.optimization;
        let (numbers, cursor) = set.order(self.settings.seed).batch(cursor, optimization.batch_size as usize);
        let size = (optimization.sequences_per_pass() as usize).max(1);
        let passes = numbers.len().div_ceil(size);
        let share = ranks.share_of(passes);
        let parts = if self.objective.loss == LmLoss::SkipGram {
            self.pairs_of_words(step, phase, set, &numbers, share, device)
        } else {
            // Only these are read.
            let own = share.numbers().flat_map(|part| numbers.chunks(size).nth(part).unwrap_or_default());
            let examples = set.examples(&own.copied().collect::<Vec<_>>());
            examples.map(|examples| pack(&examples, size, self.objective.loss, device)).map_err(TrainError::from)
        };
        let mut parts = ranks.agree(parts)?;
        if share.is_partial() {
            let [rows, pairs] = predictions(&parts).map(|count| count as u64);
            let all = ranks.all_gather_words(&[rows, pairs]);
            complete(&mut parts, [0, 1].map(|of| all.iter().skip(of).step_by(2).sum::<u64>() as usize));
        }
        Ok(Batch { parts, share, passes, examples: numbers.len(), epoch, next: self.next(phase, step + 1, cursor) })
    }

    fn pass(
        &self,
        model: &LanguageModel,
        part: &Part<Targets>,
        dropout: Option<&ForwardDropout>,
        how: &Backward,
        hook: &GradientHook,
    ) -> Pass<HeadLosses> {
        pretraining_pass(model, part, dropout, how, hook)
    }

    fn step_event(&self, window: &LogWindow<HeadLosses>, last: &StepReport) -> StepEvent {
        let HeadLosses { tokens, pairs } = window.losses;
        let pairs = Some(pairs).filter(|pairs| pairs.count > 0);
        StepEvent {
            phase: Some(last.epoch as usize),
            loss: window.losses.loss(),
            mlm_loss: Some(tokens.mean()),
            mlm_accuracy: Some(tokens.accuracy()),
            nsp_loss: pairs.map(|pairs| pairs.mean()),
            nsp_accuracy: pairs.map(|pairs| pairs.accuracy()),
            ..last.event(window.tokens_per_second())
        }
    }

    fn logging_steps(&self) -> u64 {
        self.objective.logging_steps
    }

    fn is_evaluated(&self, step: u64, _: DataPosition) -> bool {
        let every = self.objective.evaluation.as_ref().map(|evaluation| evaluation.every);
        every.is_some_and(|every| step.is_multiple_of(every)) || self.is_snapshot(step)
    }

    fn evaluate(&mut self, model: &LanguageModel, at: &EvaluationPoint) -> Result<Option<Evaluation>, TrainError> {
        let (Some(set), Some(_)) = (&self.data.held_out, &self.objective.evaluation) else { return Ok(None) };
        evaluate_pretraining(model, set, self.objective.loss, at.step, &self.device).map(Some)
    }

    fn keep_snapshot(&self, model: &LanguageModel, step: u64) -> Result<(), TrainError> {
        let Some(folder) = self.folder.filter(|_| self.is_snapshot(step)) else { return Ok(()) };
        folder.write_snapshot(step, |into| write_model(into, &model.valid(), self.settings, &self.data.corpora))
    }
}

/// Writes `model` (without autodiff) as transformers reads it, with the vocabulary of the last corpus.
pub(super) fn write_model(
    into: &Path,
    model: &LanguageModel,
    settings: &RunSettings,
    corpora: &[ExampleSet],
) -> Result<(), TrainError> {
    let RunSettings { architecture, ref optimization, .. } = *settings;
    let files = |set: &ExampleSet| TokenizerFiles::of(set.vocabulary(), set.lower_case(), architecture.max_positions);
    let tokenizer = corpora.last().map(files);
    let beside = tokenizer.as_ref().map_or_else(Vec::new, |files| files.as_slice().to_vec());
    let byte_pairs = corpora.last().is_some_and(|set| set.vocabulary().is_byte_pair());
    let config = Config { usage: Some(ModelUsage::of(settings)), ..Config::of_pretrained(architecture, byte_pairs) };
    Ok(save_pretraining(into, model, &config, optimization.dropout, &beside)?)
}
