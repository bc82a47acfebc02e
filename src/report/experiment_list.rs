//! The page that lists experiments, in front of the reports of all.

use super::Error;
use super::block::{Block, Cell, Column, Part, Table};
use super::html;
use super::page::Page;
use super::phrase::counted;
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
        vec![
            Cell::text(&experiment.name).link(&experiment.link),
            experiment.planned.map_or_else(|| Cell::absent("there is no plan"), Cell::count),
            Cell::count(experiment.done),
        ]
    };
    let table = Table {
        caption: "Experiments with runs".into(),
        columns: Column::list(&["Experiment"], &["Planned runs", "Done"]),
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
        live: true,
        sections: vec![Part { id: "experiments", title: "All experiments", blocks }],
        ..Page::default()
    };
    Ok(visible(&html::render(&page)?))
}
