//! Standard errors of scores, from the score and the number of examples alone.

/// Standard error of a share of `count` examples, as Agresti and Caffo 2000 (The American Statistician 54, 280–288)
/// take it for the difference of two shares: with one more example on either side, so that a share of all or none
/// has an error too. `None` for a share outside [0, 1], or of nothing.
#[must_use]
pub fn share_error(share: f64, count: u64) -> Option<f64> {
    if !(0.0..=1.0).contains(&share) || count == 0 {
        return None;
    }
    let count = count as f64;
    let moved = (share * count + 1.0) / (count + 2.0);
    Some((moved * (1.0 - moved) / (count + 2.0)).sqrt())
}

/// Standard error of a correlation over `count` examples, (1 − r²) / √(n − 1): that of two normal variables when there
/// are many examples. `None` for a correlation outside [−1, 1], or below two examples.
#[must_use]
pub fn correlation_error(correlation: f64, count: u64) -> Option<f64> {
    if !(-1.0..=1.0).contains(&correlation) || count < 2 {
        return None;
    }
    Some((1.0 - correlation * correlation) / (count as f64 - 1.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: (240 + 1) / (300 + 2) = 0.798013, and √(0.798013 · 0.201987 / 302) = 0.0231027.
    #[test]
    fn a_share_of_300_examples() {
        let found = share_error(0.8, 300).unwrap();
        assert!((found - 0.023_102_7).abs() < 1e-7, "{found}");
        assert!(share_error(1.0, 71).unwrap() > 0.01, "all right is not without error");
        assert_eq!((share_error(0.5, 0), share_error(f64::NAN, 9), share_error(1.1, 9)), (None, None, None));
    }

    #[test]
    fn a_correlation_of_1500_examples() {
        let found = correlation_error(0.85, 1500).unwrap();
        assert!((found - 0.007_167_4).abs() < 1e-7, "{found}");
        assert_eq!((correlation_error(0.5, 1), correlation_error(-1.5, 9)), (None, None));
    }
}
