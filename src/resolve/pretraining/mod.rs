//! Experiments that pretrain, from their files to their plans.

mod corpora;
mod reading;

use std::path::Path;

use super::data::device_name;
use super::error::ResolveError;
use super::prepared::{Prepared, context};
use super::progress::Progress;
use crate::config::{self, ExperimentFile, Pretrained, Pretraining};
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Inputs, PlannedRun};
use crate::store::{InitialWeights, RunsRoot};
use crate::train::{open_device, open_precision};
use crate::units::Seconds;

/// Resolves `experiment`: models, corpora (which are prepared when they are not there), runs.
pub(super) fn prepare(experiment: Pretraining, runs: &Path, progress: &dyn Progress) -> Result<Prepared, ResolveError> {
    let device =
        open_device(device_name(experiment.device)).map_err(|error| experiment.finding("device", error.to_string()))?;
    open_precision(experiment.training.precision, device.name)
        .map_err(|error| experiment.finding("training.precision", error.to_string()).hint(error.hint()))?;
    let mut inputs = Inputs { device: device.name.into(), ..Inputs::default() };
    let mut reader = reading::Reader::new(&experiment, runs, progress)?;
    let mut context = context(runs);
    for model in &experiment.models {
        let (input, corpora, path) = reader.model(model)?;
        inputs.corpora.insert(model.name.clone(), corpora);
        context.vocabularies.insert(model.name.clone(), path);
        inputs.models.insert(model.name.clone(), input);
    }
    context.corpora = reader.places();
    let plan = plan::expand_pretraining(&experiment, &inputs)?;
    let (root, experiment) = (RunsRoot::new(runs), ExperimentFile::Pretraining(experiment));
    Ok(Prepared { experiment, plan, pretraining: Vec::new(), context, device, root, reading: Seconds(0.0) })
}

/// Resolves the experiment that pretrains `of`: the file of its name beside `dependent`.
pub(super) fn prepare_named(
    of: &Pretrained,
    dependent: &Path,
    runs: &Path,
    progress: &dyn Progress,
) -> Result<Prepared, Diagnostic> {
    let file = dependent.with_file_name(format!("{}.yaml", of.experiment));
    let name = &of.experiment;
    if !file.is_file() {
        return Err(Diagnostic::new(format!("no experiment `{name}` beside this file"))
            .hint(format!("it should be in {}", file.display())));
    }
    match config::load(&file, &plan::known_tasks(), &[])? {
        ExperimentFile::Pretraining(experiment) if experiment.name == *name => prepare(experiment, runs, progress)
            .map_err(|error| match error {
                ResolveError::Input(mut findings) if !findings.is_empty() => findings.remove(0),
                ResolveError::Input(_) => Diagnostic::new(format!("`{name}` cannot be read")),
                ResolveError::System(message) => Diagnostic::new(message),
            }),
        ExperimentFile::Pretraining(experiment) => {
            Err(Diagnostic::new(format!("{} declares the experiment `{}`", file.display(), experiment.name))
                .hint("the file has the name of its experiment"))
        }
        ExperimentFile::Tasks(_) => Err(Diagnostic::new(format!("`{name}` does not pretrain"))
            .hint("an experiment with `pretrain` in place of `tasks` and `sweep` leaves models to start from")),
    }
}

/// The run that makes a model.
pub(super) fn run_of<'a>(prepared: &'a Prepared, of: &Pretrained) -> Result<&'a PlannedRun, Diagnostic> {
    let Pretrained { experiment, model, step, seed } = of;
    let planned = &prepared.plan.runs;
    let runs: Vec<_> = planned.iter().filter(|run| run.settings.model == *model).collect();
    let seeds = || runs.iter().map(|run| run.settings.seed).collect::<Vec<_>>();
    let run = match (runs.as_slice(), seed) {
        ([], _) => {
            let hint = crate::diagnostic::suggest(model, planned.iter().map(|run| run.settings.model.as_str()));
            return Err(Diagnostic::new(format!("the experiment `{experiment}` has no model `{model}`")).hint(hint));
        }
        ([only], None) => *only,
        (several, Some(seed)) => several.iter().find(|run| run.settings.seed == *seed).ok_or_else(|| {
            Diagnostic::new(format!("`{experiment}` is not pretrained with the seed {seed}"))
                .hint(format!("its seeds are {:?}", seeds()))
        })?,
        (_, None) => {
            return Err(Diagnostic::new(format!("`{experiment}` is pretrained with several seeds"))
                .hint(format!("`seed: {}` names one", seeds().first().unwrap_or(&1))));
        }
    };
    let snapshots = run.settings.pretraining().map_or(&[][..], |of| &of.snapshots);
    match step {
        Some(step) if *step != run.steps && !snapshots.contains(step) => {
            let hint = format!(
                "`snapshots: [{step}]` in `pretrain` keeps it; those kept are {snapshots:?} and the last, {}",
                run.steps
            );
            Err(Diagnostic::new(format!("`{experiment}` keeps no model of step {step}")).hint(hint))
        }
        Some(_) | None => Ok(run),
    }
}

/// The weights that `of` names, of `run`, as the start of another.
pub(super) fn initial_weights(run: &PlannedRun, of: &Pretrained) -> InitialWeights {
    InitialWeights::Pretraining {
        experiment: of.experiment.clone(),
        model: of.model.clone(),
        run: run.id.clone(),
        step: of.step.filter(|step| *step != run.steps),
    }
}
