//! An experiment that pretrains: checked, in plain values, and its checks.

use std::path::PathBuf;

use super::check::{for_example, no_duplicates, not_empty, path, shown};
use super::document::Document;
use super::experiment::ModelSource;
use super::models;
use super::written::{Device, Optimizer, Training, Written};
use super::written_pretrain::{
    Masking, Objective, SHORTEST_PAIR, Save, TextFormat, WrittenPhase, WrittenPretrain, WrittenRecipe,
};
use crate::diagnostic::{Diagnostic, Place};

/// Probabilities that should add up to 1 may miss it by rounding.
const SUM_TOLERANCE: f64 = 1e-9;

/// An experiment that pretrains: models × seeds.
#[derive(Clone, Debug)]
pub struct Pretraining {
    /// Its name; safe as a folder's.
    pub name: String,
    /// The models, in file order.
    pub models: Vec<PretrainModel>,
    /// Where the text is.
    pub text: TextSource,
    /// How the text is read.
    pub reading: Reading,
    /// How often it is gone through, each time with other cuts.
    pub dupe_factor: u32,
    /// The share of documents that aim at a random shorter length.
    pub short_sequence_probability: f64,
    /// Steps from one evaluation to the next; a tenth of all steps when `None`.
    pub evaluate_every: Option<u64>,
    /// A line of the log tells of so many steps.
    pub log_every: u64,
    /// Steps after which models are kept besides the last one, ascending.
    pub snapshots: Vec<u64>,
    /// When checkpoints are written, where the file says so.
    pub save: Option<Save>,
    /// The seeds, in file order.
    pub seeds: Vec<u64>,
    /// Precision, decay, clipping, dropout and Adam.
    pub training: Training,
    /// Where to compute.
    pub device: Device,
    /// How many runs go at the same time, when the file says so.
    pub slots: Option<u32>,
    pub(super) document: Document,
}

/// Where the text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextSource {
    /// Files and folders.
    Files {
        /// To train on; empty where every phase names a prepared corpus.
        train: Vec<PathBuf>,
        /// To evaluate on; empty for no evaluation.
        held_out: Vec<PathBuf>,
    },
    /// The corpus of the mini benchmark.
    Mini {
        /// The generator's seed.
        seed: u64,
    },
}

/// How text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The format of all files; told file by file when `None`.
    pub format: Option<TextFormat>,
    /// The column of JSON lines and Parquet.
    pub column: String,
}

/// A model that is pretrained.
#[derive(Clone, Debug, PartialEq)]
pub struct PretrainModel {
    /// Its name in the experiment file.
    pub name: String,
    /// Where its size and first weights come from.
    pub source: ModelSource,
    /// A `vocab.txt` that the file names.
    pub vocabulary: Option<PathBuf>,
    /// Whether text is lower-cased, when the file says so.
    pub lower_case: Option<bool>,
    /// How it is pretrained.
    pub recipe: Recipe,
}

/// How one model is pretrained.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What is learned.
    pub objective: Objective,
    /// Which tokens are masked, and by what.
    pub masking: Masking,
    /// One after the other.
    pub phases: Vec<Phase>,
    /// Examples of an optimisation step.
    pub batch_size: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps over which it rises.
    pub warmup_steps: u64,
}

/// So many steps on one corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What it is trained on.
    pub examples: PhaseExamples,
    /// Optimisation steps.
    pub steps: u64,
}

/// The examples of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhaseExamples {
    /// Of the experiment's text, with at most so many tokens.
    Text {
        /// Special tokens included.
        max_length: u32,
    },
    /// Of a folder that `corpus prepare` wrote.
    Corpus(PathBuf),
}

impl Pretraining {
    /// As [`Experiment::place_of`](super::Experiment::place_of).
    #[must_use]
    pub fn place_of(&self, key: &str) -> Option<Place> {
        self.document.spot(key).map(|spot| self.document.place(spot))
    }

    /// As [`Experiment::finding`](super::Experiment::finding).
    #[must_use]
    pub fn finding(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        self.document.at_nearest(key, message)
    }

    /// The optimizer: Google's where the file names none.
    #[must_use]
    pub fn optimizer(&self) -> Optimizer {
        if self.document.spot("training.optimizer").is_some() {
            self.training.optimizer
        } else {
            Optimizer::BertAdam {}
        }
    }

    /// Adam's ε: 1e-6 where the file names none (`run_pretraining.py`, whatever the optimizer).
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.training.adam_epsilon.unwrap_or_else(|| Optimizer::BertAdam {}.default_epsilon())
    }
}

impl Recipe {
    /// Steps of all phases.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.phases.iter().map(|phase| phase.steps).sum()
    }
}

/// Keys that only experiments with tasks have, and why they are not here.
const NOT_HERE: [(&str, &str); 6] = [
    (
        "tasks",
        "an experiment pretrains or has tasks: another one, with `checkpoint: {experiment: NAME, model: NAME}`, fine-tunes its models",
    ),
    ("task_settings", "remove it: there are no tasks"),
    ("sweep", "`pretrain` has `batch_size`, `learning_rate` and `phases`"),
    ("approach", "remove it: every weight is trained"),
    ("data", "`pretrain.text` names files of text, and `mini` is the generated corpus"),
    ("training.max_length", "`pretrain.phases` has the lengths of examples"),
];

/// Turns a file with `pretrain` into an experiment.
pub(super) fn check(written: &Written, document: Document) -> Result<Pretraining, Diagnostic> {
    for (key, hint) in NOT_HERE {
        if document.spot(key).is_some() {
            return Err(document.at_key_name(key, format!("`{key}` has no place beside `pretrain`")).hint(hint));
        }
    }
    if document.spot("training.warmup_fraction").is_some() {
        let found = document.at_key_name("training.warmup_fraction", "pretraining counts its warmup in steps");
        return Err(found.hint("`pretrain: {warmup_steps: 10000}`"));
    }
    let Some(of) = &written.pretrain else { return Err(document.about("the key `pretrain` is missing")) };
    let text = text(&document, written, of)?;
    let has_text = !matches!(&text, TextSource::Files { train, .. } if train.is_empty());
    numbers(&document, of)?;
    let mut models = Vec::new();
    for (name, source, written_model) in models::sources(&document, written)? {
        let key = format!("models.{name}");
        for (other, given) in [("tasks", written_model.tasks.is_some()), ("approach", written_model.approach.is_some())]
        {
            if given {
                let found =
                    document.at_key_name(&format!("{key}.{other}"), format!("`{other}` is of experiments with tasks"));
                return Err(found.hint("remove it"));
            }
        }
        if matches!(source, ModelSource::Pretraining(_)) {
            let found = document.at_key(&format!("{key}.checkpoint"), "a pretraining cannot start from another one");
            return Err(found.hint("name its model's folder: `checkpoint: runs/…/model`"));
        }
        let vocabulary =
            written_model.vocabulary.as_ref().map(|file| path(&document, &format!("{key}.vocabulary"), file));
        let recipe = recipe(&document, &name, of, written_model.pretrain.as_ref(), (&source, has_text))?;
        models.push(PretrainModel {
            name,
            source,
            vocabulary: vocabulary.transpose()?,
            lower_case: written_model.lower_case,
            recipe,
        });
    }
    let snapshots = snapshots(&document, of, &models)?;
    Ok(Pretraining {
        name: written.experiment.clone(),
        models,
        text,
        reading: Reading { format: of.format, column: of.column.clone().unwrap_or_else(|| "text".to_owned()) },
        dupe_factor: of.dupe_factor,
        short_sequence_probability: of.short_sequence_probability,
        evaluate_every: of.evaluate_every,
        log_every: of.log_every,
        snapshots,
        save: of.save,
        seeds: written.seeds.clone(),
        training: written.training.clone(),
        device: written.device,
        slots: written.slots,
        document,
    })
}

fn text(document: &Document, written: &Written, of: &WrittenPretrain) -> Result<TextSource, Diagnostic> {
    let files = |key: &str, written: &Option<Vec<String>>| -> Result<Vec<PathBuf>, Diagnostic> {
        let Some(written) = written else { return Ok(Vec::new()) };
        not_empty(document, key, written)?;
        written.iter().enumerate().map(|(at, file)| path(document, &format!("{key}.{at}"), file)).collect()
    };
    let (train, held_out) = (files("pretrain.text", &of.text)?, files("pretrain.held_out", &of.held_out)?);
    match &written.mini {
        Some(mini) if train.is_empty() && held_out.is_empty() => Ok(TextSource::Mini { seed: mini.seed }),
        Some(_) => Err(document
            .at_key_name("mini", "both `mini` and `pretrain` say what text is read")
            .hint("keep one: `mini` is the generated corpus")),
        None => Ok(TextSource::Files { train, held_out }),
    }
}

fn numbers(document: &Document, of: &WrittenPretrain) -> Result<(), Diagnostic> {
    let refused = |key: &str, takes: &str, found: String| {
        let message = format!("`{key}` takes {takes}, found `{found}`");
        Err(document.at_key(&format!("pretrain.{key}"), message).hint(for_example(key)))
    };
    let counts = [
        ("dupe_factor", u64::from(of.dupe_factor)),
        ("evaluate_every", of.evaluate_every.unwrap_or(1)),
        ("log_every", of.log_every),
        ("save.every_steps", of.save.and_then(|save| save.every_steps).unwrap_or(1)),
        ("save.keep", of.save.map_or(1, |save| u64::from(save.keep))),
    ];
    if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
        return refused(key, "1 or more", "0".to_owned());
    }
    if !(0.0..=1.0).contains(&of.short_sequence_probability) {
        let found = shown(document, "pretrain.short_sequence_probability", of.short_sequence_probability);
        return refused("short_sequence_probability", "a probability from 0 to 1", found);
    }
    if let Some(minutes) = of.save.and_then(|save| save.every_minutes)
        && !(minutes > 0.0 && minutes.is_finite())
    {
        return refused("save.every_minutes", "more than 0", minutes.to_string());
    }
    Ok(())
}

/// Where a setting of a model's recipe is written: at the model, or under `pretrain`.
struct Keys<'a> {
    document: &'a Document,
    model: &'a str,
}

impl Keys<'_> {
    fn of(&self, key: &str) -> String {
        let own = format!("models.{}.pretrain.{key}", self.model);
        let first = key.split('.').next().unwrap_or(key);
        let is_own = self.document.spot(&format!("models.{}.pretrain.{first}", self.model)).is_some();
        if is_own { own } else { format!("pretrain.{key}") }
    }

    fn refused(&self, key: &str, message: String) -> Diagnostic {
        self.document.at_nearest(&self.of(key), message)
    }
}

fn recipe(
    document: &Document,
    model: &str,
    all: &WrittenPretrain,
    own: Option<&WrittenRecipe>,
    (source, has_text): (&ModelSource, bool),
) -> Result<Recipe, Diagnostic> {
    let keys = Keys { document, model };
    let none = WrittenRecipe::default();
    let own = own.unwrap_or(&none);
    let masking = own.masking.unwrap_or(all.masking);
    check_masking(&keys, &masking)?;
    let written = own.phases.as_ref().unwrap_or(&all.phases);
    not_empty(document, &keys.of("phases"), written)?;
    let phases: Vec<Phase> = written
        .iter()
        .enumerate()
        .map(|(at, phase)| check_phase(&keys, at, phase, source, has_text))
        .collect::<Result<_, _>>()?;
    let steps: u64 = phases.iter().map(|phase| phase.steps).sum();
    let batch_size = own.batch_size.unwrap_or(all.batch_size);
    if batch_size == 0 {
        let found = keys.refused("batch_size", "`batch_size` takes 1 or more, found `0`".to_owned());
        return Err(found.hint("for example `batch_size: 256`"));
    }
    let learning_rate = own.learning_rate.unwrap_or(all.learning_rate);
    if !(learning_rate > 0.0 && learning_rate < 1.0) {
        let found = shown(document, &keys.of("learning_rate"), learning_rate);
        let message = format!("`learning_rate` takes more than 0 and less than 1, found `{found}`");
        return Err(keys.refused("learning_rate", message).hint("for example `learning_rate: 1e-4`"));
    }
    // 10,000 of 1,000,000 steps (Devlin et al. 2018, appendix A.2).
    let warmup_steps = own.warmup_steps.or(all.warmup_steps).unwrap_or_else(|| steps.div_ceil(100));
    if warmup_steps > steps {
        let message = format!("the learning rate would rise over {warmup_steps} of {steps} steps");
        return Err(keys.refused("warmup_steps", message).hint("a hundredth of the steps when it is left out"));
    }
    let objective = own.objective.unwrap_or(all.objective);
    Ok(Recipe { objective, masking, phases, batch_size, learning_rate, warmup_steps })
}

fn check_masking(keys: &Keys<'_>, masking: &Masking) -> Result<(), Diagnostic> {
    let Masking { share, most, mask, same, random, .. } = *masking;
    if !(share > 0.0 && share < 1.0) {
        let found =
            keys.refused("masking.share", format!("`share` takes more than 0 and less than 1, found `{share}`"));
        return Err(found.hint("the paper's is 0.15"));
    }
    if most == Some(0) {
        let found = keys.refused("masking.most", "`most` takes 1 or more, found `0`".to_owned());
        return Err(found.hint("leave it out for `share` of the longest example"));
    }
    let rates = [mask, same, random];
    if rates.iter().any(|rate| !(0.0..=1.0).contains(rate)) || (rates.iter().sum::<f64>() - 1.0).abs() > SUM_TOLERANCE {
        let message =
            format!("`mask`, `same` and `random` are shares that add up to 1, found {mask}, {same} and {random}");
        return Err(keys.refused("masking", message).hint("the paper's are 0.8, 0.1 and 0.1; name all three"));
    }
    Ok(())
}

fn check_phase(
    keys: &Keys<'_>,
    at: usize,
    phase: &WrittenPhase,
    source: &ModelSource,
    has_text: bool,
) -> Result<Phase, Diagnostic> {
    let key = |key: &str| format!("phases.{at}.{key}");
    if phase.steps == 0 {
        let found = keys.refused(&key("steps"), "`steps` takes 1 or more, found `0`".to_owned());
        return Err(found.hint(for_example("steps")));
    }
    let examples = match (phase.max_length, &phase.corpus) {
        (Some(_), Some(_)) => {
            let found = keys.refused(&key("max_length"), "a prepared corpus has its own `max_length`".to_owned());
            return Err(found.hint("keep `corpus`, or `max_length` with `pretrain.text`"));
        }
        (None, None) => {
            let found = keys.refused(&format!("phases.{at}"), "a phase has `max_length` or `corpus`".to_owned());
            return Err(found.hint("for example `{max_length: 128, steps: 10000}`"));
        }
        (None, Some(folder)) => PhaseExamples::Corpus(path(keys.document, &keys.of(&key("corpus")), folder)?),
        (Some(max_length), None) => {
            if !has_text {
                let found = keys.document.at_key("pretrain", "there is no text to pretrain on");
                return Err(found.hint(
                    "`text: [path/to/text]` under `pretrain`, or `mini: {seed: 1}`, or a `corpus` in each phase",
                ));
            }
            if !(SHORTEST_PAIR..=u32::from(u16::MAX)).contains(&max_length) {
                let message = format!("`max_length` takes {SHORTEST_PAIR} to {}, found `{max_length}`", u16::MAX);
                return Err(keys.refused(&key("max_length"), message).hint("the paper's are 128 and 512"));
            }
            if let ModelSource::Random(of) = source
                && of.max_positions < max_length
            {
                let (model, positions) = (keys.model, of.max_positions);
                let message = format!("examples of {max_length} tokens, but `{model}` has {positions} positions");
                return Err(keys
                    .refused(&key("max_length"), message)
                    .hint("a smaller `max_length`, or more `max_positions`"));
            }
            PhaseExamples::Text { max_length }
        }
    };
    Ok(Phase { examples, steps: phase.steps })
}

/// The snapshots in order, each before every model's last step.
fn snapshots(document: &Document, of: &WrittenPretrain, models: &[PretrainModel]) -> Result<Vec<u64>, Diagnostic> {
    if of.snapshots.is_empty() {
        return Ok(Vec::new());
    }
    no_duplicates(document, "pretrain.snapshots", &of.snapshots)?;
    for (at, step) in of.snapshots.iter().enumerate() {
        let short = models.iter().find(|model| *step == 0 || *step >= model.recipe.steps());
        if let Some(model) = short {
            let message =
                format!("step {step} is not before the last step of `{}`, {}", model.name, model.recipe.steps());
            let found = document.at_key(&format!("pretrain.snapshots.{at}"), message);
            return Err(found.hint("the model of the last step is always kept"));
        }
    }
    let mut steps = of.snapshots.clone();
    steps.sort_unstable();
    Ok(steps)
}
