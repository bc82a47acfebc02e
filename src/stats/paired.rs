//! Two samples compared pair by pair, without an assumption about their distribution; and the correction of several tests.

use super::summary::mean;
use crate::random::Stream;

/// Up to this many pairs all 2ⁿ signs are tried; 65 536 sums take well under a millisecond.
const EXACT_UP_TO: usize = 16;
/// Random sign vectors beyond that: the standard error of a p-value near 0.05 is then 0.0007.
const DRAWS: u32 = 100_000;

/// How a p-value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every sign vector was tried.
    Exact,
    /// This many random sign vectors were tried.
    MonteCarlo {
        /// Their number.
        draws: u32,
    },
}

/// The result of a paired test.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct PairedTest {
    /// Pairs.
    pub pairs: usize,
    /// Mean of the differences.
    pub mean_difference: f64,
    /// Two-sided p-value of "each difference is as likely positive as negative".
    pub p_value: f64,
    /// How the p-value was found.
    pub method: Method,
}

/// Fisher's sign-flip permutation test on paired differences, two-sided: the share of sign vectors
/// whose mean is at least as far from 0 as the one seen. `None` without differences, or when one is
/// not finite. `seed` matters beyond 16 pairs only, where signs are drawn, and the observed vector
/// counts as one of the draws, so that the p-value is never 0 (Phipson and Smyth 2010).
#[must_use]
pub fn sign_flip_test(differences: &[f64], seed: u64) -> Option<PairedTest> {
    if differences.iter().any(|difference| !difference.is_finite()) {
        return None;
    }
    let mean_difference = mean(differences)?;
    let observed = differences.iter().sum::<f64>().abs();
    // Sums that differ only by rounding are ties.
    let threshold = observed - 1e-12 * differences.iter().map(|difference| difference.abs()).sum::<f64>();
    let (p_value, method) = if differences.len() <= EXACT_UP_TO {
        (exact(differences, threshold), Method::Exact)
    } else {
        (monte_carlo(differences, threshold, seed), Method::MonteCarlo { draws: DRAWS })
    };
    Some(PairedTest { pairs: differences.len(), mean_difference, p_value, method })
}

fn exact(differences: &[f64], threshold: f64) -> f64 {
    let all = 1_u32 << differences.len();
    let extreme = (0..all)
        .filter(|signs| {
            let sum: f64 =
                differences.iter().enumerate().map(|(at, d)| if signs >> at & 1 == 1 { -d } else { *d }).sum();
            sum.abs() >= threshold
        })
        .count();
    extreme as f64 / f64::from(all)
}

fn monte_carlo(differences: &[f64], threshold: f64, seed: u64) -> f64 {
    let mut draws = Stream::new(seed, "sign_flip").at(0);
    let mut extreme = 1_u32;
    for _ in 0..DRAWS {
        let mut sum = 0.0;
        for chunk in differences.chunks(32) {
            let signs = draws.next_u32();
            sum += chunk.iter().enumerate().map(|(at, d)| if signs >> at & 1 == 1 { -d } else { *d }).sum::<f64>();
        }
        extreme += u32::from(sum.abs() >= threshold);
    }
    f64::from(extreme) / f64::from(DRAWS + 1)
}

/// Holm's step-down correction (Holm 1979): p-values that may be compared with one level together, in the order of
/// `p_values`; as statsmodels' `multipletests(method="holm")`. They hold the chance of any false finding among them, as
/// Bonferroni's do, and are never larger.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max((p_values[at] * (p_values.len() - rank) as f64).min(1.0));
        adjusted[at] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 8] = [66.4, 70.1, 68.9, 71.2, 65.0, 69.3, 70.8, 67.7];
    const Y: [f64; 8] = [65.2, 69.0, 69.4, 68.8, 64.1, 69.9, 68.0, 66.1];
    const TWENTY: [f64; 20] = [
        0.31, -0.12, 0.45, 0.08, 0.27, -0.33, 0.52, 0.19, -0.05, 0.41, 0.11, 0.36, -0.21, 0.24, 0.02, 0.17, -0.14,
        0.29, 0.07, -0.09,
    ];

    /// `SciPy` 1.17.1: `stats.permutation_test((x, y), mean difference, permutation_type="samples",
    /// n_resamples=inf)` gives statistic 1.1125 and p-value 0.046875.
    #[test]
    fn exact_test_agrees_with_scipy() {
        let differences: Vec<f64> = X.iter().zip(Y).map(|(x, y)| x - y).collect();
        let found = sign_flip_test(&differences, 0).unwrap();
        assert!((found.mean_difference - 1.1125).abs() < 1e-12);
        assert!((found.p_value - 0.046_875).abs() < 1e-15, "{}", found.p_value);
        assert_eq!(found.method, Method::Exact);
    }

    /// `SciPy` 1.17.1, all 2²⁰ sign vectors: 0.026865005493164062. Five standard errors of 100 000
    /// draws are 0.0026.
    #[test]
    fn drawn_signs_come_near_all_of_them_and_repeat() {
        let found = sign_flip_test(&TWENTY, 7).unwrap();
        assert!((found.p_value - 0.026_865).abs() < 0.0026, "{}", found.p_value);
        assert_eq!(found, sign_flip_test(&TWENTY, 7).unwrap());
        assert_ne!(found.p_value.to_bits(), sign_flip_test(&TWENTY, 8).unwrap().p_value.to_bits());
    }

    #[test]
    fn no_difference_is_no_evidence_and_bad_input_no_test() {
        assert!((sign_flip_test(&[0.0; 5], 0).unwrap().p_value - 1.0).abs() < 1e-15);
        assert_eq!(sign_flip_test(&[], 0), None);
        assert_eq!(sign_flip_test(&[1.0, f64::NAN], 0), None);
        // One pair: both signs are equally far from 0.
        assert!((sign_flip_test(&[2.0], 0).unwrap().p_value - 1.0).abs() < 1e-15);
    }
}
