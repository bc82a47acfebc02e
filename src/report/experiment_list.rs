//! The page that lists experiments, in front of the reports of all.

use super::Error;
use super::block::{Block, Cell, Column, Part, Table};
use super::html;
use super::page::Page;
use super::phrase::{counted, grouped};
use crate::diagnostic::visible;

/// An experiment as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedExperiment {
    /// Its name.
    pub name: String,
    /// Where its report is, as a link.
    pub link: String,
    /// Runs of its last plan; none where the plan cannot be read.
    pub planned: Option<usize>,
    /// Run folders with a record.
    pub done: usize,
}

/// A page of `bertbench serve` that links to the report of each experiment.
///
/// # Errors
/// When it cannot be rendered.
pub fn experiment_list(experiments: &[ListedExperiment]) -> Result<String, Error> {
    let row = |experiment: &ListedExperiment| {
        let count = |count: usize| Cell::number(grouped(count as u64), count as f64);
        vec![
            Cell::text(&experiment.name).link_to_page(&experiment.link),
            experiment.planned.map_or_else(|| Cell::absent("there is no plan"), count),
            count(experiment.done),
        ]
    };
    let table = Table {
        caption: "Experiments with runs".into(),
        columns: vec![Column::text("Experiment"), Column::number("Planned runs"), Column::number("Done")],
        rows: experiments.iter().map(row).collect(),
        interactive: false,
    };
    let blocks = match experiments {
        [] => vec![Block::paragraph("No experiment has runs yet.")],
        _ => vec![Block::Table(table)],
    };
    let page = Page {
        title: "Experiments".into(),
        subtitle: counted(experiments.len(), "experiment"),
        notice: None,
        refresh_seconds: None,
        live: true,
        up: None,
        has_data: false,
        sections: vec![Part { id: "experiments", title: "All experiments", blocks }],
    };
    Ok(visible(&html::render(&page)?))
}
