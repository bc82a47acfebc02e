//! The sections of a report: one file each, and one row here.
#![expect(clippy::unnecessary_wraps, reason = "all sections have one signature, and some draw plots")]

mod ablations;
mod at_work;
mod cost;
mod coverage;
mod curves;
mod gain;
mod grid;
mod overview;
mod pretraining;
mod pretraining_curves;
mod provenance;
mod published;
mod representations;
mod results;
mod run_details;
mod runs;
mod search;
mod seeds;
mod spread;
mod understanding;
mod versus;

pub(super) use runs::{run_pages, table_and_details};
pub(super) use versus::{VersusTables, tables as versus_tables};

use super::Error;
use super::analysis::Analysis;
use super::block::Block;

/// A section: a name for links, a heading, and the function that makes its parts. A section without
/// parts does not appear.
pub(crate) struct Section {
    /// The name of its place on the page.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
    /// Makes its parts.
    pub(crate) build: fn(&Analysis<'_>) -> Result<Vec<Block>, Error>,
}

/// All sections in the order of the page.
pub(crate) const SECTIONS: [Section; 18] = [
    Section { id: "overview", title: "At a glance", build: overview::build },
    Section { id: "at-work", title: "At work", build: at_work::build },
    Section { id: "coverage", title: "What ran", build: coverage::build },
    Section { id: "pretraining", title: "Pretraining", build: pretraining::build },
    Section { id: "representations", title: "Representations compared", build: representations::build },
    Section { id: "results", title: "Results", build: results::build },
    Section { id: "gain", title: "Effect of pretraining", build: gain::build },
    Section { id: "published", title: "Published results", build: published::build },
    Section { id: "ablations", title: "The paper's ablations", build: ablations::build },
    Section { id: "versus", title: "Side by side", build: versus::build },
    Section { id: "understanding", title: "Understanding", build: understanding::build },
    Section { id: "seeds", title: "Seeds", build: seeds::build },
    Section { id: "grid", title: "The grid", build: grid::build },
    Section { id: "search", title: "The search", build: search::build },
    Section { id: "curves", title: "Learning curves", build: curves::build },
    Section { id: "cost", title: "Time and memory", build: cost::build },
    Section { id: "runs", title: "Every run", build: runs::build },
    Section { id: "provenance", title: "Provenance", build: provenance::build },
];
