//! Metrics of predicted scores.

/// Pearson's correlation. NaN when either side is constant or has fewer than two examples.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn pearson(predicted: &[f32], gold: &[f32]) -> f64 {
    assert_eq!(predicted.len(), gold.len(), "one prediction per gold answer");
    let wide = |scores: &[f32]| scores.iter().map(|score| f64::from(*score)).collect::<Vec<_>>();
    correlation(&wide(predicted), &wide(gold))
}

/// Spearman's correlation: Pearson's of the ranks, where tied scores share the mean of their ranks.
/// NaN where [`pearson`] is, and when a score is NaN.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn spearman(predicted: &[f32], gold: &[f32]) -> f64 {
    assert_eq!(predicted.len(), gold.len(), "one prediction per gold answer");
    if predicted.iter().chain(gold).any(|score| score.is_nan()) {
        return f64::NAN;
    }
    correlation(&ranks(predicted), &ranks(gold))
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    // Exactly constant input has no correlation; rounding of the mean must not invent one.
    let constant = |x: &[f64]| x.windows(2).all(|pair| pair[0].total_cmp(&pair[1]).is_eq());
    if a.len() < 2 || constant(a) || constant(b) {
        return f64::NAN;
    }
    // Two passes: the means first, so that a large common offset costs no digits.
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut joint, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        joint += x * y;
        of_a += x * x;
        of_b += y * y;
    }
    // Two roots rather than the root of a product, which could overflow. `clamp` keeps NaN.
    (joint / (of_a.sqrt() * of_b.sqrt())).clamp(-1.0, 1.0)
}

/// Ranks from 1; ties get the mean of the ranks that they span.
fn ranks(scores: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut ranks = vec![0.0; scores.len()];
    let mut start = 0;
    // -0.0 and 0.0 are one value, though `total_cmp` orders them.
    for tied in order.chunk_by(|a, b| scores[*a] >= scores[*b]) {
        let mean = start as f64 + f64::midpoint(1.0, tied.len() as f64);
        for example in tied {
            ranks[*example] = mean;
        }
        start += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 0.0, -0.0, 9.0]), [4.5, 3.0, 4.5, 1.5, 1.5, 6.0]);
    }

    #[test]
    fn a_constant_side_has_no_correlation_whatever_its_mean_rounds_to() {
        let gold: Vec<f32> = (0_u8..30).map(f32::from).collect();
        assert!(pearson(&[0.1; 30], &gold).is_nan());
    }

    #[test]
    fn infinite_predictions_do_not_pass_for_a_score() {
        assert!(pearson(&[1.0, f32::INFINITY, 2.0], &[1.0, 2.0, 3.0]).is_nan());
    }
}
