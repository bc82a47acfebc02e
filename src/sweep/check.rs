//! Everything that can fail, tried before a long run.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::config::ExperimentFile;
use crate::corpus::examples::ExampleSet;
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::PlannedRun;
use crate::resolve::{Calibrations, Prepared};
use crate::store::{InitialWeights, RunId, free_disk, host};
use crate::train::{PreparedCorpus, task_features, try_step};
use crate::units::{Bytes, Seconds};

/// What was found to be as it should be, or is worth knowing.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked<'a> {
    /// A split of a task, as its first model reads it.
    Split {
        /// The task.
        task: &'a str,
        /// The split.
        split: &'a str,
        /// How many of `what` there are.
        examples: usize,
        /// What is counted.
        what: &'static str,
        /// Tokens of one, in the mean.
        mean_tokens: f64,
        /// How often each label occurs.
        labels: String,
    },
    /// A prepared corpus, every file of which is as it was written.
    Corpus {
        /// Its folder.
        folder: &'a Path,
        /// How many examples it has.
        examples: u64,
        /// Tokens of the longest that it may have.
        max_length: u32,
        /// Documents that they are of.
        documents: u64,
        /// Tokens of the documents.
        tokens: u64,
    },
    /// The memory of the largest run, and what there is, if the device says it.
    Memory(Bytes, Option<Bytes>),
    /// The disk of all runs, and what there is.
    Disk(Bytes, Bytes),
    /// The time of all runs in one slot.
    Time(Seconds),
    /// A pretraining run that others start from.
    Needed {
        /// The experiment that it belongs to.
        experiment: &'a str,
        /// The model that it makes.
        model: &'a str,
        /// Its id.
        id: &'a RunId,
        /// Whether it is done.
        is_done: bool,
    },
    /// An optimisation step of a model, on a task if there is one.
    Step {
        /// `MODEL on TASK`, or the model.
        of: &'a str,
        /// The mean loss of its batch.
        loss: f64,
        /// How long it took.
        seconds: Seconds,
    },
    /// Something to know of a model.
    Note {
        /// `MODEL on TASK`, or the model.
        of: &'a str,
        /// What.
        note: &'a str,
    },
}

/// Who is told what was checked, as it is.
type Tell<'a> = &'a mut dyn FnMut(Checked<'_>) -> io::Result<()>;

/// Checks the data, memory, disk, and a step of every model on every task; `tell` hears how it goes.
///
/// What is returned are the findings about the experiment: none where it can run.
///
/// # Errors
/// Files that cannot be read, so that nothing more can be checked; what `tell` answers.
pub fn check(prepared: &Prepared, tell: Tell<'_>) -> Result<Vec<Diagnostic>, Error> {
    match prepared.experiment {
        ExperimentFile::Tasks(_) => splits(prepared, tell)?,
        ExperimentFile::Pretraining(_) => corpora(prepared, tell)?,
    }
    let mut findings = resources(prepared, tell)?;
    let undone = needed(prepared, tell)?;
    findings.extend(steps(prepared, &undone, tell)?);
    Ok(findings)
}

/// Examples, lengths and label counts of every task, as its first model reads it.
fn splits(prepared: &Prepared, tell: Tell<'_>) -> Result<(), Error> {
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
            let (what, labels) = task.label_counts(set.labels(), &features.tags);
            let mean_tokens = set.tokens() as f64 / set.len().max(1) as f64;
            tell(Checked::Split { task: &task.name, split, examples: set.len(), what, mean_tokens, labels })?;
        }
    }
    Ok(())
}

/// Every file of every corpus, and how much there is in them.
fn corpora(prepared: &Prepared, tell: Tell<'_>) -> Result<(), Error> {
    for PreparedCorpus { folder, .. } in prepared.context.corpora.values() {
        let set = ExampleSet::open(folder)?;
        set.verify()?;
        let (counts, max_length) = (set.counts(), set.settings().max_length);
        let (tokens, documents) = (counts.tokens, counts.documents);
        tell(Checked::Corpus { folder, examples: set.len(), max_length, documents, tokens })?;
    }
    Ok(())
}

/// Memory and disk.
fn resources(prepared: &Prepared, tell: Tell<'_>) -> Result<Vec<Diagnostic>, Error> {
    let plan = &prepared.plan;
    let totals = Calibrations::measure(prepared, plan).totals(plan);
    let (holder, memory) = match prepared.device.gpu() {
        Some(gpu) => ("the GPU", gpu.memory),
        None => ("this machine", Some(host(prepared.device.name, 1).memory)),
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
        findings.push(prepared.experiment.base().finding(key, message).hint(hint));
    } else {
        tell(Checked::Memory(totals.peak_memory, memory))?;
    }
    let runs = &prepared.context.runs;
    let existing = runs.ancestors().find(|folder| folder.exists());
    match free_disk(existing.unwrap_or_else(|| Path::new("."))) {
        Some(free) if free < totals.disk => {
            let message = format!("the runs need about {}, but {} has only {free} left", totals.disk, runs.display());
            findings.push(Diagnostic::new(message).hint("`--runs DIR` keeps them elsewhere"));
        }
        free => tell(Checked::Disk(totals.disk, free.unwrap_or(Bytes(0))))?,
    }
    tell(Checked::Time(totals.seconds))?;
    Ok(findings)
}

/// The pretraining that runs start from; gives those runs of it that are not done.
fn needed<'a>(prepared: &'a Prepared, tell: Tell<'_>) -> Result<BTreeSet<&'a RunId>, Error> {
    let mut undone = BTreeSet::new();
    for (of, run) in prepared.needed(&prepared.plan) {
        let experiment = &of.plan.experiment;
        let is_done = of.root.folder(experiment, &run.settings)?.is_done();
        tell(Checked::Needed { experiment, model: &run.settings.model, id: &run.id, is_done })?;
        if !is_done {
            undone.insert(&run.id);
        }
    }
    Ok(undone)
}

/// One optimisation step of every model on every task, with the largest batch of the sweep; but for those that start from
/// runs which are `undone`.
fn steps(prepared: &Prepared, undone: &BTreeSet<&RunId>, tell: Tell<'_>) -> Result<Vec<Diagnostic>, Error> {
    let mut runs: Vec<&PlannedRun> = prepared.plan.runs.iter().collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.settings.optimization.batch_size));
    let (mut tried, mut findings) = (BTreeSet::new(), Vec::new());
    for run in runs {
        let settings = &run.settings;
        if settings.initial_weights.pretraining_run().is_some_and(|run| undone.contains(run)) {
            continue;
        }
        if !tried.insert((&settings.model, settings.task_name())) {
            continue;
        }
        let (model, task) = (&settings.model, settings.task());
        let (of, quoted) = match task {
            Some(of) => (format!("{model} on {}", of.task), format!("`{model}` on `{}`", of.task)),
            None => (model.clone(), format!("`{model}`")),
        };
        match try_step(&prepared.context, settings) {
            Ok((report, notes)) => {
                tell(Checked::Step { of: &of, loss: report.loss, seconds: report.seconds })?;
                notes.iter().try_for_each(|note| tell(Checked::Note { of: &of, note }))?;
                let random = settings.initial_weights == InitialWeights::Random;
                if random && task.is_some() && !settings.approach().is_fine_tuning() {
                    tell(Checked::Note { of: &of, note: "the frozen encoder has random weights" })?;
                }
            }
            Err(error) => {
                let message = format!("one step of {quoted}: {error}");
                findings.push(prepared.experiment.base().finding(&format!("models.{model}"), message));
            }
        }
    }
    Ok(findings)
}
