//! Pretraining runs: what was learned, how far, and at what price.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::Block;

pub(super) fn build(_analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    Ok(Vec::new())
}
