//! Scores over examples and seeds together: two crossed factors, one of which is often drawn only twice.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::summary::{Interval, mean, sample_sd};

/// Beyond so many degrees of freedom Student's t is the normal distribution to six digits.
const MOST_DEGREES: f64 = 1e6;

/// The mean score of a model's seeds, or the difference of two models' means, and how far it may lie from that over all
/// examples and all seeds.
///
/// Drawing examples and seeds again together (Owen 2007) is wrong for few seeds: two draws of two seeds are the same one half
/// of the time, so that it finds half of their variance, and it counts the noise of single answers twice. So the variance
/// is taken apart, as in an analysis of variance with examples and seeds as crossed random factors:
///
/// - of examples: that of the bootstrap over examples, all seeds kept;
/// - of seeds, for each model: the variance of its seeds' scores divided by their number, less what the same bootstrap
///   adds to it, which is the noise of single answers and in the first part already. Not below 0.
///
/// Student's t has the degrees of freedom of Satterthwaite 1946 (Biometrics Bulletin 2, 110–114); where examples add
/// nothing, the difference is tested as by Welch 1947.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossedEstimate {
    /// The mean, or the second model's less the first's.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub degrees_of_freedom: f64,
}

impl CrossedEstimate {
    /// The mean of one model's scores by seed. `samples` are the same scores on bootstrap samples of the examples. `None`
    /// below two seeds, or when more than one sample in twenty is not defined.
    #[must_use]
    pub fn of_mean(scores: &[f64], samples: &[Vec<f64>]) -> Option<Self> {
        Self::of(&[scores], samples)
    }

    /// The mean of the second model's scores less that of the first's. Each of `samples` holds the scores of the first
    /// model's seeds, then those of the second's.
    #[must_use]
    pub fn of_difference(first: &[f64], second: &[f64], samples: &[Vec<f64>]) -> Option<Self> {
        Self::of(&[first, second], samples)
    }

    fn of(models: &[&[f64]], samples: &[Vec<f64>]) -> Option<Self> {
        let defined: Vec<&Vec<f64>> =
            samples.iter().filter(|scores| scores.iter().all(|score| score.is_finite())).collect();
        if defined.is_empty() || defined.len() * 20 < samples.len() * 19 {
            return None;
        }
        let value = estimate(models)?;
        let mut estimates = Vec::with_capacity(defined.len());
        let mut between = vec![0.0; models.len()];
        for scores in &defined {
            let drawn = split(scores, models);
            estimates.push(estimate(&drawn)?);
            for (sum, seeds) in between.iter_mut().zip(&drawn) {
                *sum += variance(seeds)?;
            }
        }
        let (mut total, mut squares) = (variance(&estimates).unwrap_or(0.0), 0.0);
        for (seeds, sum) in models.iter().zip(between) {
            let (found, drawn, count) = (variance(seeds)?, sum / defined.len() as f64, seeds.len() as f64);
            total += (found - (drawn - found)).max(0.0) / count;
            squares += (found / count).powi(2) / (count - 1.0);
        }
        let degrees = if squares > 0.0 { total * total / squares } else { MOST_DEGREES };
        let smallest = models.iter().map(|seeds| seeds.len()).min()? as f64 - 1.0;
        value.is_finite().then(|| Self {
            value,
            standard_error: total.sqrt(),
            // Never fewer than the model with fewer seeds has alone.
            degrees_of_freedom: degrees.clamp(smallest, MOST_DEGREES),
        })
    }

    /// The interval at `level` such as 0.95; `None` for a `level` outside (0, 1).
    #[must_use]
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half = self.critical_value(level)? * self.standard_error;
        Some(Interval { low: self.value - half, high: self.value + half })
    }

    /// How many standard errors the interval at `level` reaches to either side.
    #[must_use]
    pub fn critical_value(&self, level: f64) -> Option<f64> {
        if !(level > 0.0 && level < 1.0) {
            return None;
        }
        Some(self.distribution()?.inverse_cdf(f64::midpoint(1.0, level)))
    }

    /// The two-sided p-value of "it is 0".
    #[must_use]
    pub fn p_value(&self) -> Option<f64> {
        if self.value.abs() <= f64::EPSILON {
            return Some(1.0);
        }
        let p = 2.0 * self.distribution()?.sf((self.value / self.standard_error).abs());
        p.is_finite().then_some(p)
    }

    fn distribution(&self) -> Option<StudentsT> {
        StudentsT::new(0.0, 1.0, self.degrees_of_freedom).ok()
    }
}

/// The mean of the only model, or the second's less the first's.
fn estimate(models: &[&[f64]]) -> Option<f64> {
    let last = mean(models.last()?)?;
    Some(if models.len() > 1 { last - mean(models[0])? } else { last })
}

/// The scores of each model's seeds.
fn split<'a>(scores: &'a [f64], models: &[&[f64]]) -> Vec<&'a [f64]> {
    let mut rest = scores;
    models
        .iter()
        .map(|seeds| {
            let (own, others) = rest.split_at(seeds.len());
            rest = others;
            own
        })
        .collect()
}

fn variance(values: &[f64]) -> Option<f64> {
    sample_sd(values).map(|sd| sd * sd)
}
