//! The first 91 rows of SWAG's published val.csv, against Python's reading of them.
//!
//! The data is not part of the project: without `BERTBENCH_REALDATA` the test says so and passes.

use bertbench::checksum::sha256;
use bertbench::data::{BadRows, choices_of};
use serde_json::Value;

use super::realdata::real_data;

/// Counts and a checksum by `tests/golden/swag.py`.
#[test]
fn the_published_rows_are_read_as_python_reads_them() {
    let Some(path) = real_data("swag/val.first91.csv") else { return };
    let golden: Value = serde_json::from_str(include_str!("golden/swag.json")).unwrap();
    let golden = &golden["val"];
    let read = choices_of(&std::fs::read(&path).unwrap(), &path, Some(true), BadRows::Refuse).unwrap();
    assert_eq!(read.skipped, 0);
    assert_eq!(Some(read.choices.len() as u64), golden["rows"].as_u64());
    let of_label = |label| read.choices.iter().filter(|choice| choice.label == Some(label)).count() as u64;
    assert_eq!((0..4).map(of_label).map(Value::from).collect::<Vec<_>>(), *golden["labels"].as_array().unwrap());
    let ids = [&read.choices[0], &read.choices[90]].map(|choice| Value::from(&*choice.id));
    assert_eq!(ids, [golden["first_id"].clone(), golden["last_id"].clone()]);
    let mut text = String::new();
    for choice in &read.choices {
        let label = choice.label.unwrap().to_string();
        let fields = std::iter::once(&choice.context).chain(&choice.endings).chain([&label]);
        text.extend(fields.flat_map(|field| [field, "\u{1f}"]));
        text.push('\n');
    }
    assert_eq!(sha256(text.as_bytes()), golden["sha256"].as_str().unwrap());
}
