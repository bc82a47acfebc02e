//! `check` of experiments that pretrain.

use crate::cli::table::print;
use crate::cli::{CommandOutcome, Error};
use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Diagnostic;
use crate::plan::PlannedRun;
use crate::resolve::{PreparedPretraining, pretraining_forecasts};
use crate::store::{free_disk, host};
use crate::train::try_pretraining_step;
use crate::units::{Bytes, Seconds};

/// Finds what can fail before the long run: text, vocabulary, lengths, memory, disk, and a step of every model.
pub(in crate::cli) fn check(prepared: &PreparedPretraining) -> Result<CommandOutcome, Error> {
    let (plan, root) = (&prepared.plan, &prepared.root);
    print(&format_args!("ok    experiment {}, runs: {}", plan.experiment, plan.runs.len()))?;
    print(&format_args!("ok    device {}, {} threads", prepared.device.name, rayon::current_num_threads()))?;
    for folder in prepared.corpora.values() {
        let set = ExampleSet::open(folder)?;
        set.verify()?;
        let (counts, length) = (set.counts(), set.settings().max_length);
        let (tokens, documents) = (counts.tokens, counts.documents);
        let place = folder.display();
        print(&format_args!(
            "ok    {place}: {} examples of up to {length} tokens, {documents} documents, {tokens} tokens",
            set.len()
        ))?;
    }
    let runs: Vec<&PlannedRun> = plan.runs.iter().collect();
    let forecasts = pretraining_forecasts(&prepared.device, &runs);
    let memory = host(prepared.device.name, 1).memory;
    let mut findings = Vec::new();
    let most = forecasts.iter().map(|forecast| forecast.peak_memory).max().unwrap_or(Bytes(0));
    if most > memory {
        let message = format!("the largest run needs about {most}, but this machine has {memory}");
        let hint = "`training.gradient_accumulation_steps` divides a batch among several passes";
        findings.push(prepared.experiment.finding("pretrain.batch_size", message).hint(hint));
    } else {
        print(&format_args!("ok    memory: about {most} of {memory} in one slot"))?;
    }
    let disk = Bytes(forecasts.iter().map(|forecast| forecast.disk.0).sum());
    let existing = root.path().ancestors().find(|folder| folder.exists());
    match free_disk(existing.unwrap_or_else(|| std::path::Path::new("."))) {
        Some(free) if free < disk => {
            let message = format!("the runs need about {disk}, but {} has only {free} left", root.path().display());
            findings.push(Diagnostic::new(message).hint("`--runs DIR` keeps them elsewhere"));
        }
        free => print(&format_args!("ok    disk: about {disk} of {}", free.unwrap_or(Bytes(0))))?,
    }
    let seconds = Seconds(forecasts.iter().map(|forecast| forecast.seconds.0).sum());
    print(&format_args!("ok    time: about {seconds} in one slot"))?;
    findings.extend(steps(prepared)?);
    if findings.is_empty() { Ok(CommandOutcome::Success) } else { Err(Error::Input(findings)) }
}

/// One optimisation step of every model.
fn steps(prepared: &PreparedPretraining) -> Result<Vec<Diagnostic>, Error> {
    let context = prepared.context(prepared.root.path());
    let mut findings = Vec::new();
    let first = prepared.experiment.seeds.first();
    for run in prepared.plan.runs.iter().filter(|run| Some(&run.settings.seed) == first) {
        let model = &run.settings.model;
        match try_pretraining_step(&context, &run.settings) {
            Ok((report, notes)) => {
                let (loss, seconds) = (report.loss, report.seconds);
                print(&format_args!("ok    one step of {model}: loss {loss:.4}, {seconds}"))?;
                for note in notes {
                    print(&format_args!("note  {model}: {note}"))?;
                }
            }
            Err(error) => {
                let message = format!("one step of `{model}`: {error}");
                findings.push(prepared.experiment.finding(&format!("models.{model}"), message));
            }
        }
    }
    Ok(findings)
}
