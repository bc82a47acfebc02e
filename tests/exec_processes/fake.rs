//! A trainer that pretends, and the processes around it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bertbench::exec::{
    Job, Local, Observer, Options, Phase, Progress, Report, Silent, StopFlag, Summary, Unfinished, WorkerCommand,
    worker,
};
use bertbench::store::{Event, Failure, FailureKind, Record, RunFolder, RunId, RunsRoot, StepEvent, StoreError};

use super::jobs::{EXPERIMENT, pretrain_record, record, settings};

/// The test that is the entry point of every process.
const CHILD: &str = "exec_processes::child";
const ROLE: &str = "BERTBENCH_TEST_ROLE";
const ROOT: &str = "BERTBENCH_TEST_ROOT";
const JOBS: &str = "BERTBENCH_TEST_JOBS";
/// Where workers append the id of each run that they completed, after its record is on disk.
const COMPLETED: &str = "completed.txt";
/// What the processes of [`start`] say on standard error.
const SAID: &str = ".said.txt";
/// While it is there no job takes a step.
const GATE: &str = ".gate";
/// The process that began each run.
const WORKERS: &str = ".workers.txt";
/// Set for workers of another device than the first.
pub(crate) const DEVICE: &str = "BERTBENCH_TEST_DEVICE";

/// An executor whose workers are this test program.
pub(crate) fn executor(slots: usize) -> Local {
    local(slots)
}

/// As [`executor`], with a worker that leads ranks.
pub(crate) fn leader() -> Local {
    Local { leads_ranks: true, ..local(1) }
}

fn local(slots: usize) -> Local {
    let mut worker = WorkerCommand::this_program(&["--exact", CHILD, "--ignored", "--nocapture"]).unwrap();
    worker.environment = vec![(ROLE.into(), "worker".into())];
    Local { slots, threads_per_slot: 1, workers: vec![worker], leads_ranks: false }
}

/// Runs jobs with nobody watching and nothing special.
pub(crate) fn execute(root: &Path, jobs: Vec<Job>, slots: usize) -> Summary {
    execute_with(root, jobs, slots, Options::default(), &mut Silent)
}

pub(crate) fn execute_with(
    root: &Path,
    jobs: Vec<Job>,
    slots: usize,
    options: Options,
    observer: &mut dyn Observer,
) -> Summary {
    executor(slots).execute(&RunsRoot::new(root), jobs, options, observer, &StopFlag::default()).unwrap()
}

/// This test program in another role, with the jobs, in a process group of its own. Its jobs are in a file that
/// no other start writes: an earlier process may be about to read its own.
pub(crate) fn start(role: &str, root: &Path, jobs: &[Job], claim_timeout: Duration) -> Child {
    use std::os::unix::process::CommandExt;
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let path = root.join(format!(".jobs-{}.json", STARTED.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir_all(root).unwrap();
    fs::write(&path, serde_json::to_vec(jobs).unwrap()).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .env(ROLE, role)
        .env(ROOT, root)
        .env(JOBS, &path)
        .env(bertbench::store::TIMEOUT_VARIABLE, claim_timeout.as_secs_f64().to_string())
        .stdout(Stdio::null())
        .stderr(OpenOptions::new().create(true).append(true).open(root.join(SAID)).unwrap())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Waits for a process that must end well, and fails with what the processes in `root` said when it does not.
#[track_caller]
pub(crate) fn ends_well(root: &Path, process: &mut Child) {
    let status = process.wait().unwrap();
    assert!(status.success(), "{status}\n{}", fs::read_to_string(root.join(SAID)).unwrap());
}

/// Keeps every job from its first step until the file is removed.
pub(crate) fn closed_gate(root: &Path) -> PathBuf {
    let gate = root.join(GATE);
    fs::write(&gate, "").unwrap();
    gate
}

/// Sends a signal to a process, or to a process group when `group`.
pub(crate) fn signal(name: &str, process: &Child, group: bool) {
    let target = if group { format!("-{}", process.id()) } else { process.id().to_string() };
    assert!(Command::new("kill").args(["-s", name, "--", &target]).status().unwrap().success());
}

/// Waits until `met`, and fails with `what` after half a minute.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    for _ in 0..15_000 {
        if met() {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("in vain: {what}");
}

/// The ids of completed runs in order of completion, one for each time that one was completed.
pub(crate) fn completed(root: &Path) -> Vec<RunId> {
    let text = fs::read_to_string(root.join(COMPLETED)).unwrap_or_default();
    text.lines().map(|line| RunId(line.to_owned())).collect()
}

/// Every temporary name, claim and worker log anywhere under `folder`.
pub(crate) fn left_overs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let inside = path.parent().is_some_and(|parent| parent.ends_with(".claims") || parent.ends_with(".workers"));
        if name.starts_with(".tmp-") || inside {
            found.push(path);
        } else if path.is_dir() {
            found.extend(left_overs(&path));
        }
    }
    found
}

/// Checks that every job has one record, was completed once, and that nothing is left over.
#[track_caller]
pub(crate) fn assert_each_done_once(root: &Path, jobs: &[Job]) {
    let folders = RunsRoot::new(root).folders(EXPERIMENT).unwrap();
    let found: Vec<Record> = folders.iter().filter_map(|folder| folder.record().unwrap()).collect();
    let mut ids: Vec<RunId> = jobs.iter().map(|job| job.id.clone()).collect();
    ids.sort();
    assert_eq!(found.iter().map(|record| record.id.clone()).collect::<Vec<_>>(), ids);
    let mut completed = completed(root);
    let times = completed.len();
    completed.sort();
    completed.dedup();
    assert_eq!(times, completed.len(), "a run was completed twice");
    assert_eq!(left_overs(root), [] as [PathBuf; 0]);
}

/// Becomes what the environment says.
pub(crate) fn play() {
    match std::env::var(ROLE).as_deref() {
        Ok("worker") => work(),
        Ok("executor") => {
            let stop = StopFlag::on_signals().unwrap();
            let summary =
                executor(2).execute(&RunsRoot::new(root()), jobs(), Options::default(), &mut Silent, &stop).unwrap();
            let line = format!("{summary:?}");
            fs::write(root().join(format!(".summary-{}", std::process::id())), line).unwrap();
            std::process::exit(if stop.is_set() { 130 } else { 0 });
        }
        Ok("holder") => {
            let claims = RunsRoot::new(root()).claims(EXPERIMENT).unwrap();
            let claim = claims.claim(&jobs()[0].id, &[]).unwrap().unwrap();
            std::thread::sleep(Duration::from_mins(1));
            drop(claim);
        }
        other => panic!("{ROLE} is {other:?}"),
    }
}

fn root() -> PathBuf {
    PathBuf::from(std::env::var_os(ROOT).unwrap())
}

fn jobs() -> Vec<Job> {
    serde_json::from_slice(&fs::read(std::env::var_os(JOBS).unwrap()).unwrap()).unwrap()
}

fn work() {
    let current = Arc::new(Mutex::new(None));
    let output = Counting { inner: io::stdout(), current: Arc::clone(&current) };
    worker::serve(io::BufReader::new(io::stdin()), output, |job, folder, progress, stop| {
        let mut side = OpenOptions::new().create(true).append(true).open(root_of(folder).join(WORKERS)).unwrap();
        side.write_all(format!("{}\n", std::process::id()).as_bytes()).unwrap();
        if std::env::var_os(DEVICE).is_some() {
            folder.log("on the second device").unwrap();
        }
        *current.lock().unwrap() = Some((root_of(folder), job.id.clone()));
        train(job, folder, progress, stop)
    })
    .unwrap();
    // Past the summary of the test harness.
    std::process::exit(0);
}

/// The folder of all runs.
fn root_of(folder: &RunFolder) -> PathBuf {
    folder.path().ancestors().nth(4).unwrap().to_path_buf()
}

/// The processes that began runs, in their order.
pub(crate) fn workers(root: &Path) -> Vec<String> {
    fs::read_to_string(root.join(WORKERS)).unwrap().lines().map(str::to_owned).collect()
}

/// Counts the completed runs as the worker tells of them, which is after their record is on disk.
struct Counting<W> {
    inner: W,
    current: Arc<Mutex<Option<(PathBuf, RunId)>>>,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.starts_with(br#"{"reply":"finished""#) {
            let (root, id) = self.current.lock().unwrap().clone().unwrap();
            let mut side = OpenOptions::new().create(true).append(true).open(root.join(COMPLETED)).unwrap();
            side.write_all(format!("{id}\n").as_bytes()).unwrap();
        }
        self.inner.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn train(job: &Job, folder: &RunFolder, report: &mut dyn FnMut(Report), stop: &StopFlag) -> Result<Record, Unfinished> {
    if job.settings.pretraining().is_some() {
        std::thread::sleep(Duration::from_millis(50));
        return match job.settings.model.as_str() {
            "diverges" => Err(Failure::now(FailureKind::Diverged, "loss is NaN at step 2").into()),
            _ => Ok(pretrain_record(job)),
        };
    }
    let gate = root_of(folder).join(GATE);
    while gate.exists() && !stop.is_set() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let wrong = |error: StoreError| Failure::now(FailureKind::Error, error.to_string());
    let steps = u64::from(settings(job).epochs());
    let mut log = folder.event_log_after(0).map_err(wrong)?;
    for step in 1..=steps {
        // Whoever is killed in its second step reaches it, however late on a busy machine it hears of the stop.
        if stop.is_set() && settings(job).task_name() != "killed" {
            return Err(Unfinished::Stopped);
        }
        std::thread::sleep(Duration::from_millis(u64::from(settings(job).optimization.batch_size)));
        let event = StepEvent {
            step,
            epoch: Some(1),
            loss: 0.7,
            learning_rate: 3e-5,
            tokens_per_second: 100.0,
            ..StepEvent::default()
        };
        log.append(&Event::Step(event)).map_err(wrong)?;
        let (phase, loss) = (Phase::Training, Some(f64::INFINITY));
        let progress = Progress { phase, step, steps, epoch: 1, epochs: 1, loss, tokens_per_second: f64::NAN };
        report(Report::Progress(progress));
        if step == 2 {
            misbehave(job)?;
        }
    }
    let record = record(job);
    folder.write_predictions("predictions-dev.tsv", "index\tprediction\n").map_err(wrong)?;
    if folder.wants_model(&record).map_err(wrong)? {
        let fill = |path: &Path| Ok(fs::write(path.join("model.safetensors"), &job.id.0)?);
        folder.write_model::<StoreError>(fill).map_err(wrong)?;
    }
    Ok(record)
}

/// What the task's name says.
fn misbehave(job: &Job) -> Result<(), Unfinished> {
    match settings(job).task_name() {
        "panics" => panic!("index out of bounds, pretended"),
        "panics-in-a-thread" => std::thread::scope(|scope| {
            // As rayon does: the panic of a thread goes on in the one that waits for it.
            let Err(payload) = scope.spawn(|| panic!("deep down")).join();
            std::panic::resume_unwind(payload);
        }),
        "aborts" => std::process::abort(),
        "hungry" => drop(std::hint::black_box(Vec::<u8>::with_capacity(isize::MAX as usize))),
        "killed" => signal_hook::low_level::raise(signal_hook::consts::SIGKILL).unwrap(),
        "exits" => std::process::exit(7),
        "loses-its-device" => return Err(Failure::now(FailureKind::Device, "the device failed: lost").into()),
        "has-a-full-device" => panic!("Out of Memory, pretended"),
        "diverges" => return Err(Failure::now(FailureKind::Diverged, "loss is NaN at step 2").into()),
        _ => {}
    }
    Ok(())
}
