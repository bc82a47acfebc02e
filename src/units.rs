//! Quantities with their unit in the type.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A duration in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub f64);

/// Floating-point operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flops(pub f64);

/// A size in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A number of WordPiece tokens, `[CLS]` and `[SEP]` included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tokens(pub u64);

impl fmt::Display for Seconds {
    /// `0.42 s`, `12.3 s`, `4 min 10 s`, `2 h 05 min`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0;
        if !s.is_finite() {
            return write!(f, "unknown");
        }
        if s < 10.0 {
            return write!(f, "{s:.2} s");
        }
        if s < 60.0 {
            return write!(f, "{s:.1} s");
        }
        let whole = s.round() as u64;
        if whole < 3600 {
            write!(f, "{} min {:02} s", whole / 60, whole % 60)
        } else {
            write!(f, "{} h {:02} min", whole / 3600, whole % 3600 / 60)
        }
    }
}

impl fmt::Display for Bytes {
    /// Binary units: `512 B`, `1.5 MiB`, `2.3 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_bytes_read_as_a_person_would_write_them() {
        assert_eq!(Seconds(0.417).to_string(), "0.42 s");
        assert_eq!(Seconds(250.0).to_string(), "4 min 10 s");
        assert_eq!(Seconds(7500.0).to_string(), "2 h 05 min");
        assert_eq!(Bytes(512).to_string(), "512 B");
        assert_eq!(Bytes(1_572_864).to_string(), "1.5 MiB");
    }
}
