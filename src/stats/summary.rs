//! One sample: centre, spread and the confidence interval of its mean.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The arithmetic mean; `None` of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation with n − 1 in the denominator; `None` below two values.
#[must_use]
pub fn sample_sd(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The middle value, or the mean of the two middle ones; `None` of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The `p`-quantile by linear interpolation between order statistics (Hyndman and Fan's type 7, the
/// default of R and `NumPy`). `None` of nothing, or for a `p` outside [0, 1].
#[must_use]
pub fn quantile(values: &[f64], p: f64) -> Option<f64> {
    if values.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = p * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    Some(sorted[below] + (at - below as f64) * (sorted[above] - sorted[below]))
}

/// The two-sided confidence interval of the mean by Student's t, at `level` such as 0.95. `None`
/// below two values, or for a `level` outside (0, 1).
#[must_use]
pub fn t_interval(values: &[f64], level: f64) -> Option<Interval> {
    if !(level > 0.0 && level < 1.0) {
        return None;
    }
    let (centre, sd) = (mean(values)?, sample_sd(values)?);
    let count = values.len() as f64;
    let t = StudentsT::new(0.0, 1.0, count - 1.0).ok()?.inverse_cdf(f64::midpoint(1.0, level));
    let half = t * sd / count.sqrt();
    Some(Interval { low: centre - half, high: centre + half })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: [f64; 8] = [66.4, 70.1, 68.9, 71.2, 65.0, 69.3, 70.8, 67.7];

    fn near(found: Option<f64>, expected: f64, tolerance: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    /// `NumPy` 2: `x.mean()`, `x.std(ddof=1)`, `np.median(x)`, `np.quantile(x, q)`.
    #[test]
    fn descriptions_agree_with_numpy() {
        near(mean(&SAMPLE), 68.675, 1e-12);
        near(sample_sd(&SAMPLE), 2.171_076_099_212_420_7, 1e-12);
        near(median(&SAMPLE), 69.1, 1e-12);
        near(quantile(&SAMPLE, 0.1), 65.98, 1e-12);
        near(quantile(&SAMPLE, 0.25), 67.375, 1e-12);
        near(quantile(&SAMPLE, 0.9), 70.92, 1e-12);
    }

    /// `SciPy` 1.17.1: `stats.t.interval(0.95, 7, loc=x.mean(), scale=stats.sem(x))`. statrs inverts
    /// the distribution function by bisection, hence the tolerance.
    #[test]
    fn t_interval_agrees_with_scipy() {
        let found = t_interval(&SAMPLE, 0.95).unwrap();
        near(Some(found.low), 66.859_934_958_608_2, 1e-6);
        near(Some(found.high), 70.490_065_041_391_82, 1e-6);
    }

    #[test]
    fn too_few_values_give_nothing() {
        assert_eq!(mean(&[]), None);
        assert_eq!(median(&[]), None);
        assert_eq!(sample_sd(&[1.0]), None);
        assert_eq!(t_interval(&[1.0], 0.95), None);
        assert_eq!(t_interval(&SAMPLE, 1.0), None);
        assert_eq!(quantile(&SAMPLE, 1.5), None);
        assert_eq!(quantile(&[3.0], 1.0), Some(3.0));
    }
}
