//! The page as a value: its notice, its sections and their parts.

use serde::Serialize;

use super::Error;
use super::analysis::Analysis;
use super::block::{Block, Figure, Part};
use super::file_name::UniqueNames;
use super::phrase::{listed, readable_moment};
use super::run::Run;
use super::section::SECTIONS;

/// Everything that the page shows, in its order.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// A line under it: what was run, and when the last record was made.
    pub(crate) subtitle: String,
    /// The page's first line, when its scores could be mistaken for others.
    pub(crate) notice: Option<String>,
    /// After how many seconds a browser loads it again, while its sweep goes on.
    pub(crate) refresh_seconds: Option<u32>,
    /// Whether it is served by `bertbench serve` and asks there whether it changed.
    pub(crate) live: bool,
    /// The way back to the page in front of it: its address and what it is called.
    pub(crate) up: Option<[String; 2]>,
    /// Whether `results.csv` and its like lie beside it.
    pub(crate) has_data: bool,
    pub(crate) sections: Vec<Part>,
}

impl Page {
    /// Builds every section that has something to say.
    pub(crate) fn of(analysis: &Analysis<'_>) -> Result<Self, Error> {
        let sections = Part::all(SECTIONS.iter().map(|(id, title, build)| (*id, *title, build(analysis))))?;
        let title = analysis.input.title.clone();
        let (subtitle, notice) = (subtitle(analysis), notice(analysis));
        let mut page = Self { title, subtitle, notice, has_data: true, sections, ..Self::default() };
        // Names that become the same file name get a number.
        let mut names = UniqueNames::default();
        page.figures_mut().for_each(|figure| figure.name = names.next(std::mem::take(&mut figure.name), "__"));
        Ok(page)
    }

    /// All figures, in the page's order.
    pub(crate) fn figures_mut(&mut self) -> impl Iterator<Item = &mut Figure> {
        self.sections.iter_mut().flat_map(|section| &mut section.blocks).flat_map(Block::figures_mut)
    }
}

fn subtitle(analysis: &Analysis<'_>) -> String {
    let names: Vec<String> = analysis.input.experiments.iter().map(|experiment| experiment.name.clone()).collect();
    let what = if names.len() > 1 { "Experiments" } else { "Experiment" };
    let last = analysis.all_runs().filter_map(Run::record).map(|record| record.provenance.finished_unix).max();
    let when =
        last.map_or_else(|| "no finished run".to_owned(), |at| format!("last run finished {}", readable_moment(at)));
    format!("{what} {} · {when}", listed(&names))
}

/// What stands above every page of a report that has scores of the mini benchmark.
pub(crate) fn notice(analysis: &Analysis<'_>) -> Option<String> {
    let experiments = &analysis.input.experiments;
    let is_mini = |at: &usize| {
        analysis.runs.iter().any(|run| {
            run.experiment == *at && run.record().is_some_and(|r| r.task().is_some_and(|of| of.benchmark == "mini"))
        })
    };
    let mini: Vec<String> = (0..experiments.len()).filter(is_mini).map(|at| experiments[at].name.clone()).collect();
    if mini.is_empty() {
        return None;
    }
    let which =
        if mini.len() < experiments.len() { format!(" This applies to {}.", listed(&mini)) } else { String::new() };
    Some(format!(
        "Mini scores are not GLUE scores: the mini benchmark is generated text in the published file formats, and its scores must not be compared with published ones.{which}"
    ))
}
