//! Statistics over small samples: `f64` in, `f64` out.
//!
//! [`summary`] describes one sample, [`paired`] compares two samples pair by pair, [`standard_error`]
//! knows how far a score of so many examples may lie from that of many more.

pub mod paired;
pub mod standard_error;
pub mod summary;

pub use paired::{Method, PairedTest, sign_flip_test};
pub use standard_error::{correlation_error, share_error};
pub use summary::{Interval, mean, median, quantile, sample_sd, t_interval};
