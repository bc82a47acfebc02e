//! What dev sets can show at all: a part of `plan`.

use serde_json::{Value, json};

use crate::stats::{POWER, SIGNIFICANCE};
use crate::sweep::{DISAGREEING, DevSet};
use crate::terminal::{Column, table, wrapped};

pub(super) fn as_json(sets: &[DevSet]) -> Value {
    let row = |of: &DevSet| {
        let differences: Vec<Value> = DISAGREEING
            .iter()
            .zip(of.smallest())
            .map(|(disagreeing, difference)| json!({"disagreeing": disagreeing, "difference": difference}))
            .collect();
        json!({"task": of.task, "metric": of.metric, "examples": of.examples, "smallest_differences": differences})
    };
    Value::Array(sets.iter().map(row).collect())
}

/// A table with a sentence above it, after an empty line; nothing without dev sets.
pub(super) fn lines(sets: &[DevSet]) -> Option<String> {
    if sets.is_empty() {
        return None;
    }
    let what = format!(
        "the smallest difference between two models, in points, that a dev set shows (McNemar's test, p < {SIGNIFICANCE}, \
         power {POWER}) when only one of them is right on 10 or 20 % of its examples:"
    );
    let columns = [
        Column::Text("task"),
        Column::Text("of"),
        Column::Number("dev examples"),
        Column::Number("at 10 %"),
        Column::Number("at 20 %"),
    ];
    let points = |difference: Option<f64>| difference.map_or_else(|| "–".to_owned(), |of| format!("{:.1}", 100.0 * of));
    let rows = sets.iter().map(|set| {
        let [few, many] = set.smallest().map(points);
        vec![set.task.clone(), set.metric.to_owned(), set.examples.to_string(), few, many]
    });
    Some(format!("\n{}\n{}", wrapped(&what, 0), table(&columns, rows)))
}
