//! The lines of a file through a model, written in either format.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::{ExtractError, Extraction, JsonLines, Layer, Packed};
use crate::diagnostic::{Diagnostic, Error};
use crate::infer::{TrainedModel, refused};
use crate::model::{AnyEncoder, Loaded, load_encoder};
use crate::text::{FeatureSet, SkippedRows, read_lines};

/// A model with its weights, and the lines that it is to read.
pub struct Extractor<'a> {
    model: &'a TrainedModel,
    loaded: Loaded<AnyEncoder>,
    features: &'a FeatureSet,
    layers: &'a [Layer],
    batch_size: u32,
}

/// The lines of an input as features: a text each, or two with ` ||| ` between them. `name` is the input's, for messages.
///
/// # Errors
/// Lines that are not UTF-8, or too many; pairs for a model that has one segment.
pub fn line_features(model: &TrainedModel, bytes: &[u8], name: &Path) -> Result<FeatureSet, Error> {
    let lines = read_lines(bytes, name)?;
    let first_pair = lines.iter().position(|line| line.second.is_some());
    if let Some(at) = first_pair.filter(|_| !model.takes_pairs()) {
        let found = Diagnostic::new("a pair of texts, but the model has one segment embedding");
        return Err(found.at_line(name, at + 1).into());
    }
    Ok(FeatureSet::build(&model.tokenizer, &lines, model.max_length, SkippedRows::default())?)
}

impl<'a> Extractor<'a> {
    /// Reads the weights.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn load(
        model: &'a TrainedModel,
        features: &'a FeatureSet,
        layers: &'a [Layer],
        batch_size: u32,
    ) -> Result<Self, Error> {
        // The seed draws a pooler where there is none, which is not used.
        let mut loaded = load_encoder(&model.checkpoint, 0, &model.device.device).map_err(|error| refused(&error))?;
        loaded.model.set_precision(model.precision);
        Ok(Self { model, loaded, features, layers, batch_size })
    }

    /// What is to be known of the weights.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.loaded.notes
    }

    /// A JSON object for each line; `stop` is asked before every batch.
    ///
    /// # Errors
    /// As [`Extraction::run`].
    pub fn json_lines(&self, into: &mut dyn Write, stop: &dyn Fn() -> bool) -> Result<(), ExtractError> {
        let mut sink = JsonLines { into, vocabulary: &self.model.vocabulary, layers: self.layers };
        self.extraction().run(&mut sink, stop)
    }

    /// A tensor for each layer, over all tokens; the file says that they are of the model `name`.
    ///
    /// # Errors
    /// As [`Extraction::run`].
    pub fn safetensors(&self, file: &mut File, name: &str, stop: &dyn Fn() -> bool) -> Result<(), ExtractError> {
        let about = [("model", name.to_owned()), ("max_length", self.model.max_length.to_string())];
        let hidden = self.model.config.architecture.hidden;
        let mut sink = Packed::begin(file, self.features, self.layers, hidden, &about)?;
        self.extraction().run(&mut sink, stop)
    }

    fn extraction(&self) -> Extraction<'_> {
        Extraction {
            model: &self.loaded.model,
            device: &self.model.device.device,
            features: self.features,
            layers: self.layers,
            batch_size: self.batch_size,
        }
    }
}
