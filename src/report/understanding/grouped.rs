//! The models' scores on parts of the examples.

use super::sides::Sides;
use crate::report::answers::score;
use crate::report::block::{Cell, Column, Table};
use crate::report::primary_metric::{Unit, metric_name};

/// A part of the examples: what it is called, and which.
pub(super) type Part = (String, Vec<u32>);

/// A row for each part that has examples, with each of `metrics`.
pub(super) fn table(pair: &Sides<'_>, caption: &str, first: &str, parts: &[Part], metrics: &[&str]) -> Table {
    let mut columns = Column::list(&[first], &["Examples"]);
    for metric in metrics {
        let several = metrics.len() > 1;
        let named = |label: &str| if several { format!("{label}, {}", metric_name(metric)) } else { label.to_owned() };
        columns.extend(pair.labels.iter().map(|label| Column::number(&named(label))));
        columns.extend(pair.is_pair().then(|| Column::number("Diff.")));
    }
    let rows = parts.iter().filter(|(_, examples)| !examples.is_empty()).map(|(name, examples)| {
        let mut row = vec![Cell::text(name), Cell::count(examples.len())];
        for metric in metrics {
            row.extend(cells(pair, metric, examples));
        }
        row
    });
    Table { caption: caption.to_owned(), columns, rows: rows.collect(), interactive: false }
}

/// The score of each side, and of two the difference.
fn cells(pair: &Sides<'_>, metric: &str, examples: &[u32]) -> Vec<Cell> {
    let unit = if metric == pair.metric.metric { pair.metric.unit } else { Unit::Fraction };
    let scores: Vec<f64> = pair.answers.iter().map(|answers| score(answers, metric, examples)).collect();
    let cell = |value: f64, shown: fn(Unit, f64) -> String| {
        let finite = Some(value).filter(|value| value.is_finite());
        Cell::known(finite, "not defined on these examples", |value| shown(unit, value))
    };
    let differences = scores.windows(2).map(|pair| cell(pair[1] - pair[0], Unit::signed));
    scores.iter().map(|score| cell(*score, Unit::shown)).chain(differences).collect()
}

/// About equally many examples a part, by a whole number that each has: `12 to 18`.
pub(super) fn by_number(numbers: &[u32], parts: usize) -> Vec<Part> {
    let mut order: Vec<u32> = (0..numbers.len() as u32).collect();
    order.sort_by_key(|at| (numbers[*at as usize], *at));
    let mut found: Vec<Part> = Vec::new();
    let mut start = 0;
    for part in 1..=parts {
        let mut end = (numbers.len() * part) / parts;
        // Equal numbers stay together.
        while end > start && end < order.len() && numbers[order[end] as usize] == numbers[order[end - 1] as usize] {
            end += 1;
        }
        if end > start {
            let (low, high) = (numbers[order[start] as usize], numbers[order[end - 1] as usize]);
            let name = if low == high { low.to_string() } else { format!("{low} to {high}") };
            found.push((name, order[start..end].to_vec()));
            start = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_about_equally_many_examples_and_equal_numbers_stay_together() {
        let named = |numbers: &[u32], parts| by_number(numbers, parts).into_iter().collect::<Vec<_>>();
        assert_eq!(named(&[5, 1, 3, 2], 2), [("1 to 2".to_owned(), vec![1, 3]), ("3 to 5".to_owned(), vec![2, 0])]);
        assert_eq!(named(&[2, 2, 2, 7], 4), [("2".to_owned(), vec![0, 1, 2]), ("7".to_owned(), vec![3])]);
        assert!(by_number(&[], 5).is_empty());
        let all: usize = by_number(&(0..103).map(|n| n % 17).collect::<Vec<_>>(), 5).iter().map(|of| of.1.len()).sum();
        assert_eq!(all, 103);
    }
}
