//! How far runs are, and what damaged files mean for who reads them.

use super::error::{Error, note};
use crate::store::{RunState, StoreError};

/// How far a run is, in a word.
pub(super) fn state_word(state: &RunState) -> &'static str {
    match state {
        RunState::Claimed(holder) if holder.alive && !holder.silent => "running",
        // A dead holder's run is taken over by the next process.
        RunState::Missing | RunState::Claimed(_) => "missing",
        RunState::Done => "done",
        RunState::Failed(_) => "failed",
        RunState::Damaged(_) => "damaged",
    }
}

/// Says why a record does not count.
pub(super) fn note_damage(state: &RunState) {
    if let RunState::Damaged(damage) = state {
        note(&format_args!("{damage}; `bertbench run` keeps it aside and runs it again"));
    }
}

/// What was read; nothing, with a note, where the file is damaged.
pub(super) fn or_note<T>(read: Result<Option<T>, StoreError>) -> Result<Option<T>, Error> {
    match read {
        Err(damage) if damage.is_damage() => {
            note(&damage);
            Ok(None)
        }
        other => Ok(other?),
    }
}
