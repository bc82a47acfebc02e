//! How long claims have stood still, as this process has seen it.
//!
//! No clock of another machine, and none that can be set, is asked: a claim is dead when it was seen to be the same for
//! so long by this process's own monotonic clock, whatever time its file bears.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::claim_note::Standing;

/// The claims that this process has looked at. Clones share what they saw.
#[derive(Clone, Debug, Default)]
pub(super) struct ClaimWatch(Arc<Mutex<BTreeMap<PathBuf, Seen>>>);

#[derive(Debug)]
struct Seen {
    /// Changes with every beat of the holder's heart.
    state: blake3::Hash,
    last_look: Instant,
    unchanged: Duration,
}

impl ClaimWatch {
    /// How long the claim at `path`, which is `standing` now, was seen not to change. Between two looks at most `step`
    /// counts: a process that was itself suspended has seen nothing meanwhile.
    pub(super) fn unchanged(&self, path: &Path, standing: &Standing, step: Duration) -> Duration {
        let now = Instant::now();
        // What a thread that panicked has noted is as good as any.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(path) {
            Some(seen) if seen.state == standing.state => {
                seen.unchanged += now.duration_since(seen.last_look).min(step);
                seen.last_look = now;
                seen.unchanged
            }
            _ => {
                let first = Seen { state: standing.state, last_look: now, unchanged: Duration::ZERO };
                seen.insert(path.to_path_buf(), first);
                Duration::ZERO
            }
        }
    }
}
