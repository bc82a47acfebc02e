//! Every run that a report speaks about, done or not, in one fixed order.

use std::collections::{BTreeMap, BTreeSet};

use super::file_name::{UniqueNames, file_name};
use super::input::{ExperimentInput, Input};
use super::phrase::grouped;
use super::system::{self, System};
use super::task::{Benchmarks, Task, data_of, tasks_of};
use crate::stats;
use crate::store::{Evaluation, Event, Failure, Record, RunId, RunSettings, StepEvent};

/// One run of the plan, whatever its objective, with what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Run<'a> {
    /// Index into [`Input::experiments`].
    pub(crate) experiment: usize,
    /// Its model's number, for colour and mark: the index into the analysis's systems, or of a pretraining run its number
    /// among those of its experiment.
    pub(crate) system: usize,
    /// Index into the analysis's tasks; a run that pretrains has none.
    pub(crate) task: Option<usize>,
    pub(crate) id: RunId,
    /// The id of its settings without the seed: runs that differ by their seed alone share it.
    pub(crate) point: String,
    /// What the page calls its model: the system's label; of pretraining, with the seed where two runs of a model differ
    /// by it.
    pub(crate) label: String,
    /// The name of its place on the page, unique there.
    pub(crate) anchor: String,
    /// The page beside the report that has it, where a report has more runs than one page should.
    pub(crate) page: Option<String>,
    /// What was or would be run.
    pub(crate) settings: &'a RunSettings,
    pub(crate) state: State<'a>,
    /// Its log; may be empty.
    pub(crate) events: &'a [Event],
}

/// What became of a run.
#[derive(Clone, Copy, Debug)]
pub enum State<'a> {
    /// It finished.
    Done(&'a Record),
    /// It ended without a record.
    Failed(&'a Failure),
    /// It has no record: not started, at work, or stopped.
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

    /// What became of it, in a word.
    pub(crate) fn state_name(&self) -> &'static str {
        match self.state {
            State::Done(_) => "done",
            State::Failed(_) => "failed",
            State::Missing if self.last_step().is_some() => "not finished",
            State::Missing => "not run",
        }
    }

    /// The last step that is known to be finished.
    pub(crate) fn last_step(&self) -> Option<u64> {
        let logged = self.events.last().map(Event::step);
        self.record().map(|record| record.steps).or(logged)
    }

    /// Every evaluation: the record's, else the log's.
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

    /// The optimisation steps of its log.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &'a StepEvent> {
        self.events.iter().filter_map(|event| match event {
            Event::Step(step) => Some(step),
            Event::Evaluation(_) => None,
        })
    }

    /// Training tokens per second: the record's, else the mean over the log.
    pub(crate) fn tokens_per_second(&self) -> Option<f64> {
        let speeds =
            || self.steps().map(|step| step.tokens_per_second).filter(|speed| speed.is_finite()).collect::<Vec<_>>();
        let recorded = self.record().map(|record| record.timings.tokens_per_second).filter(|speed| speed.is_finite());
        recorded.or_else(|| stats::mean(&speeds()))
    }

    /// The link from the report to everything about it.
    pub(crate) fn link(&self) -> String {
        format!("{}#{}", self.page.as_deref().unwrap_or_default(), self.anchor)
    }
}

/// `16 × 5e-5 × 3`: batch size, learning rate and epochs, or of pretraining steps.
pub(crate) fn point_label(settings: &RunSettings) -> String {
    let of = &settings.optimization;
    let length = settings.pretraining().map_or_else(|| settings.epochs().to_string(), |p| grouped(p.steps()));
    format!("{} × {:e} × {length}", of.batch_size, of.learning_rate)
}

/// The id of these settings without their seed.
pub(crate) fn point_key(settings: &RunSettings) -> String {
    RunSettings { seed: 0, ..settings.clone() }.id().0
}

/// Reports of more runs have pages for them: each run takes some 3 kB, and a page should open at once.
const RUNS_ON_A_PAGE: usize = 250;

/// The runs, the systems and tasks that they name, and how many records were left out, as the analysis has them.
pub(crate) struct Collected<'a> {
    pub(crate) runs: Vec<Run<'a>>,
    pub(crate) pretraining: Vec<Run<'a>>,
    pub(crate) systems: Vec<System>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) unplanned: Vec<usize>,
}

/// A task's name without what writers put between its letters: `SST-2` and `sst2` are one task.
pub(crate) fn plain_task_name(task: &str) -> String {
    task.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Joins plan, records and failures. A run is known by its model, task and id, since two models of one
/// experiment may have the same weights and then the same ids.
pub(crate) fn collect(input: &Input) -> Collected<'_> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut unplanned = Vec::new();
    for (index, experiment) in input.experiments.iter().enumerate() {
        let (joined, left_out) = join(experiment);
        unplanned.push(left_out);
        runs.extend(joined.into_iter().map(|(id, settings, state)| Run {
            experiment: index,
            system: 0,
            task: None,
            point: point_key(settings),
            label: String::new(),
            anchor: String::new(),
            page: None,
            events: experiment.events.get(&id).map_or(&[], Vec::as_slice),
            id,
            settings,
            state,
        }));
    }
    let (mut runs, mut pretraining): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.settings.task().is_some());
    let benchmarks = Benchmarks::of(input);
    let benchmark = |run: &Run<'_>| benchmarks.of_run(run.experiment, run.settings);
    let tasks =
        tasks_of(input, runs.iter().map(|run| (run.settings.task_name(), benchmark(run), data_of(run.settings))));
    let systems = system::collect(input, runs.iter().map(|run| (run.experiment, run.settings)));
    for run in &mut runs {
        let is_system = |of: &System| of.experiment == run.experiment && of.model == run.settings.model;
        let is_task = |of: &Task| of.is_of(run.settings, benchmark(run));
        run.task = tasks.iter().position(is_task);
        run.system = systems.iter().position(is_system).unwrap_or(0);
        run.label.clone_from(&systems[run.system].label);
    }
    sort(&mut runs);
    label_pretraining(input, &mut pretraining);
    name_anchors(runs.iter_mut().chain(&mut pretraining));
    if runs.len() + pretraining.len() > RUNS_ON_A_PAGE {
        name_pages(runs.iter_mut().chain(&mut pretraining), &tasks);
    }
    Collected { runs, pretraining, systems, tasks, unplanned }
}

fn sort(runs: &mut [Run<'_>]) {
    runs.sort_by(|a, b| {
        let place = |run: &Run<'_>| (run.experiment, run.task, run.system, run.settings.optimization.batch_size);
        let last = |run: &Run<'_>| (run.settings.epochs(), run.settings.seed);
        let rate = |run: &Run<'_>| run.settings.optimization.learning_rate;
        let order = place(a).cmp(&place(b)).then(rate(a).total_cmp(&rate(b)));
        order.then(last(a).cmp(&last(b))).then(a.id.cmp(&b.id))
    });
}

/// Orders the runs that pretrain, and numbers and names them in their experiment.
fn label_pretraining(input: &Input, runs: &mut [Run<'_>]) {
    runs.sort_by_cached_key(|run| {
        let settings = run.settings;
        let size = settings.architecture.parameters();
        (run.experiment, size, settings.model.clone(), settings.seed, run.id.clone())
    });
    let names: Vec<(usize, &str)> = runs.iter().map(|run| (run.experiment, run.settings.model.as_str())).collect();
    for (at, run) in runs.iter_mut().enumerate() {
        let same_name = names.iter().filter(|name| **name == names[at]).count();
        let model = if names[at].1.is_empty() { &input.experiments[run.experiment].name } else { names[at].1 };
        run.system = names[..at].iter().filter(|(experiment, _)| *experiment == run.experiment).count();
        run.label = if same_name > 1 { format!("{model}, seed {}", run.settings.seed) } else { model.to_owned() };
    }
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

/// Ids are unique within a model's folder only, so a second use of an id gets a number.
fn name_anchors<'r, 'a: 'r>(runs: impl Iterator<Item = &'r mut Run<'a>>) {
    let mut anchors = UniqueNames::default();
    for run in runs {
        let id: String = run.id.0.chars().filter(char::is_ascii_alphanumeric).collect();
        run.anchor = anchors.next(format!("run-{id}"), "-");
    }
}

/// The runs of a model on a task share a page.
fn name_pages<'r, 'a: 'r>(runs: impl Iterator<Item = &'r mut Run<'a>>, tasks: &[Task]) {
    let mut pages: BTreeMap<(Option<usize>, String), String> = BTreeMap::new();
    let mut names = UniqueNames::default();
    for run in runs {
        let page = pages.entry((run.task, run.label.clone())).or_insert_with(|| {
            let task = run.task.map_or("pretraining", |task| &tasks[task].label);
            let name = format!("{}--{}", file_name(&[task]), file_name(&[&run.label]));
            format!("runs/{}.html", names.next(name, "__"))
        });
        run.page = Some(page.clone());
    }
}
