//! Experiments with tasks, from their files to their runs.

mod models;
mod sizes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(super) use models::identity;

use super::data::{DataRoot, data_in};
use super::identity::{Identity, device};
use super::prepared::{Prepared, context};
use super::pretraining;
use super::progress::Access;
use super::request::Request;
use super::scratch::Scratch;
use crate::config::{Experiment, ExperimentFile, ModelSource};
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::{self, Inputs};
use crate::settings::TaskFiles;
use crate::store::RunsRoot;
use crate::text::Vocabulary;
use crate::train::{RunContext, open_device};

/// What was read so far, and what was wrong.
struct Reading<'a> {
    experiment: &'a Experiment,
    /// The experiments that its models are pretrained by.
    pretraining: &'a [Identity],
    context: RunContext,
    inputs: Inputs,
    /// By model.
    vocabularies: BTreeMap<String, Vocabulary>,
    findings: Vec<Diagnostic>,
}

/// The runs of `experiment`.
pub(super) fn identify(request: &Request, experiment: Experiment, access: Access<'_>) -> Result<Identity, Error> {
    let root = RunsRoot::new(&request.runs);
    let device = device(&experiment.base, &root, access)?;
    let pretraining: Vec<Identity> =
        pretraining_of(request, &experiment, access, |of| Ok(of.identity(&request.runs)?))?;
    let reading = Reading::of(request, &experiment, &pretraining, (device, access))?;
    if !reading.findings.is_empty() {
        return Err(Error::Input(reading.findings));
    }
    let runs = plan::identify(&experiment, &reading.inputs)?;
    let vocabularies = reading.context.vocabularies;
    Ok(Identity {
        experiment: ExperimentFile::Tasks(experiment),
        runs,
        pretraining,
        root,
        vocabularies,
        scratch: Scratch::default(),
    })
}

/// The runs of `experiment`, and how much they compute.
pub(super) fn prepare(request: &Request, experiment: Experiment, access: Access<'_>) -> Result<Prepared, Error> {
    let root = RunsRoot::new(&request.runs);
    let device = device(&experiment.base, &root, access)?;
    let pretraining = pretraining_of(request, &experiment, access, |of| {
        Ok((of.identity(&request.runs)?, of.prepare(&request.runs, access)?))
    })?;
    let (identities, pretraining): (Vec<Identity>, Vec<Prepared>) = pretraining.into_iter().unzip();
    let mut reading = Reading::of(request, &experiment, &identities, (device, access))?;
    let (sizes, slowest) = reading.sizes(access);
    if !reading.findings.is_empty() {
        return Err(Error::Input(reading.findings));
    }
    let plan = plan::expand(&experiment, &reading.inputs, &sizes)?;
    let Reading { mut context, inputs, .. } = reading;
    context.corpora = pretraining.iter().flat_map(|of| of.context.corpora.clone()).collect();
    let device = open_device(&experiment.base.device.of_kind(&inputs.device))
        .map_err(|error| experiment.base.finding("device", error.to_string()))?;
    let experiment = ExperimentFile::Tasks(experiment);
    Ok(Prepared { experiment, plan, pretraining, context, device, root, reading: slowest, scratch: Scratch::default() })
}

impl<'a> Reading<'a> {
    /// The data's checksums and the models.
    fn of(
        request: &Request,
        experiment: &'a Experiment,
        pretraining: &'a [Identity],
        (device, access): (String, Access<'_>),
    ) -> Result<Self, Error> {
        let device_index = experiment.base.device.index;
        let context = RunContext { device_index, ..data_context(experiment, &request.runs, access.scratch)? };
        let inputs = Inputs { device, skip_bad_rows: request.skip_bad_rows, ..Inputs::default() };
        let (vocabularies, findings) = (BTreeMap::new(), Vec::new());
        let mut reading = Self { experiment, pretraining, context, inputs, vocabularies, findings };
        for asked in &experiment.tasks {
            let found = reading.context.task(&asked.name).and_then(|task| task.checksums(&reading.context.data));
            match found {
                Ok(found) => drop(reading.inputs.data.insert(asked.name.clone(), found)),
                Err(finding) => reading.findings.push(finding),
            }
        }
        reading.models(access);
        Ok(reading)
    }
}

/// Where runs find their data.
fn data_context(experiment: &Experiment, runs: &Path, scratch: Option<&Scratch>) -> Result<RunContext, Error> {
    let DataRoot { folder: data, mini, ceilings } = data_in(experiment, scratch)?;
    let own = experiment.tasks.iter().filter(|task| task.files != TaskFiles::default());
    let task_files = own.map(|task| (task.name.clone(), task.files.clone())).collect();
    Ok(RunContext { data, task_files, mini, ceilings, ..context(runs) })
}

/// What a model that a run of `experiment` kept needs to be scored again: the data, but neither checkpoints nor
/// vocabularies. Runs are in the folder `runs`.
///
/// # Errors
/// As [`data_root`](super::data_root).
pub fn evaluation_context(experiment: &Experiment, runs: &Path) -> Result<RunContext, Error> {
    data_context(experiment, runs, None)
}

/// The experiments that pretrain models of `experiment`, each once, as `of` gives them.
fn pretraining_of<T>(
    request: &Request,
    experiment: &Experiment,
    access: Access<'_>,
    of: impl Fn(pretraining::Reading) -> Result<T, Error>,
) -> Result<Vec<T>, Diagnostic> {
    let mut found = BTreeSet::new();
    let mut all = Vec::new();
    for model in &experiment.models {
        let ModelSource::Pretraining(source) = &model.source else { continue };
        if !found.insert(&source.experiment) {
            continue;
        }
        let named = pretraining::Reading::named(source, &request.file, &request.runs, access);
        let error = match named.and_then(&of) {
            Ok(one) => {
                all.push(one);
                continue;
            }
            Err(Error::Input(mut findings)) if !findings.is_empty() => findings.remove(0),
            Err(Error::Input(_)) => Diagnostic::new(format!("`{}` cannot be read", source.experiment)),
            Err(Error::System(message)) => Diagnostic::new(message),
        };
        let key = format!("models.{}.checkpoint.experiment", model.name);
        return Err(match error.place {
            Some(_) => error,
            None => experiment.base.placed(&key, error),
        });
    }
    Ok(all)
}
