//! The checks of `models`: one source each, dimensions that fit together, names that can be folders.

use super::check::{for_example, is_name, not_empty, path, tidy};
use super::document::Document;
use super::experiment::{Dimensions, Model, ModelSource};
use super::hub::{HubModel, REPOSITORY_IS, REVISION_IS, repository_fault, revision_fault};
use super::written::{
    MAX_HIDDEN, MAX_INTERMEDIATE, MAX_LAYERS, MAX_POSITIONS, SHORTEST_SEQUENCE, Written, WrittenArchitecture,
    WrittenCheckpoint, WrittenHub, WrittenModel,
};
use crate::diagnostic::Diagnostic;

/// The models in file order, each with a size or a checkpoint and long enough for `max_length`.
pub(super) fn resolve_all(document: &Document, written: &Written) -> Result<Vec<Model>, Diagnostic> {
    let names = document.keys_of("models");
    not_empty(document, "models", &names)?;
    let mut models = Vec::new();
    for name in names {
        let Some(model) = written.models.get(&name) else { continue };
        let model = resolve(document, name, model)?;
        length_fits(document, &model, written.training.max_length)?;
        models.push(model);
    }
    Ok(models)
}

fn resolve(document: &Document, name: String, written: &WrittenModel) -> Result<Model, Diagnostic> {
    let key = format!("models.{name}");
    if !is_name(&name, &['-', '_']) {
        let message = "a model's name becomes a folder's: letters, digits, `-` and `_`, a letter or digit first";
        // Not by key path: the name itself may hold a dot.
        return Err(document.at_key_of("models", &name, message).hint(format!("for example `{}`", tidy(&name))));
    }
    let sources = [
        ("preset", written.preset.is_some()),
        ("architecture", written.architecture.is_some()),
        ("checkpoint", written.checkpoint.is_some()),
    ];
    let given: Vec<&str> = sources.iter().filter(|(_, given)| *given).map(|(source, _)| *source).collect();
    if let [first, second, ..] = given.as_slice() {
        let message = format!("the model `{name}` has both `{first}` and `{second}`");
        let found = document.at_key_name(&format!("{key}.{second}"), message);
        return Err(found.hint("keep one; a second model can have the other"));
    }
    let source = if let Some(preset) = written.preset {
        ModelSource::Random(preset.dimensions())
    } else if let Some(architecture) = &written.architecture {
        ModelSource::Random(dimensions(document, &format!("{key}.architecture"), architecture)?)
    } else if let Some(checkpoint) = &written.checkpoint {
        published(document, &format!("{key}.checkpoint"), checkpoint)?
    } else {
        let found = document.at_key(&key, format!("the model `{name}` has no size"));
        return Err(found.hint("give it one of `preset`, `architecture` and `checkpoint`"));
    };
    let vocabulary = match &written.vocabulary {
        Some(file) => Some(path(document, &format!("{key}.vocabulary"), file)?),
        None => None,
    };
    Ok(Model { name, source, vocabulary, lower_case: written.lower_case })
}

fn published(document: &Document, key: &str, written: &WrittenCheckpoint) -> Result<ModelSource, Diagnostic> {
    let WrittenHub { hub, revision } = match written {
        WrittenCheckpoint::Folder(folder) => {
            if let Some(model) = folder.strip_prefix("hub:") {
                let found =
                    document.at_key(key, format!("`{folder}` is the command line's form of a model of the hub"));
                return Err(found.hint(in_mapping(model)));
            }
            return Ok(ModelSource::Checkpoint(path(document, key, folder)?));
        }
        WrittenCheckpoint::Hub(hub) => hub,
    };
    if let Some(fault) = repository_fault(hub) {
        return Err(document.at_key(&format!("{key}.hub"), fault).hint(REPOSITORY_IS));
    }
    if let Some(fault) = revision_fault(revision) {
        return Err(document.at_key(&format!("{key}.revision"), fault).hint(REVISION_IS));
    }
    Ok(ModelSource::Hub(HubModel { repository: hub.clone(), revision: revision.clone() }))
}

/// `ORG/NAME@REVISION` as an experiment file has it.
fn in_mapping(model: &str) -> String {
    match model.trim().split_once('@') {
        Some((repository, revision)) => format!("write `checkpoint: {{hub: {repository}, revision: {revision}}}`"),
        None => format!("write `checkpoint: {{hub: {}}}`", model.trim()),
    }
}

fn dimensions(document: &Document, key: &str, written: &WrittenArchitecture) -> Result<Dimensions, Diagnostic> {
    let intermediate = written.intermediate.unwrap_or_else(|| written.hidden.saturating_mul(4));
    let ranges = [
        ("layers", written.layers, 1..=MAX_LAYERS),
        ("hidden", written.hidden, 1..=MAX_HIDDEN),
        ("heads", written.heads, 1..=MAX_HIDDEN),
        ("intermediate", intermediate, 1..=MAX_INTERMEDIATE),
        ("max_positions", written.max_positions, SHORTEST_SEQUENCE..=MAX_POSITIONS),
    ];
    for (name, value, range) in ranges {
        if !range.contains(&value) {
            let message = format!("`{name}` takes {} to {}, found `{value}`", range.start(), range.end());
            return Err(document.at_key(&format!("{key}.{name}"), message).hint(for_example("architecture")));
        }
    }
    if !written.hidden.is_multiple_of(written.heads) {
        let message = format!("{} heads do not divide the hidden size {}", written.heads, written.hidden);
        let nearest = (1..=written.heads).rev().find(|heads| written.hidden.is_multiple_of(*heads)).unwrap_or(1);
        return Err(document.at_key(&format!("{key}.heads"), message).hint(format!("`heads: {nearest}` does")));
    }
    let (layers, hidden, heads, max_positions) = (written.layers, written.hidden, written.heads, written.max_positions);
    Ok(Dimensions { layers, hidden, heads, intermediate, max_positions })
}

fn length_fits(document: &Document, model: &Model, max_length: u32) -> Result<(), Diagnostic> {
    let ModelSource::Random(dimensions) = &model.source else { return Ok(()) };
    if max_length <= dimensions.max_positions {
        return Ok(());
    }
    let message = format!(
        "`max_length` is {max_length}, but the model `{}` has {} positions",
        model.name, dimensions.max_positions
    );
    let written = ["training.max_length".to_owned(), format!("models.{}.architecture.max_positions", model.name)];
    let spot = written.iter().find(|key| document.spot(key).is_some());
    let found = document.at_key(spot.map_or("models", String::as_str), message);
    Err(found.hint(format!("set `training: {{max_length: {}}}` or less", dimensions.max_positions)))
}
