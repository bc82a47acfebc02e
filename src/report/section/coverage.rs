//! What ran, what failed and why, and what is missing.

use std::collections::BTreeSet;

use crate::report::Error;
use crate::report::analysis::{Analysis, Counts};
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::{counted, grouped, listed, readable_moment};
use crate::report::pretraining::PretrainCounts;
use crate::report::run::State;
use crate::store::Optimization;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.runs.is_empty() && analysis.pretraining.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = if analysis.runs.is_empty() { Vec::new() } else { cautions(analysis) };
    found.extend(pretraining_cautions(analysis));
    let mut blocks: Vec<Block> = found.into_iter().map(Block::caution).collect();
    if !analysis.runs.is_empty() {
        blocks.push(Block::Table(counts_table(analysis)));
    }
    blocks.extend(pretraining_table(analysis).map(Block::Table));
    blocks.extend(failures_table(analysis).map(Block::Table));
    Ok(blocks)
}

fn cautions(analysis: &Analysis<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, experiment) in analysis.input.experiments.iter().enumerate() {
        let counts = analysis.counts(|run| run.experiment == at);
        let name = &experiment.name;
        if experiment.planned.is_empty() {
            found.push(format!("The plan of {name} is not available: runs that never started cannot be listed here."));
        }
        if counts.missing + counts.failed > 0 {
            let total = grouped(counts.total() as u64);
            found.push(format!(
                "{name} is not complete: of {total} runs {} failed and {} left nothing. Its scores are the best of \
                 what finished.",
                counts.failed, counts.missing
            ));
        }
        if counts.unscored > 0 {
            let runs = counted(counts.unscored, "finished run");
            found.push(format!("{runs} of {name} scored no number (NaN) and entered no average."));
        }
        if analysis.unplanned[at] > 0 {
            let runs = counted(analysis.unplanned[at], "run");
            found.push(format!(
                "{runs} in the folder of {name} are not part of its plan as it is now and were left out."
            ));
        }
    }
    found.extend(mixed_settings(analysis));
    found
}

/// Groups whose runs differ in more than the sweep: their best point may owe its place to that.
fn mixed_settings(analysis: &Analysis<'_>) -> Option<String> {
    let mut groups: BTreeSet<String> = BTreeSet::new();
    for cell in &analysis.cells {
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
            "Runs of {} differ in settings beside the sweep's (see the runs' details); they share a row.",
            listed(&groups)
        )
    })
}

fn counts_table(analysis: &Analysis<'_>) -> Table {
    let several = analysis.input.experiments.len() > 1;
    let mut rows = Vec::new();
    for (at, experiment) in analysis.input.experiments.iter().enumerate() {
        for (index, task) in analysis.tasks.iter().enumerate() {
            let counts = analysis.counts(|run| run.experiment == at && run.task == index);
            if counts.total() == 0 {
                continue;
            }
            let mut row = if several { vec![Cell::text(&experiment.name)] } else { Vec::new() };
            row.push(Cell::text(&task.label));
            row.extend(count_cells(counts, !experiment.planned.is_empty()));
            rows.push(row);
        }
    }
    let columns = ["Planned", "Done", "Failed", "Missing", "Without score"].map(Column::number);
    let first = several.then(|| Column::text("Experiment"));
    let columns = first.into_iter().chain([Column::text("Task")]).chain(columns).collect();
    Table { caption: "Runs by experiment and task".into(), columns, rows, interactive: false }
}

fn count_cells(counts: Counts, plan_known: bool) -> Vec<Cell> {
    let number = |count: usize| Cell::number(grouped(count as u64), count as f64);
    let trouble = |count: usize| number(count).tone(if count == 0 { Tone::Quiet } else { Tone::Bad });
    let unknown = || Cell::absent("the plan is not available");
    vec![
        if plan_known { number(counts.total()) } else { unknown() },
        number(counts.done),
        trouble(counts.failed),
        if plan_known { trouble(counts.missing) } else { unknown() },
        trouble(counts.unscored),
    ]
}

fn pretraining_cautions(analysis: &Analysis<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, experiment) in analysis.input.pretraining.iter().enumerate() {
        let counts = PretrainCounts::of(analysis.pretraining.iter().filter(|run| run.experiment == at));
        let name = &experiment.name;
        if experiment.planned.is_empty() {
            found.push(format!("The plan of {name} is not available: runs that never started cannot be listed here."));
        }
        if counts.done < counts.total() {
            let PretrainCounts { failed, begun, missing, .. } = counts;
            found.push(format!(
                "{name} is not complete: of {} {failed} failed, {begun} are not finished yet, and {missing} have no record.",
                counted(counts.total(), "pretraining run")
            ));
        }
        if analysis.unplanned_pretraining[at] > 0 {
            let runs = counted(analysis.unplanned_pretraining[at], "pretraining run");
            found.push(format!("{runs} of {name} are not part of its plan as it is now and were left out."));
        }
    }
    found
}

fn pretraining_table(analysis: &Analysis<'_>) -> Option<Table> {
    let experiments = analysis.input.pretraining.iter().enumerate();
    let rows: Vec<Vec<Cell>> = experiments
        .map(|(at, experiment)| {
            let counts = PretrainCounts::of(analysis.pretraining.iter().filter(|run| run.experiment == at));
            let number = |count: usize| Cell::number(grouped(count as u64), count as f64);
            let trouble = |count: usize| number(count).tone(if count == 0 { Tone::Quiet } else { Tone::Bad });
            let unknown = || Cell::absent("the plan is not available");
            let is_known = !experiment.planned.is_empty();
            vec![
                Cell::text(&experiment.name),
                if is_known { number(counts.total()) } else { unknown() },
                number(counts.done),
                trouble(counts.failed),
                trouble(counts.begun),
                if is_known { trouble(counts.missing) } else { unknown() },
            ]
        })
        .collect();
    let numbers = ["Planned", "Done", "Failed", "Not finished", "Missing"].map(Column::number);
    let columns = [Column::text("Experiment")].into_iter().chain(numbers).collect();
    let caption = "Pretraining runs by experiment".into();
    (!rows.is_empty()).then_some(Table { caption, columns, rows, interactive: false })
}

fn failures_table(analysis: &Analysis<'_>) -> Option<Table> {
    let rows: Vec<Vec<Cell>> = analysis
        .runs
        .iter()
        .filter_map(|run| match run.state {
            State::Failed(failure) => Some((run, failure)),
            State::Done(_) | State::Missing => None,
        })
        .map(|(run, failure)| {
            vec![
                Cell::text(&run.id.0).link(&run.anchor),
                Cell::text(&analysis.tasks[run.task].label),
                Cell::text(&analysis.systems[run.system].label),
                Cell::text(run.point_label()).small(format!("seed {}", run.settings.seed)),
                Cell::text(&failure.kind).tone(Tone::Bad),
                Cell::text(&failure.cause),
                Cell::text(readable_moment(failure.at_unix)),
            ]
        })
        .collect();
    let names = ["Run", "Task", "Model", "Batch × rate × epochs", "Failure", "Cause", "When"];
    let columns = names.map(Column::text).to_vec();
    (!rows.is_empty()).then(|| Table { caption: "Failed runs".into(), columns, rows, interactive: false })
}
