//! A training loss as a curve of one line.

/// Characters of a curve, and the heights that one of them has.
const CURVE: usize = 60;
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Training loss from the first step to the last, a character for the mean of several; none below two finite losses.
pub(crate) fn curve(losses: &[f64]) -> Option<String> {
    let finite: Vec<f64> = losses.iter().copied().filter(|loss| loss.is_finite()).collect();
    if finite.len() < 2 {
        return None;
    }
    let columns = CURVE.min(finite.len());
    let part = |at: usize| &finite[at * finite.len() / columns..(at + 1) * finite.len() / columns];
    let means: Vec<f64> = (0..columns).map(|at| part(at).iter().sum::<f64>() / part(at).len() as f64).collect();
    let (low, high) =
        means.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    let height = |mean: &f64| ((mean - low) / (high - low).max(f64::MIN_POSITIVE) * 7.0).round() as usize;
    let drawn: String = means.iter().map(|mean| HEIGHTS[height(mean).min(7)]).collect();
    Some(format!("loss    {drawn}\n        {high:.3} to {low:.3}, {} steps", losses.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_falls_from_left_to_right() {
        let losses: Vec<f64> = (0..600).map(|step| 1.0 - f64::from(step) / 600.0).collect();
        let drawn = curve(&losses).unwrap();
        let first = drawn.lines().next().unwrap().trim_start_matches("loss").trim();
        assert_eq!((first.chars().count(), first.chars().next(), first.chars().last()), (60, Some('█'), Some('▁')));
        assert!(drawn.ends_with("600 steps"), "{drawn}");
        assert_eq!((curve(&[f64::NAN, 1.0]), curve(&[])), (None, None));
        assert!(curve(&[1.0, 1.0]).unwrap().contains("▁▁"));
    }
}
