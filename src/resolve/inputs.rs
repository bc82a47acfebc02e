//! Models and tasks of an experiment, read for its plan: checksums, dimensions, counts of tokens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::checkpoint::{CHECKPOINT_IS, checkpoint, checkpoint_folder};
use super::prepared::Prepared;
use super::pretraining::{initial_weights, run_of};
use super::progress::Progress;
use crate::config::{self, Experiment, Model, ModelSource, Pretrained};
use crate::data::BadRows;
use crate::diagnostic::Diagnostic;
use crate::model::Config;
use crate::plan::{Inputs, ModelInput, TaskInput, task_options};
use crate::store::{Architecture, InitialWeights, VocabularyIdentity};
use crate::task::FeatureSource;
use crate::text::{CacheOutcome, FeatureCache, Vocabulary, lower_case_of, vocabulary_file};
use crate::train::RunContext;
use crate::units::Seconds;

/// Rows of the segment embeddings: first and second text (Devlin et al. 2018, §3).
pub(super) const SEGMENTS: u32 = 2;
/// Building features for longer than this is mentioned.
const WORTH_MENTIONING: Seconds = Seconds(2.0);

/// SHA-256 of the data files, by task and by published name.
type Checksums<'a> = BTreeMap<&'a str, BTreeMap<String, String>>;

/// What was read so far, and what was wrong.
pub(super) struct Reading<'a> {
    pub(super) context: RunContext,
    pub(super) inputs: Inputs,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) progress: &'a dyn Progress,
    pub(super) slowest: Seconds,
}

pub(super) struct Reader<'a> {
    pub(super) experiment: &'a Experiment,
    /// The experiments that its models are pretrained by.
    pub(super) pretraining: &'a [Prepared],
    pub(super) skip_bad_rows: bool,
}

impl Reader<'_> {
    /// Reads everything, and collects what is wrong.
    pub(super) fn read(&self, into: &mut Reading<'_>) {
        let checksums = self.checksums(into);
        for model in &self.experiment.models {
            match self.model(model, &into.context.data, into.progress) {
                Ok((input, vocabulary, path)) => {
                    into.context.vocabularies.insert(model.name.clone(), path);
                    self.tasks(model, &input, &vocabulary, &checksums, into);
                    into.inputs.models.insert(model.name.clone(), input);
                }
                Err(finding) => into.findings.push(finding),
            }
        }
    }

    fn checksums(&self, into: &mut Reading<'_>) -> Checksums<'_> {
        let mut checksums = BTreeMap::new();
        for asked in &self.experiment.tasks {
            let found = into.context.task(&asked.name).and_then(|task| task.checksums(&into.context.data));
            match found {
                Ok(found) => {
                    checksums.insert(asked.name.as_str(), found);
                }
                Err(finding) => into.findings.push(finding),
            }
        }
        checksums
    }

    fn model(
        &self,
        model: &Model,
        data: &Path,
        progress: &dyn Progress,
    ) -> Result<(ModelInput, Vocabulary, PathBuf), Diagnostic> {
        let key = format!("models.{}", model.name);
        if let ModelSource::Pretraining(of) = &model.source {
            return self.pretrained(model, of);
        }
        let source = checkpoint_folder(&model.source, progress, |suffix, message| {
            self.experiment.finding(&format!("{key}.checkpoint{suffix}"), message)
        })?;
        let (path, lower_case, start, config) = match source {
            None => (data.join("vocab.txt"), true, InitialWeights::Random, None),
            Some((from, hub)) => {
                let (config, sha256, folder) = checkpoint(&from).map_err(|error| {
                    let finding = self.experiment.finding(&format!("{key}.checkpoint"), error.to_string());
                    finding.hint(CHECKPOINT_IS)
                })?;
                let lower_case = lower_case_of(folder)?.unwrap_or(true);
                let start = InitialWeights::Checkpoint { folder: from.to_string_lossy().into_owned(), sha256, hub };
                (vocabulary_file(folder), lower_case, start, Some(config))
            }
        };
        let path = model.vocabulary.clone().unwrap_or(path);
        let lower_case = model.lower_case.unwrap_or(lower_case);
        if !path.is_file() {
            let finding = self.experiment.finding(&key, format!("no vocabulary at {}", path.display()));
            return Err(finding.hint("`vocab_file: path/to/vocab.txt` names one"));
        }
        let vocabulary = Vocabulary::load(&path)?;
        let architecture = self.architecture(model, config, &vocabulary, &path)?;
        let identity = VocabularyIdentity { sha256: vocabulary.sha256().to_owned(), lower_case };
        Ok((ModelInput { architecture, initial_weights: start, vocabulary: identity }, vocabulary, path))
    }

    /// A model that another experiment pretrains, whether it did or not.
    fn pretrained(&self, model: &Model, of: &Pretrained) -> Result<(ModelInput, Vocabulary, PathBuf), Diagnostic> {
        let key = format!("models.{}.checkpoint", model.name);
        let placed =
            |found: Diagnostic| Diagnostic { hint: found.hint, ..self.experiment.finding(&key, found.message) };
        let by_name = |other: &&Prepared| other.plan.experiment == of.experiment;
        let Some(pretraining) = self.pretraining.iter().find(by_name) else {
            return Err(self.experiment.finding(&key, format!("the experiment `{}` was not read", of.experiment)));
        };
        let run = run_of(pretraining, of).map_err(placed)?;
        let Some(path) = pretraining.context.vocabularies.get(&of.model).cloned() else {
            return Err(self.experiment.finding(&key, format!("the vocabulary of `{}` was not read", of.model)));
        };
        let path = model.vocabulary.clone().unwrap_or(path);
        let vocabulary = Vocabulary::load(&path)?;
        if vocabulary.sha256() != run.settings.vocabulary.sha256 {
            let message = format!("`{}` was pretrained with another vocabulary than {}", of.model, path.display());
            let found = self.experiment.finding(&format!("models.{}.vocabulary", model.name), message);
            return Err(found.hint("leave `vocab_file` out: the pretraining's is used"));
        }
        let lower_case = model.lower_case.unwrap_or(run.settings.vocabulary.lower_case);
        let identity = VocabularyIdentity { sha256: vocabulary.sha256().to_owned(), lower_case };
        let (architecture, start) = (run.settings.architecture, initial_weights(run, of));
        Ok((ModelInput { architecture, initial_weights: start, vocabulary: identity }, vocabulary, path))
    }

    fn architecture(
        &self,
        model: &Model,
        config: Option<Config>,
        vocabulary: &Vocabulary,
        path: &Path,
    ) -> Result<Architecture, Diagnostic> {
        match (&model.source, config) {
            (ModelSource::Checkpoint(_) | ModelSource::Hub(_), Some(config)) => {
                config.fits_vocabulary(path, vocabulary.len()).map_err(|found| {
                    let placed = self.experiment.finding(&format!("models.{}", model.name), found.message);
                    Diagnostic { hint: found.hint, ..placed }
                })?;
                Ok(config.architecture)
            }
            (ModelSource::Random(of), _) => Ok(Architecture {
                layers: of.layers,
                hidden: of.hidden,
                heads: of.heads,
                intermediate: of.intermediate,
                vocab_size: vocabulary.len() as u32,
                max_positions: of.max_positions,
                type_vocab_size: SEGMENTS,
                causal: false,
            }),
            (ModelSource::Checkpoint(_) | ModelSource::Hub(_) | ModelSource::Pretraining(_), _) => {
                Err(Diagnostic::new(format!("no config.json was read for `{}`", model.name)))
            }
        }
    }

    fn tasks(
        &self,
        model: &Model,
        input: &ModelInput,
        vocabulary: &Vocabulary,
        checksums: &Checksums<'_>,
        into: &mut Reading<'_>,
    ) {
        for task in self.experiment.tasks_of(model) {
            let Some(checksums) = checksums.get(task.name.as_str()) else { continue };
            let start = Instant::now();
            match self.task(task, input, vocabulary, checksums, into, model) {
                Ok(found) => {
                    into.slowest.0 = into.slowest.0.max(start.elapsed().as_secs_f64());
                    into.inputs.tasks.insert((task.name.clone(), model.name.clone()), found);
                }
                // The same fault of the same file, for each model, is one fault.
                Err(finding) if into.findings.contains(&finding) => {}
                Err(finding) => into.findings.push(finding),
            }
        }
    }

    fn task(
        &self,
        task: &config::Task,
        input: &ModelInput,
        vocabulary: &Vocabulary,
        checksums: &BTreeMap<String, String>,
        into: &mut Reading<'_>,
        model: &Model,
    ) -> Result<TaskInput, Diagnostic> {
        let (start, context, progress) = (Instant::now(), &into.context, into.progress);
        let (name, options) = (&task.name, task_options(task));
        let features = context.task(name)?.features(&FeatureSource {
            data_root: &context.data,
            bad_rows: if self.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse },
            checksums,
            vocabulary,
            lower_case: input.vocabulary.lower_case,
            max_length: task.max_length,
            options: options.as_ref(),
            cache: &FeatureCache::new(&context.features),
        })?;
        let seconds = Seconds(start.elapsed().as_secs_f64());
        for (split, outcome) in &features.outcomes {
            match outcome {
                CacheOutcome::Rebuilt(reason) => {
                    progress.note(&format!("damaged features of `{name}` {split} were built again: {reason}"));
                }
                CacheOutcome::NotStored(reason) => {
                    progress.note(&format!("features of `{name}` {split} could not be kept: {reason}"));
                }
                CacheOutcome::Built if seconds > WORTH_MENTIONING => {
                    let model = &model.name;
                    progress.line(&format!(
                        "built the features of `{name}` {split} for `{model}` ({seconds} with the rest)"
                    ));
                }
                CacheOutcome::Hit | CacheOutcome::Built => {}
            }
        }
        Ok(TaskInput {
            data_sha256: checksums.clone(),
            train_examples: features.train.len() as u64,
            train_tokens: features.train.tokens(),
            dev_examples: features.dev.iter().map(|dev| dev.features.len() as u64).sum(),
            dev_tokens: features.dev.iter().map(|dev| dev.features.tokens()).sum(),
        })
    }
}
