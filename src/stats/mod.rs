//! Statistics over small samples: `f64` in, `f64` out.
//!
//! [`summary`] describes one sample, [`paired`] compares two samples pair by pair and corrects several tests,
//! [`standard_error`] knows how far a score of so many examples may lie from that of many more. [`mod@mcnemar`], [`resample`]
//! and [`proportion`] work on examples that one or two models answered, [`crossed`] on examples and seeds together,
//! [`effects`] on the points of a sweep, [`calibration`] on how sure a model is. `tests/golden/stats.py` and
//! `understanding.py` hold them against SciPy, statsmodels and scikit-learn.

pub mod calibration;
pub mod crossed;
pub mod effects;
pub mod mcnemar;
pub mod paired;
pub mod proportion;
pub mod resample;
pub mod standard_error;
pub mod summary;

pub use calibration::{BINS, ConfidenceBin, calibration_error, reliability};
pub use crossed::{CrossedEstimate, ENOUGH_DEGREES, SeedScores};
pub use effects::{Effect, expected_best, main_effects};
pub use mcnemar::{McNemar, McNemarMethod, mcnemar};
pub use paired::{Method, PairedTest, holm, sign_flip_test};
pub use proportion::{POWER, SIGNIFICANCE, smallest_difference, wilson_interval, wilson_interval_by};
pub use resample::{Resampling, percentile_interval};
pub use standard_error::{correlation_error, share_error};
pub use summary::{Interval, mean, median, quantile, sample_sd, t_interval};
