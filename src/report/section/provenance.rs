//! Where the records come from, what they remark, and how to make this page again.

use std::collections::BTreeMap;

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::{counted, grouped, listed, readable_moment, shell_word};
use crate::report::pretraining::PretrainRun;
use crate::report::run::Run;
use crate::store::{Host, InitialWeights, Provenance};

/// Where and by what a record was made.
type Made<'a> = (&'a Host, &'a Provenance);

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut blocks = Vec::new();
    let tuned = analysis.runs.iter().filter_map(Run::record).map(|record| (&record.host, &record.provenance));
    let pretrained = analysis.pretraining.iter().filter_map(PretrainRun::record);
    let records: Vec<Made<'_>> = tuned.chain(pretrained.map(|record| (&record.host, &record.provenance))).collect();
    if !records.is_empty() {
        let dirty = records.iter().filter(|(_, made)| made.git_dirty).count();
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
fn environments(records: &[Made<'_>]) -> Table {
    let mut found: BTreeMap<Vec<String>, (usize, u64, u64)> = BTreeMap::new();
    for (host, made) in records {
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
    let mut notes: Vec<String> = found.into_iter().map(|(note, runs)| format!("{note} ({})", about(&runs))).collect();
    notes.extend(pretraining_notes(analysis));
    notes
}

/// The same of pretraining runs.
fn pretraining_notes(analysis: &Analysis<'_>) -> Vec<String> {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for run in &analysis.pretraining {
        for note in run.record().map(|record| record.notes.as_slice()).unwrap_or_default() {
            found.entry(note).or_default().push(run.label.clone());
        }
    }
    found.into_iter().map(|(note, labels)| format!("{note} (pretraining of {})", listed(&labels))).collect()
}

/// The files of pretraining experiments that a report of the others does not bring by itself, and of all of them.
fn pretraining_files(analysis: &Analysis<'_>) -> (Vec<String>, Vec<String>) {
    let is_brought = |name: &str| {
        analysis
            .systems
            .iter()
            .any(|system| matches!(&system.start, InitialWeights::Pretraining { experiment, .. } if experiment == name))
    };
    let (mut named, mut all) = (Vec::new(), Vec::new());
    for experiment in &analysis.input.pretraining {
        let file = experiment.file.clone().unwrap_or_else(|| format!("experiments/{}.yaml", experiment.name));
        if !is_brought(&experiment.name) {
            named.push(shell_word(&file));
        }
        all.push(shell_word(&file));
    }
    (named, all)
}

fn commands(analysis: &Analysis<'_>) -> String {
    let files: Vec<String> = analysis
        .input
        .experiments
        .iter()
        .map(|experiment| experiment.file.clone().unwrap_or_else(|| format!("experiments/{}.yaml", experiment.name)))
        .map(|file| shell_word(&file))
        .collect();
    let (named, pretraining) = pretraining_files(analysis);
    let mut lines: Vec<String> = pretraining.iter().chain(&files).map(|file| format!("bertbench run {file}")).collect();
    lines.push(format!("bertbench report {}", [files, named].concat().join(" ")));
    lines.join("\n")
}
