//! `bertbench check`

use super::CommandOutcome;
use super::experiment_args::ExperimentArgs;
use super::threads::ThreadArgs;
use crate::config::ExperimentFile;
use crate::diagnostic::Error;
use crate::settings::Precision;
use crate::sweep::{self, Checked};
use crate::terminal::print_wrapped;

/// Check everything that can fail, before a long run.
///
/// Reads the experiment file, every data file, vocabulary and checkpoint; shows the numbers of examples and labels;
/// checks head sizes and weight shapes; compares the forecast of memory and disk with this machine; and takes one
/// optimisation step of every model on every task.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    threads: ThreadArgs,
    #[command(flatten)]
    experiment: ExperimentArgs,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    args.threads.compute(|| check(args))
}

fn check(args: &Args) -> Result<CommandOutcome, Error> {
    let prepared = args.experiment.prepare()?;
    line(&format_args!("ok    experiment {}, runs: {}", prepared.plan.experiment, prepared.plan.runs.len()))?;
    if matches!(prepared.experiment, ExperimentFile::Tasks(_)) {
        let data = prepared.context.data.display();
        line(&format_args!("ok    data in {data}, checksums, vocabularies, checkpoints"))?;
    }
    let precisions: Vec<&str> = prepared.device.precisions().into_iter().map(Precision::name).collect();
    let (device, threads) = (prepared.device.described(), prepared.context.threads);
    line(&format_args!("ok    device {device}, {threads} threads, precisions: {}", precisions.join(", ")))?;
    let findings = sweep::check(&prepared, &mut |checked| line(&words(&checked)))?;
    if findings.is_empty() { Ok(CommandOutcome::Success) } else { Err(Error::Input(findings)) }
}

/// What is as it should be, or a note; what does not fit the terminal goes on under the first word.
fn line(text: &impl std::fmt::Display) -> std::io::Result<()> {
    print_wrapped(text, "ok    ".len())
}

fn words(checked: &Checked<'_>) -> String {
    match checked {
        Checked::Split { task, split, examples, what, mean_tokens, labels } => {
            format!("ok    {task} {split}: {examples} {what} of {mean_tokens:.1} tokens, {labels}")
        }
        Checked::Corpus { folder, examples, max_length, documents, tokens } => {
            let place = folder.display();
            format!(
                "ok    {place}: {examples} examples of up to {max_length} tokens, {documents} documents, {tokens} tokens"
            )
        }
        Checked::Memory(needed, Some(memory)) => format!("ok    memory: about {needed} of {memory} in one slot"),
        Checked::Memory(needed, None) => {
            format!("note  memory: about {needed} in one slot; the GPU does not say what it has")
        }
        Checked::Disk(needed, free) => format!("ok    disk: about {needed} of {free}"),
        Checked::Time(seconds) => format!("ok    time: about {seconds} in one slot"),
        Checked::Needed { experiment, model, id, is_done } => {
            let how = if *is_done { "done" } else { "not done yet: `run` does it first, and checks its model then" };
            format!("ok    pretraining {experiment} {model} ({id}): {how}")
        }
        Checked::Step { of, loss, seconds } => format!("ok    one step of {of}: loss {loss:.4}, {seconds}"),
        Checked::Note { of, note } => format!("note  {of}: {note}"),
    }
}
