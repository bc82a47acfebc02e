//! How this process finds the others that it was started with.

use super::{Alone, Ranks};
use crate::diagnostic::Diagnostic;

/// How `mpirun` or `srun` started this process together with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The number of this process, from 0.
    pub rank: usize,
    /// How many there are.
    pub size: usize,
    /// How many of them are on this machine.
    pub here: usize,
}

/// Names of the variables that a launcher sets: rank, size, and size on this machine.
const LAUNCHERS: [[&str; 3]; 3] = [
    // Open MPI's mpirun.
    ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"],
    // MPICH's mpiexec.
    ["PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"],
    // Slurm's srun; a batch script has no number of tasks of a step.
    ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_TASKS_PER_NODE"],
];

/// Set to 1, gradients are exchanged during backward passes on a single machine too.
const OVERLAP: &str = "BERTBENCH_OVERLAP";

impl Launched {
    /// Whether gradients are exchanged while the backward pass goes on: where they pass through a network. Within a machine
    /// the cores that compute would copy them, which takes longer in between than afterwards.
    #[must_use]
    pub fn overlaps(self) -> bool {
        self.here < self.size || std::env::var(OVERLAP).is_ok_and(|value| value == "1")
    }

    /// Threads of each rank besides those that compute: one exchanges gradients meanwhile.
    #[must_use]
    pub fn threads_besides(self) -> usize {
        usize::from(self.overlaps())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| {
            let text = variable(name)?;
            // Slurm writes `2(x3),1`: two tasks on each of three nodes, then one.
            text.split(['(', ',']).next().unwrap_or_default().parse().ok()
        };
        LAUNCHERS.iter().find_map(|[rank, size, here]| {
            let (rank, size) = (number(rank)?, number(size)?);
            (size > 1 && rank < size).then(|| Self { rank, size, here: number(here).unwrap_or(1).clamp(1, size) })
        })
    }
}

/// Whether this process shares runs with others through MPI; never in a program that was built without it.
#[must_use]
pub fn launched() -> Option<Launched> {
    if cfg!(feature = "mpi") { Launched::of(|name| std::env::var(name).ok()) } else { None }
}

/// All processes that this one was started with when `shared`, else this one alone. Every call on what is returned has to
/// be made by the thread that calls this.
///
/// # Errors
/// When MPI does not start, or is not built in.
pub fn connect(shared: bool) -> Result<Box<dyn Ranks>, Diagnostic> {
    if !shared {
        return Ok(Box::new(Alone));
    }
    #[cfg(feature = "mpi")]
    let found =
        super::mpi::Mpi::start(launched().is_some_and(Launched::overlaps)).map(|mpi| Box::new(mpi) as Box<dyn Ranks>);
    #[cfg(not(feature = "mpi"))]
    let found = None;
    found.ok_or_else(|| {
        Diagnostic::new("MPI cannot be started by this program")
            .hint("build it with `cargo build --release --features mpi`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Option<Launched> {
        Launched::of(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn launchers_are_known_by_their_variables() {
        let open_mpi =
            [("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_LOCAL_SIZE", "2")];
        assert_eq!(of(&open_mpi), Some(Launched { rank: 1, size: 4, here: 2 }));
        assert_eq!(of(&[("PMI_RANK", "0"), ("PMI_SIZE", "3")]), Some(Launched { rank: 0, size: 3, here: 1 }));
        let slurm = [("SLURM_PROCID", "5"), ("SLURM_STEP_NUM_TASKS", "8"), ("SLURM_STEP_TASKS_PER_NODE", "4(x2)")];
        assert_eq!(of(&slurm), Some(Launched { rank: 5, size: 8, here: 4 }));
    }

    #[test]
    fn one_process_and_a_batch_script_are_alone() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")]), None);
        assert_eq!(of(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "4")]), None);
    }
}
