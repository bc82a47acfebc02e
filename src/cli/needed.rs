//! The pretraining that runs start from, in lines for a terminal.

use crate::sweep::NeededRun;

/// A line for each run.
pub(super) fn lines(needed: &[NeededRun]) -> Vec<String> {
    let line = |one: &NeededRun| {
        let NeededRun { experiment, model, id, state, missing_seconds, .. } = one;
        let time = missing_seconds.filter(|seconds| seconds.0 > 0.0);
        let time = time.map_or_else(String::new, |seconds| format!(", {seconds} in one slot"));
        format!("pretraining {experiment} {model} ({id}): {state}{time}")
    };
    needed.iter().map(line).collect()
}
