//! The checks of `models`: one source each, dimensions that fit together, names that can be folders, tasks that
//! the model can be trained on.

use super::approach;
use super::dimensions::{dimensions, encoder_of_preset, no_encoder};
use super::document::Document;
use super::hub::{REPOSITORY_IS, REVISION_IS, repository_fault, revision_fault};
use super::lengths::too_long;
use super::model::{Dimensions, Model, ModelSource};
use super::task::Task;
use super::values::{is_name, no_duplicates, not_empty, path, tidy};
use super::written::Written;
use super::written_model::{Pretrained, WrittenCheckpoint, WrittenModel};
use crate::diagnostic::{Diagnostic, suggest};

/// The models in file order, each with a size or a checkpoint, with a task, and long enough for its tasks; and
/// every task with a model.
pub(super) fn resolve_all(document: &Document, written: &Written, tasks: &[Task]) -> Result<Vec<Model>, Diagnostic> {
    let mut models = Vec::new();
    for (name, source, of) in sources(document, written)? {
        let key = format!("models.{name}");
        if of.pretrain.is_some() {
            let found = document.at_key_name(&format!("{key}.pretrain"), "this experiment does not pretrain");
            return Err(found.hint("another experiment, with `pretrain` in place of `tasks` and `sweep`, does"));
        }
        let vocabulary = match &of.vocab_file {
            Some(file) => Some(path(document, &format!("{key}.vocab_file"), file)?),
            None => None,
        };
        let own = own_tasks(document, &format!("{key}.tasks"), of.tasks.as_deref(), tasks)?;
        let approach = of.approach.unwrap_or(written.approach);
        let model = Model { name, source, vocabulary, lower_case: of.do_lower_case, tasks: own, approach };
        fits_its_tasks(document, &model, tasks)?;
        models.push(model);
    }
    if let Some(task) = tasks.iter().find(|task| !models.iter().any(|model| model.tasks.contains(&task.name))) {
        let name = &task.name;
        let found = document.at_key(&format!("tasks.{name}"), format!("no model is trained on `{name}`"));
        return Err(found.hint("name it in the `tasks` of a model, or remove it"));
    }
    Ok(models)
}

/// Name, source and the rest of every model, in file order.
pub(super) fn sources<'a>(
    document: &Document,
    written: &'a Written,
) -> Result<Vec<(String, ModelSource, &'a WrittenModel)>, Diagnostic> {
    let names = document.keys_of("models");
    not_empty(document, "models", &names)?;
    let of_name = |name: String| written.models.get(&name).map(|model| (name, model));
    let source = |(name, model): (String, &'a WrittenModel)| -> Result<_, Diagnostic> {
        let source = source(document, &name, model)?;
        Ok((name, source, model))
    };
    names.into_iter().filter_map(of_name).map(source).collect()
}

fn source(document: &Document, name: &str, written: &WrittenModel) -> Result<ModelSource, Diagnostic> {
    let key = format!("models.{name}");
    if !is_name(name, &['-', '_']) {
        let message = "a model's name becomes a folder's: letters, digits, `-` and `_`, a letter or digit first";
        // Not by key path: the name itself may hold a dot.
        return Err(document.at_key_of("models", name, message).hint(format!("for example `{}`", tidy(name))));
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
    if let Some(preset) = written.preset {
        let encoder = encoder_of_preset(document, &key, written)?;
        Ok(ModelSource::Random(Dimensions { encoder, ..preset.dimensions() }))
    } else if let Some(architecture) = &written.architecture {
        Ok(ModelSource::Random(dimensions(document, &key, written, architecture)?))
    } else if let Some(checkpoint) = &written.checkpoint {
        no_encoder(document, &key, written)?;
        published(document, &format!("{key}.checkpoint"), checkpoint)
    } else {
        let found = document.at_key(&key, format!("the model `{name}` has no size"));
        Err(found.hint("give it one of `preset`, `architecture` and `checkpoint`"))
    }
}

/// The names of the tasks of a model, in the order of the experiment's.
fn own_tasks(
    document: &Document,
    key: &str,
    written: Option<&[String]>,
    tasks: &[Task],
) -> Result<Vec<String>, Diagnostic> {
    let all = || tasks.iter().map(|task| task.name.clone());
    let Some(written) = written else { return Ok(all().collect()) };
    not_empty(document, key, written)?;
    for (index, name) in written.iter().enumerate() {
        if !tasks.iter().any(|task| task.name == *name) {
            let message = format!("`{name}` is not one of the experiment's `tasks`");
            let names = all().collect::<Vec<_>>();
            let near = suggest(name, names.iter().map(String::as_str));
            let hint = if near.ends_with('?') { near } else { format!("add `{name}` to them, or remove it here") };
            return Err(document.at_key(&format!("{key}.{index}"), message).hint(hint));
        }
    }
    no_duplicates(document, key, written)?;
    Ok(all().filter(|name| written.contains(name)).collect())
}

fn published(document: &Document, key: &str, written: &WrittenCheckpoint) -> Result<ModelSource, Diagnostic> {
    let hub = match written {
        WrittenCheckpoint::Folder(folder) => {
            if let Some(model) = folder.strip_prefix("hub:") {
                let found =
                    document.at_key(key, format!("`{folder}` is the command line's form of a model of the hub"));
                return Err(found.hint(in_mapping(model)));
            }
            return Ok(ModelSource::Checkpoint(path(document, key, folder)?));
        }
        WrittenCheckpoint::Hub(hub) => hub,
        WrittenCheckpoint::Pretraining(of) => return pretrained(document, key, of),
        WrittenCheckpoint::Contradiction(what, hint) => return Err(document.at_key(key, *what).hint(*hint)),
    };
    if let Some(fault) = repository_fault(&hub.repository) {
        return Err(document.at_key(&format!("{key}.hub"), fault).hint(REPOSITORY_IS));
    }
    if let Some(fault) = revision_fault(&hub.revision) {
        return Err(document.at_key(&format!("{key}.revision"), fault).hint(REVISION_IS));
    }
    Ok(ModelSource::Hub(hub.clone()))
}

fn pretrained(document: &Document, key: &str, written: &Pretrained) -> Result<ModelSource, Diagnostic> {
    for (name, value, also) in
        [("experiment", &written.experiment, &['-', '_', '.'][..]), ("model", &written.model, &['-', '_'])]
    {
        if !is_name(value, also) {
            let found = document.at_key(&format!("{key}.{name}"), format!("`{value}` is not the name of a {name}"));
            let hint = match name {
                "experiment" => "the `experiment:` of a file beside this one, without `.yaml`",
                _ => "one of the `models` of the experiment that pretrains it",
            };
            return Err(found.hint(hint));
        }
    }
    Ok(ModelSource::Pretraining(written.clone()))
}

/// `ORG/NAME@REVISION` as an experiment file has it.
fn in_mapping(model: &str) -> String {
    match model.trim().split_once('@') {
        Some((repository, revision)) => format!("write `checkpoint: {{hub: {repository}, revision: {revision}}}`"),
        None => format!("write `checkpoint: {{hub: {}}}`", model.trim()),
    }
}

/// Refuses a model that cannot be trained, or not in its way, on a task that is to be its.
fn fits_its_tasks(document: &Document, model: &Model, tasks: &[Task]) -> Result<(), Diagnostic> {
    for task in tasks.iter().filter(|task| model.tasks.contains(&task.name)) {
        if let ModelSource::Random(dimensions) = &model.source
            && task.max_length > dimensions.max_positions
        {
            return Err(too_long(document, task, &model.name, dimensions.max_positions));
        }
    }
    approach::fits(document, model, tasks)
}
