//! The two kinds of runs: what each is to do, and what it leaves.

use serde::{Deserialize, Serialize};

use super::pretrain_record::{PRETRAINING, PretrainRecord};
use super::pretraining::PretrainSettings;
use super::record::Record;
use super::settings::{InitialWeights, RunId, RunSettings};

/// What a run is to do: everything that decides its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A model is trained and scored on a task.
    FineTuning(Box<RunSettings>),
    /// A model is pretrained.
    Pretraining(Box<PretrainSettings>),
}

/// What a run that is done leaves.
#[derive(Clone, Debug, PartialEq)]
pub enum Finished {
    /// Of a task.
    FineTuning(Box<Record>),
    /// Of a pretraining.
    Pretraining(Box<PretrainRecord>),
}

impl Work {
    /// The run's id.
    #[must_use]
    pub fn id(&self) -> RunId {
        match self {
            Self::FineTuning(settings) => settings.id(),
            Self::Pretraining(settings) => settings.id(),
        }
    }

    /// The task's name, `pretraining` where there is none: the name of a folder.
    #[must_use]
    pub fn task(&self) -> &str {
        match self {
            Self::FineTuning(settings) => &settings.task,
            Self::Pretraining(_) => PRETRAINING,
        }
    }

    /// The model's name in the experiment.
    #[must_use]
    pub fn model(&self) -> &str {
        match self {
            Self::FineTuning(settings) => &settings.model,
            Self::Pretraining(settings) => &settings.model,
        }
    }

    /// Where the weights come from.
    #[must_use]
    pub fn start(&self) -> &InitialWeights {
        match self {
            Self::FineTuning(settings) => &settings.start,
            Self::Pretraining(settings) => &settings.start,
        }
    }

    /// The settings of a run on a task.
    #[must_use]
    pub fn fine_tuning(&self) -> Option<&RunSettings> {
        match self {
            Self::FineTuning(settings) => Some(settings),
            Self::Pretraining(_) => None,
        }
    }
}

impl From<RunSettings> for Work {
    fn from(settings: RunSettings) -> Self {
        Self::FineTuning(Box::new(settings))
    }
}

impl From<PretrainSettings> for Work {
    fn from(settings: PretrainSettings) -> Self {
        Self::Pretraining(Box::new(settings))
    }
}

impl From<Record> for Finished {
    fn from(record: Record) -> Self {
        Self::FineTuning(Box::new(record))
    }
}

impl From<PretrainRecord> for Finished {
    fn from(record: PretrainRecord) -> Self {
        Self::Pretraining(Box::new(record))
    }
}

impl Finished {
    /// The record of a run on a task.
    #[must_use]
    pub fn fine_tuning(&self) -> Option<&Record> {
        match self {
            Self::FineTuning(record) => Some(record),
            Self::Pretraining(_) => None,
        }
    }
}
