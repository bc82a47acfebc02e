//! `--only task=rte,learning_rate=3e-5`: which runs of a plan to make.

use std::path::Path;

use crate::diagnostic::{Diagnostic, suggest};
use crate::store::RunSettings;

/// What a filter can ask for, in the order that its help shows.
const KEYS: [&str; 6] = ["task", "model", "batch_size", "learning_rate", "epochs", "seed"];

/// A conjunction of conditions; several on one key mean any of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Task(String),
    Model(String),
    BatchSize(u32),
    LearningRate(f64),
    Epochs(u32),
    Seed(u64),
}

impl Filter {
    /// Reads `key=value`, several separated by commas. The keys are `task`, `model`, `batch_size`,
    /// `learning_rate`, `epochs` and `seed`.
    ///
    /// # Errors
    /// An unknown key, a value that is not of the key's kind, text of another form.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let conditions: Result<Vec<Condition>, Diagnostic> =
            text.split(',').map(|part| Condition::parse(part).map_err(|found| at_option(found, text))).collect();
        Ok(Self { text: text.to_owned(), conditions: conditions? })
    }

    /// Whether a run satisfies every key that the filter names.
    #[must_use]
    pub(super) fn passes(&self, settings: &RunSettings) -> bool {
        self.conditions.iter().all(|condition| {
            let same_key = |other: &&Condition| other.key() == condition.key();
            self.conditions.iter().filter(same_key).any(|alternative| alternative.holds(settings))
        })
    }

    /// An error when no run passes: it names the condition that no run satisfies, if there is one.
    pub(super) fn refuse_if_empty(&self, runs: &[&RunSettings]) -> Result<(), Diagnostic> {
        for condition in &self.conditions {
            if runs.iter().any(|run| condition.holds(run)) {
                continue;
            }
            let (key, wanted) = (condition.key(), condition.value());
            let mut values: Vec<String> = Vec::new();
            for run in runs {
                let value = Condition::of(run, key).map(|own| own.value());
                values.extend(value.filter(|value| !values.contains(value)));
            }
            let hint = match condition {
                _ if values.is_empty() => "pretraining runs have no such setting".to_owned(),
                Condition::Task(_) | Condition::Model(_) => suggest(&wanted, values.iter().map(String::as_str)),
                Condition::BatchSize(_) | Condition::LearningRate(_) | Condition::Epochs(_) | Condition::Seed(_) => {
                    format!("the experiment has {}", values.join(", "))
                }
            };
            return Err(at_option(Diagnostic::new(format!("no run has {key} `{wanted}`")).hint(hint), &self.text));
        }
        if runs.iter().any(|run| self.passes(run)) {
            return Ok(());
        }
        let found = Diagnostic::new("no run satisfies all of these conditions");
        Err(at_option(found.hint("`bertbench plan` lists the runs"), &self.text))
    }
}

fn at_option(found: Diagnostic, text: &str) -> Diagnostic {
    found.in_file(Path::new(&format!("--only {text}")))
}

impl Condition {
    fn parse(part: &str) -> Result<Self, Diagnostic> {
        let example = "for example `--only task=rte,learning_rate=3e-5`";
        let Some((key, value)) = part.split_once('=') else {
            return Err(Diagnostic::new(format!("`{part}` is not KEY=VALUE")).hint(example));
        };
        let (key, value) = (key.trim(), value.trim());
        let number = |kind: &str| Diagnostic::new(format!("{key} `{value}` is not {kind}")).hint(example);
        match key {
            "task" => Ok(Self::Task(value.to_owned())),
            "model" => Ok(Self::Model(value.to_owned())),
            "batch_size" => value.parse().map(Self::BatchSize).map_err(|_| number("a whole number")),
            "learning_rate" => value.parse().map(Self::LearningRate).map_err(|_| number("a number")),
            "epochs" => value.parse().map(Self::Epochs).map_err(|_| number("a whole number")),
            "seed" => value.parse().map(Self::Seed).map_err(|_| number("a whole number")),
            other => Err(Diagnostic::new(format!("unknown key `{other}`")).hint(suggest(other, KEYS))),
        }
    }

    fn key(&self) -> &'static str {
        match self {
            Self::Task(_) => "task",
            Self::Model(_) => "model",
            Self::BatchSize(_) => "batch_size",
            Self::LearningRate(_) => "learning_rate",
            Self::Epochs(_) => "epochs",
            Self::Seed(_) => "seed",
        }
    }

    fn value(&self) -> String {
        match self {
            Self::Task(name) | Self::Model(name) => name.clone(),
            Self::BatchSize(value) | Self::Epochs(value) => value.to_string(),
            Self::LearningRate(value) => format!("{value:e}"),
            Self::Seed(value) => value.to_string(),
        }
    }

    /// Rates were read from decimal text on both sides, so 3e-5 and 0.00003 are equal.
    fn holds(&self, settings: &RunSettings) -> bool {
        Self::of(settings, self.key()).as_ref() == Some(self)
    }

    /// The condition on `key` that these settings satisfy; none when they have no such setting.
    fn of(settings: &RunSettings, key: &str) -> Option<Self> {
        match key {
            "task" => Some(Self::Task(settings.task_name().to_owned())),
            "model" => Some(Self::Model(settings.model.clone())),
            "batch_size" => Some(Self::BatchSize(settings.optimization.batch_size)),
            "learning_rate" => Some(Self::LearningRate(settings.optimization.learning_rate)),
            "epochs" => Some(Self::Epochs(settings.task()?.epochs)),
            "seed" => Some(Self::Seed(settings.seed)),
            _ => None,
        }
    }
}
