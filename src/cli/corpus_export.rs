//! `bertbench corpus export`

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::CommandOutcome;
use super::threads::ThreadArgs;
use crate::corpus::examples::{BatchOrder, ExampleSet, ExamplesError, ExportError, write_json_lines};
use crate::diagnostic::Error;
use crate::exec::StopFlag;
use crate::store::output;
use crate::terminal::{Output, print, standard};

/// Write examples as JSON lines, masked, for other programs.
///
/// With `--steps`, the examples of the first steps of `pretrain`, in its order and with its masks: one example per
/// line, with the number of its step. Without it, every example once, in the order of the corpus and with the masks of
/// the first epoch: what `pretrain --held-out` evaluates on.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    /// The folder that `corpus prepare` wrote.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The file to write; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write the examples of this many optimisation steps.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Examples per optimisation step.
    #[arg(long, value_name = "N", requires = "steps", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: u32,
    /// The seed given to `pretrain`.
    #[arg(long, value_name = "N", requires = "steps", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    threads: ThreadArgs,
}

const EXAMPLES: &str = "\
Examples:
  bertbench corpus export text --steps 1000 --batch-size 32 --out batches.jsonl
  bertbench corpus export held-out --out - | gzip > held-out.jsonl.gz";

impl ExportArgs {
    pub(super) fn execute(&self) -> Result<CommandOutcome, Error> {
        self.threads.compute(|| self.export())
    }

    fn export(&self) -> Result<CommandOutcome, Error> {
        let output = Output::open(&self.out)?;
        let set = ExampleSet::open(&self.folder)?;
        let stop = StopFlag::on_signals()?;
        let order = self.steps.map(|steps| BatchOrder { steps, batch_size: self.batch_size, seed: self.seed });
        let is_stopped = || stop.is_set();
        let mut examples = 0;
        let written = match &output {
            Output::Standard => standard(|into| write_json_lines(&set, order, into, &is_stopped, &mut examples)),
            Output::File(path) => output::write(path, |file| {
                let mut into = BufWriter::new(file);
                write_json_lines(&set, order, &mut into, &is_stopped, &mut examples)?;
                Ok(into.flush()?)
            }),
        };
        match (written, &output) {
            (Ok(()), Output::File(path)) => print(&format_args!("{}: {examples} examples", path.display()))?,
            (Ok(()), Output::Standard) => {}
            (Err(ExportError::Stopped), _) => return Ok(CommandOutcome::Interrupted),
            (Err(ExportError::Corpus(ExamplesError::Io(error))), _) if output.reader_is_gone(&error) => {}
            (Err(ExportError::Corpus(error)), _) => return Err(error.into()),
        }
        Ok(CommandOutcome::Success)
    }
}
