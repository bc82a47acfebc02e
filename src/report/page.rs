//! The page as a value: its notice, its sections and their parts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Error;
use super::analysis::Analysis;
use super::block::{Block, Figure, Part};
use super::phrase::{listed, readable_moment};
use super::run::Run;
use super::section::SECTIONS;

/// Everything that the page shows, in its order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Page {
    /// Its title.
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
    /// Its sections.
    pub(crate) sections: Vec<Part>,
}

impl Page {
    /// Builds every section that has something to say.
    pub(crate) fn of(analysis: &Analysis<'_>) -> Result<Self, Error> {
        let mut sections = Vec::new();
        for section in &SECTIONS {
            let blocks = (section.build)(analysis)?;
            if !blocks.is_empty() {
                sections.push(Part { id: section.id, title: section.title, blocks });
            }
        }
        let mut page = Self {
            title: analysis.input.title.clone(),
            subtitle: subtitle(analysis),
            notice: notice(analysis),
            refresh_seconds: None,
            live: false,
            up: None,
            has_data: true,
            sections,
        };
        page.name_figures();
        Ok(page)
    }

    /// All figures, in the page's order.
    pub(crate) fn figures(&self) -> Vec<&Figure> {
        self.sections.iter().flat_map(|section| &section.blocks).flat_map(figures_of).collect()
    }

    /// Calls `change` on every figure.
    pub(crate) fn change_figures(&mut self, mut change: impl FnMut(&mut Figure)) {
        for block in self.sections.iter_mut().flat_map(|section| &mut section.blocks) {
            change_figures_of(block, &mut change);
        }
    }

    /// Names that become the same file name get a number.
    fn name_figures(&mut self) {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        self.change_figures(|figure| {
            let use_count = uses.entry(figure.name.clone()).or_default();
            *use_count += 1;
            if *use_count > 1 {
                // Two underscores occur in no name made by `file_name`.
                figure.name = format!("{}__{use_count}", figure.name);
            }
        });
    }
}

fn figures_of(block: &Block) -> Vec<&Figure> {
    match block {
        Block::Figures { figures } => figures.iter().collect(),
        Block::Beside { blocks } => blocks.iter().flat_map(figures_of).collect(),
        Block::Heading { .. }
        | Block::Paragraph { .. }
        | Block::Caution { .. }
        | Block::Facts { .. }
        | Block::Table(_)
        | Block::List { .. }
        | Block::Code { .. }
        | Block::Details { .. } => Vec::new(),
    }
}

fn change_figures_of(block: &mut Block, change: &mut impl FnMut(&mut Figure)) {
    if let Block::Figures { figures } = block {
        figures.iter_mut().for_each(change);
    } else if let Block::Beside { blocks } = block {
        for block in blocks {
            change_figures_of(block, change);
        }
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
