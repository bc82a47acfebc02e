//! Every pretraining run that a report speaks about, done or not, in one fixed order.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::input::{Input, PretrainingInput};
use super::system::parameters;
use crate::store::{Evaluation, Event, Failure, PretrainingObjective, Record, RunId, RunSettings};

/// One pretraining run, with what became of it.
#[derive(Clone, Debug)]
pub(crate) struct PretrainRun<'a> {
    /// Index into [`Input::pretraining`].
    pub(crate) experiment: usize,
    /// Its number among the runs of its experiment, for colour and mark.
    pub(crate) series: usize,
    /// The run's id.
    pub(crate) id: RunId,
    /// What the page calls it: the model's name, with the seed where two runs of a model differ by it.
    pub(crate) label: String,
    /// The name of its place on the page, unique there.
    pub(crate) anchor: String,
    /// What was or would be run.
    pub(crate) settings: &'a RunSettings,
    /// What of that concerns the pretraining.
    pub(crate) objective: &'a PretrainingObjective,
    /// What became of it.
    pub(crate) state: PretrainState<'a>,
    /// Its log; may be empty.
    pub(crate) events: &'a [Event],
}

/// What became of a pretraining run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PretrainState<'a> {
    /// It finished.
    Done(&'a Record),
    /// It ended without a record.
    Failed(&'a Failure),
    /// It has no record: not started, at work, or stopped.
    Missing,
}

/// How many pretraining runs are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct PretrainCounts {
    /// Finished runs.
    pub(crate) done: usize,
    /// Runs that ended without a record.
    pub(crate) failed: usize,
    /// Runs that have begun, and neither finished nor failed.
    pub(crate) begun: usize,
    /// Runs of the plan that have left nothing.
    pub(crate) missing: usize,
}

impl PretrainCounts {
    /// All runs.
    pub(crate) fn total(self) -> usize {
        self.done + self.failed + self.begun + self.missing
    }

    /// What became of these runs.
    pub(crate) fn of<'r, 'a: 'r>(runs: impl Iterator<Item = &'r PretrainRun<'a>>) -> Self {
        let mut counts = Self::default();
        for run in runs {
            match run.state {
                PretrainState::Done(_) => counts.done += 1,
                PretrainState::Failed(_) => counts.failed += 1,
                PretrainState::Missing if run.last_step().is_some() => counts.begun += 1,
                PretrainState::Missing => counts.missing += 1,
            }
        }
        counts
    }
}

impl<'a> PretrainRun<'a> {
    /// The record of a finished run.
    pub(crate) fn record(&self) -> Option<&'a Record> {
        match self.state {
            PretrainState::Done(record) => Some(record),
            PretrainState::Failed(_) | PretrainState::Missing => None,
        }
    }

    /// The last step that is known to be finished.
    pub(crate) fn last_step(&self) -> Option<u64> {
        let logged = self.events.last().map(Event::step);
        self.record().map(|record| record.steps).or(logged)
    }

    /// Every evaluation on held-out text: the record's, else the log's.
    pub(crate) fn evaluations(&self) -> Vec<Evaluation> {
        if let Some(record) = self.record().filter(|record| !record.evaluations.is_empty()) {
            return record.evaluations.clone();
        }
        let evaluation = |event: &Event| match event {
            Event::Evaluation(scores) => Some(scores.clone()),
            Event::Step(_) => None,
        };
        self.events.iter().filter_map(evaluation).collect()
    }

    /// Training tokens a second: the record's, else the mean over the log.
    pub(crate) fn tokens_per_second(&self) -> Option<f64> {
        let speed = |event: &Event| match event {
            Event::Step(step) => Some(step.tokens_per_second).filter(|speed| speed.is_finite()),
            Event::Evaluation(_) => None,
        };
        let logged = || crate::stats::mean(&self.events.iter().filter_map(speed).collect::<Vec<_>>());
        self.record().map(|record| record.timings.tokens_per_second).filter(|speed| speed.is_finite()).or_else(logged)
    }
}

/// The runs by experiment, size, name and seed; and how many records and failures no plan contains, by experiment.
pub(crate) fn collect(input: &Input) -> (Vec<PretrainRun<'_>>, Vec<usize>) {
    let mut runs = Vec::new();
    let mut unplanned = Vec::new();
    for (index, experiment) in input.pretraining.iter().enumerate() {
        let (mut own, left_out) = join(index, experiment);
        own.sort_by_cached_key(|run| {
            let settings = run.settings;
            (parameters(&settings.architecture), settings.model.clone(), settings.seed, run.id.clone())
        });
        let name = |run: &PretrainRun<'_>| run.settings.model.clone();
        let names: Vec<String> = own.iter().map(name).collect();
        for (at, run) in own.iter_mut().enumerate() {
            run.series = at;
            let model = if names[at].is_empty() { &experiment.name } else { &names[at] };
            let bearers = names.iter().filter(|other| **other == names[at]).count();
            run.label = if bearers > 1 { format!("{model}, seed {}", run.settings.seed) } else { model.clone() };
        }
        runs.extend(own);
        unplanned.push(left_out);
    }
    // Two models of one experiment may have the same settings, and then the same id.
    let mut bearers: BTreeMap<RunId, usize> = BTreeMap::new();
    for run in &mut runs {
        let bearer = bearers.entry(run.id.clone()).or_default();
        *bearer += 1;
        let id: String = run.id.0.chars().filter(char::is_ascii_alphanumeric).collect();
        run.anchor = if *bearer == 1 { format!("pretraining-{id}") } else { format!("pretraining-{id}-{bearer}") };
    }
    (runs, unplanned)
}

/// The runs of one experiment, each once, and how many records and failures its plan does not name.
fn join<'a>(index: usize, experiment: &'a PretrainingInput) -> (Vec<PretrainRun<'a>>, usize) {
    let mut left: BTreeMap<(&str, RunId), (&RunSettings, PretrainState<'_>)> = BTreeMap::new();
    for (settings, failure) in &experiment.failures {
        left.insert((&settings.model, settings.id()), (settings, PretrainState::Failed(failure)));
    }
    for record in &experiment.records {
        let settings = &record.settings;
        left.insert((&settings.model, record.id.clone()), (settings, PretrainState::Done(record)));
    }
    let run = |id: RunId, (settings, state): (&'a RunSettings, PretrainState<'a>)| {
        Some(PretrainRun {
            experiment: index,
            series: 0,
            label: String::new(),
            anchor: String::new(),
            settings,
            objective: settings.pretraining()?,
            state,
            events: experiment.curves.get(&id).map_or(&[], Vec::as_slice),
            id,
        })
    };
    if experiment.planned.is_empty() {
        return (left.into_iter().filter_map(|((_, id), found)| run(id, found)).collect(), 0);
    }
    let mut seen = BTreeSet::new();
    let mut runs = Vec::new();
    for settings in &experiment.planned {
        let key = (settings.model.as_str(), settings.id());
        if seen.insert(key.clone()) {
            let found = left.remove(&key).unwrap_or((settings, PretrainState::Missing));
            runs.extend(run(key.1, found));
        }
    }
    (runs, left.len())
}
