//! What a report is made from.

use std::collections::{BTreeMap, BTreeSet};

use super::predictions::Predictions;
use crate::store::{Answers, EncoderSpeed, Event, Examples, Failure, Record, RunId, RunSettings};

/// Everything that one report shows. The report is a pure function of this value.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The page's title.
    pub title: String,
    /// The experiments in the order in which the user named them, and those whose models they start from.
    pub experiments: Vec<ExperimentInput>,
}

impl Input {
    /// Whether a planned run has neither a record nor failed.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.experiments.iter().any(|experiment| {
            let failed = experiment.failures.iter().map(|(settings, _)| settings.id());
            let ended: BTreeSet<RunId> = experiment.records.iter().map(|of| of.id.clone()).chain(failed).collect();
            experiment.planned.iter().any(|settings| !ended.contains(&settings.id()))
        })
    }
}

/// One experiment: its plan, when that is at hand, and what its runs left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExperimentInput {
    /// The experiment's name.
    pub name: String,
    /// The experiment file as the user named it, for the commands that reproduce the report. When it
    /// is not known, the page says `experiments/NAME.yaml`.
    pub file: Option<String>,
    /// What the runs were asked for with besides the file, in words of the shell: `--set` arguments and flags.
    pub options: Vec<String>,
    /// Every run of the plan. Empty when only a copy of the runs folder exists; the report then says
    /// that it cannot know what is missing.
    pub planned: Vec<RunSettings>,
    /// The records of complete runs.
    pub records: Vec<Record>,
    /// Runs that did not finish. One that also has a record counts as done.
    pub failures: Vec<(RunSettings, Failure)>,
    /// The log of each run, in the order of its steps, of those at work or failed too.
    pub events: BTreeMap<RunId, Vec<Event>>,
    /// Runs that somebody works on, where that was looked at ([`add_at_work()`](super::add_at_work())).
    pub at_work: BTreeSet<RunId>,
    /// What runs answered to each example of the primary dev split, of as many runs as statistics on examples need
    /// ([`add_answers()`](super::add_answers())).
    pub answers: BTreeMap<RunId, Answers>,
    /// What the best runs of two models that are compared predicted, beyond their answers.
    pub predictions: BTreeMap<RunId, Predictions>,
    /// The texts of the dev splits that those runs answered, by
    /// [`examples_name()`](crate::store::examples_name()).
    pub examples: BTreeMap<String, Examples>,
    /// How fast encoders are on this machine, if that was measured (`bertbench bench encoders`).
    pub encoder_speed: Option<EncoderSpeed>,
    /// What could not be read, or was left out, and why.
    pub notes: Vec<String>,
}
