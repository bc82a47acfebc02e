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
mod understanding;
mod versus;

pub(super) use runs::{run_pages, table_and_details};
pub(super) use versus::tables as versus_tables;

use super::Error;
use super::analysis::Analysis;
use super::block::Block;

/// A section: a name for links, a heading, and the function that makes its parts.
type Section = (&'static str, &'static str, fn(&Analysis<'_>) -> Result<Vec<Block>, Error>);

/// All sections in the order of the page. One without parts does not appear.
pub(crate) const SECTIONS: [Section; 18] = [
    ("overview", "At a glance", overview::build),
    ("at-work", "At work", at_work::build),
    ("coverage", "What ran", coverage::build),
    ("pretraining", "Pretraining", pretraining::build),
    ("representations", "Representations compared", representations::build),
    ("results", "Results", results::build),
    ("gain", "Effect of pretraining", gain::build),
    ("published", "Published results", published::build),
    ("ablations", "The paper's ablations", ablations::build),
    ("versus", "Side by side", versus::build),
    ("understanding", "Understanding", understanding::build),
    ("seeds", "Seeds", seeds::build),
    ("grid", "The grid", grid::build),
    ("search", "The search", search::build),
    ("curves", "Learning curves", curves::build),
    ("cost", "Time and memory", cost::build),
    ("runs", "Every run", runs::build),
    ("provenance", "Provenance", provenance::build),
];
