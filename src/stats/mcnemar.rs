//! McNemar's test: two models that answer the same examples right or wrong.

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};

/// Below so many examples that only one of the two answers right, the binomial distribution is summed; from here on the
/// chi-square distribution is near enough, as statsmodels' documentation advises.
const EXACT_BELOW: u64 = 25;

/// How a p-value of McNemar's test was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum McNemarMethod {
    /// The binomial distribution, summed.
    ExactBinomial,
    /// The chi-square distribution with one degree of freedom, with continuity correction (Edwards 1948).
    ChiSquareWithContinuityCorrection,
}

/// The result of McNemar's test.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct McNemar {
    /// Examples that only the first answers right.
    pub only_first: u64,
    /// Examples that only the second answers right.
    pub only_second: u64,
    /// Two-sided p-value of "an example that only one of the two answers right is as likely the one's as the other's".
    pub p_value: f64,
    /// How it was found.
    pub method: McNemarMethod,
}

/// McNemar's test of the examples that only one of two models answers right. As statsmodels'
/// `contingency_tables.mcnemar`: `exact=True` below 25 such examples, else `exact=False, correction=True`.
#[must_use]
pub fn mcnemar(only_first: u64, only_second: u64) -> McNemar {
    let discordant = only_first + only_second;
    let exact = discordant < EXACT_BELOW;
    let p_value = if exact { binomial(only_first, only_second) } else { chi_square(only_first, only_second) };
    let method = if exact { McNemarMethod::ExactBinomial } else { McNemarMethod::ChiSquareWithContinuityCorrection };
    McNemar { only_first, only_second, p_value, method }
}

fn binomial(only_first: u64, only_second: u64) -> f64 {
    let tail = |binomial: Binomial| 2.0 * binomial.cdf(only_first.min(only_second));
    Binomial::new(0.5, only_first + only_second).map_or(1.0, tail).min(1.0)
}

fn chi_square(only_first: u64, only_second: u64) -> f64 {
    let (discordant, apart) = ((only_first + only_second) as f64, only_first.abs_diff(only_second) as f64);
    let statistic = (apart - 1.0).powi(2) / discordant;
    ChiSquared::new(1.0).map_or(1.0, |distribution| distribution.sf(statistic))
}
