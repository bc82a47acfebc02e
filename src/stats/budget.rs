//! What a search of so many trials can be expected to find.

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
