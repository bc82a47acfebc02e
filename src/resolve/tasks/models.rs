//! The models of an experiment with tasks: dimensions, vocabularies and initial weights.

use std::path::{Path, PathBuf};

use super::Reading;
use crate::config::{Model, ModelSource, Pretrained};
use crate::diagnostic::Diagnostic;
use crate::model::Config;
use crate::plan::{self, ModelInput};
use crate::resolve::checkpoint::{CHECKPOINT_IS, Checkpoint, checkpoint_folder};
use crate::resolve::identity::Identity;
use crate::resolve::pretraining::{initial_weights, run_of};
use crate::resolve::progress::Access;
use crate::store::{Architecture, InitialWeights, VocabularyIdentity};
use crate::text::{ModelTokenizer, Vocabulary, vocabulary_file};

impl Reading<'_> {
    /// Reads every model, and collects what is wrong.
    pub(super) fn models(&mut self, access: Access<'_>) {
        for model in &self.experiment.models {
            match self.model(model, access) {
                Ok((input, vocabulary, path)) => {
                    self.context.vocabularies.insert(model.name.clone(), path);
                    self.vocabularies.insert(model.name.clone(), vocabulary);
                    self.inputs.models.insert(model.name.clone(), input);
                }
                Err(finding) => self.findings.push(finding),
            }
        }
    }

    fn model(&self, model: &Model, access: Access<'_>) -> Result<(ModelInput, Vocabulary, PathBuf), Diagnostic> {
        let key = format!("models.{}", model.name);
        if let ModelSource::Pretraining(of) = &model.source {
            return self.pretrained(model, of);
        }
        let source = checkpoint_folder(&model.source, access, |suffix, message| {
            self.experiment.base.finding(&format!("{key}.checkpoint{suffix}"), message)
        })?;
        let named = |path: PathBuf| {
            let path = model.vocabulary.clone().unwrap_or(path);
            if path.is_file() {
                return Ok(path);
            }
            let finding = self.experiment.base.finding(&key, format!("no vocabulary at {}", path.display()));
            Err(finding.hint("`vocab_file: path/to/vocab.txt` names one").absence())
        };
        let (path, tokenizer, start, config) = match source {
            None => {
                let path = named(self.context.data.join("vocab.txt"))?;
                let tokenizer = ModelTokenizer::of_new_model(&path, model.lower_case)?;
                (path, tokenizer, InitialWeights::Random, None)
            }
            Some((from, hub)) => {
                let checkpoint = Checkpoint::read(&from).map_err(|error| {
                    let finding = self.experiment.base.finding(&format!("{key}.checkpoint"), error.to_string());
                    finding.hint(CHECKPOINT_IS)
                })?;
                let path = named(vocabulary_file(checkpoint.folder))?;
                let tokenizer = ModelTokenizer::read(checkpoint.folder, &path, model.lower_case)?;
                (path, tokenizer, checkpoint.start(&from, hub), Some(checkpoint.config))
            }
        };
        let architecture = self.architecture(model, config, &tokenizer.vocabulary, &path)?;
        let input = ModelInput { architecture, initial_weights: start, vocabulary: identity(&tokenizer) };
        Ok((input, tokenizer.vocabulary, path))
    }

    /// A model that another experiment pretrains, whether it did or not.
    fn pretrained(&self, model: &Model, of: &Pretrained) -> Result<(ModelInput, Vocabulary, PathBuf), Diagnostic> {
        let key = format!("models.{}.checkpoint", model.name);
        let by_name = |other: &&Identity| other.experiment.base().name == of.experiment;
        let Some(pretraining) = self.pretraining.iter().find(by_name) else {
            return Err(self.experiment.base.finding(&key, format!("the experiment `{}` was not read", of.experiment)));
        };
        let run = run_of(pretraining, of).map_err(|found| self.experiment.base.placed(&key, found))?;
        let Some(path) = pretraining.vocabularies.get(&of.model).cloned() else {
            return Err(self.experiment.base.finding(&key, format!("the vocabulary of `{}` was not read", of.model)));
        };
        let path = model.vocabulary.clone().unwrap_or(path);
        let lower_case = model.lower_case.unwrap_or(run.settings.vocabulary.do_lower_case);
        let tokenizer = ModelTokenizer::of_pretrained(&path, Some(lower_case))?;
        if tokenizer.vocabulary.sha256() != run.settings.vocabulary.sha256 {
            let message = format!("`{}` was pretrained with another vocabulary than {}", of.model, path.display());
            let found = self.experiment.base.finding(&format!("models.{}.vocabulary", model.name), message);
            return Err(found.hint("leave `vocab_file` out: the pretraining's is used"));
        }
        let pairs = tokenizer.vocabulary.is_byte_pair();
        let architecture = Config::of_pretrained(run.settings.architecture, pairs).for_tasks();
        let start = initial_weights(run, of);
        let input = ModelInput { architecture, initial_weights: start, vocabulary: identity(&tokenizer) };
        Ok((input, tokenizer.vocabulary, path))
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
                let key = format!("models.{}", model.name);
                let fits = config.fits_vocabulary(path, vocabulary.len());
                fits.map_err(|found| self.experiment.base.placed(&key, found))?;
                Ok(config.architecture)
            }
            (ModelSource::Random(of), _) => {
                Ok(plan::architecture(of, vocabulary.len() as u32, of.encoder.facts().objective.is_causal()))
            }
            (ModelSource::Checkpoint(_) | ModelSource::Hub(_) | ModelSource::Pretraining(_), _) => {
                Err(Diagnostic::new(format!("no config.json was read for `{}`", model.name)))
            }
        }
    }
}

/// What stands for a tokenizer in a run's settings.
pub(in crate::resolve) fn identity(of: &ModelTokenizer) -> VocabularyIdentity {
    VocabularyIdentity {
        sha256: of.vocabulary.sha256().to_owned(),
        do_lower_case: of.lower_case,
        added_tokens: of.vocabulary.added().to_vec(),
    }
}
