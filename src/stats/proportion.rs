//! Shares of examples.

use statrs::distribution::{ContinuousCDF, Normal};

use super::summary::Interval;

/// The quantile of the standard normal distribution.
pub(super) fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// Wilson's score interval of a share of `count` examples at `level` such as 0.95 (Wilson 1927), as statsmodels'
/// `proportion_confint(method="wilson")`. `None` for a share outside [0, 1], of nothing, or for a `level` outside (0, 1).
#[must_use]
pub fn wilson_interval(share: f64, count: f64, level: f64) -> Option<Interval> {
    (level > 0.0 && level < 1.0)
        .then(|| wilson_interval_by(share, count, normal_quantile(f64::midpoint(1.0, level))))?
}

/// The same with the quantile `z` given, such as one of Student's t.
#[must_use]
pub fn wilson_interval_by(share: f64, count: f64, z: f64) -> Option<Interval> {
    if !(0.0..=1.0).contains(&share) || count <= 0.0 || !z.is_finite() {
        return None;
    }
    let squared = z * z;
    let centre = (share + squared / (2.0 * count)) / (1.0 + squared / count);
    let half = z / (1.0 + squared / count) * (share * (1.0 - share) / count + squared / (4.0 * count * count)).sqrt();
    Some(Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) })
}

/// The significance by which a difference is said to be shown: the convention, which Card et al. 2020 follow too.
pub const SIGNIFICANCE: f64 = 0.05;
/// The power that goes with it: how probable it is that a difference shows.
pub const POWER: f64 = 0.8;

/// The smallest difference in accuracy that McNemar's test shows on `examples` examples, where the two models disagree in
/// being right on a share `discordant` of them: at significance `alpha` (two-sided) with probability `power`. The normal
/// approximation of Connor 1987 (Biometrics 43, 207–211), `n = (z_α √ψ + z_β √(ψ − δ²))² / δ²`, solved for δ; Card et al.
/// 2020 ("With little power comes great responsibility") find the same by simulation. `None` when even a difference of
/// `discordant`, where one model is right wherever they disagree, would not show, and for shares outside (0, 1).
#[must_use]
pub fn smallest_difference(examples: u64, discordant: f64, alpha: f64, power: f64) -> Option<f64> {
    let is_share = |value: f64| value > 0.0 && value < 1.0;
    if examples == 0 || ![discordant, alpha, power].into_iter().all(is_share) {
        return None;
    }
    let (z_alpha, z_power) = (normal_quantile(1.0 - alpha / 2.0), normal_quantile(power));
    let needed = |difference: f64| {
        let spread = z_alpha * discordant.sqrt() + z_power * (discordant - difference * difference).sqrt();
        (spread / difference).powi(2)
    };
    if needed(discordant) > examples as f64 {
        return None;
    }
    // The number of examples that a difference needs falls as it grows. 60 halvings leave less than a float64's last digit.
    let (mut low, mut high) = (0.0, discordant);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if needed(middle) > examples as f64 { low = middle } else { high = middle }
    }
    Some(high)
}
