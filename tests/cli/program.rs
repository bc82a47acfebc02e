//! The binary, a working directory for it, and what it leaves there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A sweep of four runs, each a fraction of a second: two tasks of the mini benchmark × two rates.
pub(crate) const TINY: &str = "\
experiment: tiny
mini: {seed: 1}
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
tasks: [wnli, rte]
sweep: {batch_size: [16], learning_rate: [1e-3, 5e-4], epochs: [1]}
seeds: [1]
training: {max_length: 32}
device: cpu
";

/// The columns of `results.csv` that depend on the machine and the moment begin with this one.
const FIRST_VARYING_COLUMN: &str = "wall_seconds";

/// A working directory that vanishes with the value.
pub(crate) struct Workplace {
    folder: tempfile::TempDir,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Told {
    /// As the shell shows the command.
    pub(crate) command: String,
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Workplace {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// One with `tiny.yaml`.
    pub(crate) fn with_tiny() -> Self {
        let place = Self::new();
        place.write("tiny.yaml", TINY);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The mini benchmark in `folder`, which a test may damage.
    pub(crate) fn generate(&self, folder: &str) {
        self.run(&["data", "mini", "--out", folder]).ok();
    }

    /// The command, ready to start in this folder. The width of help is fixed; nothing of the user's
    /// settings or terminal reaches it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bertbench"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("COLUMNS", "100").env_remove("BERTBENCH_DATA").env_remove("BERTBENCH_CLAIM_TIMEOUT");
        command
    }

    /// Carries out a command.
    pub(crate) fn run(&self, arguments: &[&str]) -> Told {
        self.told(&mut self.command(arguments), arguments)
    }

    /// Carries out `command`, which was made of `arguments`.
    pub(crate) fn told(&self, command: &mut Command, arguments: &[&str]) -> Told {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Told {
            command: format!("bertbench {}", arguments.join(" ")),
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Starts a command in a process group of its own, as a shell does, and does not listen to it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Started {
        self.start_with(arguments, &[])
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Started {
        use std::os::unix::process::CommandExt;
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Started(command.spawn().unwrap())
    }

    /// `results.csv` of a report made now, without the columns of machine and moment.
    pub(crate) fn results(&self, file: &str, name: &str) -> String {
        self.run(&["report", file]).ok();
        deterministic_columns(&self.read(&format!("reports/{name}/results.csv")))
    }

    /// All files under `folder`, by path, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.path(folder), &mut found);
        found.sort();
        found
    }

    /// Every record under `runs/`, by its path, byte for byte.
    pub(crate) fn records(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let all = self.files("runs").into_iter().filter(|path| path.ends_with("record.json"));
        all.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// `status --json` of an experiment file with options: how many runs are in each state.
    pub(crate) fn totals(&self, arguments: &[&str]) -> Totals {
        let totals = self.run(&[&["status", "--json"], arguments].concat()).ok().json()["totals"].clone();
        let of = |state: &str| totals[state].as_u64().unwrap();
        Totals { done: of("done"), running: of("running"), failed: of("failed"), missing: of("missing") }
    }

    /// That a sweep left nothing behind but whole files: no temporary name, no claim, no worker's log;
    /// every JSON file parses, every log holds each step once and in order, every folder with weights
    /// is the only one of its task, model and data.
    pub(crate) fn assert_tidy(&self) {
        let mut models = BTreeMap::new();
        for path in self.files("runs") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let shown = path.display();
            assert!(!path.to_string_lossy().contains("/.tmp-"), "{shown} was left behind");
            assert!(!path.to_string_lossy().contains("/.claims/"), "{shown} was left behind");
            assert!(!path.to_string_lossy().contains("/.workers/"), "{shown} was left behind");
            if name.ends_with(".json") {
                parse(&fs::read_to_string(&path).unwrap());
            }
            if name == "metrics.jsonl" {
                assert_each_step_once(&path);
            }
            // Every pretraining run keeps its model.
            if name == "model.safetensors" && !path.to_string_lossy().contains("/pretraining/") {
                let run = path.ancestors().nth(2).unwrap();
                let record = parse(&fs::read_to_string(run.join("record.json")).unwrap());
                let data = record["settings"]["objective"]["task"]["data_sha256"].to_string();
                let other = models.insert((run.parent().unwrap().to_path_buf(), data), run.to_path_buf());
                assert_eq!(other, None, "two weights of one task, model and data: {shown}");
            }
        }
    }
}

/// How many runs are in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) done: u64,
    pub(crate) running: u64,
    pub(crate) failed: u64,
    pub(crate) missing: u64,
}

impl Told {
    /// The same, if all went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ends_with(0)
    }

    /// The same, if the exit code is this one.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.exchange());
        self
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        parse(&self.out)
    }

    /// The whole exchange as text, for comparison with a file: what was typed, said and answered. Ids of
    /// runs, which change with the data generator and the numerics, are blotted out.
    pub(crate) fn exchange(&self) -> String {
        let code = self.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let mut text = format!("$ {}\n", self.command);
        for (name, said) in [("output", &self.out), ("error", &self.err)] {
            if !said.is_empty() {
                text += &format!("--- standard {name}\n{said}");
            }
        }
        text += &format!("--- exit code {code}\n");
        blot_ids(&text)
    }
}

/// A process that was started with [`Workplace::start`]; it and its workers are killed when dropped.
pub(crate) struct Started(Child);

impl Started {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, name: &str) {
        kill(name, &self.id().to_string());
    }

    /// Sends a signal to the process and all that it started, as a terminal does at Ctrl-C.
    pub(crate) fn signal_group(&self, name: &str) {
        kill(name, &format!("-{}", self.id()));
    }

    /// Its worker processes now.
    pub(crate) fn workers(&self) -> Vec<u32> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        ids.filter(|id| stat(*id).is_some_and(|(_, parent)| parent == self.id())).collect()
    }

    /// Its exit code, when it ends within a minute.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.wait_for(Duration::from_secs(60))
    }

    /// The same, when it ends within `most`.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, most: Duration) -> Option<i32> {
        let deadline = Instant::now() + most;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it has not ended after {most:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.signal_group("KILL");
        let _ = self.0.wait();
    }
}

/// Sends a signal to a process or, with a minus, a process group; one that is gone is fine.
pub(crate) fn kill(signal: &str, target: &str) {
    let arguments = [&format!("-{signal}"), "--", target];
    Command::new("kill").args(arguments).stderr(Stdio::null()).status().unwrap();
}

/// Waits until `ready` answers yes, at most a minute.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ready() {
        assert!(Instant::now() < deadline, "a minute has gone, and not yet: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process runs; one that has ended and that nobody has waited for does not.
pub(crate) fn is_running(process: u32) -> bool {
    stat(process).is_some_and(|(state, _)| state != "Z")
}

/// A process's state and its parent: what follows the name in parentheses (proc_pid_stat(5)).
fn stat(process: u32) -> Option<(String, u32)> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = line.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

#[track_caller]
pub(crate) fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

/// The columns of a `results.csv` that two equal sweeps agree in.
pub(crate) fn deterministic_columns(csv: &str) -> String {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let kept = headers.iter().position(|name| name == FIRST_VARYING_COLUMN).unwrap();
    let rows = std::iter::once(headers).chain(reader.records().map(Result::unwrap));
    rows.map(|row| row.iter().take(kept).collect::<Vec<_>>().join(",") + "\n").collect()
}

fn assert_each_step_once(metrics: &Path) {
    let text = fs::read_to_string(metrics).unwrap();
    let events = text.lines().map(parse);
    let steps: Vec<u64> =
        events.filter(|event| event["event"] == "step").map(|event| event["step"].as_u64().unwrap()).collect();
    if metrics.to_string_lossy().contains("/pretraining/") {
        // A line tells of several steps.
        return assert!(steps.is_sorted_by(|a, b| a < b), "{}: {steps:?}", metrics.display());
    }
    let expected: Vec<u64> = (1..=steps.len() as u64).collect();
    assert_eq!(steps, expected, "{}", metrics.display());
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() { collect(&path, into) } else { into.push(path) }
    }
}

/// Twelve hexadecimal digits that stand alone become dots.
fn blot_ids(text: &str) -> String {
    let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let (mut blotted, mut word) = (String::new(), String::new());
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        if word.len() == 12 && word.chars().all(digit) {
            blotted.push_str("............")
        } else {
            blotted += &word
        }
        word.clear();
        blotted.push(c);
    }
    blotted.pop();
    blotted
}
