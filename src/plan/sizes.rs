//! How much the runs of an experiment compute, once texts are tokens.

use std::collections::BTreeMap;

use super::features::Features;
use super::{Evaluations, PlannedRun};
use crate::store::{PretrainingObjective, RunIdentity};
use crate::units::Tokens;

/// Counts that need tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sizes {
    /// By task and model: the same text has other tokens under another vocabulary.
    pub tasks: BTreeMap<(String, String), TaskSize>,
    /// By [`CorpusInput::id`](super::CorpusInput::id).
    pub corpora: BTreeMap<String, CorpusSize>,
}

/// The size of a task's data, as one model reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskSize {
    /// Examples of the training split.
    pub train_examples: u64,
    /// Their tokens, in sequences up to the task's longest.
    pub train_tokens: u64,
    /// Examples of the dev split that judges, as its publisher counts them: rows, questions, sentences.
    pub judged_examples: u64,
    /// Sequences of all dev splits.
    pub dev_examples: u64,
    /// Their tokens, likewise.
    pub dev_tokens: u64,
}

/// The size of a prepared corpus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorpusSize {
    /// Examples.
    pub examples: u64,
    /// Tokens of an example, on average.
    pub mean_length: f64,
}

/// Optimisation steps of a run: a step is a batch, in however many passes, and each epoch ends with a
/// batch of what is left.
#[must_use]
pub fn steps(train_examples: u64, batch_size: u32, epochs: u32) -> u64 {
    u64::from(epochs) * train_examples.div_ceil(u64::from(batch_size.max(1)))
}

impl TaskSize {
    /// How much `run` computes, which trains on this data.
    pub(super) fn of(&self, RunIdentity { id, settings }: RunIdentity) -> PlannedRun {
        let epochs = settings.epochs();
        let orders = settings.orders();
        let added = Features::of(&settings).map_or(0, |features| features.added_tokens());
        PlannedRun {
            id,
            steps: steps(self.train_examples, settings.optimization.batch_size, epochs),
            examples: u64::from(epochs) * self.train_examples,
            tokens: Tokens(u64::from(epochs) * (orders * self.train_tokens + added * self.train_examples)),
            evaluations: Evaluations {
                count: u64::from(epochs),
                examples: self.dev_examples,
                judged: self.judged_examples,
                tokens: Tokens(orders * self.dev_tokens + added * self.dev_examples),
            },
            settings,
        }
    }
}

impl Sizes {
    /// How much `run` computes, which pretrains; `None` when the size of a corpus is not known.
    pub(super) fn of_pretraining(
        &self,
        RunIdentity { id, settings }: RunIdentity,
        objective: &PretrainingObjective,
    ) -> Option<PlannedRun> {
        let batch = u64::from(settings.optimization.batch_size);
        let mut tokens = 0.0;
        for phase in &objective.phases {
            tokens += (phase.steps * batch) as f64 * self.corpora.get(&phase.data)?.mean_length;
        }
        let steps = objective.steps();
        let evaluations = match &objective.evaluation {
            None => Evaluations::default(),
            Some(of) => {
                let CorpusSize { examples, mean_length } = *self.corpora.get(&of.data)?;
                Evaluations {
                    // The last step and the snapshots included.
                    count: steps.div_ceil(of.every.max(1)) + objective.snapshots.len() as u64,
                    examples,
                    judged: 0,
                    tokens: Tokens((examples as f64 * mean_length) as u64),
                }
            }
        };
        let (examples, tokens) = (steps * batch, Tokens(tokens as u64));
        Some(PlannedRun { id, settings, steps, examples, tokens, evaluations })
    }
}
