//! Metrics: pure functions over whole prediction sets, never averaged over batches.
//!
//! Degenerate inputs are answered as scikit-learn and scipy answer them (`tests/golden/metrics.py`):
//! a constant prediction has Matthews correlation 0 and no (NaN) Pearson or Spearman correlation.
//! Where those libraries refuse the input (no example at all, one pair for a correlation) the value is NaN.

mod classes;
mod correlation;
mod entities;
pub mod squad;

pub use classes::{accuracy, confusion_matrix, f1, mcc};
pub use correlation::{pearson, spearman};
pub use entities::{Confusion, Entity, EntityCounts, EntityScores, confusions, entities};

/// What a metric's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share of 1: 0.884, not 88.4.
    Fraction,
    /// Between -1 and 1; 0 is chance.
    Correlation,
}

impl Unit {
    /// `fraction` or `correlation`, as records spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Correlation => "correlation",
        }
    }
}

/// How a metric is computed, by what it compares. The prediction comes first, the gold answer second;
/// both have one entry per example.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// Predicted classes against gold classes.
    Classes(fn(&[u32], &[u32]) -> f64),
    /// Predicted scores against gold scores.
    Scores(fn(&[f32], &[f32]) -> f64),
    /// Answers or entities: what is compared is neither a class nor a score, and the task calls the function.
    Whole,
}

/// A row of [`METRICS`].
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// The name in records, reports and experiment files.
    pub name: &'static str,
    /// What a report calls it.
    pub title: &'static str,
    /// What the number counts.
    pub unit: Unit,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// The function itself.
    pub function: Function,
}

/// A metric of which more is better.
const fn metric(name: &'static str, title: &'static str, unit: Unit, function: Function) -> Metric {
    Metric { name, title, unit, higher_is_better: true, function }
}

/// The share of right classes.
pub static ACCURACY: Metric = metric("accuracy", "accuracy", Unit::Fraction, Function::Classes(accuracy));
/// F1 of class 1; of answers and entities, what their tasks compute.
pub static F1: Metric = metric("f1", "F1", Unit::Fraction, Function::Classes(f1));
/// The share of answers that are a gold answer, normalised.
pub static EXACT_MATCH: Metric = metric("exact_match", "exact match", Unit::Fraction, Function::Whole);
/// The share of found entities that are right.
pub static PRECISION: Metric = metric("precision", "precision", Unit::Fraction, Function::Whole);
/// The share of gold entities that are found.
pub static RECALL: Metric = metric("recall", "recall", Unit::Fraction, Function::Whole);
/// Matthews correlation.
pub static MCC: Metric = metric("mcc", "MCC", Unit::Correlation, Function::Classes(mcc));
/// Pearson correlation.
pub static PEARSON: Metric = metric("pearson", "Pearson", Unit::Correlation, Function::Scores(pearson));
/// Spearman correlation.
pub static SPEARMAN: Metric = metric("spearman", "Spearman", Unit::Correlation, Function::Scores(spearman));

/// Every metric.
pub static METRICS: &[&Metric] = &[&ACCURACY, &F1, &EXACT_MATCH, &PRECISION, &RECALL, &MCC, &PEARSON, &SPEARMAN];

/// One computed metric with all that is needed to read it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// The metric's name.
    pub metric: &'static str,
    /// The value in the metric's unit; NaN where it is not defined.
    pub value: f64,
    /// What the value counts.
    pub unit: Unit,
    /// Whether more is better.
    pub higher_is_better: bool,
}

impl Metric {
    /// The metric called `name`, when there is one.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        METRICS.iter().copied().find(|metric| metric.name == name)
    }

    /// A value of this metric.
    #[must_use]
    pub const fn value(&self, value: f64) -> Value {
        Value { metric: self.name, value, unit: self.unit, higher_is_better: self.higher_is_better }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;

    fn golden() -> Json {
        serde_json::from_str(include_str!("../../tests/golden/metrics.json")).unwrap()
    }

    fn integers(list: &Json) -> Vec<u32> {
        list.as_array().unwrap().iter().map(|x| u32::try_from(x.as_u64().unwrap()).unwrap()).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "written from float32")]
    fn floats(list: &Json) -> Vec<f32> {
        list.as_array().unwrap().iter().map(|x| x.as_f64().map_or(f32::NAN, |x| x as f32)).collect()
    }

    /// Both sides compute in float64 over under a hundred examples; only the order of sums differs.
    const TOLERANCE: f64 = 1e-12;

    fn agree(case: &Json, metric: &str, ours: f64) {
        let name = &case["case"];
        match case[metric].as_f64() {
            Some(theirs) => assert!((ours - theirs).abs() < TOLERANCE, "{metric}, {name}: {ours}, golden {theirs}"),
            None => assert!(ours.is_nan(), "{metric}, {name}: {ours}, golden NaN"),
        }
    }

    #[test]
    fn every_metric_answers_as_scikit_learn_and_scipy_do() {
        let golden = golden();
        for metric in METRICS {
            let (group, least) = match metric.function {
                Function::Classes(_) => ("classes", 13),
                Function::Scores(_) => ("scores", 10),
                // Held against their own references where they are computed.
                Function::Whole => continue,
            };
            let cases = golden[group].as_array().unwrap();
            assert!(cases.len() >= least);
            for case in cases {
                let (predicted, gold) = (&case["predicted"], &case["gold"]);
                match metric.function {
                    // F1 of one positive class says nothing about three classes.
                    Function::Classes(_) if case[metric.name].is_null() => assert_eq!(metric.name, "f1"),
                    Function::Classes(function) => {
                        agree(case, metric.name, function(&integers(predicted), &integers(gold)));
                    }
                    Function::Whole => {}
                    Function::Scores(function) => {
                        agree(case, metric.name, function(&floats(predicted), &floats(gold)));
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_to_score_is_not_a_number() {
        for metric in METRICS {
            let value = match metric.function {
                Function::Classes(function) => function(&[], &[]),
                Function::Scores(function) => function(&[], &[]),
                Function::Whole => continue,
            };
            assert!(value.is_nan(), "{}", metric.name);
        }
        assert!(pearson(&[1.0], &[2.0]).is_nan());
    }

    #[test]
    fn names_are_unique_and_found() {
        for metric in METRICS {
            assert_eq!(METRICS.iter().filter(|other| other.name == metric.name).count(), 1);
            assert_eq!(Metric::find(metric.name).map(|found| found.title), Some(metric.title));
        }
        assert!(Metric::find("bleu").is_none());
    }
}
