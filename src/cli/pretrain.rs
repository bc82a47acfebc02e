//! `bertbench pretrain`

use std::path::PathBuf;

use clap::ValueEnum;

use super::error::{CommandOutcome, Error};
use super::pretrain_model::ModelArgs;
use super::pretrain_progress::PretrainDisplay;
use super::table::print;
use super::threads::ThreadArgs;
use super::trained_model::PrecisionArgs;
use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Diagnostic;
use crate::exec::StopFlag;
use crate::infer::{precision_on, refused};
use crate::store::{
    CorpusPhase, HeldOutEvaluation, NUMERICS_VERSION, Objective, Optimization, Optimizer, PretrainingObjective,
    RunSettings, SaveStrategy, VocabularyIdentity, Warmup,
};
use crate::train::{Pretrained, PretrainingData, TrainError, open_device, pretrain};

/// Pretrain a model on prepared corpora, or resume it.
///
/// Writes settings.json, metrics.jsonl, checkpoints/ and, after the last step, model/ to the folder `--out`;
/// `checkpoint:` of an experiment and transformers read model/. The same command resumes where it was stopped or
/// killed, and ends with the same bits as an uninterrupted run. Ctrl-C, SIGTERM and SIGUSR1 write a checkpoint and
/// stop.
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
    #[arg(long, value_name = "RATE", default_value_t = 1e-4)]
    learning_rate: f64,
    /// Steps over which the learning rate rises; it falls to 0 at the last step of the last phase.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    warmup_steps: u64,
    /// Decoupled weight decay of matrices.
    #[arg(long, value_name = "RATE", default_value_t = 0.01)]
    weight_decay: f64,
    /// `bert-adam` is Google's, without bias correction; `adamw` PyTorch's, with it.
    #[arg(long, value_name = "NAME", value_enum, default_value_t = OptimizerArg::BertAdam)]
    optimizer: OptimizerArg,
    /// Dropout probability.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    dropout: f64,
    /// Gradients are scaled down to this norm.
    #[arg(long, value_name = "NORM", default_value_t = 1.0)]
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
    /// Evaluate every N steps, and after the last one.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    eval_steps: u64,
    /// Steps between lines of metrics.jsonl.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    logging_steps: u64,
    /// Write a checkpoint every N steps.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    save_steps: Option<u64>,
    /// Write a checkpoint every so many minutes; 0 for never.
    #[arg(long, value_name = "MINUTES", default_value_t = 15.0)]
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

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    args.threads.compute(|| args.execute())
}

impl Args {
    fn execute(&self) -> Result<CommandOutcome, Error> {
        if self.corpus.len() != self.steps.len() {
            let (corpora, steps) = (self.corpus.len(), self.steps.len());
            return Err(Diagnostic::new(format!("`--corpus` is given {corpora} times and `--steps` {steps} times"))
                .hint("every phase has both: `--corpus short --steps 900 --corpus long --steps 100`")
                .into());
        }
        let corpora = self.corpus.iter().map(|folder| ExampleSet::open(folder)).collect::<Result<Vec<_>, _>>()?;
        let held_out = self.watching.held_out.as_deref().map(ExampleSet::open).transpose()?;
        let settings = self.settings(&corpora, held_out.as_ref())?;
        let data = PretrainingData { corpora, held_out };
        let mut display = PretrainDisplay::new(StopFlag::on_signals()?, self.model.loss());
        let ended = pretrain(&self.out, &data, &settings, &mut display);
        display.finish();
        match ended {
            Ok(done) => conclude(&done),
            Err(TrainError::Stopped { step }) => {
                print(&format_args!(
                    "stopped after step {step} of {}; run the same command to resume",
                    self.steps.iter().sum::<u64>()
                ))?;
                Ok(CommandOutcome::Interrupted)
            }
            Err(TrainError::Checkpoint(error)) => Err(refused(&error).into()),
            Err(error) => Err(error.into()),
        }
    }

    fn settings(&self, corpora: &[ExampleSet], held_out: Option<&ExampleSet>) -> Result<RunSettings, Error> {
        let training = &self.training;
        // `--corpus` is required.
        let vocabulary = corpora.first().map(|set| (set.vocabulary().len(), set.vocabulary_sha256(), set.lower_case()));
        let (tokens, vocabulary_sha256, lower_case) = vocabulary.unwrap_or_default();
        let (architecture, initial_weights) = self.model.start(tokens as u32)?;
        let device = open_device(&training.device).map_err(|error| Diagnostic::new(error.to_string()))?;
        precision_on(&device, training.precision.precision)?;
        let phase = |(set, steps): (&ExampleSet, &u64)| CorpusPhase {
            max_length: set.settings().max_length,
            steps: *steps,
            data: set.checksum().to_owned(),
        };
        Ok(RunSettings {
            model: String::new(),
            architecture,
            initial_weights,
            vocabulary: VocabularyIdentity { sha256: vocabulary_sha256.to_owned(), lower_case },
            seed: training.seed,
            device: device.name.to_owned(),
            optimization: training.optimization(),
            objective: Objective::Pretraining(PretrainingObjective {
                loss: self.model.loss(),
                phases: corpora.iter().zip(&self.steps).map(phase).collect(),
                evaluation: held_out
                    .map(|set| HeldOutEvaluation { data: set.checksum().to_owned(), every: self.watching.eval_steps }),
                masking: None,
                snapshots: Vec::new(),
                saving: Some(self.watching.saving()?),
                logging_steps: self.watching.logging_steps,
            }),
            numerics_version: NUMERICS_VERSION,
        })
    }
}

impl TrainingArgs {
    fn optimization(&self) -> Optimization {
        Optimization {
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            warmup: Warmup::Steps(self.warmup_steps),
            weight_decay: self.weight_decay,
            dropout: self.dropout,
            max_grad_norm: self.max_grad_norm,
            gradient_accumulation_steps: self.gradient_accumulation_steps,
            gradient_checkpointing: self.gradient_checkpointing,
            precision: self.precision.precision,
            optimizer: match self.optimizer {
                OptimizerArg::BertAdam => Optimizer::BertAdam {},
                OptimizerArg::AdamW => Optimizer::AdamW {},
            },
            // Of google-research/bert's `optimization.py`, for either optimizer.
            adam_epsilon: 1e-6,
            ..Optimization::default()
        }
    }
}

impl WatchingArgs {
    fn saving(&self) -> Result<SaveStrategy, Error> {
        if !self.save_minutes.is_finite() || self.save_minutes < 0.0 {
            let message = format!("`--save-minutes` takes 0 or more, found `{}`", self.save_minutes);
            return Err(Diagnostic::new(message).hint("a number of minutes, or 0 for never").into());
        }
        let save_minutes = (self.save_minutes > 0.0).then_some(self.save_minutes);
        Ok(SaveStrategy { save_steps: self.save_steps, save_minutes, save_total_limit: self.save_total_limit })
    }
}

fn conclude(done: &Pretrained) -> Result<CommandOutcome, Error> {
    let (model, steps) = (done.model.display(), done.steps);
    match done.tokens {
        Some(tokens) => print(&format_args!("{model}: {steps} steps on {} tokens", tokens.0))?,
        None => print(&format_args!("{model}: all {steps} steps were already done"))?,
    }
    Ok(CommandOutcome::Success)
}
