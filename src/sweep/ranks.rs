//! How cores and runs are shared among processes that MPI started together.

use crate::diagnostic::{Diagnostic, Error};
use crate::exec::Job;
use crate::train::Launched;

/// Logical cores that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Threads of a rank: those that were asked for, else its share of the cores of its machine. A launcher that binds ranks
/// to cores leaves a process only its own.
#[must_use]
pub fn threads_of_rank(threads: Option<usize>, Launched { here, .. }: Launched) -> usize {
    let share = num_cores().div_ceil(here).max(1);
    threads.unwrap_or_else(|| cores().min(share))
}

/// Logical cores of this machine, whoever may use them.
fn num_cores() -> usize {
    let Ok(mut system) = sysinfo::System::new() else { return cores() };
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    system.cpus().len().max(1)
}

/// Whether `jobs` can be shared by so many ranks.
///
/// # Errors
/// When one has not as many parts of a batch as there are ranks.
pub(super) fn check(Launched { size, .. }: Launched, slots: Option<u32>, jobs: &[Job]) -> Result<(), Error> {
    if slots.is_some_and(|slots| slots > 1) {
        let message = format!("{size} processes share one run at a time, so there is one slot");
        return Err(Diagnostic::new(message).hint("leave `--slots` out, or start one process").into());
    }
    let parts = |job: &Job| job.settings.optimization.gradient_accumulation_steps;
    let Some(job) = jobs.iter().min_by_key(|job| parts(job)) else { return Ok(()) };
    if (parts(job) as usize) < size {
        let message = format!(
            "{size} processes cannot share the run {}: its batches have {} (`gradient_accumulation_steps`)",
            job.id,
            if parts(job) == 1 { "one part".to_owned() } else { format!("{} parts", parts(job)) }
        );
        let hint = format!(
            "the parts decide the bits of the result, so the experiment says how many: \
             --set training.gradient_accumulation_steps={size}"
        );
        return Err(Diagnostic::new(message).hint(hint).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::example;
    use crate::units::Flops;

    const THREE: Launched = Launched { rank: 0, size: 3, here: 3 };

    fn jobs(parts: &[u32]) -> Vec<Job> {
        let job = |&parts: &u32| {
            let mut settings = example::settings("rte", 1);
            settings.optimization.gradient_accumulation_steps = parts;
            Job::new("x", settings, Flops(0.0))
        };
        parts.iter().map(job).collect()
    }

    fn said(refused: Result<(), Error>) -> (String, String) {
        let Err(Error::Input(findings)) = refused else { unreachable!("it is the user's input") };
        (findings[0].message.clone(), findings[0].hint.clone().unwrap_or_default())
    }

    #[test]
    fn every_rank_needs_a_part_of_each_batch() {
        assert!(check(THREE, None, &jobs(&[3, 4, 6])).is_ok());
        assert!(check(THREE, Some(1), &[]).is_ok());
        let (message, hint) = said(check(THREE, None, &jobs(&[4, 2, 3])));
        assert!(message.ends_with("its batches have 2 parts (`gradient_accumulation_steps`)"), "{message}");
        assert!(hint.ends_with("--set training.gradient_accumulation_steps=3"), "{hint}");
        assert!(said(check(THREE, None, &jobs(&[1]))).0.contains("one part"));
    }

    #[test]
    fn ranks_do_one_run_at_a_time() {
        assert!(said(check(THREE, Some(2), &jobs(&[3]))).0.contains("one slot"));
    }

    #[test]
    fn ranks_divide_the_cores_of_their_machine() {
        assert_eq!(threads_of_rank(Some(7), THREE), 7);
        let crowded = Launched { here: 100_000, size: 100_000, ..THREE };
        assert_eq!(threads_of_rank(None, crowded), 1);
        assert!(threads_of_rank(None, Launched { here: 1, ..THREE }) <= cores());
    }
}
