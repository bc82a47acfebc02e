//! A worker process as its parent sees it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::protocol::{Reply, Request, send};

/// The last part of what a worker said that is read after its death.
const LOG_TAIL_BYTES: u64 = 16 * 1024;

/// Something happened to a worker.
pub(super) struct Event {
    /// Its slot.
    pub(super) slot: usize,
    /// Its process, to tell it from an earlier one of the slot.
    pub(super) pid: u32,
    /// What it said; nothing when it ended.
    pub(super) reply: Option<Reply>,
}

/// How to start a worker process.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables added to its environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl WorkerCommand {
    /// This program with other arguments.
    ///
    /// # Errors
    /// When the system does not say which program this is.
    pub fn this_program(arguments: &[&str]) -> io::Result<Self> {
        let arguments = arguments.iter().map(OsString::from).collect();
        Ok(Self { program: std::env::current_exe()?, arguments, environment: Vec::new() })
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A running worker. Dropping it kills it.
pub(super) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    log: PathBuf,
    log_from: u64,
    started: Instant,
}

impl Worker {
    /// Starts a worker for `slot` whose standard error goes to `log`, and whose replies go to `events`.
    pub(super) fn start(
        command: &WorkerCommand,
        threads: usize,
        log: &Path,
        slot: usize,
        events: Sender<Event>,
    ) -> io::Result<Self> {
        let errors = OpenOptions::new().create(true).append(true).open(log)?;
        let noise = errors.try_clone()?;
        let mut child = command
            .command()
            .env("RAYON_NUM_THREADS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", command.program.display())))?;
        let (pid, input, output) = (child.id(), child.stdin.take(), child.stdout.take());
        let worker = Self { child, input, log: log.to_path_buf(), log_from: 0, started: Instant::now() };
        if let Some(output) = output {
            let name = format!("worker {slot}");
            std::thread::Builder::new().name(name).spawn(move || listen(output, noise, slot, pid, &events))?;
        }
        Ok(worker)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Since when it runs.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Tells the worker something. What it says on standard error from now on belongs to that.
    pub(super) fn send(&mut self, request: &Request) -> io::Result<()> {
        if matches!(request, Request::Run(_)) {
            self.log_from = fs::metadata(&self.log).map_or(0, |metadata| metadata.len());
        }
        match &mut self.input {
            Some(input) => send(input, request),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Ends the process now and gives its status; that of its own end if it had ended.
    pub(super) fn kill(&mut self) -> io::Result<ExitStatus> {
        // Fails when it has ended, which is what is wanted.
        let _ = self.child.kill();
        self.child.wait()
    }

    /// Lets an idle worker end by itself, for so long.
    pub(super) fn shut_down(mut self, grace: Duration) {
        drop(self.input.take());
        let deadline = Instant::now() + grace;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it said on standard error since its last job began, the end of it at least.
    pub(super) fn log_tail(&self) -> String {
        let mut said = Vec::new();
        let _ = File::open(&self.log).and_then(|mut file| {
            let from = self.log_from.max(file.metadata()?.len().saturating_sub(LOG_TAIL_BYTES));
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut said)
        });
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.kill();
        // What it said about a run that failed is in that run's log.
        let _ = fs::remove_file(&self.log);
    }
}

/// Passes replies on until the worker closes its output; other lines go to the log.
fn listen(output: ChildStdout, mut noise: File, slot: usize, pid: u32, events: &Sender<Event>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while matches!(output.read_until(b'\n', &mut line), Ok(length) if length > 0) {
        match serde_json::from_slice(&line) {
            Ok(reply) => {
                if events.send(Event { slot, pid, reply: Some(reply) }).is_err() {
                    return;
                }
            }
            Err(_) => {
                let _ = noise.write_all(&line);
            }
        }
        line.clear();
    }
    let _ = events.send(Event { slot, pid, reply: None });
}
