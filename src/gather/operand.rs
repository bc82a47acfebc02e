//! What `bertbench compare` is given: an experiment, a model of one, or a run.

use std::path::Path;

use super::experiments::{gathered_experiment, is_file_name};
use super::run::find_run;
use crate::diagnostic::{Diagnostic, Error, suggest};
use crate::report::ExperimentInput;
use crate::store::{RunSettings, RunsRoot};

/// One operand with its runs.
#[derive(Debug)]
pub struct Operand {
    /// The runs that it stands for.
    pub input: ExperimentInput,
    /// What the user calls it, where that is more than a model or an experiment.
    pub label: Option<String>,
}

impl Operand {
    /// The operand `text`: `X.yaml` with the overrides `set`, an experiment's name, either with `:MODEL`, or a run's id. What
    /// an experiment's runs have to note is said by `note`.
    ///
    /// # Errors
    /// When there is no such experiment, model or run; when a file cannot be read.
    pub fn read(root: &RunsRoot, text: &str, set: &[String], note: fn(&str)) -> Result<Self, Error> {
        let gathered = |named: &str| {
            let found = gathered_experiment(root, named, set)?;
            found.notes.iter().for_each(|text| note(text));
            Ok::<_, Error>(found)
        };
        let is_experiment =
            |text: &str| is_file(text) || root.experiments().is_ok_and(|all| all.iter().any(|e| e == text));
        if is_experiment(text) || is_file_name(text) {
            let input = gathered(text)?;
            return Ok(Self { input, label: None });
        }
        if let Some((of, model)) = text.rsplit_once(':')
            && (is_experiment(of) || is_file_name(of))
        {
            let input = gathered(of)?;
            let models = models(&input);
            if !models.iter().any(|known| known == model) {
                let found = Diagnostic::new(format!("`{of}` has no runs of a model `{model}`"));
                return Err(found.hint(suggest(model, models.iter().map(String::as_str))).into());
            }
            return Ok(Self { input: of_model(&input, model), label: None });
        }
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_hexdigit()) {
            let found = Diagnostic::new(format!("`{text}` is no experiment, no model of one, and no run's id"));
            let known = root.experiments()?;
            return Err(found.hint(suggest(text, known.iter().map(String::as_str))).into());
        }
        let folder = find_run(root, text, None)?;
        let Some(record) = folder.record()? else {
            return Err(Diagnostic::new(format!("run {} has no record: it did not finish", folder.id()))
                .hint("`bertbench runs list` shows which runs are done")
                .into());
        };
        let label = Some(format!("{} {}", folder.model(), &folder.id().0[..6.min(folder.id().0.len())]));
        let name = folder.experiment().to_owned();
        let input = ExperimentInput { name, records: vec![record], ..ExperimentInput::default() };
        Ok(Self { input, label })
    }

    /// Its only model, if it has just one.
    #[must_use]
    pub fn model(&self) -> Option<String> {
        let mut models = models(&self.input);
        if models.len() == 1 { models.pop() } else { None }
    }

    /// An operand for each of its models, in the order of the plan.
    #[must_use]
    pub fn models(self) -> Vec<Self> {
        let models = models(&self.input);
        models.iter().map(|model| Self { input: of_model(&self.input, model), label: None }).collect()
    }
}

/// The operand at `baseline` first. Where it is one model of an experiment, an operand that is the whole experiment
/// stands for its other models.
#[must_use]
pub fn with_baseline(mut operands: Vec<Operand>, baseline: usize) -> Vec<Operand> {
    if baseline >= operands.len() {
        return operands;
    }
    let first = operands.remove(baseline);
    let (name, model) = (first.input.name.clone(), first.model());
    let split = |of: Operand| {
        let is_whole = of.input.name == name && model.is_some() && of.model().is_none();
        if !is_whole {
            return vec![of];
        }
        of.models().into_iter().filter(|other| other.model() != model).collect()
    };
    let others: Vec<Operand> = operands.into_iter().flat_map(split).collect();
    std::iter::once(first).chain(others).collect()
}

fn is_file(text: &str) -> bool {
    Path::new(text).is_file()
}

/// The models that have runs on tasks, in the order in which the plan or the records name them.
fn models(input: &ExperimentInput) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let settings = input.planned.iter().chain(input.records.iter().map(|record| &record.settings));
    for of in settings.filter(|of| of.task().is_some()) {
        if !found.contains(&of.model) {
            found.push(of.model.clone());
        }
    }
    found
}

fn of_model(input: &ExperimentInput, model: &str) -> ExperimentInput {
    let is_own = |settings: &RunSettings| settings.model == model;
    ExperimentInput {
        planned: input.planned.iter().filter(|settings| is_own(settings)).cloned().collect(),
        records: input.records.iter().filter(|record| is_own(&record.settings)).cloned().collect(),
        failures: input.failures.iter().filter(|(settings, _)| is_own(settings)).cloned().collect(),
        ..input.clone()
    }
}
