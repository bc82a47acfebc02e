//! Models and text of an experiment that pretrains, read for its plan.

use std::path::PathBuf;

use super::corpora::{Sources, Text, Words, prepared_folder};
use crate::config::{ModelSource, PhaseExamples, PretrainModel, Pretraining, Recipe, TextSource};
use crate::corpus::examples::{Drawn, ExampleSet, ExampleSettings, MaskingRules, Replacement, Segments, Targets};
use crate::diagnostic::{Diagnostic, Error};
use crate::mini;
use crate::model::Config;
use crate::plan::{self, CorporaInput, CorpusInput, ModelInput};
use crate::resolve::checkpoint::{Checkpoint, checkpoint_folder};
use crate::resolve::data::mini_folder;
use crate::resolve::progress::Access;
use crate::resolve::tasks::identity;
use crate::settings::{EncoderType, Masking, TextFormat};
use crate::store::{Architecture, InitialWeights};
use crate::text::{ModelTokenizer, vocabulary_file};

pub(super) struct Reader<'a> {
    experiment: &'a Pretraining,
    access: Access<'a>,
    /// The corpora of all models.
    pub(super) sources: Sources,
    train: Vec<PathBuf>,
    held_out: Vec<PathBuf>,
    format: Option<TextFormat>,
    /// The mini benchmark's vocabulary.
    vocabulary: Option<PathBuf>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(experiment: &'a Pretraining, access: Access<'a>) -> Result<Self, Error> {
        let (train, held_out, format, vocabulary) = match &experiment.text {
            TextSource::Files { train, held_out } => (train.clone(), held_out.clone(), experiment.format, None),
            TextSource::Mini { seed } => {
                let folder =
                    mini_folder(*seed, access.scratch).map_err(|error| experiment.base.finding("mini", error))?;
                let [train, held_out] = [mini::CORPUS_TRAIN, mini::CORPUS_HELD_OUT].map(|name| vec![folder.join(name)]);
                (train, held_out, Some(TextFormat::Sentences), Some(folder.join("vocab.txt")))
            }
        };
        Ok(Self { experiment, access, sources: Sources::default(), train, held_out, format, vocabulary })
    }

    /// What planning needs to know of a model and its corpora, and the file of its vocabulary.
    pub(super) fn model(&mut self, model: &PretrainModel) -> Result<(ModelInput, CorporaInput, PathBuf), Error> {
        let (words, config, initial_weights) = self.words(model)?;
        let architecture = self.architecture(model, config, &words)?;
        let recipe = &model.recipe;
        let learner = (architecture, recipe.objective);
        let (mut phases, mut masking) = (Vec::new(), None);
        for (at, phase) in recipe.phases.iter().enumerate() {
            let (corpus, settings) = match &phase.examples {
                PhaseExamples::Text { max_length } => self.text(&words, recipe, *max_length)?,
                PhaseExamples::Corpus(folder) => self.sources.folder(folder)?,
            };
            self.sources.learner(&format!("pretrain.phases.{at}"), &corpus, &words, learner);
            masking = masking.or(masking_of(&settings));
            phases.push(corpus);
        }
        let held_out = self.held_out(recipe, &words, &phases)?;
        if let Some(corpus) = &held_out {
            self.sources.learner("pretrain.held_out", corpus, &words, learner);
        }
        let input = ModelInput { architecture, initial_weights, vocabulary: identity(&words.tokenizer) };
        Ok((input, CorporaInput { phases, held_out, masking }, words.path))
    }

    /// Vocabulary, dimensions and start of a model.
    fn words(&self, model: &PretrainModel) -> Result<(Words, Option<Config>, InitialWeights), Error> {
        let key = format!("models.{}", model.name);
        let source = checkpoint_folder(&model.source, self.access, |suffix, message| {
            self.experiment.base.finding(&format!("{key}.checkpoint{suffix}"), message)
        })?;
        let checkpoint = source.as_ref().map(|(from, _)| Checkpoint::read(from)).transpose();
        let checkpoint = checkpoint
            .map_err(|error| self.experiment.base.finding(&format!("{key}.checkpoint"), error.to_string()))?;
        let corpus = match model.recipe.phases.first().map(|phase| &phase.examples) {
            Some(PhaseExamples::Corpus(folder)) => Some(ExampleSet::open(folder)?),
            Some(PhaseExamples::Text { .. }) | None => None,
        };
        let own = checkpoint.as_ref().map(|checkpoint| vocabulary_file(checkpoint.folder));
        let own = own.filter(|own| own.is_file() || corpus.is_none());
        let named = model.vocabulary.clone().or(own).or_else(|| self.vocabulary.clone());
        let Some(path) = named.or_else(|| corpus.as_ref().map(ExampleSet::vocabulary_file)) else {
            let finding = self.experiment.base.finding(&key, format!("the model `{}` has no vocabulary", model.name));
            let hint = "`vocab_file: path/to/vocab.txt` names one; `bertbench vocab train` makes one";
            return Err(finding.hint(hint).into());
        };
        if !path.is_file() {
            let finding = self.experiment.base.finding(&key, format!("no vocabulary at {}", path.display()));
            return Err(finding.hint("`bertbench vocab train` makes one").absence().into());
        }
        // A corpus is cut up already.
        let lower_case = model.lower_case.or(corpus.as_ref().map(ExampleSet::lower_case));
        let tokenizer = match &checkpoint {
            Some(of) => ModelTokenizer::read(of.folder, &path, lower_case)?.without_added(of.folder)?,
            None => ModelTokenizer::of_text(&path, lower_case)?,
        };
        let words = Words { path, tokenizer };
        let (Some(checkpoint), Some((from, hub))) = (&checkpoint, &source) else {
            return Ok((words, None, InitialWeights::Random));
        };
        let start = checkpoint.start(from, hub.clone()).without_head();
        Ok((words, Some(checkpoint.config.clone()), start))
    }

    fn architecture(
        &self,
        model: &PretrainModel,
        config: Option<Config>,
        words: &Words,
    ) -> Result<Architecture, Diagnostic> {
        let tokens = words.tokenizer.vocabulary.len();
        let encoder = match (&model.source, &config) {
            (ModelSource::Random(of), _) => Some(of.encoder),
            (_, Some(config)) => Some(config.architecture.encoder),
            (_, None) => None,
        };
        if let Some(encoder) = encoder.filter(|encoder| *encoder != EncoderType::OpenaiGpt)
            && words.tokenizer.vocabulary.is_byte_pair()
        {
            let (key, path) = (format!("models.{}", model.name), words.path.display());
            let found =
                self.experiment.base.finding(&key, format!("{path} is a GPT's vocabulary, and this is {encoder}"));
            return Err(found.hint("`encoder: openai_gpt` reads it; the others a `vocab.txt`"));
        }
        match (&model.source, config) {
            (ModelSource::Random(of), _) => {
                Ok(plan::architecture(of, tokens as u32, model.recipe.objective.is_causal()))
            }
            (_, Some(config)) => {
                let config = config.of_language_model();
                let key = format!("models.{}", model.name);
                let fits = config.fits_vocabulary(&words.path, tokens);
                fits.map_err(|found| self.experiment.base.placed(&key, found))?;
                Ok(config.architecture)
            }
            (_, None) => Err(Diagnostic::new(format!("no config.json was read for `{}`", model.name))),
        }
    }

    /// Examples of the experiment's text to train on.
    fn text(
        &mut self,
        words: &Words,
        recipe: &Recipe,
        max_length: u32,
    ) -> Result<(CorpusInput, ExampleSettings), Error> {
        let experiment = self.experiment;
        if let Some(folder) = prepared_folder(&self.train) {
            let found = experiment.base.finding("pretrain.text", "this is a prepared corpus, not text");
            let hint = format!("`phases: [{{corpus: {}, steps: …}}]` trains on it", folder.display());
            return Err(found.hint(hint).into());
        }
        let text = Text::of(&self.train, self.format, &experiment.column)
            .map_err(|found| self.place("pretrain.text", found))?;
        let settings = self.settings(words, recipe, max_length, experiment.dupe_factor);
        Ok((self.sources.text(text, words, &settings)?, settings))
    }

    /// Examples to evaluate on, as long as those of the first phase and masked as they are.
    fn held_out(
        &mut self,
        recipe: &Recipe,
        words: &Words,
        phases: &[CorpusInput],
    ) -> Result<Option<CorpusInput>, Error> {
        if self.held_out.is_empty() {
            return Ok(None);
        }
        if let Some(folder) = prepared_folder(&self.held_out) {
            return Ok(Some(self.sources.folder(folder)?.0));
        }
        let text = Text::of(&self.held_out, self.format, &self.experiment.column)
            .map_err(|found| self.place("pretrain.held_out", found))?;
        let length = phases.first().map_or(0, |first| first.max_length);
        let settings = self.settings(words, recipe, length, 1);
        Ok(Some(self.sources.text(text, words, &settings)?))
    }

    /// A finding about files, at the key that names them.
    fn place(&self, key: &str, found: Diagnostic) -> Diagnostic {
        if found.place.is_some() {
            return found;
        }
        let is_absence = found.is_absence;
        Diagnostic { hint: found.hint, is_absence, ..self.experiment.base.finding(key, found.message) }
    }

    fn settings(&self, words: &Words, recipe: &Recipe, max_length: u32, dupe_factor: u32) -> ExampleSettings {
        let is_gpt = words.tokenizer.vocabulary.is_byte_pair();
        ExampleSettings {
            max_length,
            short_sequence_probability: self.experiment.short_seq_prob,
            dupe_factor,
            segments: if is_gpt { Segments::Contiguous } else { Segments::Pairs },
            targets: targets(recipe, max_length),
            drawn: if recipe.masking.static_masks { Drawn::Once } else { Drawn::EachEpoch },
            seed: 1,
        }
    }
}

fn targets(recipe: &Recipe, max_length: u32) -> Targets {
    if !recipe.objective.masks() {
        return Targets::Next;
    }
    let Masking { masked_lm_prob: share, max_predictions_per_seq, whole_word, .. } = recipe.masking;
    // The paper's 20 of 128 and 77 of 512.
    let most = max_predictions_per_seq.unwrap_or_else(|| (f64::from(max_length) * share).ceil() as u32);
    let Masking { mask_prob: mask, keep_prob: same, random_prob: random, .. } = recipe.masking;
    let replacement = Replacement { mask, same, random };
    Targets::Masked(MaskingRules { share, most, whole_words: whole_word, replacement })
}

/// What a corpus asks for in the places of masked tokens, for records.
fn masking_of(settings: &ExampleSettings) -> Option<Masking> {
    match settings.targets {
        Targets::Next => None,
        Targets::Masked(MaskingRules { share, most, whole_words, replacement }) => Some(Masking {
            max_predictions_per_seq: Some(most),
            static_masks: matches!(settings.drawn, Drawn::Once),
            masked_lm_prob: share,
            mask_prob: replacement.mask,
            keep_prob: replacement.same,
            random_prob: replacement.random,
            whole_word: whole_words,
        }),
    }
}
