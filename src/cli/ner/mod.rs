//! `bertbench ner`: a column-file task trained, evaluated and predicted under the flags of the original BERT's
//! `run_*.py` scripts.

mod experiment;
mod results;

use std::fs;
use std::path::PathBuf;

use super::CommandOutcome;
use super::experiment_args::ExperimentArgs;
use super::run;
use crate::diagnostic::{Diagnostic, Error};
use crate::terminal::{note, print};
use experiment::{NerExperiment, TEST};
use results::{finished_run, write_eval_results, write_predictions};

/// Train, evaluate and predict named entities with the flags of BERT's original scripts.
///
/// Reads train.txt, dev.txt and test.txt of `--data_dir`: one word or character and its tag per line, an empty line
/// between sentences, in any of the usual tagging schemes. Writes `eval_results.txt` (entities as conlleval counts
/// them), `label_test.txt`, `token_test.txt` and `test_predictions.txt` (columns word, gold, predicted) to
/// `--output_dir`; the run and its model go to runs/ in that folder, and an experiment.yaml beside it lets the other
/// commands read them.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of the original scripts")]
#[command(after_help = EXAMPLES, rename_all = "snake_case")]
pub(super) struct Args {
    /// The folder with train.txt, dev.txt and test.txt.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: PathBuf,
    /// The model's configuration, `bert_config.json` or config.json.
    #[arg(long, value_name = "FILE")]
    pub(super) bert_config_file: PathBuf,
    /// The vocabulary.
    #[arg(long, value_name = "FILE")]
    pub(super) vocab_file: PathBuf,
    /// The folder for all output.
    #[arg(long, value_name = "DIR")]
    pub(super) output_dir: PathBuf,
    /// The weights to start from: `bert_model.ckpt`, model.safetensors or `pytorch_model.bin`, or their folder
    /// [default: random ones].
    #[arg(long, value_name = "CHECKPOINT")]
    pub(super) init_checkpoint: Option<PathBuf>,
    /// Train.
    #[arg(long, value_name = "BOOL", default_value = "true", default_missing_value = "true", num_args = 0..=1, value_parser = parse_bool, hide_possible_values = true)]
    pub(super) do_train: bool,
    /// Evaluate on dev.txt.
    #[arg(long, value_name = "BOOL", default_value = "true", default_missing_value = "true", num_args = 0..=1, value_parser = parse_bool, hide_possible_values = true)]
    pub(super) do_eval: bool,
    /// Predict test.txt, if it is there.
    #[arg(long, value_name = "BOOL", default_value = "true", default_missing_value = "true", num_args = 0..=1, value_parser = parse_bool, hide_possible_values = true)]
    pub(super) do_predict: bool,
    /// Lower-case the text and strip its accents.
    #[arg(long, value_name = "BOOL", default_value = "true", default_missing_value = "true", num_args = 0..=1, value_parser = parse_bool, hide_possible_values = true)]
    pub(super) do_lower_case: bool,
    /// Longest sequence in tokens; longer sentences are divided, not cut.
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub(super) max_seq_length: u32,
    /// Sentences in a step.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) train_batch_size: u32,
    /// Peak learning rate of Adam.
    #[arg(long, value_name = "RATE", default_value_t = 5e-5)]
    pub(super) learning_rate: f64,
    /// Passes over train.txt, a whole number.
    #[arg(long, value_name = "N", default_value_t = 3.0)]
    pub(super) num_train_epochs: f64,
    /// Fraction of the steps over which the learning rate rises.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.1)]
    pub(super) warmup_proportion: f64,
    /// Seed of all random numbers.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Read bytes that are not UTF-8 as U+FFFD instead of refusing the file.
    #[arg(long)]
    pub(super) lossy: bool,
    /// Skip and count sentences with malformed lines instead of refusing the file.
    #[arg(long)]
    pub(super) skip_bad_rows: bool,
    /// `ner`, the only task.
    #[arg(long, value_name = "NAME", default_value = "NER")]
    pub(super) task_name: String,
    /// Accepted and ignored: sentences in a batch of evaluation.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(super) eval_batch_size: u32,
    /// Accepted and ignored: sentences in a batch of prediction.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(super) predict_batch_size: u32,
    /// Accepted and ignored: a run keeps its model when it ends.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) save_checkpoints_steps: u32,
    /// Accepted and ignored.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) iterations_per_loop: u32,
    /// TPUs are not supported: only `false` is accepted.
    #[arg(long, value_name = "BOOL", default_value = "false", default_missing_value = "true", num_args = 0..=1, value_parser = parse_bool, hide_possible_values = true)]
    pub(super) use_tpu: bool,
}

const EXAMPLES: &str = "\
Examples:
  bertbench ner --data_dir=data/ --bert_config_file=checkpoint/bert_config.json \\
      --init_checkpoint=checkpoint/bert_model.ckpt --vocab_file=vocab.txt --output_dir=./output/result_dir/
  bertbench ner --data_dir=data --bert_config_file=config.json --vocab_file=vocab.txt --output_dir=out \\
      --train_batch_size=16 --learning_rate=5e-4 --num_train_epochs=15 --max_seq_length=192";

/// As absl reads booleans.
fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "0" => Ok(false),
        _ => Err("it is `true` or `false`".to_owned()),
    }
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    args.check()?;
    fs::create_dir_all(&args.output_dir)
        .map_err(|error| Error::System(format!("{}: {error}", args.output_dir.display())))?;
    let written = NerExperiment::new(args)?;
    let experiment = ExperimentArgs {
        file: written.write()?,
        set: Vec::new(),
        skip_bad_rows: args.skip_bad_rows,
        // The experiment says it.
        lossy: false,
        runs: args.output_dir.join("runs"),
    };
    let prepared = experiment.prepare()?;
    let ended = if args.do_train { run::all(&prepared)? } else { CommandOutcome::Success };
    if ended != CommandOutcome::Success {
        return Ok(ended);
    }
    let Some((folder, record)) = finished_run(&prepared)? else {
        let message = "there is no model that was trained with these settings".to_owned();
        return Err(Diagnostic::new(message).in_file(&args.output_dir).hint("`--do_train=true` trains it").into());
    };
    if args.do_eval {
        print(&write_eval_results(&record, &args.output_dir)?.trim_end())?;
    }
    if args.do_predict && written.predicts() {
        write_predictions(&folder, &args.output_dir)?;
    } else if args.do_predict {
        note(&format_args!("no {}: nothing is predicted", args.data_dir.join(TEST).display()));
    }
    Ok(CommandOutcome::Success)
}

impl Args {
    /// What clap cannot see.
    fn check(&self) -> Result<(), Diagnostic> {
        let wrong = |message: String, hint: &str| Err(Diagnostic::new(message).hint(hint));
        if self.use_tpu {
            return wrong("TPUs are not supported".to_owned(), "leave it out: training runs on the CPU or a GPU");
        }
        if !self.task_name.eq_ignore_ascii_case("ner") {
            return wrong(format!("`--task_name={}` is not a task of this command", self.task_name), "it is `ner`");
        }
        let epochs = self.num_train_epochs;
        if epochs < 1.0 || epochs.fract() > 0.0 || epochs > f64::from(u32::MAX) {
            return wrong(format!("`--num_train_epochs={epochs}` is not a whole number"), "such as 3 or 100");
        }
        if !(self.do_train || self.do_eval || self.do_predict) {
            return wrong("there is nothing to do".to_owned(), "`--do_train`, `--do_eval` or `--do_predict`");
        }
        Ok(())
    }
}
