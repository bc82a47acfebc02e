//! Tasks as reports tell them apart: by name, benchmark and data.

use std::collections::{BTreeMap, BTreeSet};

use super::input::Input;
use crate::store::RunSettings;

/// A task over the same data: the mini benchmark's RTE, GLUE's and an edited one never share a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The task's name, such as `rte`.
    pub(crate) name: String,
    /// The benchmark, as its records name it; empty when no record tells.
    pub(crate) benchmark: String,
    /// SHA-256 of its data files, by name.
    data: BTreeMap<String, String>,
    /// What the page calls it: its name, with the benchmark's where two benchmarks share it.
    pub(crate) label: String,
}

impl Task {
    /// Whether a run with these settings, which belongs to `benchmark`, is on this task.
    pub(super) fn is_of(&self, settings: &RunSettings, benchmark: &str) -> bool {
        self.name == settings.task_name() && self.benchmark == benchmark && Some(&self.data) == data_of(settings)
    }
}

/// The checksums of the data of a run on a task.
pub(super) fn data_of(settings: &RunSettings) -> Option<&BTreeMap<String, String>> {
    settings.task().map(|of| &of.data_sha256)
}

/// Which benchmark a run belongs to: that of the records of its task on the same data in the same experiment, else that of
/// the experiment's first record.
pub(super) struct Benchmarks<'a> {
    by_data: Vec<(usize, &'a RunSettings, &'a str)>,
    by_experiment: BTreeMap<usize, &'a str>,
}

impl<'a> Benchmarks<'a> {
    pub(super) fn of(input: &'a Input) -> Self {
        let mut found = Self { by_data: Vec::new(), by_experiment: BTreeMap::new() };
        for (index, experiment) in input.experiments.iter().enumerate() {
            for record in &experiment.records {
                let Some(of) = record.task() else { continue };
                let name = of.benchmark.as_str();
                // The least name, not the first: the order of the records must not show.
                match found.by_data.iter_mut().find(|(at, one, _)| *at == index && is_same_data(one, &record.settings))
                {
                    Some((_, _, known)) => *known = name.min(known),
                    None => found.by_data.push((index, &record.settings, name)),
                }
                let by_experiment = found.by_experiment.entry(index).or_insert(name);
                *by_experiment = name.min(by_experiment);
            }
        }
        found
    }

    pub(super) fn of_run(&self, experiment: usize, settings: &RunSettings) -> &'a str {
        let of_data = self.by_data.iter().find(|(at, one, _)| *at == experiment && is_same_data(one, settings));
        of_data.map(|(_, _, name)| *name).or_else(|| self.by_experiment.get(&experiment).copied()).unwrap_or_default()
    }
}

fn is_same_data(one: &RunSettings, other: &RunSettings) -> bool {
    one.task_name() == other.task_name() && data_of(one) == data_of(other)
}

/// The tasks in the order in which plans name them; those of no plan follow by name.
pub(super) fn tasks_of<'a>(
    input: &Input,
    names: impl Iterator<Item = (&'a str, &'a str, Option<&'a BTreeMap<String, String>>)>,
) -> Vec<Task> {
    let planned: Vec<&str> = input.experiments.iter().flat_map(|e| &e.planned).map(RunSettings::task_name).collect();
    let rank = |task: &str| planned.iter().position(|known| *known == task).unwrap_or(planned.len());
    let mut found: Vec<_> = names.collect::<BTreeSet<_>>().into_iter().collect();
    found.sort_by_cached_key(|(task, ..)| rank(task));
    let label = |name: &str, benchmark: &str, data: Option<&BTreeMap<String, String>>| {
        let others = || found.iter().filter(|(other, of, files)| *other == name && (*of, *files) != (benchmark, data));
        let known = if benchmark.is_empty() { "benchmark not known" } else { benchmark };
        if others().next().is_none() {
            return name.to_owned();
        }
        if others().all(|(_, of, _)| *of != benchmark) {
            return format!("{name} ({known})");
        }
        // The first file that tells them apart.
        let differs = |file: &&String| {
            others().any(|(_, _, files)| files.and_then(|f| f.get(*file)) != data.and_then(|d| d.get(*file)))
        };
        let file = data.and_then(|data| data.keys().find(differs));
        let checksum = file.and_then(|file| data?.get(file)).map_or("", |sha256| sha256.get(..8).unwrap_or(sha256));
        format!("{name} ({known}, {} {checksum})", file.map_or("other files", String::as_str))
    };
    let task = |(name, benchmark, data): &(&str, &str, Option<&BTreeMap<String, String>>)| Task {
        name: (*name).to_owned(),
        benchmark: (*benchmark).to_owned(),
        data: data.cloned().unwrap_or_default(),
        label: label(name, benchmark, *data),
    };
    found.iter().map(task).collect()
}

/// The files that two runs on a task of one name do not have in common, by the checksums in their settings.
pub(crate) fn other_files(a: &RunSettings, b: &RunSettings) -> Vec<String> {
    let (Some(a), Some(b)) = (data_of(a), data_of(b)) else { return Vec::new() };
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differing = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    differing
        .map(|name| match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => format!("{name} ({} and {})", short(a), short(b)),
            (Some(_), None) => format!("{name} (only the first reads it)"),
            (None, _) => format!("{name} (only the second reads it)"),
        })
        .collect()
}

/// As much of a checksum as tells two apart.
fn short(checksum: &str) -> &str {
    checksum.get(..8).unwrap_or(checksum)
}
