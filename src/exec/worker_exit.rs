//! Why a worker process died.

use std::fs;
use std::process::ExitStatus;

use crate::store::{Failure, FailureKind};

/// What Rust's allocator says before it aborts.
const ALLOCATION_FAILED: &str = "memory allocation of";

/// How often the kernel has killed a process for its memory, by counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MemoryKills(Vec<Option<u64>>);

impl MemoryKills {
    /// The counters now: of the whole system, and of this process's group (cgroup version 2 and 1).
    /// Systems without them have none.
    pub(super) fn now() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let group = |marker: &str| {
            groups.lines().find_map(|line| Some(line.split_once(marker)?.1.trim_end_matches('/').to_owned()))
        };
        let files = [
            Some("/proc/vmstat".to_owned()),
            group("0::").map(|path| format!("/sys/fs/cgroup{path}/memory.events")),
            group(":memory:").map(|path| format!("/sys/fs/cgroup/memory{path}/memory.oom_control")),
        ];
        Self(files.map(|file| fs::read_to_string(file?).ok().as_deref().and_then(counter)).to_vec())
    }

    fn rose_since(&self, before: &Self) -> bool {
        self.0.iter().zip(&before.0).any(|(now, before)| now > before && before.is_some())
    }
}

/// The line `oom_kill 3`.
fn counter(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

/// The failure of a run whose worker ended with `status` after it `said` something on standard error
/// during the run.
pub(super) fn failure(status: ExitStatus, said: &str, before: &MemoryKills, now: &MemoryKills) -> Failure {
    let memory = now.rose_since(before);
    let allocation = said.lines().find(|line| line.contains(ALLOCATION_FAILED));
    let last_words = said.lines().rev().find(|line| !line.trim().is_empty());
    let end = end(status);
    let (kind, cause) = match (allocation, memory) {
        (Some(line), _) => (FailureKind::OutOfMemory, format!("{} ({end})", line.trim())),
        (None, true) if end == "SIGKILL" => {
            let cause = "SIGKILL, while the kernel's out-of-memory killer ended a process";
            (FailureKind::OutOfMemory, cause.to_owned())
        }
        (None, _) => {
            let words = last_words.map(|line| format!("; its last line: {}", line.trim())).unwrap_or_default();
            let kind = if end.starts_with("SIG") { FailureKind::Killed } else { FailureKind::Error };
            (kind, format!("the worker process ended with {end}{words}"))
        }
    };
    Failure::now(kind, cause)
}

/// `SIGKILL`, `exit code 1`.
pub(super) fn end(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return signal_hook::low_level::signal_name(signal).map_or_else(|| format!("SIG{signal}"), str::to_owned);
    }
    status.code().map_or_else(|| "an unknown cause".to_owned(), |code| format!("exit code {code}"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn kills(count: u64) -> MemoryKills {
        MemoryKills(vec![Some(count), None, None])
    }

    #[track_caller]
    fn check(raw: i32, said: &str, kills_now: u64, kind: &str, cause: &str) {
        let failure = failure(ExitStatus::from_raw(raw), said, &kills(1), &kills(kills_now));
        assert_eq!((failure.kind.as_str(), failure.cause.as_str()), (kind, cause));
    }

    #[test]
    fn deaths_are_told_apart() {
        check(9, "", 1, "killed", "the worker process ended with SIGKILL");
        check(9, "", 2, "out_of_memory", "SIGKILL, while the kernel's out-of-memory killer ended a process");
        let said = "loading\nmemory allocation of 9 bytes failed\n";
        check(6, said, 1, "out_of_memory", "memory allocation of 9 bytes failed (SIGABRT)");
        check(6, "", 2, "killed", "the worker process ended with SIGABRT");
        check(11, "a\nb\n\n", 1, "killed", "the worker process ended with SIGSEGV; its last line: b");
        check(256, "", 1, "error", "the worker process ended with exit code 1");
    }

    #[test]
    fn the_counter_is_found_among_its_neighbours() {
        assert_eq!(counter("oom 1\noom_kill 3\noom_group_kill 7\n"), Some(3));
        assert_eq!(counter("nr_free_pages 1\n"), None);
    }
}
