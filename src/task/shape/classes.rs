//! One class of a few for each text or pair: CoLA, MNLI, ….

use super::rows::features_of;
use super::{Reading, Shape, other_shape};
use crate::data::Content;
use crate::diagnostic::Diagnostic;
use crate::text::FeatureSet;

pub(super) struct Classes;

impl Shape for Classes {
    fn features(&self, content: &Content, reading: &Reading<'_>) -> Result<FeatureSet, Diagnostic> {
        match content {
            Content::Texts(split) => features_of(split, reading.tokenizer, reading.max_length),
            Content::Choices(_) | Content::Questions(_) | Content::Sentences(_) => Err(other_shape()),
        }
    }

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
