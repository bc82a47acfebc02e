//! What the points of a sweep tell: how much each setting moves the score, the others being equal, and what a search of so
//! many trials can be expected to find.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::summary::Interval;

/// The effect of one level of one factor: its distance from the mean of the factor's levels.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Effect {
    /// The distance.
    pub value: f64,
    /// Its interval by Student's t.
    pub interval: Interval,
}

/// Main effects by least squares with sum-to-zero coding (statsmodels' `ols("score ~ C(a, Sum) + …")`): for each factor the
/// effect of each of its levels, with an interval at `level` such as 0.95. Row `i` scored `scores[i]` at `rows[i][f]`, the
/// index of a level of factor `f`; `levels[f]` is the number of levels. In a full grid the effect is the mean of the
/// level's rows less the mean of all.
///
/// `None` when the rows are too few for an interval, or do not tell the effects apart (a level without a row; two factors
/// that change together), or when a score is not finite.
#[must_use]
pub fn main_effects(scores: &[f64], rows: &[Vec<usize>], levels: &[usize], level: f64) -> Option<Vec<Vec<Effect>>> {
    let coefficients = 1 + levels.iter().map(|count| count.saturating_sub(1)).sum::<usize>();
    if scores.len() != rows.len() || scores.len() <= coefficients || scores.iter().any(|score| !score.is_finite()) {
        return None;
    }
    let design: Vec<Vec<f64>> = rows.iter().map(|row| coded(row, levels)).collect();
    let mut normal = vec![vec![0.0; coefficients]; coefficients];
    let mut right = vec![0.0; coefficients];
    for (row, score) in design.iter().zip(scores) {
        for (i, x) in row.iter().enumerate() {
            right[i] += x * score;
            row.iter().enumerate().for_each(|(j, y)| normal[i][j] += x * y);
        }
    }
    let inverse = inverted(normal)?;
    let times = |row: &[f64], column: &[f64]| row.iter().zip(column).map(|(x, y)| x * y).sum::<f64>();
    let solved: Vec<f64> = inverse.iter().map(|row| times(row, &right)).collect();
    let squares: f64 = design.iter().zip(scores).map(|(row, score)| (score - times(row, &solved)).powi(2)).sum();
    let freedom = (scores.len() - coefficients) as f64;
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(f64::midpoint(1.0, level));
    let mut first = 1;
    let mut found = Vec::new();
    for count in levels {
        let of_level = |at: usize| {
            // A level is one coefficient; the last is minus the sum of the others.
            let mut contrast = vec![0.0; coefficients];
            if at + 1 < *count {
                contrast[first + at] = 1.0;
            } else {
                contrast[first..first + count - 1].fill(-1.0);
            }
            let through: Vec<f64> = inverse.iter().map(|row| times(row, &contrast)).collect();
            let half = t * (times(&contrast, &through).max(0.0) * squares / freedom).sqrt();
            let value = times(&contrast, &solved);
            Effect { value, interval: Interval { low: value - half, high: value + half } }
        };
        found.push(if *count > 1 { (0..*count).map(of_level).collect() } else { Vec::new() });
        first += count.saturating_sub(1);
    }
    Some(found)
}

/// A row of the design: 1, then for each factor a number per level but the last, which is −1 in all of them.
fn coded(row: &[usize], levels: &[usize]) -> Vec<f64> {
    let mut coded = vec![1.0];
    for (at, count) in row.iter().zip(levels) {
        let of = |level: usize| match () {
            () if at + 1 == *count => -1.0,
            () if *at == level => 1.0,
            () => 0.0,
        };
        coded.extend((0..count.saturating_sub(1)).map(of));
    }
    coded
}

/// The inverse by Gauss and Jordan with row pivots; `None` of a matrix that has none.
fn inverted(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    for (at, row) in matrix.iter_mut().enumerate() {
        row.extend((0..size).map(|column| f64::from(u8::from(column == at))));
    }
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() < 1e-9 {
            return None;
        }
        matrix.swap(column, pivot);
        let scale = matrix[column][column];
        matrix[column].iter_mut().for_each(|value| *value /= scale);
        let pivot_row = matrix[column].clone();
        for (_, row) in matrix.iter_mut().enumerate().filter(|(at, _)| *at != column) {
            let factor = row[column];
            row.iter_mut().zip(&pivot_row).for_each(|(value, of_pivot)| *value -= factor * of_pivot);
        }
    }
    Some(matrix.into_iter().map(|row| row[size..].to_vec()).collect())
}

/// The expected best of `trials` points that are drawn with replacement from those that were tried, with the scores
/// `scores`, more being better: the closed form of Dodge et al. 2019 ("Show your work", equation 2), as allenai/allentune
/// computes it. `None` without scores or trials, or when a score is not finite.
#[must_use]
pub fn expected_best(scores: &[f64], trials: u32) -> Option<f64> {
    if scores.is_empty() || trials == 0 || scores.iter().any(|score| !score.is_finite()) {
        return None;
    }
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let power = f64::from(trials);
    // The chance that no draw is above the score of this rank, less that none is above the one below.
    let at_most = |rank: usize| (rank as f64 / sorted.len() as f64).powf(power);
    Some(sorted.iter().enumerate().map(|(rank, score)| score * (at_most(rank + 1) - at_most(rank))).sum())
}
