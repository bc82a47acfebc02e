//! The right one of several texts that may follow another: SWAG. Each is a sequence with one output, its score.

use super::{Reading, Shape, other_shape};
use crate::data::{Content, ENDINGS};
use crate::diagnostic::Diagnostic;
use crate::text::{FeatureSet, SkippedRows, TextPair};

pub(super) struct Choices;

/// A choice is called by its place.
const NAMES: [&str; ENDINGS] = ["0", "1", "2", "3"];

impl Shape for Choices {
    /// `[CLS] context [SEP] ending [SEP]` for each ending (Devlin et al. 2018, §4.4).
    fn features(&self, content: &Content, reading: &Reading<'_>) -> Result<FeatureSet, Diagnostic> {
        let Content::Choices(read) = content else { return Err(other_shape()) };
        let pairs = read.choices.iter().flat_map(|choice| {
            let pair = |ending| TextPair { first: &choice.context, second: Some(ending), label: f32::NAN };
            choice.endings.iter().map(move |ending| pair(ending.as_str()))
        });
        let pairs: Vec<TextPair<'_>> = pairs.collect();
        let left_out = SkippedRows { malformed: read.skipped, ..SkippedRows::default() };
        // A handful of choices: exact in f32.
        let labels = read.choices.iter().map(|choice| choice.label.map_or(f32::NAN, |label| label as f32)).collect();
        let endings = pairs.len() / read.choices.len().max(1);
        let sequences = FeatureSet::build(reading.tokenizer, &pairs, reading.max_length, left_out)?;
        Ok(sequences.into_choices(endings as u32, labels))
    }

    fn width(&self, _: &[&str]) -> usize {
        1
    }

    fn row_names<'a>(&self, _: &'a [&'a str]) -> Option<&'a [&'a str]> {
        Some(&NAMES)
    }

    fn answers(&self, _: &[&str]) -> Vec<String> {
        vec![format!("one of {ENDINGS} choices")]
    }
}
