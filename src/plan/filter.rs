//! `--only task=rte,learning_rate=3e-5`: which runs of a plan to make.

use std::fmt;
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

/// What a setting is to be.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    key: &'static str,
    value: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Name(String),
    Count(u64),
    /// Rates are read from decimal text on both sides, so 3e-5 and 0.00003 are equal.
    Rate(f64),
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
            let same_key = |other: &&Condition| other.key == condition.key;
            self.conditions.iter().filter(same_key).any(|alternative| alternative.holds(settings))
        })
    }

    /// An error when no run passes: it names the condition that no run satisfies, if there is one.
    pub(super) fn refuse_if_empty(&self, runs: &[&RunSettings]) -> Result<(), Diagnostic> {
        for condition in &self.conditions {
            if runs.iter().any(|run| condition.holds(run)) {
                continue;
            }
            let (key, wanted) = (condition.key, condition.value.to_string());
            let mut values: Vec<String> = Vec::new();
            for run in runs {
                let value = Value::of(run, key).map(|own| own.to_string());
                values.extend(value.filter(|value| !values.contains(value)));
            }
            let hint = match condition.value {
                _ if values.is_empty() => "pretraining runs have no such setting".to_owned(),
                Value::Name(_) => suggest(&wanted, values.iter().map(String::as_str)),
                Value::Count(_) | Value::Rate(_) => format!("the experiment has {}", values.join(", ")),
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
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            return Err(Diagnostic::new(format!("unknown key `{key}`")).hint(suggest(key, KEYS)));
        };
        let (read, kind) = match key {
            "task" | "model" => (Some(Value::Name(value.to_owned())), "a name"),
            "learning_rate" => (value.parse().ok().map(Value::Rate), "a number"),
            "seed" => (value.parse().ok().map(Value::Count), "a whole number"),
            _ => (value.parse::<u32>().ok().map(|count| Value::Count(count.into())), "a whole number"),
        };
        let value = read.ok_or_else(|| Diagnostic::new(format!("{key} `{value}` is not {kind}")).hint(example))?;
        Ok(Self { key, value })
    }

    fn holds(&self, settings: &RunSettings) -> bool {
        Value::of(settings, self.key).as_ref() == Some(&self.value)
    }
}

impl Value {
    /// What these settings have at `key`; nothing when they have no such setting.
    fn of(settings: &RunSettings, key: &str) -> Option<Self> {
        Some(match key {
            "task" => Self::Name(settings.task_name().to_owned()),
            "model" => Self::Name(settings.model.clone()),
            "batch_size" => Self::Count(settings.optimization.batch_size.into()),
            "learning_rate" => Self::Rate(settings.optimization.learning_rate),
            "epochs" => Self::Count(settings.task()?.epochs.into()),
            _ => Self::Count(settings.seed),
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Count(count) => write!(f, "{count}"),
            Self::Rate(rate) => write!(f, "{rate:e}"),
        }
    }
}
