//! The command line: one file per subcommand; what is printed is laid out by `terminal`.
#![expect(clippy::print_stderr, reason = "this is the place that prints")]

mod bench;
mod cancel;
mod check;
mod check_submission;
mod compare;
mod completions;
mod convert;
mod corpus;
mod corpus_export;
mod corpus_input;
mod corpus_show;
mod data;
mod experiment_args;
mod export;
mod export_runs;
mod extract;
mod fetch;
mod list;
mod ner;
mod plan;
mod predict;
mod pretrain;
mod queue;
mod report;
mod run;
mod runs;
mod runs_list;
mod runs_rm;
mod serve;
mod status;
mod submit;
mod threads;
mod trained_model;
mod verify;
mod vocab;
mod worker;

pub use crate::terminal::render;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config;
use crate::diagnostic::{Diagnostic, Error};
use crate::kernel::Isa;
use crate::terminal::print_json;

/// Ctrl-C, as shells report it.
const INTERRUPTED: u8 = 130;

/// How a command that could be carried out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommandOutcome {
    /// Everything asked for is there.
    Success,
    /// It was carried out, and something in it failed (exit code 1).
    Failures,
    /// The user stopped it (exit code 130).
    Interrupted,
}

/// A command that cannot end otherwise than with success.
impl From<()> for CommandOutcome {
    fn from((): ()) -> Self {
        Self::Success
    }
}

/// Benchmark harness for BERT: a YAML sweep in, records and a report out.
///
/// An experiment file declares models, tasks and a sweep; `bertbench run` trains what is missing and
/// keeps every run under runs/; `bertbench report` makes tables, plots and an HTML page from them.
#[derive(Debug, Parser)]
#[command(name = "bertbench", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bertbench check experiments/mini.yaml              check everything before a long run
  bertbench plan experiments/mini.yaml               the runs, and how long they will take
  bertbench run experiments/mini.yaml                run what is missing; stop and resume at will
  bertbench run x.yaml --only task=rte,seed=1        a part of it
  bertbench run x.yaml --set training.max_length=64  with another setting
  bertbench report experiments/mini.yaml             reports/mini/index.html

Exit codes: 0 success, 1 runs failed or a disk error, 2 invalid input, 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Plan(plan::Args),
    Run(run::Args),
    Submit(Box<submit::Args>),
    Status(status::Args),
    Cancel(cancel::Args),
    Runs(runs::Args),
    Verify(verify::Args),
    Report(report::Args),
    Serve(serve::Args),
    Compare(compare::Args),
    Predict(predict::Args),
    Extract(extract::Args),
    Ner(ner::Args),
    #[command(subcommand)]
    Export(export::Command),
    CheckSubmission(check_submission::Args),
    #[command(subcommand)]
    Bench(bench::Command),
    List(list::Args),
    Convert(convert::Args),
    #[command(subcommand)]
    Data(data::Command),
    #[command(subcommand)]
    Corpus(corpus::Command),
    Pretrain(Box<pretrain::Args>),
    #[command(subcommand)]
    Vocab(vocab::Command),
    /// Print the JSON schema of experiment files, for editors.
    Schema,
    Completions(completions::Args),
    #[command(hide = true)]
    Worker(worker::Args),
}

/// The command line as clap knows it: for completions, and for the tests of what the documents show.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line, carries it out, renders what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    completions::answer();
    // Shows help and version, and refuses wrong usage with exit code 2.
    let cli = Cli::parse();
    let instructions = Isa::chosen().map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()).into());
    match instructions.and_then(|_| cli.command.execute()) {
        Ok(CommandOutcome::Success) => ExitCode::SUCCESS,
        Ok(CommandOutcome::Failures) => ExitCode::from(1),
        Ok(CommandOutcome::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(Error::Input(findings)) => {
            for finding in &findings {
                eprint!("{}", render(finding, colour()));
            }
            ExitCode::from(2)
        }
        Err(Error::System(message)) => {
            eprint!("{}", render(&Diagnostic::new(message), colour()));
            ExitCode::from(1)
        }
    }
}

/// Whether standard error shows colours: a terminal, and `NO_COLOR` not set (no-color.org).
fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Command {
    fn execute(self) -> Result<CommandOutcome, Error> {
        match self {
            Self::Check(args) => check::execute(&args),
            Self::Plan(args) => Ok(plan::execute(&args)?.into()),
            Self::Run(args) => run::execute(&args),
            Self::Submit(args) => Ok(submit::execute(&args)?.into()),
            Self::Status(args) => Ok(status::execute(&args)?.into()),
            Self::Cancel(args) => Ok(cancel::execute(&args)?.into()),
            Self::Runs(args) => Ok(runs::execute(&args)?.into()),
            Self::Verify(args) => verify::execute(&args),
            Self::Report(args) => Ok(report::execute(&args)?.into()),
            Self::Serve(args) => Ok(serve::execute(args)?.into()),
            Self::Compare(args) => Ok(compare::execute(&args)?.into()),
            Self::Predict(args) => Ok(predict::execute(&args)?.into()),
            Self::Extract(args) => extract::execute(&args),
            Self::Ner(args) => ner::execute(&args),
            Self::Export(args) => export::execute(&args),
            Self::CheckSubmission(args) => check_submission::execute(&args),
            Self::Bench(args) => Ok(bench::execute(&args)?.into()),
            Self::List(args) => Ok(list::execute(&args)?.into()),
            Self::Convert(args) => Ok(convert::execute(&args)?.into()),
            Self::Data(args) => data::execute(&args),
            Self::Corpus(args) => corpus::execute(&args),
            Self::Pretrain(args) => pretrain::execute(&args),
            Self::Vocab(args) => Ok(vocab::execute(&args)?.into()),
            Self::Schema => Ok(print_json(&config::schema(&crate::plan::known_tasks()))?.into()),
            Self::Completions(args) => Ok(completions::execute(&args)?.into()),
            Self::Worker(args) => Ok(worker::execute(&args)?.into()),
        }
    }
}
