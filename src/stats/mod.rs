//! Statistics over small samples: `f64` in, `f64` out.
//!
//! [`summary`] describes one sample, [`paired`] compares two samples pair by pair.

pub mod paired;
pub mod summary;

pub use paired::{Method, PairedTest, holm, sign_flip_test};
pub use summary::{Interval, mean, median, quantile, sample_sd, t_interval};
