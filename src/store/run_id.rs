//! The ids of runs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A run's id: the first 12 hexadecimal digits of the BLAKE3 hash of its settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
