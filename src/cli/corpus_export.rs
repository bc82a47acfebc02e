//! `bertbench corpus export`

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::error::{CommandOutcome, Error};
use super::streams::{Output, standard};
use super::table::print;
use super::threads::ThreadArgs;
use crate::corpus::examples::{Cursor, ExampleSet, ExamplesError, TrainingInstance};
use crate::exec::StopFlag;
use crate::store::output;

/// Examples that are made at a time when all are written.
const AT_ONCE: u64 = 1024;

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

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    /// Counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    ids: &'a [u32],
    segments: &'a [u8],
    masked_positions: &'a [u32],
    masked_labels: &'a [u32],
    next_is_random: Option<bool>,
}

/// Why not all was written.
enum Unfinished {
    Stopped,
    Corpus(ExamplesError),
}

impl<E: Into<ExamplesError>> From<E> for Unfinished {
    fn from(error: E) -> Self {
        Self::Corpus(error.into())
    }
}

impl ExportArgs {
    pub(super) fn execute(&self) -> Result<CommandOutcome, Error> {
        self.threads.compute(|| self.export())
    }

    fn export(&self) -> Result<CommandOutcome, Error> {
        let output = Output::open(&self.out)?;
        let set = ExampleSet::open(&self.folder)?;
        let stop = StopFlag::on_signals()?;
        let mut examples = 0;
        let written = match &output {
            Output::Standard => standard(|into| self.lines(&set, &stop, into, &mut examples)),
            Output::File(path) => output::write(path, |file| {
                let mut into = BufWriter::new(file);
                self.lines(&set, &stop, &mut into, &mut examples)?;
                Ok(into.flush()?)
            }),
        };
        match (written, &output) {
            (Ok(()), Output::File(path)) => print(&format_args!("{}: {examples} examples", path.display()))?,
            (Ok(()), Output::Standard) => {}
            (Err(Unfinished::Stopped), _) => return Ok(CommandOutcome::Interrupted),
            (Err(Unfinished::Corpus(ExamplesError::Io(error))), _) if output.reader_is_gone(&error) => {}
            (Err(Unfinished::Corpus(error)), _) => return Err(error.into()),
        }
        Ok(CommandOutcome::Success)
    }

    fn lines(
        &self,
        set: &ExampleSet,
        stop: &StopFlag,
        into: &mut dyn Write,
        written: &mut u64,
    ) -> Result<(), Unfinished> {
        let mut cursor = Cursor::default();
        let parts = self.steps.unwrap_or_else(|| set.len().div_ceil(AT_ONCE));
        for part in 0..parts {
            if stop.is_set() {
                return Err(Unfinished::Stopped);
            }
            let examples;
            (examples, cursor) = match self.steps {
                Some(_) => set.batch(self.seed, cursor, self.batch_size as usize)?,
                None => (set.in_order(part * AT_ONCE..(part + 1) * AT_ONCE)?, cursor),
            };
            for example in &examples {
                write_line(into, self.steps.map(|_| part + 1), example)?;
            }
            *written += examples.len() as u64;
        }
        Ok(())
    }
}

fn write_line(into: &mut dyn Write, step: Option<u64>, example: &TrainingInstance) -> io::Result<()> {
    let TrainingInstance { ids, segments, masked_positions, masked_labels, next_is_random } = example;
    let next_is_random = *next_is_random;
    let line = Line { step, ids, segments, masked_positions, masked_labels, next_is_random };
    serde_json::to_writer(&mut *into, &line)?;
    into.write_all(b"\n")
}
