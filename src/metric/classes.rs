//! Metrics of predicted classes.

use std::collections::BTreeMap;

/// The share of examples whose predicted class is the gold class.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn accuracy(predicted: &[u32], gold: &[u32]) -> f64 {
    assert_eq!(predicted.len(), gold.len(), "one prediction per gold answer");
    let right = predicted.iter().zip(gold).filter(|(p, g)| p == g).count();
    // 0 / 0 is the NaN that an empty set deserves.
    right as f64 / gold.len() as f64
}

/// How often each gold class was predicted as each class: `[gold, predicted]`, row-major, of `classes` classes. Indices from
/// `classes` on are left out.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn confusion_matrix(predicted: &[u32], gold: &[u32], classes: usize) -> Vec<u64> {
    assert_eq!(predicted.len(), gold.len(), "one prediction per gold answer");
    let mut counts = vec![0; classes * classes];
    for (predicted, gold) in predicted.iter().zip(gold) {
        let (row, column) = (*gold as usize, *predicted as usize);
        if row < classes && column < classes {
            counts[row * classes + column] += 1;
        }
    }
    counts
}

/// F1 of the positive class, 1: the harmonic mean of its precision and recall. 0 when class 1 is neither
/// predicted nor gold.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn f1(predicted: &[u32], gold: &[u32]) -> f64 {
    assert_eq!(predicted.len(), gold.len(), "one prediction per gold answer");
    if gold.is_empty() {
        return f64::NAN;
    }
    let hits = predicted.iter().zip(gold).filter(|(p, g)| **p == 1 && **g == 1).count();
    let named = predicted.iter().filter(|p| **p == 1).count() + gold.iter().filter(|g| **g == 1).count();
    if named == 0 { 0.0 } else { 2.0 * hits as f64 / named as f64 }
}

/// Matthews correlation coefficient, in Gorodkin's form for any number of classes (Gorodkin 2004,
/// "Comparing two K-category assignments by a K-category correlation coefficient"). 0 when either side
/// is constant.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn mcc(predicted: &[u32], gold: &[u32]) -> f64 {
    assert_eq!(predicted.len(), gold.len(), "one prediction per gold answer");
    if gold.is_empty() {
        return f64::NAN;
    }
    let mut counts: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for (p, g) in predicted.iter().zip(gold) {
        counts.entry(*p).or_default().0 += 1.0;
        counts.entry(*g).or_default().1 += 1.0;
    }
    let n = gold.len() as f64;
    let right = predicted.iter().zip(gold).filter(|(p, g)| p == g).count() as f64;
    // All terms are whole numbers, so a constant side gives an exact 0.
    let (mut joint, mut of_predicted, mut of_gold) = (right * n, n * n, n * n);
    for (p, g) in counts.into_values() {
        joint -= p * g;
        of_predicted -= p * p;
        of_gold -= g * g;
    }
    let scale = of_predicted * of_gold;
    if scale > 0.0 { joint / scale.sqrt() } else { 0.0 }
}
