//! `bertbench status`

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use serde_json::{Value, json};

use super::experiment_args::ExperimentArgs;
use super::queue;
use super::report::PAUSE;
use super::run::shown;
use crate::diagnostic::Error;
use crate::sweep::{Left, NeededRun, RunProgress, Running, Status, StatusOf, TaskStatus, TaskSum, status};
use crate::terminal::{Column, note_text, print, print_json, print_wrapped, table};

/// Show how many runs are done, running, failed and missing, by task and model.
///
/// Of an experiment that was sent to a Slurm cluster also how many are queued and pre-empted, and on which node the
/// others run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Show it again every two seconds, until no run is missing.
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    #[command(flatten)]
    experiment: ExperimentArgs,
}

/// How far a line that does not fit goes in where it goes on.
const INDENT: usize = 4;

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let identity = args.experiment.identify()?;
    let name = &identity.experiment.base().name;
    loop {
        if args.watch && std::io::stdout().is_terminal() {
            // To the upper left corner, and clear the screen.
            std::io::stdout().write_all(b"\x1b[H\x1b[2J")?;
        }
        let status = status(&identity, note_text)?;
        if args.json {
            print_json(&as_json(name, &status))?;
        } else {
            show(name, &status)?;
        }
        if !args.watch || status.is_over() {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
        if !std::io::stdout().is_terminal() {
            print(&"")?;
        }
    }
}

fn as_json(name: &str, status: &Status) -> Value {
    // By their names, as the counts of a task and model.
    let totals: BTreeMap<&str, usize> = status.totals().into_iter().collect();
    let mut all = json!({"experiment": name, "totals": totals});
    match &status.of {
        StatusOf::Tasks(TaskStatus { sums, starts_from, running, left, failures }) => {
            let row = |TaskSum { task, model, counts, best }: &TaskSum| {
                let (metric, best) = best.as_ref().map_or((None, None), |(metric, score)| (Some(metric), *score));
                json!({"task": task, "model": model, "counts": counts, "metric": metric, "best": best})
            };
            all["tasks"] = sums.iter().map(row).collect();
            let failures = failures.iter();
            all["failures"] =
                failures.map(|(id, failure)| json!({"id": id, "kind": failure.kind, "cause": failure.cause})).collect();
            all["running"] = json!(running);
            all["seconds_left"] = json!(left.seconds());
            if !starts_from.is_empty() {
                all["pretraining"] = json!(starts_from);
            }
        }
        StatusOf::Runs(runs) => {
            let row = |RunProgress { id, model, seed, state, step, steps, failure }: &RunProgress| {
                json!({"id": id, "model": model, "seed": seed, "state": state, "step": step, "steps": steps,
                       "failure": failure})
            };
            all["runs"] = runs.iter().map(row).collect();
        }
    }
    if let Some(queue) = &status.queue {
        all["cluster"] = queue::json(&status.states, queue);
    }
    all
}

fn show(name: &str, status: &Status) -> Result<(), Error> {
    let totals = status.totals();
    let (table, before, mut after, failures) = match &status.of {
        StatusOf::Tasks(of) => {
            let words: Vec<&'static str> = totals.iter().map(|(word, _)| *word).collect();
            let after = left_line(of.left).into_iter().chain(of.running.iter().map(running_line)).collect::<Vec<_>>();
            let failures = of.failures.iter().map(|(id, failure)| (id, failure)).collect::<Vec<_>>();
            (task_table(&words, &of.sums), needed_lines(&of.starts_from), after, failures)
        }
        StatusOf::Runs(runs) => {
            let failures = runs.iter().filter_map(|run| Some((&run.id, run.failure.as_ref()?))).collect();
            (run_table(runs), Vec::new(), Vec::new(), failures)
        }
    };
    print(&table)?;
    print(&"")?;
    let totals: Vec<String> = totals.iter().map(|(word, count)| format!("{count} {word}")).collect();
    after.extend(status.queue.iter().flat_map(|queue| queue::lines(&status.states, queue)));
    after.extend(failures.iter().map(|(id, failure)| format!("failed {id}: {}: {}", failure.kind, failure.cause)));
    let lines = before.into_iter().chain([format!("{name}: {}", totals.join(", "))]).chain(after);
    lines.into_iter().try_for_each(|line| Ok(print_wrapped(&line, INDENT)?))
}

fn task_table(words: &[&'static str], sums: &[TaskSum]) -> String {
    let mut columns = vec![Column::Text("task"), Column::Text("model")];
    columns.extend(words.iter().copied().map(Column::Number));
    columns.push(Column::Number("best"));
    let rows = sums.iter().map(|TaskSum { task, model, counts, best }| {
        let mut row = vec![task.clone(), model.clone()];
        row.extend(words.iter().map(|state| counts.get(state).copied().unwrap_or(0).to_string()));
        row.push(best.as_ref().map_or_else(|| "–".to_owned(), |(_, score)| shown(*score)));
        row
    });
    table(&columns, rows)
}

fn run_table(runs: &[RunProgress]) -> String {
    let columns = [
        Column::Word("id"),
        Column::Text("model"),
        Column::Number("seed"),
        Column::Number("step"),
        Column::Number("of"),
        Column::Word("state"),
    ];
    let cells = runs.iter().map(|run| {
        let [seed, step, steps] = [run.seed, run.step, run.steps].map(|number| number.to_string());
        vec![run.id.to_string(), run.model.clone(), seed, step, steps, run.state.to_owned()]
    });
    table(&columns, cells)
}

fn running_line(of: &Running) -> String {
    let Running { id, task, model, epoch, epochs, step, .. } = of;
    let loss = of.loss.map_or_else(String::new, |loss| format!(", loss {loss:.4}"));
    let left = of.left.map_or_else(String::new, |left| format!(", about {left} left"));
    format!("running {id} {task} {model}: epoch {epoch} of {epochs}, step {step}{loss}{left}")
}

/// The work that is left, where anything is known of it.
fn left_line(Left { known, unknown }: Left) -> Option<String> {
    let time = (known.0 > 0.0).then(|| format!("left: about {known} of work for one slot"))?;
    Some(match unknown {
        0 => time,
        1 => format!("{time}, and 1 run of a task and model of which none is done"),
        unknown => format!("{time}, and {unknown} runs of tasks and models of which none is done"),
    })
}

/// The pretraining that runs start from, a line for each run.
pub(super) fn needed_lines(needed: &[NeededRun]) -> Vec<String> {
    let line = |one: &NeededRun| {
        let NeededRun { experiment, model, id, state, missing_seconds, .. } = one;
        let time = missing_seconds.filter(|seconds| seconds.0 > 0.0);
        let time = time.map_or_else(String::new, |seconds| format!(", {seconds} in one slot"));
        format!("pretraining {experiment} {model} ({id}): {state}{time}")
    };
    needed.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seconds;

    #[test]
    fn runs_of_unknown_length_are_counted() {
        assert_eq!(left_line(Left { known: Seconds(0.0), unknown: 3 }), None);
        let some = left_line(Left { known: Seconds(90.0), unknown: 1 }).unwrap();
        assert!(some.ends_with(", and 1 run of a task and model of which none is done"));
    }
}
