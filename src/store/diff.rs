//! What differs between two runs.

use serde::Serialize;
use serde_json::Value;

/// Stands for a setting that one of the two runs does not have.
const ABSENT: &str = "(absent)";

/// Every setting in which `a` and `b` differ, in the order of the settings: its dotted path, such as
/// `objective.task.max_length`, and both values, as JSON or as a person writes them.
#[must_use]
pub fn diff<S: Serialize>(a: &S, b: &S) -> Vec<(String, String, String)> {
    let value = |settings: &S| serde_json::to_value(settings).unwrap_or(Value::Null);
    let mut found = Vec::new();
    compare("", Some(&value(a)), Some(&value(b)), &mut found);
    found
}

fn compare(path: &str, left: Option<&Value>, right: Option<&Value>, found: &mut Vec<(String, String, String)>) {
    if left == right {
        return;
    }
    let (Some(Value::Object(a)), Some(Value::Object(b))) = (left, right) else {
        found.push((path.to_owned(), show(left), show(right)));
        return;
    };
    let only_right = b.keys().filter(|key| !a.contains_key(*key));
    for key in a.keys().chain(only_right) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        compare(&path, a.get(key), b.get(key), found);
    }
}

fn show(value: Option<&Value>) -> String {
    match value {
        None => ABSENT.to_owned(),
        Some(Value::String(text)) => text.clone(),
        // 3e-5 as a person writes it, where JSON has 0.00003.
        Some(Value::Number(number)) if number.is_f64() => format!("{:?}", number.as_f64().unwrap_or(f64::NAN)),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use crate::store::{InitialWeights, Objective};

    #[test]
    fn only_what_differs_is_named_in_order() {
        let a = example::settings("rte", 1);
        assert_eq!(diff(&a, &a), []);
        let mut b = a.clone();
        b.optimization.learning_rate = 2e-5;
        let Objective::Task(task) = &mut b.objective else { unreachable!() };
        task.max_length = 64;
        task.data_sha256.insert("test.tsv".to_owned(), "0f".to_owned());
        b.initial_weights =
            InitialWeights::Checkpoint { folder: "m".to_owned(), sha256: "1".to_owned(), hub: None, head: None };
        let row = |path: &str, left: &str, right: &str| (path.to_owned(), left.to_owned(), right.to_owned());
        assert_eq!(
            diff(&a, &b),
            [
                row("initial_weights", "random", r#"{"checkpoint":{"folder":"m","sha256":"1"}}"#),
                row("optimization.learning_rate", "3e-5", "2e-5"),
                row("objective.task.max_length", "128", "64"),
                row("objective.task.data_sha256.test.tsv", "(absent)", "0f"),
            ]
        );
    }
}
