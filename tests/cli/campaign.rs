//! A campaign of kills, stops, signals, edits and full disks against running sweeps: `just test-crash [minutes] [seed]`.
//!
//! Each round starts a sweep in a new folder, often by several processes, troubles it at random moments, lets it be
//! finished, and compares its results with those of an undisturbed one. The seed is printed first and repeats the draws;
//! the moments at which they meet the processes differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use bertbench::random::{Draws, Stream};

use super::program::{Started, TINY, Workplace, kill};

const MINUTES: &str = "BERTBENCH_CRASH_MINUTES";
const SEED: &str = "BERTBENCH_CRASH_SEED";
/// The claims' time-out of the campaign, so that what is stopped is succeeded soon.
const TIMEOUT_SECONDS: &str = "2";

/// A sweep of 8 runs on data in a folder, which can be edited.
fn sweep() -> String {
    TINY.replace("tiny", "sweep").replace("mini: {seed: 1}", "data: glue").replace("seeds: [1]", "seeds: [1, 2]")
}

const PRETRAINING: &str = "\
experiment: first
mini: {seed: 1}
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
pretrain: {phases: [{max_length: 32, steps: 30}], dupe_factor: 1, batch_size: 8, learning_rate: 1e-3, save: {save_steps: 5}}
seeds: [1]
device: cpu
";

/// The same from a pretraining that is not done either.
fn with_pretraining() -> String {
    let random = "{architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}";
    sweep().replace(random, "{checkpoint: {experiment: first, model: small}}")
}

/// What is done to a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    KillAll,
    KillParent,
    KillWorker,
    StopAll,
    StopParent,
    StopWorker,
    Interrupt,
    Terminate,
    EditTrain,
    EditDev,
    EditVocabulary,
}

const TROUBLES: [Trouble; 11] = [
    Trouble::KillAll,
    Trouble::KillParent,
    Trouble::KillWorker,
    Trouble::StopAll,
    Trouble::StopParent,
    Trouble::StopWorker,
    Trouble::Interrupt,
    Trouble::Terminate,
    Trouble::EditTrain,
    Trouble::EditDev,
    Trouble::EditVocabulary,
];

/// An experiment in a new folder.
fn place(text: &str) -> Workplace {
    let place = Workplace::new();
    place.generate("glue");
    place.write("sweep.yaml", text);
    place.write("first.yaml", PRETRAINING);
    place
}

fn start(place: &Workplace) -> Started {
    place.start_with(
        &["run", "sweep.yaml", "--slots", "2", "--retry-failed"],
        &[("BERTBENCH_CLAIM_TIMEOUT", TIMEOUT_SECONDS)],
    )
}

/// Troubles one process, or the files of all; says which exit codes it may end with, or nothing when any will do.
fn strike(place: &Workplace, sweep: &Started, trouble: Trouble, pause: Duration) {
    let group = |signal: &str| sweep.signal_group(signal);
    let worker = |signal: &str| {
        if let Some(worker) = sweep.workers().first() {
            kill(signal, &worker.to_string());
        }
    };
    match trouble {
        Trouble::KillAll => group("KILL"),
        Trouble::KillParent => sweep.signal("KILL"),
        Trouble::KillWorker => worker("KILL"),
        Trouble::StopAll => {
            group("STOP");
            std::thread::sleep(pause);
            group("CONT");
        }
        Trouble::StopParent => {
            sweep.signal("STOP");
            std::thread::sleep(pause);
            sweep.signal("CONT");
        }
        // It is ended by its parent, and its run started again.
        Trouble::StopWorker => worker("STOP"),
        Trouble::Interrupt => group("INT"),
        Trouble::Terminate => sweep.signal("TERM"),
        Trouble::EditTrain => edit(place, "glue/RTE/train.tsv", pause),
        Trouble::EditDev => edit(place, "glue/RTE/dev.tsv", pause),
        Trouble::EditVocabulary => edit(place, "glue/vocab.txt", pause),
    }
}

/// Changes a file for a while: its last line is doubled. The original comes back by a rename, as editors save.
fn edit(place: &Workplace, name: &str, pause: Duration) {
    let (path, whole) = (place.path(name), place.read(name));
    let last = whole.lines().next_back().unwrap_or_default().to_owned();
    fs::write(&path, format!("{whole}{last}\n")).unwrap();
    std::thread::sleep(pause);
    let aside = path.with_extension("saved");
    fs::write(&aside, whole).unwrap();
    fs::rename(aside, path).unwrap();
}

/// A time below so many milliseconds.
fn moment(draws: &mut Draws, milliseconds: usize) -> Duration {
    Duration::from_millis(draws.below(milliseconds) as u64)
}

/// The exit codes that a `run` may have that was not killed: all done, runs failed (a worker was killed, a file changed),
/// refused (a file that changed while it was read), interrupted.
const MAY_END_WITH: [i32; 4] = [0, 1, 2, 130];

/// One round; how often each trouble was made.
fn round(text: &str, expected: &str, draws: &mut Draws, counts: &mut BTreeMap<Trouble, u64>) {
    let place = place(text);
    let mut before: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    for _ in 0..1 + draws.below(4) {
        let mut processes: Vec<Started> = (0..1 + draws.below(3)).map(|_| start(&place)).collect();
        for _ in 0..1 + draws.below(3) {
            std::thread::sleep(moment(draws, 1500));
            let (trouble, at) = (*draws.pick(&TROUBLES), draws.below(processes.len()));
            *counts.entry(trouble).or_default() += 1;
            strike(&place, &processes[at], trouble, moment(draws, 4000));
        }
        for process in &mut processes {
            let code = process.wait_for(Duration::from_mins(10));
            assert!(code.is_none_or(|code| MAY_END_WITH.contains(&code)), "ended with {code:?}");
        }
        drop(processes);
        let now = place.records();
        assert!(before.iter().all(|(path, record)| now.get(path) == Some(record)), "a finished run was done again");
        before = now;
    }
    // Claims of killed processes of this machine are dead at once.
    place.run(&["run", "sweep.yaml", "--retry-failed"]).ok();
    assert!(
        before.iter().all(|(path, record)| place.records().get(path) == Some(record)),
        "a finished run was done again"
    );
    assert_eq!(place.results("sweep.yaml", "sweep"), expected);
    place.assert_tidy();
    assert!(place.run(&["run", "sweep.yaml"]).ok().out.starts_with("sweep: 0 done now, "));
}

/// A small disk of its own for `runs/`, where this process may mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: &Workplace, kilobytes: u64) -> Option<Self> {
        let path = place.path("runs");
        fs::create_dir_all(&path).unwrap();
        let options = format!("size={kilobytes}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).stderr(std::process::Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(path))
    }

    fn grow(&self) {
        let grown = Command::new("mount").args(["-o", "remount,size=512m"]).arg(&self.0).status().unwrap();
        assert!(grown.success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A disk that fills up while a sweep runs: it stops with a message, nothing has failed, and goes on when there is space.
fn full_disk(text: &str, expected: &str, kilobytes: u64) -> bool {
    let place = place(text);
    let Some(disk) = Disk::mount(&place, kilobytes) else { return false };
    let told = place.run(&["run", "sweep.yaml", "--slots", "2"]);
    if told.code != Some(0) {
        assert!([1, 2].contains(&told.code.unwrap()), "{}", told.exchange());
        assert!(told.err.contains("No space left on device"), "{}", told.exchange());
        assert!(!place.files("runs").iter().any(|path| path.ends_with("failure.json")), "{}", told.exchange());
    }
    disk.grow();
    place.run(&["run", "sweep.yaml"]).ok();
    assert_eq!(place.results("sweep.yaml", "sweep"), expected);
    place.assert_tidy();
    true
}

fn from_environment(name: &str) -> Option<f64> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

#[test]
#[ignore = "a minute or more; `just test-crash` runs it"]
fn troubled_sweeps_end_with_the_results_of_undisturbed_ones() {
    let minutes = from_environment(MINUTES).unwrap_or(1.0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = from_environment(SEED).map_or(now.as_secs() % 1_000_000, |seed| seed as u64);
    println!("seed {seed}, {minutes} minutes");
    let (start, stream) = (Instant::now(), Stream::new(seed, "campaign"));
    let texts = [sweep(), with_pretraining()];
    let expected = texts.each_ref().map(|text| {
        let place = place(text);
        place.run(&["run", "sweep.yaml"]).ok();
        place.results("sweep.yaml", "sweep")
    });
    let (mut counts, mut disks, mut rounds) = (BTreeMap::new(), 0, 0);
    while rounds == 0 || start.elapsed().as_secs_f64() < 60.0 * minutes {
        let mut draws = stream.at(rounds);
        let which = (rounds % 2) as usize;
        if rounds % 4 == 1 {
            disks += u64::from(full_disk(&texts[which], &expected[which], 300 + draws.below(3000) as u64));
        } else {
            round(&texts[which], &expected[which], &mut draws, &mut counts);
        }
        rounds += 1;
    }
    println!("{rounds} rounds in {:.0} s; full disks: {disks}; troubles: {counts:?}", start.elapsed().as_secs_f64());
}
