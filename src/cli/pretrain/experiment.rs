//! The flags of `bertbench pretrain` as an experiment file.

use std::path::Path;

use serde_json::{Value, json};

use super::folder::EXPERIMENT_FILE;
use super::{Args, OptimizerArg};
use crate::config;
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::known_tasks;
use crate::resolve::{Prepared, Progress, Request};

/// The experiment that the flags describe, as YAML.
///
/// # Errors
/// Paths that are not UTF-8; a phase without its corpus or its steps; a model that cannot be had.
pub(super) fn written(args: &Args) -> Result<String, Error> {
    if args.corpus.len() != args.steps.len() {
        let (corpora, steps) = (args.corpus.len(), args.steps.len());
        return Err(Diagnostic::new(format!("`--corpus` is given {corpora} times and `--steps` {steps} times"))
            .hint("every phase has both: `--corpus short --steps 900 --corpus long --steps 100`")
            .into());
    }
    let (of, watching, model) = (&args.training, &args.watching, args.model.written()?);
    let phases = args.corpus.iter().zip(&args.steps);
    let phases = phases.map(|(corpus, steps)| Ok(json!({"corpus": text(corpus)?, "steps": steps})));
    let mut save = json!({"save_total_limit": watching.save_total_limit});
    if let Some(steps) = watching.save_steps {
        save["save_steps"] = steps.into();
    }
    if watching.save_minutes > 0.0 {
        save["save_minutes"] = watching.save_minutes.into();
    }
    let mut pretrain = json!({
        "objective": args.model.objective(),
        "phases": phases.collect::<Result<Vec<_>, Error>>()?,
        "batch_size": of.batch_size,
        "learning_rate": of.learning_rate,
        "logging_steps": watching.logging_steps,
        "save": save,
    });
    let held_out = watching.held_out.as_deref().map(text).transpose()?.map(|held_out| json!([held_out]));
    let (warmup_steps, eval_steps) = (of.warmup_steps.map(Value::from), watching.eval_steps.map(Value::from));
    for (key, given) in [("held_out", held_out), ("warmup_steps", warmup_steps), ("eval_steps", eval_steps)] {
        if let Some(given) = given {
            pretrain[key] = given;
        }
    }
    let optimizer = match of.optimizer {
        OptimizerArg::BertAdam => "bert_adam",
        OptimizerArg::AdamW => "adamw",
    };
    let experiment = json!({
        "experiment": "pretrain",
        "models": {"bert": model},
        "pretrain": pretrain,
        "training": {
            "optimizer": {optimizer: {}},
            "weight_decay": of.weight_decay,
            "dropout": of.dropout,
            "max_grad_norm": of.max_grad_norm,
            "gradient_accumulation_steps": of.gradient_accumulation_steps,
            "gradient_checkpointing": of.gradient_checkpointing,
            "precision": of.precision.precision,
        },
        "seeds": [of.seed],
        "device": of.device,
    });
    let yaml = serde_yaml::to_string(&experiment).map_err(Error::system)?;
    Ok(format!("# Written by `bertbench pretrain` from its flags.\n{yaml}"))
}

/// The experiment `text` resolved, as it will stand in the folder `out`, before anything is written.
///
/// # Errors
/// As [`Request::prepare`], without places in the file, which say nothing to a user who wrote flags.
pub(super) fn prepare(out: &Path, text: &str, progress: &dyn Progress) -> Result<Prepared, Error> {
    let (file, runs) = (out.join(EXPERIMENT_FILE), out.join("runs"));
    let request = Request { file, set: Vec::new(), skip_bad_rows: false, lossy: false, runs };
    let read = config::parse(&request.file, text, &known_tasks(), &[]).map_err(Error::from);
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

/// A path as an experiment file has it.
pub(super) fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Diagnostic::new("the path is not UTF-8").in_file(path).into())
}
