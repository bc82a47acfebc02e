//! How much one task of a parallel loop takes.

/// Tasks for each thread, at least, where there is enough to do.
const TASKS: usize = 16;

/// Items of a task, at most, of `items` in all.
///
/// Left alone, rayon hands each of two threads a half and cuts it once more: a thread that is done early, because the
/// other one was interrupted or had more to do, waits for up to a quarter of the loop.
pub(super) fn items_of_a_task(items: usize) -> usize {
    (items / (TASKS * rayon::current_num_threads())).max(1)
}
