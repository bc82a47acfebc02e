//! One class of a few for each text or pair: CoLA, MNLI, ….

use super::Shape;

pub(super) struct Classes;

impl Shape for Classes {
    fn width(&self, names: &[&str]) -> usize {
        names.len()
    }

    fn row_names<'a>(&self, names: &'a [&'a str]) -> Option<&'a [&'a str]> {
        Some(names)
    }

    fn answers(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }
}
