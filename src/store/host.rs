//! What ran: the machine, the code, and the memory it took.

use std::path::Path;
use std::sync::OnceLock;

use sysinfo::{CpuRefreshKind, Disks, MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::failure::unix_now;
use super::process;
use super::record::{Host, Provenance};
use crate::units::Bytes;

/// The code that runs now, for a run that started at `started_unix` (seconds since 1970-01-01 UTC)
/// and ends now. The commit is that of the build (see `build.rs`).
#[must_use]
pub fn provenance(started_unix: u64) -> Provenance {
    Provenance {
        bertbench: env!("CARGO_PKG_VERSION").to_owned(),
        burn: env!("BERTBENCH_BURN").to_owned(),
        rustc: env!("BERTBENCH_RUSTC").to_owned(),
        git_commit: option_env!("BERTBENCH_GIT_COMMIT").map(str::to_owned),
        git_dirty: option_env!("BERTBENCH_GIT_DIRTY").is_some(),
        started_unix,
        finished_unix: unix_now(),
    }
}

/// This machine, for a run on `device` with so many `threads`.
#[must_use]
pub fn host(device: &str, threads: u32) -> Host {
    /// What does not change while a process lives.
    static MACHINE: OnceLock<Host> = OnceLock::new();
    Host { threads, device: device.to_owned(), ..MACHINE.get_or_init(look).clone() }
}

/// The machine as the system describes it; threads and device are left open.
fn look() -> Host {
    let (mut cpu, mut cores, mut memory) = (String::new(), 0, 0);
    if let Ok(mut system) = System::new() {
        system.refresh_cpu_list(CpuRefreshKind::nothing());
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        system.cpus().first().map_or("", |first| first.brand().trim()).clone_into(&mut cpu);
        cores = system.cpus().len();
        memory = system.total_memory();
    }
    if cpu.is_empty() {
        cpu = System::cpu_arch();
    }
    Host {
        name: process::host_name(),
        os: System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned()),
        cpu,
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        memory: Bytes(memory),
        ..Host::default()
    }
}

/// The most memory that this process has had resident, since its start or the last
/// [`reset_peak_memory`]. Where the system does not keep the peak (outside Linux): what it has now.
#[must_use]
pub fn peak_memory() -> Bytes {
    status_line("VmHWM:").unwrap_or_else(resident_memory)
}

/// Makes [`peak_memory`] start anew from what is resident now. A system without this keeps counting
/// from the start of the process, which is an upper bound.
pub fn reset_peak_memory() {
    // 5 resets the peak: proc_pid_clear_refs(5).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Free space on the file system that holds `path`, for this user; `None` when that is unknown.
#[must_use]
pub fn free_disk(path: &Path) -> Option<Bytes> {
    // The longest part of the path that exists decides where a new file would lie.
    let exists = path.ancestors().find_map(|part| part.canonicalize().ok());
    let path = exists.or_else(|| std::env::current_dir().ok())?;
    let disks = Disks::new_with_refreshed_list().ok()?;
    let holding = disks.iter().filter(|disk| path.starts_with(disk.mount_point()));
    holding.max_by_key(|disk| disk.mount_point().components().count()).map(|disk| Bytes(disk.available_space()))
}

/// A line of `/proc/self/status` such as `VmHWM:    1234 kB`.
fn status_line(name: &str) -> Option<Bytes> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Bytes(kibibytes * 1024))
}

fn resident_memory() -> Bytes {
    let own = [Pid::from_u32(std::process::id())];
    let Ok(mut system) = System::new() else { return Bytes(0) };
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&own), true, what);
    Bytes(system.process(own[0]).map_or(0, sysinfo::Process::memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_and_the_code_are_named() {
        let host = host("cpu", 2);
        assert!(host.cores > 0 && host.memory > Bytes(1 << 20) && !host.cpu.is_empty() && !host.name.is_empty());
        let provenance = provenance(1);
        assert!(provenance.rustc.starts_with("rustc 1."), "{}", provenance.rustc);
        assert!(provenance.burn.starts_with("0."), "{}", provenance.burn);
        assert!(provenance.finished_unix > 1_700_000_000 && provenance.started_unix == 1);
        assert!(provenance.git_commit.is_none_or(|commit| commit.len() == 40));
    }

    #[test]
    fn the_peak_of_memory_rises_and_can_be_reset() {
        let (before, size) = (resident_memory(), 64 << 20);
        let block = std::hint::black_box(vec![1_u8; size]);
        let peak = peak_memory();
        assert!(peak.0 >= before.0 + 60 * (1 << 20), "{before} then {peak}");
        drop(block);
        if cfg!(target_os = "linux") {
            reset_peak_memory();
            assert!(peak_memory().0 < peak.0, "{} is not below {peak}", peak_memory());
        }
    }

    #[test]
    fn free_disk_is_known_for_a_folder_that_does_not_exist_yet() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_disk(&folder.path().join("runs/x")).unwrap();
        assert!(free > Bytes(0));
        assert!(free_disk(Path::new("runs")).is_some());
    }
}
