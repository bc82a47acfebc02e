//! Scores over examples and seeds together: two crossed factors, one of which is often drawn only twice.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::proportion::wilson_interval_by;
use super::summary::{Interval, mean, sample_sd};

/// Beyond so many degrees of freedom Student's t is the normal distribution to six digits.
const MOST_DEGREES: f64 = 1e6;

/// From so many degrees of freedom of the variance between seeds on, a 95 % interval holds about 94 to 96 times of 100,
/// whatever seeds do; with two degrees it is 92 to 97 times, with one 85 to 95 (`tests/statistics.rs`).
pub const ENOUGH_DEGREES: f64 = 4.0;

/// A model's scores by seed, and what the rest of its sweep tells of how much seeds do.
#[derive(Clone, Copy, Debug)]
pub struct SeedScores<'a> {
    /// The score of each seed.
    pub scores: &'a [f64],
    /// Other points of the sweep, each with the scores of the same seeds in the same order; those with another number of
    /// scores, or with one that is not finite, are left out. May be empty.
    pub other_points: &'a [Vec<f64>],
}

/// The mean score of a model's seeds, or the difference of two models' means, and how far it may lie from that over all
/// examples and all seeds.
///
/// Drawing examples and seeds again together (Owen 2007) is wrong for few seeds: two draws of two seeds are the same one half
/// of the time, so that it finds half of their variance, and it counts the noise of single answers twice. So the variance
/// is taken apart, as in an analysis of variance with examples and seeds as crossed random factors:
///
/// - of examples: that of the bootstrap over examples, all seeds kept;
/// - of seeds, for each model: the variance of its seeds' scores divided by their number, less what the same bootstrap
///   adds to it, which is the noise of single answers and in the first part already. The difference may be below 0, which
///   makes the estimate an unbiased one; the sum is never below half of the examples' part.
///
/// The variance between seeds is that within all points of the sweep, where there are several: a few seeds at each of
/// twelve points say more of it than those of one. Student's t has the degrees of freedom of Satterthwaite 1946
/// (Biometrics Bulletin 2, 110–114), also of that variance, since a seed may do the same at every point. Where examples add
/// nothing and there is one point, the difference is tested as by Welch 1947.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CrossedEstimate {
    /// The mean, or the second model's less the first's.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub degrees_of_freedom: f64,
    /// Degrees of freedom of the variance between seeds, of the model with fewer. [`ENOUGH_DEGREES`] are enough.
    pub seed_degrees_of_freedom: f64,
}

impl CrossedEstimate {
    /// The mean of a single model's scores by seed, or that of the second model's less that of the first's. Each of `samples`
    /// holds the same scores on a bootstrap sample of the examples, model by model. `None` below two seeds, or when more than
    /// one sample in twenty is not defined.
    #[must_use]
    pub fn of(models: &[SeedScores<'_>], samples: &[Vec<f64>]) -> Option<Self> {
        let scores: Vec<&[f64]> = models.iter().map(|model| model.scores).collect();
        let defined: Vec<&Vec<f64>> =
            samples.iter().filter(|scores| scores.iter().all(|score| score.is_finite())).collect();
        if defined.is_empty() || defined.len() * 20 < samples.len() * 19 {
            return None;
        }
        let value = estimate(&scores)?;
        let mut estimates = Vec::with_capacity(defined.len());
        let mut between = vec![0.0; models.len()];
        for sample in &defined {
            let drawn = split(sample, &scores);
            estimates.push(estimate(&drawn)?);
            for (sum, seeds) in between.iter_mut().zip(&drawn) {
                *sum += variance(seeds)?;
            }
        }
        let of_examples = variance(&estimates).unwrap_or(0.0);
        let (mut total, mut squares, mut smallest) = (of_examples, 0.0, f64::INFINITY);
        for (model, sum) in models.iter().zip(between) {
            let noise = sum / defined.len() as f64 - variance(model.scores)?;
            let (found, degrees) = between_seeds(*model)?;
            let count = model.scores.len() as f64;
            total += (found - noise) / count;
            squares += (found / count).powi(2) / degrees;
            smallest = smallest.min(degrees);
        }
        let total = total.max(0.5 * of_examples);
        let degrees = if squares > 0.0 { total * total / squares } else { MOST_DEGREES };
        value.is_finite().then(|| Self {
            value,
            standard_error: total.sqrt(),
            // Never fewer than the model with fewer has alone.
            degrees_of_freedom: degrees.clamp(smallest, MOST_DEGREES),
            seed_degrees_of_freedom: smallest,
        })
    }

    /// The interval at `level` such as 0.95; `None` for a `level` outside (0, 1).
    #[must_use]
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let half = self.critical_value(level)? * self.standard_error;
        Some(Interval { low: self.value - half, high: self.value + half })
    }

    /// The interval at `level` where the value is a share of `examples`: Wilson's, with the number of examples at which one
    /// share would have this standard error, and Student's t for the normal quantile.
    #[must_use]
    pub fn share_interval(&self, examples: f64, level: f64) -> Option<Interval> {
        let (share, variance) = (self.value, self.standard_error * self.standard_error);
        let count = if variance > 0.0 { share * (1.0 - share) / variance } else { examples };
        wilson_interval_by(share, count, self.critical_value(level)?)
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

/// The variance between a model's seeds within the points of its sweep, and its degrees of freedom: those of the mean of two
/// mean squares, what a seed does at every point and what it does at each besides.
fn between_seeds(model: SeedScores<'_>) -> Option<(f64, f64)> {
    let own = variance(model.scores)?;
    let seeds = model.scores.len();
    let usable = |scores: &&[f64]| scores.len() == seeds && scores.iter().all(|score| score.is_finite());
    let others = model.other_points.iter().map(Vec::as_slice).filter(usable);
    let points: Vec<&[f64]> = std::iter::once(model.scores).chain(others).collect();
    let (count, free) = (points.len() as f64, seeds as f64 - 1.0);
    if points.len() == 1 {
        return Some((own, free));
    }
    let (mut all, mut by_seed) = (0.0, vec![0.0; seeds]);
    for scores in points {
        let middle = mean(scores)?;
        for (sum, score) in by_seed.iter_mut().zip(scores) {
            *sum += (score - middle) / count;
            all += (score - middle).powi(2);
        }
    }
    let of_seeds = count * by_seed.iter().map(|mean| mean * mean).sum::<f64>();
    let (common, rest) = (of_seeds / free, (all - of_seeds).max(0.0) / ((count - 1.0) * free));
    let found = all / (count * free);
    let squares = (common / count).powi(2) / free + ((count - 1.0) * rest / count).powi(2) / ((count - 1.0) * free);
    // Seeds without any difference have the degrees that equal mean squares would have.
    let degrees = if squares > 0.0 { (found * found / squares).max(free) } else { count * free };
    Some((found, degrees))
}

fn variance(values: &[f64]) -> Option<f64> {
    sample_sd(values).map(|sd| sd * sd)
}
