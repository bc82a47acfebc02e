//! What the leader tells the other ranks to take part in.

use serde::{Deserialize, Serialize};

use super::Ranks;
use crate::exec::Job;
use crate::train::ready::RunContext;

/// A run that all ranks take part in.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::train) struct Assignment {
    pub(in crate::train) context: RunContext,
    pub(in crate::train) job: Job,
}

/// Tells the other ranks of a run. For the leader.
///
/// # Errors
/// Settings that JSON cannot hold.
pub(in crate::train) fn announce(ranks: &dyn Ranks, assignment: &Assignment) -> serde_json::Result<()> {
    if ranks.size() > 1 {
        ranks.broadcast(serde_json::to_vec(assignment)?);
    }
    Ok(())
}

/// Tells the other ranks that there are no more runs. For the leader.
pub fn end(ranks: &dyn Ranks) {
    ranks.broadcast(Vec::new());
}

impl Assignment {
    /// What the leader tells next; nothing when there are no more runs.
    pub(super) fn receive(ranks: &dyn Ranks) -> serde_json::Result<Option<Self>> {
        let bytes = ranks.broadcast(Vec::new());
        if bytes.is_empty() { Ok(None) } else { serde_json::from_slice(&bytes).map(Some) }
    }
}
