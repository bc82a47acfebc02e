//! The largest difference of a comparison: printed, kept for `docs/parity.md`, and held to a tolerance.

use std::io::Write;

/// What a difference is a fraction of.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// Nothing: the difference itself.
    Absolute,
    /// The reference's size.
    Relative,
}

/// Fails when `largest` is above `tolerance` (or is no number).
pub fn hold(case: &str, quantity: &str, of: Of, tolerance: f64, largest: f64) {
    let of = match of {
        Of::Absolute => "absolute",
        Of::Relative => "relative",
    };
    let row = format!("| {case} | {quantity} | {tolerance:.0e} {of} | {largest:.1e} |");
    println!("{row}");
    if let Some(path) = std::env::var_os("BERTBENCH_MEASURED") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        // One write, because tests run in parallel.
        file.write_all(format!("{row}\n").as_bytes()).unwrap();
    }
    within(tolerance, largest, &row);
}

/// NaN is not.
fn within(tolerance: f64, largest: f64, row: &str) {
    assert!(largest <= tolerance, "{row}");
}

/// The largest |a − b|.
pub fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, nan_or_max)
}

/// The larger of two, and NaN when either is.
pub fn nan_or_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// √Σx²
pub fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// ‖ours − theirs‖ / ‖theirs‖ of two tensors; where theirs is below `floor`, as a part of `floor`.
pub fn relative_difference(ours: &[f64], theirs: &[f64], floor: f64) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    norm(ours.iter().zip(theirs).map(|(a, b)| a - b)) / norm(theirs.iter().copied()).max(floor)
}

#[test]
#[should_panic(expected = "too much")]
fn a_difference_above_the_tolerance_fails() {
    within(1e-4, 1.1e-4, "too much");
}

#[test]
#[should_panic(expected = "no number")]
fn no_number_fails() {
    within(1e-4, largest_difference(&[f64::NAN, 1.0], &[0.0, 1.0]), "no number");
}
