//! Whether a model is right as often as it is sure: reliability diagrams (Niculescu-Mizil & Caruana 2005) and the expected
//! calibration error (Guo et al. 2017, "On calibration of modern neural networks").

/// The bins of Guo et al. 2017.
pub const BINS: usize = 15;

/// Answers of about the same confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfidenceBin {
    /// How many answers it holds.
    pub count: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

/// `bins` equally wide bins of the confidences (from 0 to 1), those that hold an answer.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn reliability(confidences: &[f64], right: &[bool], bins: usize) -> Vec<ConfidenceBin> {
    assert_eq!(confidences.len(), right.len(), "one confidence per answer");
    let mut sums = vec![(0_u64, 0.0, 0_u64); bins];
    for (confidence, right) in confidences.iter().zip(right) {
        // Each bin has its upper end, as scikit-learn's `calibration_curve` has it.
        let at = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        let (count, sum, hits) = &mut sums[at];
        (*count, *sum, *hits) = (*count + 1, *sum + confidence, *hits + u64::from(*right));
    }
    let bin = |(count, sum, hits): (u64, f64, u64)| ConfidenceBin {
        count,
        confidence: sum / count as f64,
        accuracy: hits as f64 / count as f64,
    };
    sums.into_iter().filter(|(count, ..)| *count > 0).map(bin).collect()
}

/// The expected calibration error: how far accuracy lies from confidence in a bin, over all answers. `None` of no answers.
#[must_use]
pub fn calibration_error(bins: &[ConfidenceBin]) -> Option<f64> {
    let all: u64 = bins.iter().map(|bin| bin.count).sum();
    let gap = |bin: &ConfidenceBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    (all > 0).then(|| bins.iter().map(gap).sum::<f64>() / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_its_upper_end_and_the_error_weighs_bins_by_their_answers() {
        // Two bins: 0.5 and 0.2 in the first, 1.0 and 0.9 in the second.
        let bins = reliability(&[0.5, 0.2, 1.0, 0.9], &[true, false, true, true], 2);
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 2]);
        assert!((bins[0].confidence - 0.35).abs() < 1e-12 && (bins[0].accuracy - 0.5).abs() < 1e-12);
        // (2 × 0.15 + 2 × 0.05) / 4.
        assert!((calibration_error(&bins).unwrap() - 0.1).abs() < 1e-12);
        let lowest = ConfidenceBin { count: 2, confidence: 0.05, accuracy: 0.5 };
        assert_eq!(reliability(&[0.0, 0.1], &[false, true], 3), [lowest], "nothing is below the first bin");
        assert_eq!(calibration_error(&[]), None);
    }
}
