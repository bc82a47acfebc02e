//! One executor: order, slots, failures, stops.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use bertbench::exec::{ExecError, Job, Local, Observer, Options, Progress, Silent, StopFlag, Summary, WorkerCommand};
use bertbench::store::{Failure, Record, RunState, RunsRoot};

use super::fake::{
    DEVICE, assert_each_done_once, completed, execute, execute_with, executor, leader, left_overs, workers,
};
use super::jobs::{EXPERIMENT, after, fine_jobs, job, pretraining_job, score, settings};

/// Writes down what it is told, and stops the sweep when it has heard `stop_after`.
#[derive(Default)]
struct Diary {
    lines: Vec<String>,
    progress: Vec<Progress>,
    /// Of each run.
    slots: BTreeMap<String, usize>,
    stop_after: Option<(&'static str, StopFlag)>,
}

impl Diary {
    fn note(&mut self, line: String) {
        if let Some((prefix, stop)) = &self.stop_after
            && line.starts_with(prefix)
            && !stop.is_set()
        {
            stop.request();
        }
        self.lines.push(line);
    }
}

/// The seed of a run on a task, the model of a pretraining.
fn name(job: &Job) -> String {
    let settings = &job.settings;
    if settings.pretraining().is_some() { settings.model.clone() } else { settings.seed.to_string() }
}

impl Observer for Diary {
    fn started(&mut self, total: usize, already_done: usize, failed_before: usize) {
        self.note(format!("started {total} {already_done} {failed_before}"));
    }
    fn job_started(&mut self, slot: usize, job: &Job) {
        self.slots.insert(name(job), slot);
        self.note(format!("begin {}", name(job)));
    }
    fn job_blocked(&mut self, job: &Job) {
        self.note(format!("blocked {}", settings(job).seed));
    }
    fn progress(&mut self, _slot: usize, _job: &Job, progress: Progress) {
        if let Some((prefix, stop)) = &self.stop_after
            && format!("at step {}", progress.step) == *prefix
            && !stop.is_set()
        {
            stop.request();
        }
        self.progress.push(progress);
    }
    fn job_finished(&mut self, _slot: usize, job: &Job, record: &Record) {
        if record.task().is_some() {
            assert_eq!(record.primary_score(), Some(score(job)));
        }
        self.note(format!("end {}", name(job)));
    }
    fn job_failed(&mut self, _slot: usize, job: &Job, failure: &Failure) {
        self.note(format!("failed {} {}", job.settings.task_name(), failure.kind));
    }
    fn job_abandoned(&mut self, _slot: usize, job: &Job) {
        self.note(format!("abandoned {}", settings(job).seed));
    }
    fn finished(&mut self, summary: &Summary) {
        self.note(format!("finished {}", summary.done));
    }
}

#[test]
fn every_job_is_done_once_and_a_second_start_does_nothing() {
    for slots in [1, 3] {
        let disk = tempfile::tempdir().unwrap();
        let jobs = fine_jobs(12, 2, 5);
        let done = execute(disk.path(), jobs.clone(), slots);
        assert_eq!(done, Summary { done: 12, ..Summary::default() });
        assert_each_done_once(disk.path(), &jobs);
        assert_eq!(completed(disk.path()).len(), 12);
        let again = execute(disk.path(), jobs.clone(), slots);
        assert_eq!(again, Summary { skipped: 12, ..Summary::default() });
        assert_each_done_once(disk.path(), &jobs);

        let root = RunsRoot::new(disk.path());
        let kept = jobs.iter().filter(|job| job.folder(&root).unwrap().model_folder().exists());
        assert_eq!(kept.map(|job| settings(job).seed).collect::<Vec<_>>(), [7], "the best run's weights");
    }
}

#[test]
fn the_longest_goes_first_and_the_observer_hears_everything_in_order() {
    let disk = tempfile::tempdir().unwrap();
    let jobs: Vec<Job> = [(1, 2), (2, 6), (3, 4)].map(|(seed, steps)| job("fine", seed, steps, 10)).into();
    let mut diary = Diary::default();
    execute_with(disk.path(), jobs, 1, Options::default(), &mut diary);
    let expected = ["started 3 0 0", "begin 2", "end 2", "begin 3", "end 3", "begin 1", "end 1", "finished 3"];
    assert_eq!(diary.lines, expected);
    let first = diary.progress[0];
    assert_eq!((first.step, first.steps, first.loss), (1, 6, None), "an infinite loss cannot be sent");
    assert!(first.tokens_per_second.abs() < f64::EPSILON);
    assert!(diary.progress.len() < 12, "progress is throttled: {}", diary.progress.len());
}

/// Task and what its failure says.
const FAILING: [(&str, &str, &str); 9] = [
    ("panics", "panic", "index out of bounds, pretended at tests/exec_processes/fake.rs:"),
    ("panics-in-a-thread", "panic", "deep down at tests/exec_processes/fake.rs:"),
    ("aborts", "killed", "the worker process ended with SIGABRT"),
    ("hungry", "out_of_memory", "memory allocation of 9223372036854775807 bytes failed (SIGABRT)"),
    ("killed", "killed", "the worker process ended with SIGKILL"),
    ("exits", "error", "the worker process ended with exit code 7"),
    ("diverges", "diverged", "loss is NaN at step 2"),
    ("loses-its-device", "device", "the device failed: lost"),
    ("has-a-full-device", "out_of_memory", "Out of Memory, pretended at tests/exec_processes/fake.rs:"),
];

#[test]
fn failures_are_recorded_with_their_cause_and_the_others_are_done() {
    let disk = tempfile::tempdir().unwrap();
    let root = RunsRoot::new(disk.path());
    let failing = FAILING.map(|(task, ..)| job(task, 1, 3, 5));
    let fine = fine_jobs(8, 3, 5);
    let all: Vec<Job> = failing.iter().chain(&fine).cloned().collect();
    let summary = execute(disk.path(), all.clone(), 2);
    assert_eq!(summary, Summary { done: 8, failed: 9, ..Summary::default() });
    for (job, (task, kind, cause)) in failing.iter().zip(FAILING) {
        let folder = job.folder(&root).unwrap();
        let RunState::Failed(failure) = folder.state().unwrap() else { panic!("{task} has not failed") };
        assert_eq!(failure.kind, kind, "{task}: {}", failure.cause);
        assert!(failure.cause.starts_with(cause), "{task}: {}", failure.cause);
        assert_eq!(folder.events().unwrap().len(), 2, "{task}: what happened before is kept");
    }
    let panic_log = fs::read_to_string(failing[0].folder(&root).unwrap().path().join("log.txt")).unwrap();
    assert!(panic_log.contains("] panic: index out of bounds, pretended at "), "{panic_log}");
    let hungry_log = fs::read_to_string(failing[3].folder(&root).unwrap().path().join("log.txt")).unwrap();
    assert!(hungry_log.contains("] memory allocation of 9223372036854775807 bytes failed"), "{hungry_log}");
    assert_eq!(root.failures(EXPERIMENT).unwrap().len(), 9);
    assert_eq!(root.folders(EXPERIMENT).unwrap().iter().filter(|folder| folder.is_done()).count(), 8);

    let mut diary = Diary::default();
    let again = execute_with(disk.path(), all.clone(), 2, Options::default(), &mut diary);
    assert_eq!(again, Summary { skipped: 8, failed: 9, ..Summary::default() });
    assert_eq!(diary.lines, ["started 17 8 9", "finished 0"]);

    let mut diary = Diary::default();
    let options = Options { retry_failed: true, ..Options::default() };
    let again = execute_with(disk.path(), all, 2, options, &mut diary);
    assert_eq!(again, Summary { skipped: 8, failed: 9, ..Summary::default() });
    assert_eq!(diary.lines.iter().filter(|line| line.starts_with("begin")).count(), 9, "each tried once more");
    assert_each_done_once(disk.path(), &fine);
}

/// A process whose device was lost, or that panicked, is in an unknown state.
#[test]
fn a_worker_whose_device_failed_is_replaced_and_the_sweep_goes_on() {
    for (task, replaced) in
        [("loses-its-device", true), ("has-a-full-device", true), ("panics", true), ("diverges", false)]
    {
        let disk = tempfile::tempdir().unwrap();
        // The longest first.
        let summary = execute(disk.path(), vec![job(task, 1, 9, 1), job("fine", 2, 2, 1)], 1);
        assert_eq!(summary, Summary { done: 1, failed: 1, ..Summary::default() });
        let processes = workers(disk.path());
        assert_eq!(processes.len(), 2);
        assert_eq!(processes[0] != processes[1], replaced, "{task}: {processes:?}");
    }
}

/// Slots have the workers of their numbers: with two devices each of them does runs.
#[test]
fn every_slot_has_a_worker_of_its_own_device() {
    let disk = tempfile::tempdir().unwrap();
    let mut local = executor(3);
    let mut second = local.workers[0].clone();
    second.environment.push((DEVICE.into(), "second".into()));
    local.workers.push(second);
    let jobs: Vec<Job> = (1..10).map(|seed| job("fine", seed, 4, 20)).collect();
    let stop = StopFlag::default();
    let root = RunsRoot::new(disk.path());
    let mut diary = Diary::default();
    let summary = local.execute(&root, jobs.clone(), Options::default(), &mut diary, &stop).unwrap();
    assert_eq!(summary, Summary { done: 9, ..Summary::default() });
    let mut of_slot = vec![0; 3];
    for job in &jobs {
        let slot = diary.slots[&name(job)];
        of_slot[slot] += 1;
        // There is none where nothing was logged.
        let log = fs::read_to_string(job.folder(&root).unwrap().path().join("log.txt")).unwrap_or_default();
        assert_eq!(log.contains("on the second device"), slot == 1, "slot {slot}: {log}");
    }
    assert!(of_slot.iter().all(|runs| *runs > 0), "{of_slot:?}");
}

#[test]
fn fail_fast_leaves_the_rest_missing() {
    let disk = tempfile::tempdir().unwrap();
    let mut jobs = fine_jobs(6, 3, 5);
    jobs.push(job("diverges", 1, 50, 5));
    let options = Options { fail_fast: true, ..Options::default() };
    let summary = execute_with(disk.path(), jobs, 1, options, &mut Silent);
    assert_eq!(summary, Summary { failed: 1, interrupted: 6, ..Summary::default() });
    let left = RunsRoot::new(disk.path()).folders(EXPERIMENT).unwrap();
    assert!(left.iter().all(|folder| folder.record().unwrap().is_none()));
}

#[test]
fn a_stop_leaves_missing_runs_missing_and_a_second_start_goes_on() {
    let disk = tempfile::tempdir().unwrap();
    let root = RunsRoot::new(disk.path());
    let jobs = fine_jobs(10, 20, 5);
    let stop = StopFlag::default();
    let mut diary = Diary { stop_after: Some(("end", stop.clone())), ..Diary::default() };
    let summary = executor(2).execute(&root, jobs.clone(), Options::default(), &mut diary, &stop).unwrap();
    assert!((1..=2).contains(&summary.done), "{summary:?}");
    assert_eq!((summary.failed, summary.done + summary.interrupted), (0, 10));
    for job in &jobs {
        let state = job.folder(&root).unwrap().state().unwrap();
        assert!(matches!(state, RunState::Done | RunState::Missing), "{state:?}");
    }
    assert_eq!(left_overs(disk.path()), [] as [std::path::PathBuf; 0]);
    let rest = execute(disk.path(), jobs.clone(), 2);
    assert_eq!((rest.done, rest.skipped), (10 - summary.done, summary.done));
    assert_each_done_once(disk.path(), &jobs);
}

#[test]
fn a_worker_that_is_killed_because_it_did_not_stop_in_time_leaves_its_run_missing() {
    let disk = tempfile::tempdir().unwrap();
    let root = RunsRoot::new(disk.path());
    // It does not heed the stop, and is killed in its second step.
    let jobs = vec![job("killed", 1, 3, 400)];
    let stop = StopFlag::default();
    let mut diary = Diary { stop_after: Some(("at step 1", stop.clone())), ..Diary::default() };
    let summary = executor(1).execute(&root, jobs.clone(), Options::default(), &mut diary, &stop).unwrap();
    assert_eq!(summary, Summary { interrupted: 1, ..Summary::default() });
    let folder = jobs[0].folder(&root).unwrap();
    assert_eq!((folder.state().unwrap(), folder.events().unwrap().len()), (RunState::Missing, 2));
}

#[test]
fn the_second_stop_does_not_wait_for_the_step() {
    let disk = tempfile::tempdir().unwrap();
    let root = RunsRoot::new(disk.path());
    let jobs = vec![job("fine", 1, 1, 600_000)];
    let stop = StopFlag::default();
    stop.request();
    let summary = executor(1).execute(&root, jobs.clone(), Options::default(), &mut Silent, &stop).unwrap();
    assert_eq!(summary, Summary { interrupted: 1, ..Summary::default() }, "stopped before it began");

    let (stop, begun) = (StopFlag::default(), Instant::now());
    let mut diary = Diary { stop_after: Some(("begin", stop.clone())), ..Diary::default() };
    std::thread::scope(|scope| {
        let again = stop.clone();
        scope.spawn(move || {
            while !again.is_set() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            std::thread::sleep(std::time::Duration::from_millis(300));
            again.request();
        });
        let summary = executor(1).execute(&root, jobs.clone(), Options::default(), &mut diary, &stop).unwrap();
        assert_eq!(summary, Summary { interrupted: 1, ..Summary::default() });
    });
    assert!(begun.elapsed().as_secs() < 300, "the step takes ten minutes");
    assert_eq!(jobs[0].folder(&root).unwrap().state().unwrap(), RunState::Missing);
    assert_eq!(left_overs(disk.path()), [] as [std::path::PathBuf; 0]);
}

#[test]
fn workers_that_do_not_start_end_the_sweep_with_their_last_words() {
    let disk = tempfile::tempdir().unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let arguments = arguments.iter().map(Into::into).collect();
        let worker = WorkerCommand { program: program.into(), arguments, environment: Vec::new() };
        let executor = Local { slots: 1, threads_per_slot: 1, workers: vec![worker], leads_ranks: false };
        let root = RunsRoot::new(disk.path());
        let stop = StopFlag::default();
        match executor.execute(&root, fine_jobs(1, 1, 1), Options::default(), &mut Silent, &stop) {
            Err(ExecError::Worker(cause)) => cause,
            other => panic!("{other:?}"),
        }
    };
    assert!(run("/no/such/program", &[]).starts_with("/no/such/program: "));
    assert_eq!(run("sh", &["-c", "echo no licence >&2; exit 4"]), "exit code 4: no licence");
}

/// Other ranks cannot go on without it, and it may have died of one of them.
#[test]
fn a_leader_that_dies_ends_the_sweep_and_no_run_has_failed() {
    let disk = tempfile::tempdir().unwrap();
    let root = RunsRoot::new(disk.path());
    let jobs = vec![job("aborts", 1, 9, 1), job("fine", 2, 2, 1)];
    let ended = leader().execute(&root, jobs.clone(), Options::default(), &mut Silent, &StopFlag::default());
    assert!(matches!(ended, Err(ExecError::Leader(_))), "{ended:?}");
    for job in &jobs {
        assert_eq!(job.folder(&root).unwrap().state().unwrap(), RunState::Missing);
    }
    let done =
        leader().execute(&root, jobs[1..].to_vec(), Options::default(), &mut Silent, &StopFlag::default()).unwrap();
    assert_eq!(done, Summary { done: 1, ..Summary::default() });
}

#[test]
fn a_leader_starts_and_ends_even_if_there_is_nothing_to_do() {
    let disk = tempfile::tempdir().unwrap();
    let [began, ended] = ["began", "ended"].map(|name| disk.path().join(name));
    let script = format!("touch {}; cat >/dev/null; touch {}", began.display(), ended.display());
    let worker =
        WorkerCommand { program: "sh".into(), arguments: vec!["-c".into(), script.into()], environment: Vec::new() };
    for leads_ranks in [false, true] {
        let executor = Local { slots: 1, threads_per_slot: 1, workers: vec![worker.clone()], leads_ranks };
        let root = RunsRoot::new(disk.path().join("runs"));
        let done = executor.execute(&root, Vec::new(), Options::default(), &mut Silent, &StopFlag::default()).unwrap();
        assert_eq!(done, Summary::default());
        assert_eq!([began.exists(), ended.exists()], [leads_ranks; 2]);
    }
}

/// The pretraining goes first, although it is the shortest; what starts from it waits, what does not is done meanwhile.
#[test]
fn runs_wait_for_the_pretraining_that_they_start_from() {
    for slots in [1, 2] {
        let disk = tempfile::tempdir().unwrap();
        let pretraining = pretraining_job("fine");
        let mut jobs = vec![after(&job("fine", 1, 9, 20), &pretraining), after(&job("fine", 2, 9, 20), &pretraining)];
        jobs.extend([job("fine", 3, 2, 5), pretraining.clone()]);
        let mut diary = Diary::default();
        let done = execute_with(disk.path(), jobs.clone(), slots, Options::default(), &mut diary);
        assert_eq!(done, Summary { done: 4, ..Summary::default() });
        let at = |line: &str| diary.lines.iter().position(|other| other == line).unwrap();
        assert_eq!(diary.lines[1], "begin fine", "{:?}", diary.lines);
        assert!(at("end fine") < at("begin 1") && at("end fine") < at("begin 2"), "{:?}", diary.lines);
        assert_eq!(execute(disk.path(), jobs, slots), Summary { skipped: 4, ..Summary::default() });
    }
}

#[test]
fn without_their_pretraining_runs_stay_missing() {
    let disk = tempfile::tempdir().unwrap();
    let pretraining = pretraining_job("diverges");
    let jobs = vec![after(&job("fine", 1, 1, 1), &pretraining), job("fine", 2, 1, 1), pretraining.clone()];
    let mut diary = Diary::default();
    let done = execute_with(disk.path(), jobs.clone(), 1, Options::default(), &mut diary);
    assert_eq!(done, Summary { done: 1, failed: 1, blocked: 1, ..Summary::default() });
    assert!(diary.lines.contains(&"blocked 1".to_owned()), "{:?}", diary.lines);
    let root = RunsRoot::new(disk.path());
    assert_eq!(jobs[0].folder(&root).unwrap().state().unwrap(), RunState::Missing);
    // Nobody does a pretraining that is not among the jobs.
    let alone = execute(disk.path(), vec![jobs[0].clone()], 1);
    assert_eq!(alone, Summary { blocked: 1, ..Summary::default() });
}
