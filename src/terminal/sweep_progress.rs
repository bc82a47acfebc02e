//! What `run` shows: on a terminal a bar for the sweep and one for each slot, elsewhere a line per run.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::log_lines;
use super::streams::say;
use super::table::wrapped;
use crate::diagnostic::in_one_line;
use crate::exec::{Job, Observer, Phase, Progress, Report, Summary};
use crate::store::{Event, Failure, Holder, Record, RunId, RunSettings, RunState, StoreError};
use crate::units::Seconds;

/// An observer that shows what it is told on standard error.
pub(crate) struct SweepDisplay {
    bars: Option<Bars>,
    work: BTreeMap<RunId, f64>,
    total_work: f64,
    work_before: f64,
    work_done: f64,
    runs: usize,
    settled: usize,
    started: Instant,
    /// Whether the logs of runs are shown.
    shows_log: bool,
    /// How many runs said each note.
    notes: BTreeMap<String, usize>,
    /// The step of the last checkpoint.
    pub(crate) saved: u64,
}

struct Bars {
    all: MultiProgress,
    sweep: ProgressBar,
    slots: BTreeMap<usize, ProgressBar>,
}

impl SweepDisplay {
    /// A display for a sweep; `work` is how much each run is, in any unit.
    pub(crate) fn new(experiment: &str, work: BTreeMap<RunId, f64>, shows_log: bool) -> Self {
        let (runs, total_work) = (work.len(), work.values().sum());
        Self {
            bars: std::io::stderr().is_terminal().then(|| Bars::new(experiment, runs)),
            work,
            total_work,
            work_before: 0.0,
            work_done: 0.0,
            runs,
            settled: 0,
            started: Instant::now(),
            shows_log,
            notes: BTreeMap::new(),
            saved: 0,
        }
    }

    /// A line that stays.
    fn say(&self, line: &str) {
        match &self.bars {
            // A terminal that cannot be written to shows nothing; the run goes on.
            Some(bars) => drop(bars.all.println(in_one_line(line))),
            None => say(&line),
        }
    }

    /// What became of a run, with how many have their results, in lines that fit the terminal.
    fn tell(&self, what: &str) {
        let line = format!("[{}/{}] {}", self.settled, self.runs, in_one_line(what));
        wrapped(&line, 4).lines().for_each(|line| self.say(line));
    }

    /// Counts a run that has its result, and says how long the rest will take.
    fn settle(&mut self, job: &Job, worked: bool) {
        self.settled += 1;
        let work = self.work.get(&job.id).copied().unwrap_or(0.0);
        if worked {
            self.work_done += work;
        } else {
            self.work_before += work;
        }
        if let Some(bars) = &self.bars {
            bars.sweep.set_position(self.settled as u64);
            let left = self.total_work - self.work_before - self.work_done;
            let speed = self.work_done / self.started.elapsed().as_secs_f64();
            if self.settled == self.runs {
                bars.sweep.set_message("");
            } else if speed > 0.0 {
                bars.sweep.set_message(format!(", about {} left", Seconds(left / speed)));
            }
        }
    }

    fn free(&self, slot: usize) {
        if let Some(bar) = self.bars.as_ref().and_then(|bars| bars.slots.get(&slot)) {
            bar.set_length(1);
            bar.set_position(0);
            bar.set_message("");
        }
    }
}

impl Bars {
    fn new(experiment: &str, runs: usize) -> Self {
        let all = MultiProgress::new();
        let sweep = all.add(ProgressBar::new(runs as u64));
        sweep.set_style(bar_style("{prefix:>12} [{bar:20}] {pos}/{len} runs, {elapsed}{wide_msg}"));
        sweep.set_prefix(experiment.to_owned());
        sweep.enable_steady_tick(std::time::Duration::from_secs(1));
        Self { all, sweep, slots: BTreeMap::new() }
    }

    fn slot(&mut self, slot: usize) -> &ProgressBar {
        self.slots.entry(slot).or_insert_with(|| {
            // An empty bar: one of no steps is drawn full.
            let bar = self.all.add(ProgressBar::new(1));
            bar.set_style(bar_style("{prefix:>12} [{bar:12}] {wide_msg}"));
            bar.set_prefix(format!("slot {}", slot + 1));
            bar
        })
    }
}

/// The style of a template; a default one should the template be wrong.
pub(crate) fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━ ")
}

/// A run in a few words.
fn words(job: &Job) -> String {
    let RunSettings { model, seed, optimization: of, .. } = &job.settings;
    match job.settings.task() {
        Some(task) => format!(
            "{} {model} batch {} rate {:e} epochs {} seed {seed}",
            task.task, of.batch_size, of.learning_rate, task.epochs
        ),
        None => format!("pretraining {} {model} seed {seed}", job.experiment),
    }
}

/// What a run that is done is judged by, and how long it took.
fn result(record: &Record) -> String {
    let metric = record.primary_metric();
    let score = match (record.primary_score(), record.task()) {
        (Some(score), Some(_)) => format!("{metric} {score:.4}"),
        (None, Some(_)) => format!("{metric} undefined"),
        (Some(score), None) => format!("{metric} {score:.2}"),
        (None, None) => "done".to_owned(),
    };
    format!("{score} in {}", record.timings.wall)
}

impl Observer for SweepDisplay {
    fn started(&mut self, total: usize, already_done: usize, failed_before: usize) {
        self.settled = already_done;
        if let Some(bars) = &self.bars {
            bars.sweep.set_position(already_done as u64);
        }
        if already_done + failed_before > 0 {
            self.say(&format!("{total} runs: {already_done} are done, {failed_before} failed before"));
        }
    }

    fn record_kept_aside(&mut self, job: &Job, damage: &StoreError, aside: &Path) {
        self.say(&format!("note: {damage}; it is kept in {}, and {} runs again", aside.display(), words(job)));
    }

    fn job_started(&mut self, slot: usize, job: &Job) {
        if let Some(bars) = &mut self.bars {
            let bar = bars.slot(slot);
            bar.reset();
            bar.set_length(1);
            bar.set_message(format!("starting {}", words(job)));
        }
    }

    fn progress(&mut self, slot: usize, job: &Job, progress: Progress) {
        let Some(bars) = &mut self.bars else { return };
        let bar = bars.slot(slot);
        bar.set_length(progress.steps.max(1));
        bar.set_position(progress.step);
        let loss = progress.loss.map_or_else(|| "–".to_owned(), |loss| format!("{loss:.4}"));
        let doing = match progress.phase {
            Phase::Setup => "setup".to_owned(),
            Phase::Training => {
                let left = Seconds(bar.eta().as_secs_f64());
                format!("{left} left, loss {loss}, {:.0} tokens/s", progress.tokens_per_second)
            }
            Phase::Evaluation => format!("loss {loss}, evaluated"),
            Phase::Saving => "saving".to_owned(),
        };
        let (step, steps) = (progress.step, progress.steps);
        // What changes comes first: what does not fit the terminal is cut off.
        bar.set_message(format!("{step}/{steps}, {doing}: {}", words(job)));
    }

    fn report(&mut self, job: &Job, report: &Report) {
        if let Report::Saved(step) | Report::Resumed { step, .. } = report {
            self.saved = *step;
        }
        match (report, job.settings.pretraining()) {
            (Report::Note(text), _) if self.shows_log => self.say(&format!("note: {text}")),
            (Report::Note(text), _) => {
                let times = self.notes.entry(text.clone()).or_default();
                *times += 1;
                if *times == 1 {
                    self.say(&format!("note: {}: {text}", words(job)));
                }
            }
            (Report::Logged(Event::Step(event)), Some(of)) if self.shows_log && self.bars.is_none() => {
                self.say(&log_lines::step(event, of));
            }
            (Report::Logged(Event::Evaluation(scores)), Some(of)) if self.shows_log => {
                self.say(&log_lines::evaluation(scores, of));
            }
            (Report::Resumed { step, steps }, _) if self.shows_log => {
                self.say(&format!("resuming after step {step} of {steps}"));
            }
            (Report::Saved(step), _) if self.shows_log && self.bars.is_none() => {
                self.say(&format!("checkpoint after step {step}"));
            }
            _ => {}
        }
    }

    fn job_finished(&mut self, slot: usize, job: &Job, record: &Record) {
        self.settle(job, true);
        self.free(slot);
        self.tell(&format!("{}: {}", words(job), result(record)));
    }

    fn job_blocked(&mut self, job: &Job) {
        self.settle(job, false);
        self.tell(&format!("{}: not run: the pretraining that it starts from is not done", words(job)));
    }

    fn job_failed(&mut self, slot: usize, job: &Job, failure: &Failure) {
        self.settle(job, true);
        self.free(slot);
        self.tell(&format!("{}: failed: {}: {}", words(job), failure.kind, failure.cause));
    }

    fn job_abandoned(&mut self, slot: usize, job: &Job) {
        self.free(slot);
        self.say(&format!("{}: interrupted, still missing", words(job)));
    }

    fn job_finished_elsewhere(&mut self, job: &Job, state: &RunState) {
        self.settle(job, false);
        self.tell(&format!("{}: {}, by another process", words(job), state.word()));
    }

    fn waiting_for_others(&mut self, jobs: usize, holder: &Holder) {
        let Holder { by, file, .. } = holder;
        self.say(&format!("waiting for {jobs} runs of other processes: {by} ({})", file.display()));
    }

    fn claim_taken_over(&mut self, job: &Job, from: &Holder) {
        let Holder { by, file, .. } = from;
        self.say(&format!(
            "note: {} is taken over from {by} ({}), which gives no sign of life",
            words(job),
            file.display()
        ));
    }

    fn worker_was_stopped(&mut self, slot: usize, job: &Job) {
        self.free(slot);
        self.say(&format!(
            "note: the worker of {} was stopped (SIGSTOP): it is ended, and the run starts again",
            words(job)
        ));
    }

    fn disk_full(&mut self, cause: &str) {
        self.say(&format!("error: the disk is full: {cause}\nhint: no more runs are started; the same command goes on when there is space"));
    }

    fn finished(&mut self, _: &Summary) {
        if let Some(bars) = &self.bars {
            bars.sweep.finish_and_clear();
            bars.slots.values().for_each(ProgressBar::finish_and_clear);
        }
        for (text, times) in self.notes.iter().filter(|(_, times)| **times > 1) {
            self.say(&format!("note: in {times} runs: {text}"));
        }
    }
}
