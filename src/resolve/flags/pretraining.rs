//! The flags of `bertbench pretrain` as an experiment file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::pretraining_folder::EXPERIMENT_FILE;
use crate::config;
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::known_tasks;
use crate::resolve::prepared::Prepared;
use crate::resolve::progress::Progress;
use crate::resolve::request::Request;
use crate::settings::{LmLoss, Precision};

/// What the flags of `bertbench pretrain` say.
#[derive(Clone, Debug)]
pub struct LmFlags {
    /// The prepared corpus of each phase, and the optimisation steps on it.
    pub phases: Vec<(PathBuf, u64)>,
    /// What is minimised.
    pub objective: LmLoss,
    /// What is trained.
    pub model: LmModel,
    /// Examples per optimisation step.
    pub batch_size: u32,
    /// Forward and backward passes per optimisation step.
    pub gradient_accumulation_steps: u32,
    /// Recompute layers in the backward pass.
    pub gradient_checkpointing: bool,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises.
    pub warmup_steps: Option<u64>,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// The optimizer, as experiment files call it.
    pub optimizer: &'static str,
    /// Dropout probability.
    pub dropout: f64,
    /// The norm that gradients are scaled down to.
    pub max_grad_norm: f64,
    /// The numbers that matrix products take.
    pub precision: Precision,
    /// The seed of the weights, the order of examples and dropout.
    pub seed: u64,
    /// The device, as experiment files call it.
    pub device: String,
    /// A prepared corpus to evaluate the model on.
    pub held_out: Option<PathBuf>,
    /// Steps between evaluations.
    pub eval_steps: Option<u64>,
    /// Steps between lines of the log.
    pub logging_steps: u64,
    /// Steps between checkpoints.
    pub save_steps: Option<u64>,
    /// Minutes between checkpoints; 0 for never.
    pub save_minutes: f64,
    /// The number of checkpoints to keep.
    pub save_total_limit: u32,
}

/// The model that `bertbench pretrain` trains.
#[derive(Clone, Debug)]
pub enum LmModel {
    /// The weights to start from.
    Checkpoint(PathBuf),
    /// Random weights of this size.
    Random {
        /// Transformer layers.
        layers: u32,
        /// Hidden size.
        hidden: u32,
        /// Attention heads.
        heads: u32,
        /// Width of the feed-forward layers.
        intermediate: u32,
        /// The longest sequence that the model can read.
        max_positions: u32,
    },
}

impl LmFlags {
    /// The experiment that the flags describe, as YAML.
    ///
    /// # Errors
    /// Paths that are not UTF-8.
    pub fn experiment(&self) -> Result<String, Error> {
        let phases = self.phases.iter().map(|(corpus, steps)| Ok(json!({"corpus": text(corpus)?, "steps": steps})));
        let mut pretrain = json!({
            "objective": self.objective,
            "phases": phases.collect::<Result<Vec<_>, Error>>()?,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "logging_steps": self.logging_steps,
            "save": self.save(),
        });
        let held_out = self.held_out.as_deref().map(text).transpose()?.map(|held_out| json!([held_out]));
        let (warmup_steps, eval_steps) = (self.warmup_steps.map(Value::from), self.eval_steps.map(Value::from));
        for (key, given) in [("held_out", held_out), ("warmup_steps", warmup_steps), ("eval_steps", eval_steps)] {
            if let Some(given) = given {
                pretrain[key] = given;
            }
        }
        let experiment = json!({
            "experiment": "pretrain",
            "models": {"bert": self.model.written()?},
            "pretrain": pretrain,
            "training": {
                "optimizer": {self.optimizer: {}},
                "weight_decay": self.weight_decay,
                "dropout": self.dropout,
                "max_grad_norm": self.max_grad_norm,
                "gradient_accumulation_steps": self.gradient_accumulation_steps,
                "gradient_checkpointing": self.gradient_checkpointing,
                "precision": self.precision,
            },
            "seeds": [self.seed],
            "device": self.device,
        });
        let yaml = serde_yaml::to_string(&experiment).map_err(Error::system)?;
        Ok(format!("# Written by `bertbench pretrain` from its flags.\n{yaml}"))
    }

    /// The experiment `text` resolved, as it will stand in the folder `out`, before anything is written.
    ///
    /// # Errors
    /// As [`Request::prepare`], without places in the file, which say nothing to a user who wrote flags.
    pub fn prepare(out: &Path, text: &str, progress: &dyn Progress) -> Result<Prepared, Error> {
        let (file, runs) = (out.join(EXPERIMENT_FILE), out.join("runs"));
        let request = Request { file, set: Vec::new(), skip_bad_rows: false, lossy: false, runs };
        let read = config::parse_either(&request.file, text, &known_tasks(), &[]).map_err(Error::from);
        let prepared = read.and_then(|experiment| request.prepare_file(experiment, progress));
        let flags = |finding: Diagnostic| match &finding.place {
            Some(place) if place.path == request.file => Diagnostic { place: None, ..finding },
            Some(_) | None => finding,
        };
        prepared.map_err(|error| match error {
            Error::Input(findings) => Error::Input(findings.into_iter().map(flags).collect()),
            Error::System(message) => Error::System(message),
        })
    }

    /// `pretrain.save` of the experiment.
    fn save(&self) -> Value {
        let mut save = json!({"save_total_limit": self.save_total_limit});
        if let Some(steps) = self.save_steps {
            save["save_steps"] = steps.into();
        }
        if self.save_minutes > 0.0 {
            save["save_minutes"] = self.save_minutes.into();
        }
        save
    }
}

impl LmModel {
    /// The model as an experiment file has it.
    fn written(&self) -> Result<Value, Error> {
        Ok(match self {
            Self::Checkpoint(path) => json!({"checkpoint": text(path)?}),
            Self::Random { layers, hidden, heads, intermediate, max_positions } => {
                json!({"architecture": {"layers": layers, "hidden": hidden, "heads": heads,
                                        "intermediate": intermediate, "max_positions": max_positions}})
            }
        })
    }
}

/// A path as an experiment file has it.
fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Diagnostic::new("the path is not UTF-8").in_file(path).into())
}
