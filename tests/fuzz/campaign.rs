//! The readers with new inputs, each in processes that may die.

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bertbench::random::Stream;
use bertbench::store::unix_now;

use super::mutate::mutated;
use super::readers::{READERS, Reader};
use super::{LONGEST, kept};

/// What an execution may take, and what this program takes before: its code, a stack, an allocator's reserve. In KiB.
const MEMORY: u64 = (1 << 20) + (512 << 10);
/// A processor that others use, too, may let an execution wait so much longer.
const PATIENCE: u32 = 12;
/// An input that fails is kept when it is no longer.
const LONGEST_KEPT: usize = 64 << 10;
const PROCESS: &str = "BERTBENCH_FUZZ_PROCESS";

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(format!("BERTBENCH_FUZZ_{name}")).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The input of an execution: the same of the same numbers.
fn input(reader: &Reader, seeds: &[Vec<u8>], seed: u64, number: u64) -> Vec<u8> {
    mutated(seeds, reader.dictionary, &mut Stream::new(seed, &format!("fuzz {}", reader.name)).at(number))
}

fn seeds_of(reader: &Reader) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        fs::read_dir(kept(reader.name)).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let small = paths.iter().map(|path| fs::read(path).unwrap()).filter(|bytes| bytes.len() < 4096);
    (reader.seeds)().into_iter().chain(small).collect()
}

/// A child: executions of one reader from a number on, until the time is up. What it has done stands in a file: the
/// number of the execution that goes on, the longest so far in nanoseconds, and how many panicked.
pub fn play() {
    let told = std::env::var(PROCESS).unwrap();
    let fields: Vec<&str> = told.split(' ').collect();
    let reader = READERS.iter().find(|reader| reader.name == fields[0]).unwrap();
    let [seed, first, last, seconds] = [1, 2, 3, 4].map(|at| fields[at].parse::<u64>().unwrap());
    let progress = fs::OpenOptions::new().write(true).open(fields[5]).unwrap();
    let (folder, seeds) = (tempfile::tempdir().unwrap(), seeds_of(reader));
    (reader.prepare)(folder.path());
    let first_line = |text: String| {
        text.lines().map(|line| line.chars().take(300).collect::<String>()).collect::<Vec<_>>().join(" ")
    };
    std::panic::set_hook(Box::new(move |info| say(&first_line(info.to_string()))));
    let work = move || {
        let mut failed = 0;
        let (end, mut slowest) = (Instant::now() + Duration::from_secs(seconds), 0);
        for number in first..last {
            let input = input(reader, &seeds, seed, number);
            progress.write_all_at(&[number, slowest, failed].map(u64::to_le_bytes).concat(), 0).unwrap();
            let begin = Instant::now();
            if catch_unwind(AssertUnwindSafe(|| (reader.read)(folder.path(), &input))).is_err() {
                keep(reader, seed, number, &input, "panicked");
                failed += 1;
            }
            slowest = slowest.max(begin.elapsed().as_nanos() as u64);
            if Instant::now() > end || number + 1 == last {
                progress.write_all_at(&[number + 1, slowest, failed].map(u64::to_le_bytes).concat(), 0).unwrap();
                return;
            }
        }
    };
    // The stack of a thread that rayon makes.
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

fn keep(reader: &Reader, seed: u64, number: u64, input: &[u8], why: &str) {
    let folder = kept(reader.name);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{seed}-{number}"));
    fs::write(&path, &input[..input.len().min(LONGEST_KEPT)]).unwrap();
    let cut = if input.len() > LONGEST_KEPT { " (cut: give the seed to make it again)" } else { "" };
    say(&format!("FAILED {} with seed {seed} execution {number}: {why}: {}{cut}", reader.name, path.display()));
}

fn say(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

fn start(told: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    let limited = format!("ulimit -v {MEMORY} 2>/dev/null; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited]).arg(program);
    command.args(["--ignored", "--exact", "fuzz::child", "--nocapture", "--test-threads=1"]);
    // One arena: each thread's own would reserve 64 MiB.
    command.env(PROCESS, told).env("MALLOC_ARENA_MAX", "1").env("RAYON_NUM_THREADS", "1").env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

fn numbers(progress: &Path) -> [u64; 3] {
    let bytes = fs::read(progress).unwrap_or_default();
    let number = |at: usize| bytes.get(at..at + 8).map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
    [0, 8, 16].map(number)
}

/// Seconds of a processor that a process has had, where the system tells.
fn processor_time(child: &Child) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Fields 14 and 15 of proc(5), in hundredths of a second; the name in brackets was the second.
    Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / 100.0)
}

/// Waits for a child; `false` when it had to be ended because an execution took too long.
fn wait(child: &mut Child, progress: &Path) -> bool {
    let (mut at, mut since, mut used) = (u64::MAX, Instant::now(), 0.0);
    loop {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        let [number, ..] = numbers(progress);
        let time = processor_time(child);
        if number != at {
            (at, since, used) = (number, Instant::now(), time.unwrap_or_default());
        }
        let worked = time.map_or(since.elapsed(), |time| Duration::from_secs_f64((time - used).max(0.0)));
        // While it starts, it makes the inputs that others are made of.
        if at != 0 && worked > LONGEST || since.elapsed() > LONGEST * PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Executions of one reader for so many seconds: how many, how many failed, and the longest in nanoseconds.
fn exercise(reader: &Reader, seed: u64, seconds: u64, most: u64) -> (u64, u64, u64) {
    let progress = tempfile::NamedTempFile::new().unwrap();
    let (begin, mut next, mut failed, mut slowest) = (Instant::now(), 1, 0, 0);
    while begin.elapsed().as_secs() < seconds && next <= most && failed < 20 {
        progress.as_file().write_all_at(&[0; 24], 0).unwrap();
        let left = seconds.saturating_sub(begin.elapsed().as_secs()).max(1);
        let told = format!("{} {seed} {next} {} {left} {}", reader.name, most + 1, progress.path().display());
        let mut child = start(&told);
        let in_time = wait(&mut child, progress.path());
        let ended_well = in_time && child.wait().unwrap().success();
        let [number, longest, panicked] = numbers(progress.path());
        failed += panicked;
        slowest = slowest.max(longest);
        if ended_well {
            next = number;
            break;
        }
        failed += 1;
        let why = if in_time { "died: memory, stack or an abort" } else { "took more than 5 seconds" };
        keep(reader, seed, number, &input(reader, &seeds_of(reader), seed, number), why);
        next = number + 1;
    }
    (next - 1, failed, slowest)
}

/// All readers, as many at a time as there are processors.
pub fn run() {
    let seed = setting("SEED", unix_now());
    let only = std::env::var("BERTBENCH_FUZZ_READERS").unwrap_or_default();
    let chosen: Vec<&Reader> =
        READERS.iter().filter(|reader| only.is_empty() || only.split(',').any(|name| name == reader.name)).collect();
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(chosen.len());
    let seconds = setting("SECONDS", 60) * at_once as u64 / chosen.len() as u64;
    println!(
        "seed {seed} (BERTBENCH_FUZZ_SEED makes the same inputs again), {} s for each of {} readers",
        seconds.max(1),
        chosen.len()
    );
    let (left, failures) = (Mutex::new(chosen), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some(reader) = left.lock().unwrap().pop() else { return };
                    let most = setting("EXECUTIONS", u64::MAX / 2) / if reader.slow { 10 } else { 1 };
                    let begin = Instant::now();
                    let (done, failed, slowest) = exercise(reader, seed, seconds.max(1), most);
                    let name = reader.name;
                    println!(
                        "{name:12} {done:9} executions in {:4} s, the longest {:.3} s, {failed} failed",
                        begin.elapsed().as_secs(),
                        slowest as f64 / 1e9
                    );
                    std::io::stdout().flush().unwrap();
                    *failures.lock().unwrap() += failed;
                }
            });
        }
    });
    assert_eq!(
        *failures.lock().unwrap(),
        0,
        "inputs that fail are in tests/fuzz/corpus/; the fix of each comes with it"
    );
}
