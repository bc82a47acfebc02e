//! `bertbench check`

use std::collections::BTreeSet;

use super::error::{CommandOutcome, Error};
use super::experiment_args::ExperimentArgs;
use super::table::print_wrapped;
use super::threads::ThreadArgs;
use crate::config::ExperimentFile;
use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Diagnostic;
use crate::plan::PlannedRun;
use crate::resolve::{Calibrations, Prepared};
use crate::settings::Precision;
use crate::store::{InitialWeights, free_disk};
use crate::train::{PreparedCorpus, task_features, try_step};
use crate::units::Bytes;

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
    let (plan, of_tasks) = (&prepared.plan, matches!(prepared.experiment, ExperimentFile::Tasks(_)));
    line(&format_args!("ok    experiment {}, runs: {}", plan.experiment, plan.runs.len()))?;
    if of_tasks {
        let data = prepared.context.data.display();
        line(&format_args!("ok    data in {data}, checksums, vocabularies, checkpoints"))?;
    }
    let precisions: Vec<&str> = prepared.device.precisions().into_iter().map(Precision::name).collect();
    let (device, threads) = (prepared.device.described(), prepared.context.threads);
    line(&format_args!("ok    device {device}, {threads} threads, precisions: {}", precisions.join(", ")))?;
    if of_tasks {
        labels(&prepared)?;
    } else {
        corpora(&prepared)?;
    }
    let mut findings = resources(&prepared)?;
    findings.extend(steps(&prepared)?);
    if findings.is_empty() { Ok(CommandOutcome::Success) } else { Err(Error::Input(findings)) }
}

/// What is as it should be, or a note; what does not fit the terminal goes on under the first word.
fn line(text: &impl std::fmt::Display) -> std::io::Result<()> {
    print_wrapped(text, "ok    ".len())
}

/// Examples, lengths and label counts of every task, as its first model reads it.
fn labels(prepared: &Prepared) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for run in &prepared.plan.runs {
        let settings = &run.settings;
        if !seen.insert(settings.task_name()) {
            continue;
        }
        let task = prepared.context.task(settings.task_name())?;
        let features = task_features(&prepared.context, settings)?;
        let splits =
            std::iter::once(("train", &features.train)).chain(features.dev.iter().map(|dev| (dev.name, &dev.features)));
        for (split, set) in splits {
            let mean = set.tokens() as f64 / set.len().max(1) as f64;
            let (name, examples) = (&task.name, set.len());
            let (what, counts) = task.label_counts(set.labels(), &features.tags);
            line(&format_args!("ok    {name} {split}: {examples} {what} of {mean:.1} tokens, {counts}"))?;
        }
    }
    Ok(())
}

/// Every file of every corpus, and how much there is in them.
fn corpora(prepared: &Prepared) -> Result<(), Error> {
    for PreparedCorpus { folder, .. } in prepared.context.corpora.values() {
        let set = ExampleSet::open(folder)?;
        set.verify()?;
        let (counts, length) = (set.counts(), set.settings().max_length);
        let (tokens, documents) = (counts.tokens, counts.documents);
        let (place, examples) = (folder.display(), set.len());
        line(&format_args!(
            "ok    {place}: {examples} examples of up to {length} tokens, {documents} documents, {tokens} tokens"
        ))?;
    }
    Ok(())
}

/// Memory and disk.
fn resources(prepared: &Prepared) -> Result<Vec<Diagnostic>, Error> {
    let plan = &prepared.plan;
    let totals = Calibrations::measure(prepared, plan).totals(plan);
    let (holder, memory) = match prepared.device.gpu() {
        Some(gpu) => ("the GPU", gpu.memory),
        None => ("this machine", Some(crate::store::host(prepared.device.name, 1).memory)),
    };
    let mut findings = Vec::new();
    if let Some(memory) = memory.filter(|memory| totals.peak_memory > *memory) {
        let message = format!("the largest run needs about {}, but {holder} has {memory}", totals.peak_memory);
        let (key, hint) = match prepared.experiment {
            ExperimentFile::Tasks(_) => (
                "sweep.batch_size",
                "a smaller batch_size with training.gradient_accumulation_steps, or a smaller training.max_length",
            ),
            ExperimentFile::Pretraining(_) => {
                ("pretrain.batch_size", "`training.gradient_accumulation_steps` divides a batch among several passes")
            }
        };
        findings.push(prepared.experiment.finding(key, message).hint(hint));
    } else if let Some(memory) = memory {
        line(&format_args!("ok    memory: about {} of {memory} in one slot", totals.peak_memory))?;
    } else {
        line(&format_args!(
            "note  memory: about {} in one slot; the GPU does not say what it has",
            totals.peak_memory
        ))?;
    }
    let existing = prepared.context.runs.ancestors().find(|folder| folder.exists());
    match free_disk(existing.unwrap_or_else(|| std::path::Path::new("."))) {
        Some(free) if free < totals.disk => {
            let message = format!(
                "the runs need about {}, but {} has only {free} left",
                totals.disk,
                prepared.context.runs.display()
            );
            findings.push(Diagnostic::new(message).hint("`--runs DIR` keeps them elsewhere"));
        }
        free => {
            let free = free.unwrap_or(Bytes(0));
            line(&format_args!("ok    disk: about {} of {free}", totals.disk))?;
        }
    }
    line(&format_args!("ok    time: about {} in one slot", totals.seconds))?;
    Ok(findings)
}

/// One optimisation step of every model on every task, with the largest batch of the sweep.
fn steps(prepared: &Prepared) -> Result<Vec<Diagnostic>, Error> {
    let mut runs: Vec<&PlannedRun> = prepared.plan.runs.iter().collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.settings.optimization.batch_size));
    let (mut tried, mut unmade) = (BTreeSet::new(), BTreeSet::new());
    let mut findings = Vec::new();
    for (of, run) in prepared.needed(&prepared.plan) {
        let (experiment, model) = (&of.plan.experiment, &run.settings.model);
        let done = of.root.folder(experiment, &run.settings)?.is_done();
        let how = if done { "done" } else { "not done yet: `run` does it first, and checks its model then" };
        line(&format_args!("ok    pretraining {experiment} {model} ({}): {how}", run.id))?;
        if !done {
            unmade.insert(run.id.clone());
        }
    }
    for run in runs {
        let settings = &run.settings;
        if matches!(&settings.initial_weights, InitialWeights::Pretraining { run, .. } if unmade.contains(run)) {
            continue;
        }
        if !tried.insert((&settings.model, settings.task_name())) {
            continue;
        }
        let (model, task) = (&settings.model, settings.task());
        let (what, quoted) = match task {
            Some(of) => (format!("{model} on {}", of.task), format!("`{model}` on `{}`", of.task)),
            None => (model.clone(), format!("`{model}`")),
        };
        let tried = try_step(&prepared.context, settings);
        match tried {
            Ok((report, notes)) => {
                let (loss, seconds) = (report.loss, report.seconds);
                line(&format_args!("ok    one step of {what}: loss {loss:.4}, {seconds}"))?;
                for note in notes {
                    line(&format_args!("note  {what}: {note}"))?;
                }
                let random = settings.initial_weights == InitialWeights::Random;
                if random && task.is_some() && !settings.approach().is_fine_tuning() {
                    line(&format_args!("note  {what}: the frozen encoder has random weights"))?;
                }
            }
            Err(error) => {
                let key = format!("models.{}", settings.model);
                let message = format!("one step of {quoted}: {error}");
                findings.push(prepared.experiment.finding(&key, message));
            }
        }
    }
    Ok(findings)
}
