//! Where the records come from, what they remark, and how to make this page again.

use std::collections::BTreeMap;

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::{counted, listed, readable_moment, shell_word};
use crate::report::run::Run;
use crate::store::{InitialWeights, Record};

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut blocks = Vec::new();
    let records: Vec<&Record> = analysis.all_runs().filter_map(Run::record).collect();
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
        blocks.push(Block::heading("Notes from the runs"));
        blocks.push(Block::List(notes));
    }
    blocks.push(Block::heading("How to reproduce"));
    blocks.push(Block::paragraph("run runs only what is missing; report makes this page from the records."));
    blocks.push(Block::Code(commands(analysis)));
    Ok(blocks)
}

/// One row for each combination of machine and code.
fn environments(records: &[&Record]) -> Table {
    let mut found: BTreeMap<Vec<String>, (usize, u64, u64)> = BTreeMap::new();
    for Record { host, provenance: made, .. } in records.iter().copied() {
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
            row.push(Cell::count(count));
            row.push(Cell::text(readable_moment(from)).small(format!("to {}", readable_moment(to))));
            row
        })
        .collect();
    let mut columns = Column::list(&["Host", "Machine", "System", "Device", "Versions", "Commit"], &["Runs"]);
    columns.push(Column::text("When"));
    Table { caption: "Machines and versions".into(), columns, rows, interactive: false }
}

fn known(text: String) -> Cell {
    if text.is_empty() { Cell::text("unknown").tone(Tone::Absent) } else { Cell::text(text) }
}

/// Each different remark once, with the models that it is about.
fn notes(analysis: &Analysis<'_>) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<&Run<'_>>> = BTreeMap::new();
    for run in analysis.all_runs() {
        // Skipped rows are among the record's own notes.
        for note in run.record().into_iter().flat_map(|record| &record.notes) {
            found.entry(note.clone()).or_default().push(run);
        }
    }
    let about = |runs: &[&Run<'_>]| {
        let mut labels: Vec<String> = Vec::new();
        for run in runs {
            let pretraining = if run.task.is_none() { "the pretraining of " } else { "" };
            let label = format!("{pretraining}{}", run.label);
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        format!("{} of {}", counted(runs.len(), "run"), listed(&labels))
    };
    found.into_iter().map(|(note, runs)| format!("{note} ({})", about(&runs))).collect()
}

/// The commands that run the experiments, those that others start from first, and report on them. A report brings the
/// pretraining experiments of its models along.
fn commands(analysis: &Analysis<'_>) -> String {
    let experiments = &analysis.input.experiments;
    let is_origin = |name: &str| {
        let of = |start: &InitialWeights| matches!(start, InitialWeights::Pretraining { experiment, .. } if experiment == name);
        analysis.systems.iter().any(|system| of(&system.initial_weights))
    };
    let pretrains = |at: usize| analysis.pretraining.iter().any(|run| run.experiment == at);
    let file = |at: usize| {
        let default = || format!("experiments/{}.yaml", experiments[at].name);
        shell_word(&experiments[at].file.clone().unwrap_or_else(default))
    };
    let options = |at: usize, of_report: bool| {
        let mut options = experiments[at].options.iter().map(String::as_str);
        let mut text = String::new();
        while let Some(option) = options.next() {
            if option == "--set" {
                let set = options.next().unwrap_or_default();
                text.extend([" --set ", &shell_word(set)]);
            } else if !of_report {
                text.extend([" ", option]);
            }
        }
        text
    };
    let (first, then): (Vec<usize>, Vec<usize>) = (0..experiments.len()).partition(|at| pretrains(*at));
    let mut lines: Vec<String> =
        first.into_iter().chain(then).map(|at| format!("bertbench run {}{}", file(at), options(at, false))).collect();
    let named: Vec<usize> = (0..experiments.len()).filter(|at| !is_origin(&experiments[*at].name)).collect();
    // `--set` is for all files of a report.
    let set = named.first().map_or_else(String::new, |at| options(*at, true));
    lines.push(format!("bertbench report {}{set}", named.into_iter().map(file).collect::<Vec<_>>().join(" ")));
    lines.join("\n")
}
