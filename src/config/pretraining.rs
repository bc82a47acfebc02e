//! An experiment that pretrains, in plain values.

use std::path::PathBuf;

use super::base::ExperimentBase;
use super::model::ModelSource;
use crate::settings::{LmLoss, Masking, Optimizer, SaveStrategy, TextFormat};

/// An experiment that pretrains: models × seeds.
#[derive(Clone, Debug)]
pub struct Pretraining {
    /// What every experiment has; of its training precision, decay, clipping, dropout and Adam.
    pub base: ExperimentBase,
    /// The models, in file order.
    pub models: Vec<PretrainModel>,
    /// Where the text is.
    pub text: TextSource,
    /// The format of all its files; told file by file when `None`.
    pub format: Option<TextFormat>,
    /// The column of JSON lines and Parquet that holds it.
    pub column: String,
    /// How often it is gone through, each time with other cuts.
    pub dupe_factor: u32,
    /// The probability that a document's examples aim at a random shorter length.
    pub short_seq_prob: f64,
    /// Steps from one evaluation to the next; a tenth of all steps when `None`.
    pub eval_steps: Option<u64>,
    /// Steps between lines of the log.
    pub logging_steps: u64,
    /// Steps after which models are kept besides the last one, ascending.
    pub snapshots: Vec<u64>,
    /// When checkpoints are written, where the file says so.
    pub save: Option<SaveStrategy>,
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
    /// The objective of the pretraining.
    pub objective: LmLoss,
    /// Which tokens are masked, and what replaces them.
    pub masking: Masking,
    /// One after the other.
    pub phases: Vec<Phase>,
    /// Examples per optimisation step.
    pub batch_size: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps over which it rises.
    pub warmup_steps: u64,
}

/// Steps on one corpus.
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
    /// The optimizer: Google's where the file names none.
    #[must_use]
    pub fn optimizer(&self) -> Optimizer {
        if self.base.document.spot("training.optimizer").is_some() {
            self.base.training.optimizer
        } else {
            Optimizer::BertAdam {}
        }
    }

    /// Adam's ε: 1e-6 where the file names none (`run_pretraining.py`, whatever the optimizer).
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.base.training.adam_epsilon.unwrap_or_else(|| Optimizer::BertAdam {}.default_epsilon())
    }
}

impl Recipe {
    /// Steps of all phases.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.phases.iter().map(|phase| phase.steps).sum()
    }
}
