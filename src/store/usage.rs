//! How a kept model is to be used, wherever it is copied to.

use serde::{Deserialize, Serialize};

use super::approach::TaskOptions;
use super::settings::RunSettings;
use crate::settings::Approach;

/// How a model is to be used so that it does what it was trained to do. It stands in the model's `config.json`, under
/// `bertbench`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelUsage {
    /// The task that it was trained on; none after pretraining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included.
    pub max_length: u32,
    /// The settings of the task's shape, such as the text around a sentence and how answers are chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<TaskOptions>,
    /// How the encoder is used.
    #[serde(default, skip_serializing_if = "Approach::is_fine_tuning")]
    pub approach: Approach,
    /// Whether pairs are read in both orders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub both_orders: bool,
}

impl ModelUsage {
    /// As a run with these settings used its model.
    #[must_use]
    pub fn of(settings: &RunSettings) -> Self {
        Self {
            task: settings.task().map(|of| of.task.clone()),
            max_length: settings.max_length(),
            options: settings.task_options().cloned(),
            approach: settings.approach(),
            both_orders: settings.task().is_some_and(|of| of.both_orders),
        }
    }
}
