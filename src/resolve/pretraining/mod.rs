//! Experiments that pretrain, from their files to their plans.

mod corpora;
mod reading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::data::device_name;
use super::{Progress, ResolveError};
use crate::config::{self, ExperimentFile, Pretrained, Pretraining};
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Inputs, Plan, PlannedRun};
use crate::store::{InitialWeights, RunsRoot};
use crate::train::{NamedDevice, RunContext, open_device, open_precision};

/// An experiment that pretrains, resolved on this machine.
#[derive(Debug)]
pub struct PreparedPretraining {
    /// The experiment as its file says it.
    pub experiment: Pretraining,
    /// Its runs.
    pub plan: Plan,
    /// Where they compute.
    pub device: NamedDevice,
    /// The folder of all runs.
    pub root: RunsRoot,
    /// The prepared corpora, by checksum.
    pub corpora: BTreeMap<String, PathBuf>,
    /// By model: its vocabulary, and whether text is lower-cased.
    pub words: BTreeMap<String, (PathBuf, bool)>,
}

/// Resolves `experiment`: models, corpora (which are prepared when they are not there), runs.
pub(super) fn prepare(
    experiment: Pretraining,
    runs: &Path,
    progress: &dyn Progress,
) -> Result<PreparedPretraining, ResolveError> {
    let device =
        open_device(device_name(experiment.device)).map_err(|error| experiment.finding("device", error.to_string()))?;
    open_precision(plan::precision(experiment.training.precision), device.name)
        .map_err(|error| experiment.finding("training.precision", error.to_string()).hint(error.hint()))?;
    let mut inputs = Inputs { device: device.name.into(), ..Inputs::default() };
    let mut reader = reading::Reader::new(&experiment, runs, progress)?;
    let mut words = BTreeMap::new();
    for model in &experiment.models {
        let (input, corpora, path) = reader.model(model)?;
        let lower_case = input.vocabulary.lower_case;
        inputs.corpora.insert(model.name.clone(), corpora);
        words.insert(model.name.clone(), (path, lower_case));
        inputs.models.insert(model.name.clone(), input);
    }
    let corpora = reader.places();
    let plan = plan::expand_pretraining(&experiment, &inputs)?;
    let root = RunsRoot::new(runs);
    Ok(PreparedPretraining { experiment, plan, device, root, corpora, words })
}

/// Resolves the experiment that pretrains `of`: the file of its name beside `dependent`.
pub(super) fn prepare_named(
    of: &Pretrained,
    dependent: &Path,
    runs: &Path,
    progress: &dyn Progress,
) -> Result<PreparedPretraining, Diagnostic> {
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

impl PreparedPretraining {
    /// The run that makes a model.
    pub(super) fn run_of(&self, of: &Pretrained) -> Result<&PlannedRun, Diagnostic> {
        let Pretrained { experiment, model, step, seed } = of;
        let runs: Vec<_> = self.plan.runs.iter().filter(|run| run.settings.model == *model).collect();
        let run = match (runs.as_slice(), seed) {
            ([], _) => {
                let names = self.experiment.models.iter().map(|model| model.name.as_str());
                let hint = crate::diagnostic::suggest(model, names);
                return Err(Diagnostic::new(format!("the experiment `{experiment}` has no model `{model}`")).hint(hint));
            }
            ([only], None) => only,
            (several, Some(seed)) => several.iter().find(|run| run.settings.seed == *seed).ok_or_else(|| {
                Diagnostic::new(format!("`{experiment}` is not pretrained with the seed {seed}"))
                    .hint(format!("its seeds are {:?}", self.experiment.seeds))
            })?,
            (_, None) => {
                return Err(Diagnostic::new(format!("`{experiment}` is pretrained with several seeds"))
                    .hint(format!("`seed: {}` names one", self.experiment.seeds.first().unwrap_or(&1))));
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

    /// The start of a run from the model that `of` names.
    pub(super) fn start(&self, of: &Pretrained) -> Result<InitialWeights, Diagnostic> {
        let run = self.run_of(of)?;
        Ok(InitialWeights::Pretraining {
            experiment: of.experiment.clone(),
            model: of.model.clone(),
            run: run.id.clone(),
            step: of.step.filter(|step| *step != run.steps),
        })
    }

    /// What its runs find on this machine.
    pub fn context(&self, runs: &Path) -> RunContext {
        RunContext {
            runs: runs.to_path_buf(),
            data: PathBuf::new(),
            features: PathBuf::new(),
            vocabularies: BTreeMap::new(),
            task_files: BTreeMap::new(),
            mini: false,
            ceilings: BTreeMap::new(),
            corpora: self.corpora.clone(),
            threads: rayon::current_num_threads() as u32,
        }
    }
}
