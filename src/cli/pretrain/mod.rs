//! `bertbench pretrain`: the flags become an experiment, and its only run is made as every other is.

mod experiment;
mod folder;
mod model;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::CommandOutcome;
use super::run::{follow, single};
use super::threads::ThreadArgs;
use super::trained_model::PrecisionArgs;
use crate::diagnostic::Error;
use crate::exec::Summary;
use crate::store::RunFolder;
use crate::terminal::{DownloadDisplay, print};
use folder::{MODEL_FOLDER, open_folder};
use model::ModelArgs;

/// Pretrain a model on prepared corpora, or resume it.
///
/// Writes settings.json, metrics.jsonl, checkpoints/ and, after the last step, model/ to the folder `--out`;
/// `checkpoint:` of an experiment and transformers read model/. The same command resumes where it was stopped or
/// killed, and ends with the same bits as an uninterrupted run. Ctrl-C, SIGTERM and SIGUSR1 write a checkpoint and
/// stop. The run is that of experiment.yaml in the folder, and is in runs/ beside it: `report` and the other commands
/// read them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A folder that `corpus prepare` wrote. Once for each phase: the first with short examples, the second with long
    /// ones.
    #[arg(long, value_name = "DIR", required = true)]
    corpus: Vec<PathBuf>,
    /// Optimisation steps on the corpus; once for each corpus.
    #[arg(long, value_name = "N", required = true, value_parser = clap::value_parser!(u64).range(1..))]
    steps: Vec<u64>,
    /// The folder of the run.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    threads: ThreadArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    training: TrainingArgs,
    #[command(flatten)]
    watching: WatchingArgs,
}

/// How it is trained.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Training")]
struct TrainingArgs {
    /// Examples per optimisation step.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: u32,
    /// Forward and backward passes per optimisation step, for less memory.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    gradient_accumulation_steps: u32,
    /// Keep only each layer's input and recompute the layer in the backward pass: less memory, more time, the same
    /// bits.
    #[arg(long)]
    gradient_checkpointing: bool,
    /// Peak learning rate.
    #[arg(long, value_name = "RATE", default_value_t = 1e-4, value_parser = number)]
    learning_rate: f64,
    /// Steps over which the learning rate rises; it falls to 0 at the last step of the last phase [default: a hundredth
    /// of all steps].
    #[arg(long, value_name = "N")]
    warmup_steps: Option<u64>,
    /// Decoupled weight decay of matrices.
    #[arg(long, value_name = "RATE", default_value_t = 0.01, value_parser = number)]
    weight_decay: f64,
    /// `bert-adam` is Google's, without bias correction; `adamw` PyTorch's, with it.
    #[arg(long, value_name = "NAME", value_enum, default_value_t = OptimizerArg::BertAdam)]
    optimizer: OptimizerArg,
    /// Dropout probability.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = number)]
    dropout: f64,
    /// Gradients are scaled down to this norm.
    #[arg(long, value_name = "NORM", default_value_t = 1.0, value_parser = number)]
    max_grad_norm: f64,
    #[command(flatten)]
    precision: PrecisionArgs,
    /// The seed of the weights, the order of examples and dropout.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// `auto`, `cpu`, or a device that is built in.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: String,
}

/// What is seen of it, and kept.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Evaluation and checkpoints")]
struct WatchingArgs {
    /// A prepared corpus that is not trained on, to evaluate the model.
    #[arg(long, value_name = "DIR")]
    held_out: Option<PathBuf>,
    /// Evaluate every N steps, and after the last one [default: a tenth of all steps].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    eval_steps: Option<u64>,
    /// Steps between lines of metrics.jsonl.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    logging_steps: u64,
    /// Write a checkpoint every N steps.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    save_steps: Option<u64>,
    /// Write a checkpoint every so many minutes; 0 for never.
    #[arg(long, value_name = "MINUTES", default_value_t = 15.0, value_parser = number)]
    save_minutes: f64,
    /// The number of checkpoints to keep.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    save_total_limit: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OptimizerArg {
    BertAdam,
    #[value(name = "adamw")]
    AdamW,
}

const EXAMPLES: &str = "\
Examples:
  bertbench pretrain --corpus text --steps 10000 --preset bert-mini --batch-size 32 --out mini
  bertbench pretrain --corpus short --steps 9000 --corpus long --steps 1000 --preset bert-base --out base
  bertbench pretrain --corpus domain --steps 5000 --init-checkpoint base/model --warmup-steps 500 --out adapted";

/// Not negative, and finite.
fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0).ok_or_else(|| "0 or more".to_owned())
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    if let Some(ended) = follow(args.threads.threads)? {
        return Ok(ended);
    }
    let text = experiment::written(args)?;
    let prepared = experiment::prepare(&args.out, &text, &DownloadDisplay::new())?;
    let Some(run) = prepared.plan.runs.first() else { return Ok(CommandOutcome::Success) };
    let folder = prepared.root.folder(&prepared.plan.experiment, &run.settings)?;
    open_folder(&args.out, &text, &folder, &run.settings)?;
    let (ended, saved) = single(&prepared, args.threads.threads)?;
    conclude(&args.out, &folder, run.steps, (ended.summary, saved))
}

/// Says how it ended; `saved` is the step of the last checkpoint.
fn conclude(
    out: &Path,
    folder: &RunFolder,
    steps: u64,
    (summary, saved): (Summary, u64),
) -> Result<CommandOutcome, Error> {
    let model = out.join(MODEL_FOLDER);
    match summary {
        Summary { done: 1, .. } => {
            let tokens = folder.record()?.map_or(0, |record| record.tokens.0);
            print(&format_args!("{}: {steps} steps on {tokens} tokens", model.display()))?;
            Ok(CommandOutcome::Success)
        }
        Summary { skipped: 1, .. } => {
            print(&format_args!("{}: all {steps} steps were already done", model.display()))?;
            Ok(CommandOutcome::Success)
        }
        Summary { failed: 1.., .. } => Ok(CommandOutcome::Failures),
        Summary { .. } => {
            print(&format_args!("stopped after step {saved} of {steps}; run the same command to resume"))?;
            Ok(CommandOutcome::Interrupted)
        }
    }
}
