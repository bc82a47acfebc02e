//! Every run that a report speaks about, done or not, in one fixed order.

use std::collections::{BTreeMap, BTreeSet};

use super::input::{CurvePoint, ExperimentInput, Input};
use super::system::{self, System};
use crate::store::{Failure, Record, RunId, RunSettings};

/// One run of the plan, with what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Run<'a> {
    /// Index into [`Input::experiments`].
    pub(crate) experiment: usize,
    /// Index into the analysis's systems.
    pub(crate) system: usize,
    /// Index into the analysis's tasks.
    pub(crate) task: usize,
    /// The run's id.
    pub(crate) id: RunId,
    /// The id of its settings without the seed: runs that differ by their seed alone share it.
    pub(crate) point: String,
    /// The name of its place on the page, unique there.
    pub(crate) anchor: String,
    /// What was or would be run.
    pub(crate) settings: &'a RunSettings,
    /// What became of it.
    pub(crate) state: State<'a>,
    /// Its training loss, step by step; may be empty.
    pub(crate) curve: &'a [CurvePoint],
}

/// What became of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum State<'a> {
    /// It finished.
    Done(&'a Record),
    /// It ended without a record.
    Failed(&'a Failure),
    /// It has left nothing: not started, or still running.
    Missing,
}

impl<'a> Run<'a> {
    /// The record of a finished run.
    pub(crate) fn record(&self) -> Option<&'a Record> {
        match self.state {
            State::Done(record) => Some(record),
            State::Failed(_) | State::Missing => None,
        }
    }

    /// `16 × 5e-5 × 3`: batch size, learning rate and epochs.
    pub(crate) fn point_label(&self) -> String {
        point_label(self.settings)
    }
}

/// `16 × 5e-5 × 3`: batch size, learning rate and epochs.
pub(crate) fn point_label(settings: &RunSettings) -> String {
    format!("{} × {:e} × {}", settings.optimization.batch_size, settings.optimization.learning_rate, settings.epochs())
}

/// The id of these settings without their seed.
pub(crate) fn point_key(settings: &RunSettings) -> String {
    RunSettings { seed: 0, ..settings.clone() }.id().0
}

/// A task of one benchmark: the mini benchmark's RTE and GLUE's never share a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The task's name, such as `rte`.
    pub(crate) name: String,
    /// The benchmark, as its records name it; empty when no record tells.
    pub(crate) benchmark: String,
    /// What the page calls it: its name, with the benchmark's where two benchmarks share it.
    pub(crate) label: String,
}

/// The runs, the systems and tasks that they name, and how many records were left out.
pub(crate) struct Collected<'a> {
    /// Ordered by experiment, task, system, batch size, learning rate, epochs and seed.
    pub(crate) runs: Vec<Run<'a>>,
    /// Models, by experiment and size.
    pub(crate) systems: Vec<System>,
    /// Tasks, in the paper's order, others after them.
    pub(crate) tasks: Vec<Task>,
    /// Records and failures that the experiment's plan does not contain, by experiment.
    pub(crate) unplanned: Vec<usize>,
}

/// The order of the GLUE table in Devlin et al. 2018 (table 1), then the tasks that it leaves out.
const TASK_ORDER: [&str; 17] = [
    "mnli",
    "qqp",
    "qnli",
    "sst2",
    "cola",
    "stsb",
    "mrpc",
    "rte",
    "wnli",
    "ax",
    "squad1",
    "squad2",
    "swag",
    "conll2003",
    "msra",
    "weibo",
    "resume",
];

/// A task's name without what writers put between its letters: `SST-2` and `sst2` are one task.
pub(crate) fn plain_task_name(task: &str) -> String {
    task.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Joins plan, records and failures. A run is known by its model, task and id, since two models of one
/// experiment may have the same weights and then the same ids.
pub(crate) fn collect(input: &Input) -> Collected<'_> {
    let mut joined: Vec<(usize, RunId, &RunSettings, State<'_>)> = Vec::new();
    let mut unplanned = Vec::new();
    for (index, experiment) in input.experiments.iter().enumerate() {
        let (runs, left_out) = join(experiment);
        unplanned.push(left_out);
        joined.extend(runs.into_iter().map(|(id, settings, state)| (index, id, settings, state)));
    }
    let benchmarks = Benchmarks::of(input);
    let benchmark = |experiment: usize, settings: &RunSettings| benchmarks.of_task(experiment, settings.task_name());
    let tasks = tasks_of(joined.iter().map(|(at, _, settings, _)| (settings.task_name(), benchmark(*at, settings))));
    let systems = system::collect(input, joined.iter().map(|(experiment, _, settings, _)| (*experiment, *settings)));
    let mut runs: Vec<Run<'_>> = joined
        .into_iter()
        .map(|(experiment, id, settings, state)| Run {
            experiment,
            system: systems.iter().position(|s| s.experiment == experiment && s.model == settings.model).unwrap_or(0),
            task: tasks
                .iter()
                .position(|task| task.name == settings.task_name() && task.benchmark == benchmark(experiment, settings))
                .unwrap_or(0),
            point: point_key(settings),
            anchor: String::new(),
            curve: input.experiments[experiment].curves.get(&id).map_or(&[], Vec::as_slice),
            id,
            settings,
            state,
        })
        .collect();
    runs.sort_by(|a, b| {
        let key = |run: &Run<'_>| (run.experiment, run.task, run.system, run.settings.optimization.batch_size);
        key(a)
            .cmp(&key(b))
            .then(a.settings.optimization.learning_rate.total_cmp(&b.settings.optimization.learning_rate))
            .then(a.settings.epochs().cmp(&b.settings.epochs()))
            .then(a.settings.seed.cmp(&b.settings.seed))
            .then(a.id.cmp(&b.id))
    });
    name_anchors(&mut runs);
    Collected { runs, systems, tasks, unplanned }
}

type Joined<'a> = Vec<(RunId, &'a RunSettings, State<'a>)>;

/// The runs of one experiment, each once, and how many records and failures its plan does not name.
fn join(experiment: &ExperimentInput) -> (Joined<'_>, usize) {
    let mut left: BTreeMap<(&str, &str, RunId), (&RunSettings, State<'_>)> = BTreeMap::new();
    for (settings, failure) in &experiment.failures {
        left.insert((settings.task_name(), &settings.model, settings.id()), (settings, State::Failed(failure)));
    }
    for record in &experiment.records {
        let settings = &record.settings;
        left.insert((settings.task_name(), &settings.model, record.id.clone()), (settings, State::Done(record)));
    }
    if experiment.planned.is_empty() {
        return (left.into_iter().map(|((_, _, id), (settings, state))| (id, settings, state)).collect(), 0);
    }
    let mut seen = BTreeSet::new();
    let mut runs = Vec::new();
    for settings in &experiment.planned {
        let key = (settings.task_name(), settings.model.as_str(), settings.id());
        if seen.insert(key.clone()) {
            let (settings, state) = left.remove(&key).unwrap_or((settings, State::Missing));
            runs.push((key.2, settings, state));
        }
    }
    (runs, left.len())
}

/// Which benchmark a run without a record belongs to: that of its task's records in the same
/// experiment, else that of the experiment's first record.
struct Benchmarks<'a> {
    by_task: BTreeMap<(usize, &'a str), &'a str>,
    by_experiment: BTreeMap<usize, &'a str>,
}

impl<'a> Benchmarks<'a> {
    fn of(input: &'a Input) -> Self {
        let mut found = Self { by_task: BTreeMap::new(), by_experiment: BTreeMap::new() };
        for (index, experiment) in input.experiments.iter().enumerate() {
            for record in &experiment.records {
                let Some(of) = record.task() else { continue };
                let name = of.benchmark.as_str();
                // The least name, not the first: the order of the records must not show.
                let by_task = found.by_task.entry((index, record.settings.task_name())).or_insert(name);
                *by_task = name.min(by_task);
                let by_experiment = found.by_experiment.entry(index).or_insert(name);
                *by_experiment = name.min(by_experiment);
            }
        }
        found
    }

    fn of_task(&self, experiment: usize, task: &str) -> &'a str {
        let of_task = self.by_task.get(&(experiment, task));
        of_task.or_else(|| self.by_experiment.get(&experiment)).copied().unwrap_or_default()
    }
}

fn tasks_of<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Task> {
    let rank = |task: &str| {
        let plain = plain_task_name(task);
        TASK_ORDER.iter().position(|known| *known == plain).unwrap_or(TASK_ORDER.len())
    };
    let mut found: Vec<(&str, &str)> = names.collect::<BTreeSet<_>>().into_iter().collect();
    found.sort_by_key(|(task, _)| rank(task));
    let shared = |name: &str| found.iter().filter(|(other, _)| *other == name).count() > 1;
    found
        .iter()
        .map(|(name, benchmark)| Task {
            name: (*name).to_owned(),
            benchmark: (*benchmark).to_owned(),
            label: match (shared(name), benchmark.is_empty()) {
                (false, _) => (*name).to_owned(),
                (true, false) => format!("{name} ({benchmark})"),
                (true, true) => format!("{name} (benchmark not known)"),
            },
        })
        .collect()
}

/// Ids are unique within a model's folder only, so a second bearer of an id gets a number.
fn name_anchors(runs: &mut [Run<'_>]) {
    let mut bearers: BTreeMap<RunId, usize> = BTreeMap::new();
    for run in runs {
        let bearer = bearers.entry(run.id.clone()).or_default();
        *bearer += 1;
        let id: String = run.id.0.chars().filter(char::is_ascii_alphanumeric).collect();
        run.anchor = if *bearer == 1 { format!("run-{id}") } else { format!("run-{id}-{bearer}") };
    }
}
