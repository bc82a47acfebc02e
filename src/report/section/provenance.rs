//! Where the records come from, what they remark, and how to make this page again.

use std::collections::BTreeMap;

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::{counted, grouped, listed, readable_moment, shell_word};
use crate::report::run::Run;
use crate::store::Record;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut blocks = Vec::new();
    let records: Vec<&Record> = analysis.runs.iter().filter_map(Run::record).collect();
    if !records.is_empty() {
        let dirty = records.iter().filter(|record| record.provenance.git_dirty).count();
        if dirty > 0 {
            let text = format!("{} came from code with uncommitted changes.", counted(dirty, "record"));
            blocks.push(Block::caution(text));
        }
        blocks.push(Block::Table(environments(&records)));
    }
    let notes = notes(analysis);
    if !notes.is_empty() {
        blocks.push(Block::heading("Notes of the runs"));
        blocks.push(Block::List { items: notes });
    }
    blocks.push(Block::heading("How to reproduce"));
    blocks.push(Block::paragraph(
        "The first command runs what is missing and nothing twice; the second makes this report from the records.",
    ));
    blocks.push(Block::Code { text: commands(analysis) });
    Ok(blocks)
}

/// One row for each combination of machine and code.
fn environments(records: &[&Record]) -> Table {
    let mut found: BTreeMap<Vec<String>, (usize, u64, u64)> = BTreeMap::new();
    for record in records {
        let (host, made) = (&record.host, &record.provenance);
        let commit = match (&made.git_commit, made.git_dirty) {
            (Some(commit), false) => commit.chars().take(12).collect(),
            (Some(commit), true) => format!("{} + changes", commit.chars().take(12).collect::<String>()),
            (None, _) => "not built from a checkout".to_owned(),
        };
        let key = vec![
            host.name.clone(),
            format!("{}; {} of {} threads; {}", host.cpu, host.threads, host.cores, host.memory),
            host.os.clone(),
            host.device.clone(),
            format!("bertbench {}, burn {}, rustc {}", made.bertbench, made.burn, made.rustc),
            commit,
        ];
        let entry = found.entry(key).or_insert((0, u64::MAX, 0));
        *entry = (entry.0 + 1, entry.1.min(made.started_unix), entry.2.max(made.finished_unix));
    }
    let rows = found
        .into_iter()
        .map(|(key, (count, from, to))| {
            let mut row: Vec<Cell> = key.into_iter().map(known).collect();
            row.push(Cell::number(grouped(count as u64), count as f64));
            row.push(Cell::text(readable_moment(from)).small(format!("to {}", readable_moment(to))));
            row
        })
        .collect();
    let text = ["Host", "Machine", "System", "Device", "Versions", "Commit"].map(Column::text);
    let columns = text.into_iter().chain([Column::number("Runs"), Column::text("When")]).collect();
    Table { caption: "Machines and versions".into(), columns, rows, interactive: false }
}

fn known(text: String) -> Cell {
    if text.is_empty() { Cell::text("unknown").tone(Tone::Absent) } else { Cell::text(text) }
}

/// Each different remark once, with the models and tasks that it is about.
fn notes(analysis: &Analysis<'_>) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<&Run<'_>>> = BTreeMap::new();
    for run in &analysis.runs {
        let Some(record) = run.record() else { continue };
        // Skipped rows are among the record's own notes.
        for note in &record.notes {
            found.entry(note.clone()).or_default().push(run);
        }
    }
    let about = |runs: &[&Run<'_>]| {
        let mut systems: Vec<usize> = runs.iter().map(|run| run.system).collect();
        systems.sort_unstable();
        systems.dedup();
        let labels: Vec<String> = systems.iter().map(|at| analysis.systems[*at].label.clone()).collect();
        format!("{} of {}", counted(runs.len(), "run"), listed(&labels))
    };
    found.into_iter().map(|(note, runs)| format!("{note} ({})", about(&runs))).collect()
}

fn commands(analysis: &Analysis<'_>) -> String {
    let files: Vec<String> = analysis
        .input
        .experiments
        .iter()
        .map(|experiment| experiment.file.clone().unwrap_or_else(|| format!("experiments/{}.yaml", experiment.name)))
        .map(|file| shell_word(&file))
        .collect();
    let mut lines: Vec<String> = files.iter().map(|file| format!("bertbench run {file}")).collect();
    lines.push(format!("bertbench report {}", files.join(" ")));
    lines.join("\n")
}
