//! Experiments that pretrain, from their files to their plans.

mod corpora;
mod reading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::corpora::Sources;
use super::identity::{Identity, device};
use super::prepared::{Prepared, context};
use super::progress::Access;
use super::scratch::Scratch;
use crate::config::{self, ExperimentFile, Pretrained, Pretraining};
use crate::diagnostic::{Diagnostic, Error};
use crate::plan::{self, Inputs};
use crate::store::{InitialWeights, PretrainingObjective, RunIdentity, RunsRoot};
use crate::train::{RunContext, open_device};
use crate::units::Seconds;

/// An experiment that pretrains, as it was read: its runs are known, its text is not tokens yet.
pub(super) struct Reading {
    experiment: Pretraining,
    inputs: Inputs,
    vocabularies: BTreeMap<String, PathBuf>,
    sources: Sources,
}

impl Reading {
    /// Reads models, vocabularies and text.
    pub(super) fn of(experiment: Pretraining, runs: &Path, access: Access<'_>) -> Result<Self, Error> {
        let device = device(&experiment.base, &RunsRoot::new(runs), access)?;
        let mut inputs = Inputs { device, ..Inputs::default() };
        let mut vocabularies = BTreeMap::new();
        let mut reader = reading::Reader::new(&experiment, access)?;
        for model in &experiment.models {
            let (input, corpora, path) = reader.model(model)?;
            inputs.corpora.insert(model.name.clone(), corpora);
            vocabularies.insert(model.name.clone(), path);
            inputs.models.insert(model.name.clone(), input);
        }
        let sources = reader.sources;
        Ok(Self { experiment, inputs, vocabularies, sources })
    }

    /// As [`Self::of`], of the experiment that pretrains `of`: the file of its name beside `dependent`.
    pub(super) fn named(of: &Pretrained, dependent: &Path, runs: &Path, access: Access<'_>) -> Result<Self, Error> {
        let file = dependent.with_file_name(format!("{}.yaml", of.experiment));
        let name = &of.experiment;
        let refused = |message: String, hint: String| Err(Diagnostic::new(message).hint(hint).into());
        if !file.is_file() {
            let hint = format!("it should be in {}", file.display());
            return refused(format!("no experiment `{name}` beside this file"), hint);
        }
        match config::load(&file, &plan::known_tasks(), &[])? {
            ExperimentFile::Pretraining(experiment) if experiment.base.name == *name => {
                Self::of(experiment, runs, access)
            }
            ExperimentFile::Pretraining(experiment) => refused(
                format!("{} declares the experiment `{}`", file.display(), experiment.base.name),
                "the file has the name of its experiment".to_owned(),
            ),
            ExperimentFile::Tasks(_) => refused(
                format!("`{name}` does not pretrain"),
                "an experiment with `pretrain` in place of `tasks` and `sweep` leaves models to start from".to_owned(),
            ),
        }
    }

    /// Its runs.
    pub(super) fn identity(&self, runs: &Path) -> Result<Identity, Diagnostic> {
        Ok(Identity {
            experiment: ExperimentFile::Pretraining(self.experiment.clone()),
            runs: plan::identify_pretraining(&self.experiment, &self.inputs)?,
            pretraining: Vec::new(),
            root: RunsRoot::new(runs),
            vocabularies: self.vocabularies.clone(),
            scratch: Scratch::default(),
        })
    }

    /// Its runs, and how much they compute. Text that is not prepared yet is, or its size is estimated.
    pub(super) fn prepare(self, runs: &Path, access: Access<'_>) -> Result<Prepared, Error> {
        let Self { experiment, inputs, vocabularies, sources } = self;
        // What is refused is refused before anything is prepared.
        plan::identify_pretraining(&experiment, &inputs)?;
        let (corpora, sizes) = sources.prepare(&experiment, runs, access)?;
        let plan = plan::expand_pretraining(&experiment, &inputs, &sizes)?;
        let context = RunContext { vocabularies, corpora, device_index: experiment.base.device.index, ..context(runs) };
        let device = open_device(&experiment.base.device.of_kind(&inputs.device))
            .map_err(|error| experiment.base.finding("device", error.to_string()))?;
        let (root, experiment) = (RunsRoot::new(runs), ExperimentFile::Pretraining(experiment));
        let (pretraining, scratch) = (Vec::new(), Scratch::default());
        Ok(Prepared { experiment, plan, pretraining, context, device, root, reading: Seconds(0.0), scratch })
    }
}

/// The run that makes a model.
pub(super) fn run_of<'a>(identity: &'a Identity, of: &Pretrained) -> Result<&'a RunIdentity, Diagnostic> {
    let Pretrained { experiment, model, step, seed } = of;
    let planned = &identity.runs;
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
    let last = last_step(run);
    match step {
        Some(step) if *step != last && !snapshots.contains(step) => {
            let hint = format!(
                "`snapshots: [{step}]` in `pretrain` keeps it; those kept are {snapshots:?} and the last, {last}"
            );
            Err(Diagnostic::new(format!("`{experiment}` keeps no model of step {step}")).hint(hint))
        }
        Some(_) | None => Ok(run),
    }
}

/// The weights that `of` names, of `run`, as the start of another.
pub(super) fn initial_weights(run: &RunIdentity, of: &Pretrained) -> InitialWeights {
    InitialWeights::Pretraining {
        experiment: of.experiment.clone(),
        model: of.model.clone(),
        run: run.id.clone(),
        step: of.step.filter(|step| *step != last_step(run)),
    }
}

fn last_step(run: &RunIdentity) -> u64 {
    run.settings.pretraining().map_or(0, PretrainingObjective::steps)
}
