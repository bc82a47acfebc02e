//! Several tests at once.

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
