//! What ran, what failed and why, and what is missing.

use std::collections::BTreeSet;

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::group::Counts;
use crate::report::phrase::{counted, grouped, listed, readable_moment};
use crate::report::run::{State, point_label};
use crate::store::Optimization;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut blocks: Vec<Block> = cautions(analysis).into_iter().map(Block::caution).collect();
    if analysis.all_runs().next().is_none() {
        return Ok(blocks);
    }
    blocks.push(Block::Table(counts_table(analysis)));
    blocks.extend(failures_table(analysis).map(Block::Table));
    Ok(blocks)
}

fn cautions(analysis: &Analysis<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, experiment) in analysis.input.experiments.iter().enumerate() {
        let counts = analysis.counts(|run| run.experiment == at);
        let name = &experiment.name;
        found.extend(experiment.notes.iter().map(|note| format!("{name}: {note}.")));
        if experiment.planned.is_empty() && counts.total() > 0 {
            found.push(format!("The plan of {name} was not found: runs that never started cannot be listed here."));
        }
        if counts.done < counts.total() {
            let Counts { failed, unfinished, missing, .. } = counts;
            let (total, missing) = (counted(counts.total(), "run"), grouped(missing as u64));
            found.push(format!(
                "{name} is incomplete: of {total}, {failed} failed, {unfinished} did not finish, and {missing} did not run. \
                 Its scores are the best among the finished runs."
            ));
        }
        if counts.unscored > 0 {
            let runs = counted(counts.unscored, "finished run");
            found.push(format!("{runs} of {name} scored NaN; such scores are left out of every mean."));
        }
        if analysis.unplanned[at] > 0 {
            let runs = counted(analysis.unplanned[at], "run");
            found.push(format!("Left out: {runs} in the folder of {name} that its current plan does not contain."));
        }
    }
    found.extend(mixed_settings(analysis));
    found
}

/// Groups whose runs differ in more than the sweep: their best point may owe its place to that.
fn mixed_settings(analysis: &Analysis<'_>) -> Option<String> {
    let mut groups: BTreeSet<String> = BTreeSet::new();
    for cell in &analysis.groups {
        let fixed = |at: usize| {
            let settings = cell.points[at].settings;
            let optimization = Optimization {
                batch_size: 0,
                learning_rate: 0.0,
                gradient_checkpointing: false,
                ..settings.optimization.clone()
            };
            (optimization, settings.max_length(), &settings.device, settings.numerics_version)
        };
        if (1..cell.points.len()).any(|at| fixed(at) != fixed(0)) {
            let (task, system) = (&analysis.tasks[cell.task].label, &analysis.systems[cell.system].label);
            groups.insert(format!("{system} on {task}"));
        }
    }
    let groups: Vec<String> = groups.into_iter().collect();
    (!groups.is_empty()).then(|| {
        format!(
            "Runs of {} also differ in settings outside the sweep (see their details), yet share a row.",
            listed(&groups)
        )
    })
}

fn counts_table(analysis: &Analysis<'_>) -> Table {
    let several = analysis.input.experiments.len() > 1;
    let mut rows = Vec::new();
    for (at, experiment) in analysis.input.experiments.iter().enumerate() {
        for task in (0..analysis.tasks.len()).map(Some).chain([None]) {
            let counts = analysis.counts(|run| run.experiment == at && run.task == task);
            if counts.total() == 0 {
                continue;
            }
            let mut row = if several { vec![Cell::text(&experiment.name)] } else { Vec::new() };
            row.push(Cell::text(task.map_or("pretraining", |task| &analysis.tasks[task].label)));
            row.extend(count_cells(counts, !experiment.planned.is_empty()));
            rows.push(row);
        }
    }
    let numbers = ["Planned", "Done", "Failed", "Not finished", "Not run", "Without score"];
    let columns = Column::list(if several { &["Experiment", "Task"] } else { &["Task"] }, &numbers);
    Table { caption: "Runs by experiment and task".into(), columns, rows, interactive: false }
}

fn count_cells(counts: Counts, plan_known: bool) -> Vec<Cell> {
    let trouble = |count: usize| Cell::count(count).tone(if count == 0 { Tone::Quiet } else { Tone::Bad });
    let unknown = || Cell::absent("the plan was not found");
    vec![
        if plan_known { Cell::count(counts.total()) } else { unknown() },
        Cell::count(counts.done),
        trouble(counts.failed),
        trouble(counts.unfinished),
        if plan_known { trouble(counts.missing) } else { unknown() },
        trouble(counts.unscored),
    ]
}

fn failures_table(analysis: &Analysis<'_>) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = analysis
        .all_runs()
        .filter_map(|run| match run.state {
            State::Failed(failure) => Some((run, failure)),
            State::Done(_) | State::Missing => None,
        })
        .map(|(run, failure)| {
            vec![
                Cell::text(&run.id.0).link(run.link()),
                Cell::text(analysis.task_label(run)),
                Cell::text(&run.label),
                Cell::text(point_label(run.settings)).small(format!("seed {}", run.settings.seed)),
                Cell::text(&failure.kind).tone(Tone::Bad),
                Cell::text(&failure.cause),
                Cell::text(readable_moment(failure.at_unix)),
            ]
        })
        .collect();
    let names = ["Run", "Task", "Model", "Batch × rate × epochs (steps)", "Failure", "Cause", "When"];
    let columns = Column::list(&names, &[]);
    (!rows.is_empty()).then(|| Table { caption: "Failed runs".into(), columns, rows, interactive: false })
}
