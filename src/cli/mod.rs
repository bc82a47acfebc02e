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
mod dev_sets;
mod experiment_args;
mod export;
mod export_runs;
mod extract;
mod fetch;
mod list;
mod model_argument;
mod needed;
mod ner;
mod outcome;
mod plan;
mod predict;
mod pretrain;
mod queue;
mod ranks;
mod report;
mod run;
mod runs;
mod runs_list;
mod runs_rm;
mod runs_show;
mod schema;
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

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use outcome::CommandOutcome;

use crate::diagnostic::{Diagnostic, Error};
use crate::kernel::Isa;

/// Ctrl-C, as shells report it.
const INTERRUPTED: u8 = 130;

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
    Export(export::Args),
    CheckSubmission(check_submission::Args),
    Bench(bench::Args),
    List(list::Args),
    Convert(convert::Args),
    Data(data::Args),
    Corpus(corpus::Args),
    Pretrain(Box<pretrain::Args>),
    Vocab(vocab::Args),
    Schema(schema::Args),
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
    let matches = match command().color(ColorChoice::Auto).try_get_matches() {
        Ok(matches) => matches,
        // Help and version, and wrong usage with exit code 2.
        Err(error) => error.exit(),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
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
            Self::Plan(args) => plan::execute(&args),
            Self::Run(args) => run::execute(&args),
            Self::Submit(args) => submit::execute(&args),
            Self::Status(args) => status::execute(&args),
            Self::Cancel(args) => cancel::execute(&args),
            Self::Runs(args) => runs::execute(&args),
            Self::Verify(args) => verify::execute(&args),
            Self::Report(args) => report::execute(&args),
            Self::Serve(args) => serve::execute(args),
            Self::Compare(args) => compare::execute(&args),
            Self::Predict(args) => predict::execute(&args),
            Self::Extract(args) => extract::execute(&args),
            Self::Ner(args) => ner::execute(&args),
            Self::Export(args) => export::execute(&args),
            Self::CheckSubmission(args) => check_submission::execute(&args),
            Self::Bench(args) => bench::execute(&args),
            Self::List(args) => list::execute(&args),
            Self::Convert(args) => convert::execute(&args),
            Self::Data(args) => data::execute(&args),
            Self::Corpus(args) => corpus::execute(&args),
            Self::Pretrain(args) => pretrain::execute(&args),
            Self::Vocab(args) => vocab::execute(&args),
            Self::Schema(args) => schema::execute(&args),
            Self::Completions(args) => completions::execute(&args),
            Self::Worker(args) => worker::execute(&args),
        }
    }
}
