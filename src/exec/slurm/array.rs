//! Which runs an array task does.

use crate::store::RunId;
use crate::units::Seconds;

/// The default time limit is so many times the forecast, for nodes that are slower or shared, and `TIME_MORE`. A
/// task that takes longer than that writes its checkpoints, and is queued again.
pub const TIME_FACTOR: f64 = 2.0;

/// For what is not forecast: the start of a node, modules, waiting for a slow disk.
const TIME_MORE: Seconds = Seconds(600.0);

/// A job array: its task N, from 1, does the runs of line N.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// The name of its files, such as `runs-1`.
    pub name: String,
    /// The runs of each task.
    pub tasks: Vec<Vec<RunId>>,
    /// The time limit, in minutes, where none is given.
    pub minutes: u64,
    /// The array tasks that must succeed before any of its own starts, such as `17_2`.
    pub after: Option<String>,
}

/// Makes array tasks of `runs`, each with its forecast, in their order: a task gets runs until they take `target`
/// together. The longest task comes first. Arrays have at most `largest` tasks, and are called `name-1`, `name-2`, ….
#[must_use]
pub fn group(
    name: &str,
    runs: &[(RunId, Seconds)],
    target: Seconds,
    largest: usize,
    after: Option<&str>,
) -> Vec<Array> {
    let mut tasks: Vec<(Seconds, Vec<RunId>)> = Vec::new();
    for (id, forecast) in runs {
        match tasks.last_mut() {
            Some((sum, ids)) if sum.0 + forecast.0 <= target.0 => {
                sum.0 += forecast.0;
                ids.push(id.clone());
            }
            _ => tasks.push((*forecast, vec![id.clone()])),
        }
    }
    tasks.sort_by(|(a, _), (b, _)| b.0.total_cmp(&a.0));
    let arrays = tasks.chunks(largest.max(1)).enumerate();
    arrays
        .map(|(at, tasks)| Array {
            name: format!("{name}-{}", at + 1),
            minutes: limit(tasks.first().map_or(Seconds(0.0), |(longest, _)| *longest)),
            tasks: tasks.iter().map(|(_, ids)| ids.clone()).collect(),
            after: after.map(str::to_owned),
        })
        .collect()
}

/// The default time limit, in minutes.
fn limit(forecast: Seconds) -> u64 {
    ((forecast.0 * TIME_FACTOR + TIME_MORE.0) / 60.0).ceil() as u64
}

impl Array {
    /// The list of runs: a line for each task, with ids separated by commas.
    #[must_use]
    pub fn list(&self) -> String {
        let line = |ids: &Vec<RunId>| ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(",") + "\n";
        self.tasks.iter().map(line).collect()
    }

    /// The tasks of such a list.
    #[must_use]
    pub(super) fn tasks_of(list: &str) -> Vec<Vec<RunId>> {
        list.lines().map(|line| line.split(',').map(|id| RunId(id.to_owned())).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(forecasts: &[f64]) -> Vec<(RunId, Seconds)> {
        forecasts.iter().enumerate().map(|(at, forecast)| (RunId(format!("r{at}")), Seconds(*forecast))).collect()
    }

    #[test]
    fn short_runs_share_a_task_and_the_longest_task_comes_first() {
        let arrays = group("runs", &runs(&[20.0, 30.0, 15.0, 500.0, 1.0, 59.0]), Seconds(60.0), 1000, None);
        assert_eq!(arrays.len(), 1);
        assert_eq!(arrays[0].list(), "r3\nr4,r5\nr0,r1\nr2\n");
        // 500 s twice and ten minutes.
        assert_eq!(arrays[0].minutes, 27);
        assert_eq!(Array::tasks_of(&arrays[0].list()), arrays[0].tasks);
    }

    #[test]
    fn no_array_is_larger_than_the_cluster_takes() {
        let arrays = group("runs", &runs(&[100.0; 7]), Seconds(60.0), 3, Some("8_1"));
        let shown: Vec<_> = arrays.iter().map(|array| (array.name.as_str(), array.tasks.len())).collect();
        assert_eq!(shown, [("runs-1", 3), ("runs-2", 3), ("runs-3", 1)]);
        assert!(arrays.iter().all(|array| array.after.as_deref() == Some("8_1")));
        assert_eq!(group("runs", &[], Seconds(60.0), 3, None), []);
    }
}
