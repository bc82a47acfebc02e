//! The best score of each task and model.

use std::collections::BTreeMap;

use super::table::{Column, table};
use crate::store::{Record, by_rank};

/// The best runs of tasks, by task and model.
pub(super) type Best<'a> = BTreeMap<(&'a str, &'a str), &'a Record>;

/// The best of `records` for each task and model.
pub(super) fn best<'a>(records: impl IntoIterator<Item = &'a Record>) -> Best<'a> {
    let mut best = Best::new();
    for record in records.into_iter().filter(|record| record.task().is_some()) {
        let known = best.entry((record.settings.task_name(), record.settings.model.as_str())).or_insert(record);
        if by_rank(record, known).is_lt() {
            *known = record;
        }
    }
    best
}

/// The primary score of a run, as tables show it.
pub(super) fn shown(record: &Record) -> String {
    record.primary_score().map_or_else(|| "undefined".to_owned(), |score| format!("{score:.4}"))
}

/// A table with a line for each task and model.
pub(super) fn lines(best: &Best<'_>) -> String {
    let columns = [Column::Text("task"), Column::Text("model"), Column::Text("metric"), Column::Number("best")];
    let rows = best.iter().map(|((task, model), record)| {
        vec![(*task).to_owned(), (*model).to_owned(), record.primary_metric().to_owned(), shown(record)]
    });
    table(&columns, rows)
}
