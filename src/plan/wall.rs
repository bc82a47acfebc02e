//! How long runs take that share a machine.

use crate::units::Seconds;

/// A run that is to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upcoming {
    /// How long it takes.
    pub seconds: Seconds,
    /// The place, in the same list, of the run that has to end first.
    pub after: Option<usize>,
}

/// How long `runs` take in so many slots. A free slot takes the longest run that waits for no other, or for one that
/// has ended; a run that others wait for comes before those that none waits for.
#[must_use]
pub fn wall(runs: &[Upcoming], slots: usize) -> Seconds {
    let is_awaited = |at: usize| runs.iter().any(|run| run.after == Some(at));
    let mut waiting: Vec<usize> = (0..runs.len()).collect();
    waiting.sort_by(|a, b| is_awaited(*b).cmp(&is_awaited(*a)).then(runs[*b].seconds.0.total_cmp(&runs[*a].seconds.0)));
    let mut ends: Vec<Option<f64>> = vec![None; runs.len()];
    let mut free = vec![0.0_f64; slots.max(1)];
    while !waiting.is_empty() {
        let Some(slot) = (0..free.len()).min_by(|a, b| free[*a].total_cmp(&free[*b])) else { break };
        let now = free[slot];
        let has_ended = |at: usize| ends.get(at).is_none_or(|end| end.is_some_and(|end| end <= now));
        if let Some(next) = waiting.iter().position(|at| runs[*at].after.is_none_or(has_ended)) {
            let at = waiting.remove(next);
            free[slot] = now + runs[at].seconds.0;
            ends[at] = Some(free[slot]);
        } else {
            // The slot stands idle until another one's run has ended; runs that wait in a circle never start.
            let Some(next) = ends.iter().flatten().copied().filter(|end| *end > now).min_by(f64::total_cmp) else {
                break;
            };
            free[slot] = next;
        }
    }
    Seconds(ends.into_iter().flatten().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[(f64, Option<usize>)], slots: usize) -> f64 {
        let runs: Vec<Upcoming> =
            runs.iter().map(|(seconds, after)| Upcoming { seconds: Seconds(*seconds), after: *after }).collect();
        wall(&runs, slots).0
    }

    #[test]
    fn the_longest_come_first_and_slots_share() {
        let runs = [(1.0, None), (2.0, None), (3.0, None), (4.0, None)];
        assert_eq!(of(&runs, 1).to_bits(), 10.0_f64.to_bits());
        assert_eq!(of(&runs, 2).to_bits(), 5.0_f64.to_bits());
        assert_eq!(of(&runs, 9).to_bits(), 4.0_f64.to_bits());
        assert_eq!(of(&[], 2).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn a_run_waits_for_the_one_that_it_starts_from() {
        // While the pretraining goes on, the other slot has one run that waits for nothing, and then stands idle.
        let runs = [(10.0, None), (3.0, Some(0)), (3.0, Some(0)), (4.0, None)];
        assert_eq!(of(&runs, 2).to_bits(), 13.0_f64.to_bits());
        assert_eq!(of(&runs, 1).to_bits(), 20.0_f64.to_bits());
        assert_eq!(of(&[(1.0, Some(1)), (1.0, Some(0))], 1).to_bits(), 0.0_f64.to_bits(), "a circle ends");
    }
}
