//! A score for each text or pair: STS-B.

use super::{Shape, mean};
use crate::text::FeatureSet;

pub(super) struct Regression;

impl Shape for Regression {
    fn width(&self, _: &[&str]) -> usize {
        1
    }

    fn row_names<'a>(&self, _: &'a [&'a str]) -> Option<&'a [&'a str]> {
        Some(&[])
    }

    fn mean_loss(&self, outputs: &[f32], features: &FeatureSet) -> (f64, &'static str) {
        let both = outputs.iter().zip(features.labels()).filter(|(_, label)| !label.is_nan());
        (mean(both.map(|(score, label)| f64::from(score - label).powi(2))), "squared score")
    }

    fn answers(&self, _: &[&str]) -> Vec<String> {
        vec!["a score".to_owned()]
    }

    fn label_counts(&self, labels: &[f32], _: &[&str]) -> String {
        let lowest = labels.iter().copied().fold(f32::INFINITY, f32::min);
        let highest = labels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        format!("scores from {lowest} to {highest}")
    }
}
