//! The checks of a model's encoder and of its `architecture`.

use super::document::Document;
use super::limits::SHORTEST_SEQUENCE;
use super::limits::{MAX_INTERMEDIATE, MAX_LAYERS, MAX_POSITIONS};
use super::model::Dimensions;
use super::values::for_example;
use super::written_model::{WrittenArchitecture, WrittenModel};
use crate::diagnostic::Diagnostic;
use crate::settings::{self, EncoderType, InitializerRange, MAX_HIDDEN, Pooling};

/// Larger random weights saturate every softmax at first.
const MAX_INITIALIZER_RANGE: f64 = 1.0;

/// The dimensions of a model with an `architecture`, written at the key `model`.
pub(super) fn dimensions(
    document: &Document,
    model: &str,
    written: &WrittenModel,
    of: &WrittenArchitecture,
) -> Result<Dimensions, Diagnostic> {
    let (encoder, key) = (written.encoder.unwrap_or_default(), format!("{model}.architecture"));
    let pooling = pooling(document, model, encoder, written.pooling)?;
    if encoder.facts().is_transformer {
        return Ok(Dimensions { encoder, pooling, ..transformer(document, &key, of)? });
    }
    let of_transformers = [
        ("heads", of.heads.is_some()),
        ("intermediate", of.intermediate.is_some()),
        ("initializer_range", of.initializer_range.is_some()),
    ];
    for (name, given) in of_transformers {
        if given {
            let found = document.at_key_name(&format!("{key}.{name}"), format!("`{}` has no `{name}`", encoder.name()));
            return Err(found.hint("remove it"));
        }
    }
    let layers = match (encoder.facts().costs.has_layers, of.layers) {
        (false, Some(_)) => {
            let message = format!("`{}` have no layers", encoder.name());
            return Err(document.at_key_name(&format!("{key}.layers"), message).hint("remove it"));
        }
        (false, None) => 0,
        (true, layers) => needed(document, &key, "layers", layers)?,
    };
    let mut ranges = vec![
        ("hidden", of.hidden, 1..=MAX_HIDDEN),
        ("max_positions", of.max_positions, SHORTEST_SEQUENCE..=MAX_POSITIONS),
    ];
    if encoder.facts().costs.has_layers {
        ranges.push(("layers", layers, 1..=MAX_LAYERS));
    }
    in_range(document, &key, &ranges)?;
    if !of.hidden.is_multiple_of(encoder.facts().directions) {
        let (name, found) = (encoder.name(), of.hidden);
        let message = format!("`hidden` of `{name}` is even, half of it for each direction; found `{found}`");
        let hint = format!("`hidden: {}` is", of.hidden + 1);
        return Err(document.at_key(&format!("{key}.hidden"), message).hint(hint));
    }
    let (hidden, max_positions) = (of.hidden, of.max_positions);
    let initializer_range = InitializerRange::default();
    Ok(Dimensions { encoder, pooling, layers, hidden, heads: 1, intermediate: 0, max_positions, initializer_range })
}

fn transformer(document: &Document, key: &str, of: &WrittenArchitecture) -> Result<Dimensions, Diagnostic> {
    let (layers, heads) = (needed(document, key, "layers", of.layers)?, needed(document, key, "heads", of.heads)?);
    let (hidden, max_positions) = (of.hidden, of.max_positions);
    let intermediate = of.intermediate.unwrap_or_else(|| hidden.saturating_mul(4));
    let ranges = [
        ("layers", layers, 1..=MAX_LAYERS),
        ("hidden", hidden, 1..=MAX_HIDDEN),
        ("heads", heads, 1..=MAX_HIDDEN),
        ("intermediate", intermediate, 1..=MAX_INTERMEDIATE),
        ("max_positions", max_positions, SHORTEST_SEQUENCE..=MAX_POSITIONS),
    ];
    in_range(document, key, &ranges)?;
    if !hidden.is_multiple_of(heads) {
        let message = format!("{heads} heads do not divide the hidden size {hidden}");
        let nearest = (1..=heads).rev().find(|heads| hidden.is_multiple_of(*heads)).unwrap_or(1);
        return Err(document.at_key(&format!("{key}.heads"), message).hint(format!("`heads: {nearest}` does")));
    }
    let (encoder, initializer_range) = (EncoderType::Bert, initializer_range(document, key, of.initializer_range)?);
    Ok(Dimensions { encoder, pooling: None, layers, hidden, heads, intermediate, max_positions, initializer_range })
}

fn initializer_range(document: &Document, key: &str, given: Option<f64>) -> Result<InitializerRange, Diagnostic> {
    let Some(given) = given else { return Ok(InitializerRange::default()) };
    InitializerRange::new(given).filter(|_| given <= MAX_INITIALIZER_RANGE).ok_or_else(|| {
        let message = format!("`initializer_range` is above 0 and at most {MAX_INITIALIZER_RANGE}, found `{given}`");
        let found = document.at_key(&format!("{key}.initializer_range"), message);
        found.hint("0.02 is that of every published BERT, 0.1 suits a width of 64")
    })
}

fn needed(document: &Document, key: &str, name: &str, given: Option<u32>) -> Result<u32, Diagnostic> {
    given.ok_or_else(|| {
        let found = document.at_key(key, format!("the key `{name}` is missing here"));
        found.hint(for_example("architecture"))
    })
}

fn in_range(
    document: &Document,
    key: &str,
    ranges: &[(&str, u32, std::ops::RangeInclusive<u32>)],
) -> Result<(), Diagnostic> {
    match ranges.iter().find(|(_, value, range)| !range.contains(value)) {
        None => Ok(()),
        Some((name, value, range)) => {
            let message = format!("`{name}` takes {} to {}, found `{value}`", range.start(), range.end());
            Err(document.at_key(&format!("{key}.{name}"), message).hint(for_example("architecture")))
        }
    }
}

fn pooling(
    document: &Document,
    model: &str,
    encoder: EncoderType,
    given: Option<Pooling>,
) -> Result<Option<Pooling>, Diagnostic> {
    match given {
        Some(given) if !encoder.facts().poolings.contains(&given) => {
            let message = format!("`{}` is not pooled by `{}`", encoder.name(), settings::written(&given));
            let found = document.at_key(&format!("{model}.pooling"), message);
            let known: Vec<String> =
                encoder.facts().poolings.iter().map(|known| format!("`{}`", settings::written(known))).collect();
            Err(found.hint(if known.is_empty() {
                "transformers have a layer for it: remove `pooling`".to_owned()
            } else {
                format!("it is by {}", known.join(", "))
            }))
        }
        // What is the default needs no other id.
        given => Ok(given.filter(|given| Some(*given) != encoder.pooling())),
    }
}

/// The encoder of a model with a `preset`, written at the key `model`.
pub(super) fn encoder_of_preset(
    document: &Document,
    model: &str,
    written: &WrittenModel,
) -> Result<EncoderType, Diagnostic> {
    let encoder = written.encoder.unwrap_or_default();
    pooling(document, model, encoder, written.pooling)?;
    if encoder.facts().is_transformer {
        return Ok(encoder);
    }
    let message = format!("`preset` is a size of BERT, and `{}` is none", encoder.name());
    let found = document.at_key_name(&format!("{model}.preset"), message);
    Err(found.hint("`architecture` gives it a size: `{layers: 2, hidden: 64}`"))
}

/// Refuses an encoder for a model with a `checkpoint`, written at the key `model`.
pub(super) fn no_encoder(document: &Document, model: &str, written: &WrittenModel) -> Result<(), Diagnostic> {
    for (name, given) in [("encoder", written.encoder.is_some()), ("pooling", written.pooling.is_some())] {
        if given {
            let message = format!("the checkpoint says its `{name}` itself");
            return Err(document.at_key_name(&format!("{model}.{name}"), message).hint("remove it"));
        }
    }
    Ok(())
}
