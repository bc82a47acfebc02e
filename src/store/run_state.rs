//! How far a run is.

use super::claim::Holder;
use super::record::Failure;

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Not run, or abandoned on the way.
    Missing,
    /// Being run, by a holder that may have died.
    Claimed(Holder),
    /// Its record is there.
    Done,
    /// It failed, and nobody is trying again.
    Failed(Failure),
    /// A record is there that is damaged or another run's, for this reason. The next attempt keeps it aside.
    Damaged(String),
}

impl RunState {
    /// The same in a word: `missing`, `running`, `done`, `failed` or `damaged`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Claimed(holder) if holder.alive && !holder.silent => "running",
            // A dead holder's run is taken over by the next process.
            Self::Missing | Self::Claimed(_) => "missing",
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Damaged(_) => "damaged",
        }
    }

    /// Why a record that is there does not count, where that is so.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        match self {
            Self::Damaged(damage) => Some(format!("{damage}; `bertbench run` keeps it aside and runs it again")),
            Self::Missing | Self::Claimed(_) | Self::Done | Self::Failed(_) => None,
        }
    }
}
