//! Who is who between processes: this machine, this process, and whether another one still lives.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

/// Start times are whole seconds since 1970, computed from the boot time, which moves by a second
/// when the clock is corrected.
const START_TOLERANCE_SECONDS: u64 = 2;

/// A process of some machine. The start time tells it from a later process with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The process number.
    pub pid: u32,
    /// Its start, seconds since 1970-01-01 UTC; 0 when that is unknown.
    pub started_unix: u64,
}

impl Process {
    /// The process that asks.
    #[must_use]
    pub fn current() -> Self {
        static CURRENT: OnceLock<Process> = OnceLock::new();
        *CURRENT.get_or_init(|| Self::of(std::process::id()))
    }

    /// The process of this machine that has the number `pid` now.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        Self { pid, started_unix: look_up(pid).map_or(0, |(started, _)| started) }
    }

    /// Whether it is stopped, as by SIGSTOP or Ctrl-Z.
    #[must_use]
    pub fn is_stopped(pid: u32) -> bool {
        refreshed(pid).is_some_and(|(_, status)| status == ProcessStatus::Stop)
    }

    /// Whether it still runs; one that has ended and was not yet waited for does not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        match look_up(self.pid) {
            None => false,
            Some((started, ended)) => {
                let same = self.started_unix == 0 || started.abs_diff(self.started_unix) <= START_TOLERANCE_SECONDS;
                same && !ended
            }
        }
    }
}

/// Start time and whether it has ended, of a process of this machine.
fn look_up(pid: u32) -> Option<(u64, bool)> {
    let (started, status) = refreshed(pid)?;
    Some((started, status == ProcessStatus::Zombie && !has_live_threads(pid)))
}

/// Start time and status of a process of this machine.
fn refreshed(pid: u32) -> Option<(u64, ProcessStatus)> {
    let mut system = System::new().ok()?;
    let wanted = [Pid::from_u32(pid)];
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&wanted), true, ProcessRefreshKind::nothing());
    let process = system.process(wanted[0])?;
    Some((process.start_time(), process.status()))
}

/// A killed process is a zombie as soon as its first thread is gone; another of its threads may
/// still be inside a system call that changes files.
fn has_live_threads(pid: u32) -> bool {
    std::fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|threads| threads.count() > 1)
}

/// Whom process numbers mean the same to, as 8 hexadecimal digits: one boot of one machine, one
/// process name space (containers have their own), one user (some systems hide others' processes).
#[must_use]
pub fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let mut hash = blake3::Hasher::new();
        hash.update(host_name().as_bytes());
        hash.update(&std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default());
        let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        hash.update(space.to_string_lossy().as_bytes());
        #[cfg(unix)]
        if let Ok(own) = std::fs::metadata("/proc/self") {
            hash.update(&std::os::unix::fs::MetadataExt::uid(&own).to_le_bytes());
        }
        hash.finalize().to_hex()[..8].to_string()
    })
}

/// The name of this machine.
#[must_use]
pub fn host_name() -> String {
    System::host_name().unwrap_or_else(|_| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_process_lives_until_it_is_killed_even_before_it_is_waited_for() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id());
        assert!(process.is_alive() && Process::current().is_alive());
        child.kill().unwrap();
        example::wait_until("a killed process is seen as dead", || !process.is_alive());
        child.wait().unwrap();
        assert!(!process.is_alive());
    }

    #[test]
    fn a_stopped_process_is_told_from_one_at_work() {
        use signal_hook::consts::{SIGCONT, SIGSTOP};
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let kill = |signal: i32| {
            let arguments = [format!("-{signal}"), child.id().to_string()];
            assert!(std::process::Command::new("kill").args(arguments).status().unwrap().success());
        };
        for (signal, stopped) in [(SIGSTOP, true), (SIGCONT, false)] {
            kill(signal);
            example::wait_until("a process is stopped or not", || Process::is_stopped(child.id()) == stopped);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_later_process_with_the_same_number_is_not_the_same() {
        let current = Process::current();
        assert!(!Process { started_unix: current.started_unix - 100, ..current }.is_alive());
    }
}
