//! Models and tasks of an experiment, read for its plan: checksums, dimensions, counts of tokens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use crate::checksum::sha256_of;
use crate::data::BadRows;
use crate::diagnostic::Diagnostic;
use crate::model::{CheckpointError, Config, check_weights, weights_file};
use crate::plan::{Inputs, ModelInput, TaskInput};
use crate::spec::{Experiment, Model, ModelSource};
use crate::store::{Architecture, Start};
use crate::task::{FeatureSource, Task};
use crate::text::{CacheOutcome, FeatureCache, Vocabulary};
use crate::train::RunContext;
use crate::units::Seconds;

/// Rows of the segment embeddings: first and second text (Devlin et al. 2018, §3).
const SEGMENTS: u32 = 2;
/// What a checkpoint that is refused should have been.
const CHECKPOINT_IS: &str =
    "a checkpoint is a folder of a BERT as Hugging Face keeps it: config.json, model.safetensors, vocab.txt";
/// Building features for longer than this is mentioned.
const WORTH_MENTIONING: Seconds = Seconds(2.0);

/// What was read so far, and what was wrong.
pub(super) struct Reading {
    pub(super) context: RunContext,
    pub(super) inputs: Inputs,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) slowest: Seconds,
}

pub(super) struct Reader<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) skip_bad_rows: bool,
}

impl Reader<'_> {
    /// Reads everything, and collects what is wrong.
    pub(super) fn read(&self, into: &mut Reading) {
        let checksums = self.checksums(into);
        for model in &self.experiment.models {
            match self.model(model, &into.context.data) {
                Ok((input, vocabulary, path)) => {
                    into.context.vocabularies.insert(model.name.clone(), path);
                    self.tasks(model, &input, &vocabulary, &checksums, into);
                    into.inputs.models.insert(model.name.clone(), input);
                }
                Err(finding) => into.findings.push(finding),
            }
        }
    }

    fn checksums(&self, into: &mut Reading) -> BTreeMap<&'static str, BTreeMap<String, String>> {
        let mut checksums = BTreeMap::new();
        for name in &self.experiment.tasks {
            let found = Task::find(name).and_then(|task| Ok((task.name, task.checksums(&into.context.data)?)));
            match found {
                Ok((name, found)) => {
                    checksums.insert(name, found);
                }
                Err(finding) => into.findings.push(finding),
            }
        }
        checksums
    }

    fn model(&self, model: &Model, data: &Path) -> Result<(ModelInput, Vocabulary, PathBuf), Diagnostic> {
        let key = format!("models.{}", model.name);
        let (path, lower_case, start, config) = match &model.source {
            ModelSource::Random(_) => (data.join("vocab.txt"), true, Start::Random, None),
            ModelSource::Checkpoint(folder) => {
                if !folder.is_dir() {
                    let message = format!("no checkpoint folder at {}", folder.display());
                    return Err(self.experiment.finding(&format!("{key}.checkpoint"), message).hint(CHECKPOINT_IS));
                }
                let (config, sha256) = checkpoint(folder).map_err(|error| {
                    let finding = self.experiment.finding(&format!("{key}.checkpoint"), error.to_string());
                    finding.hint(CHECKPOINT_IS)
                })?;
                let start = Start::Checkpoint { folder: folder.to_string_lossy().into_owned(), sha256 };
                (folder.join("vocab.txt"), folder_lower_case(folder), start, Some(config))
            }
        };
        let path = model.vocabulary.clone().unwrap_or(path);
        let lower_case = model.lower_case.unwrap_or(lower_case);
        if !path.is_file() {
            let finding = self.experiment.finding(&key, format!("no vocabulary at {}", path.display()));
            return Err(finding.hint("`vocabulary: path/to/vocab.txt` names one"));
        }
        let vocabulary = Vocabulary::load(&path)?;
        let architecture = self.architecture(model, config, &vocabulary, &path)?;
        let vocabulary_sha256 = vocabulary.sha256().to_owned();
        Ok((ModelInput { architecture, start, vocabulary_sha256, lower_case }, vocabulary, path))
    }

    fn architecture(
        &self,
        model: &Model,
        config: Option<Config>,
        vocabulary: &Vocabulary,
        path: &Path,
    ) -> Result<Architecture, Diagnostic> {
        let tokens = vocabulary.len() as u32;
        match (&model.source, config) {
            (ModelSource::Checkpoint(_), Some(config)) if config.architecture.vocab_size != tokens => {
                let rows = config.architecture.vocab_size;
                let message =
                    format!("{} has {tokens} tokens, but the checkpoint {rows} word embeddings", path.display());
                let finding = self.experiment.finding(&format!("models.{}", model.name), message);
                Err(finding.hint("the vocabulary must be the one that the checkpoint was trained with"))
            }
            (ModelSource::Checkpoint(_), Some(config)) => Ok(config.architecture),
            (ModelSource::Random(of), _) => Ok(Architecture {
                layers: of.layers,
                hidden: of.hidden,
                heads: of.heads,
                intermediate: of.intermediate,
                vocab_size: tokens,
                max_positions: of.max_positions,
                type_vocab_size: SEGMENTS,
            }),
            (ModelSource::Checkpoint(folder), None) => Err(Diagnostic::new("no config.json was read").in_file(folder)),
        }
    }

    fn tasks(
        &self,
        model: &Model,
        input: &ModelInput,
        vocabulary: &Vocabulary,
        checksums: &BTreeMap<&'static str, BTreeMap<String, String>>,
        into: &mut Reading,
    ) {
        for (name, checksums) in checksums {
            let start = Instant::now();
            match self.task(name, input, vocabulary, checksums, &into.context, model) {
                Ok(found) => {
                    into.slowest.0 = into.slowest.0.max(start.elapsed().as_secs_f64());
                    into.inputs.tasks.insert(((*name).to_owned(), model.name.clone()), found);
                }
                // The same fault of the same file, for each model, is one fault.
                Err(finding) if into.findings.contains(&finding) => {}
                Err(finding) => into.findings.push(finding),
            }
        }
    }

    fn task(
        &self,
        name: &str,
        input: &ModelInput,
        vocabulary: &Vocabulary,
        checksums: &BTreeMap<String, String>,
        context: &RunContext,
        model: &Model,
    ) -> Result<TaskInput, Diagnostic> {
        let start = Instant::now();
        let features = Task::find(name)?.features(&FeatureSource {
            data_root: &context.data,
            bad_rows: if self.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse },
            checksums,
            vocabulary,
            lower_case: input.lower_case,
            max_length: self.experiment.training.max_length,
            cache: &FeatureCache::new(&context.features),
        })?;
        let seconds = Seconds(start.elapsed().as_secs_f64());
        for (split, outcome) in &features.outcomes {
            match outcome {
                CacheOutcome::Rebuilt(reason) => {
                    eprintln!("note: damaged features of `{name}` {split} were built again: {reason}");
                }
                CacheOutcome::NotStored(reason) => {
                    eprintln!("note: features of `{name}` {split} could not be kept: {reason}");
                }
                CacheOutcome::Built if seconds > WORTH_MENTIONING => {
                    eprintln!("built the features of `{name}` {split} for `{}` ({seconds} with the rest)", model.name);
                }
                CacheOutcome::Hit | CacheOutcome::Built => {}
            }
        }
        Ok(TaskInput {
            data_sha256: checksums.clone(),
            train_examples: features.train.len() as u64,
            train_tokens: features.train.tokens(),
            dev_examples: features.dev.iter().map(|(_, set)| set.len() as u64).sum(),
            dev_tokens: features.dev.iter().map(|(_, set)| set.tokens()).sum(),
        })
    }
}

/// The configuration of a checkpoint and its weights' checksum, if they fit together.
fn checkpoint(folder: &Path) -> Result<(Config, String), CheckpointError> {
    let config = Config::read(folder)?;
    check_weights(folder, &config)?;
    let path = weights_file(folder);
    let sha256 = sha256_of(&path).map_err(|source| CheckpointError::Io { path, source })?;
    Ok((config, sha256))
}

/// `do_lower_case` of a folder's tokenizer settings; BERT's default is true.
pub(super) fn folder_lower_case(folder: &Path) -> bool {
    let settings = std::fs::read(folder.join("tokenizer_config.json")).ok();
    let settings: Option<Value> = settings.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    settings.and_then(|settings| settings.get("do_lower_case")?.as_bool()).unwrap_or(true)
}
