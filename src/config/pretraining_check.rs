//! The checks of an experiment that pretrains.

use std::path::PathBuf;

use super::base::ExperimentBase;
use super::document::Document;
use super::model::ModelSource;
use super::models;
use super::pretraining::{PretrainModel, Pretraining, TextSource};
use super::recipe::recipe;
use super::values::{for_example, no_duplicates, not_empty, path, shown};
use super::written::Written;
use super::written_pretrain::WrittenPretrain;
use crate::diagnostic::Diagnostic;

/// Keys that only experiments with tasks have, and why they are not here.
const NOT_HERE: [(&str, &str); 8] = [
    (
        "tasks",
        "an experiment either pretrains or has tasks; another one, with `checkpoint: {experiment: NAME, model: NAME}`, fine-tunes its models",
    ),
    ("task_settings", "remove it: there are no tasks"),
    ("sweep", "`pretrain` has `batch_size`, `learning_rate` and `phases`"),
    ("approach", "remove it: every weight is trained"),
    ("data", "`pretrain.text` names files of text, and `mini` is the generated corpus"),
    ("training.max_length", "`pretrain.phases` sets the lengths of examples"),
    ("training.lm_coef", "remove it: there is no task whose loss it would be added to"),
    ("training.both_orders", "remove it: there are no tasks"),
];

/// Turns a file with `pretrain` into an experiment.
pub(super) fn check(written: &Written, document: Document) -> Result<Pretraining, Diagnostic> {
    no_other_keys(&document)?;
    let Some(of) = &written.pretrain else { return Err(document.about("the key `pretrain` is missing")) };
    let text = text(&document, written, of)?;
    let has_text = !matches!(&text, TextSource::Files { train, .. } if train.is_empty());
    numbers(&document, of)?;
    let models = models_of(&document, written, of, has_text)?;
    let snapshots = snapshots(&document, of, &models)?;
    Ok(Pretraining {
        base: ExperimentBase::of(written, document),
        models,
        text,
        format: of.format,
        column: of.column.clone().unwrap_or_else(|| "text".to_owned()),
        dupe_factor: of.dupe_factor,
        short_seq_prob: of.short_seq_prob,
        eval_steps: of.eval_steps,
        logging_steps: of.logging_steps,
        snapshots,
        save: of.save,
    })
}

fn no_other_keys(document: &Document) -> Result<(), Diagnostic> {
    for (key, hint) in NOT_HERE {
        if document.spot(key).is_some() {
            return Err(document.at_key_name(key, format!("`{key}` cannot be combined with `pretrain`")).hint(hint));
        }
    }
    if document.spot("training.warmup_fraction").is_some() {
        let found = document.at_key_name("training.warmup_fraction", "pretraining counts its warmup in steps");
        return Err(found.hint("`pretrain: {warmup_steps: 10000}`"));
    }
    Ok(())
}

fn models_of(
    document: &Document,
    written: &Written,
    of: &WrittenPretrain,
    has_text: bool,
) -> Result<Vec<PretrainModel>, Diagnostic> {
    let mut models = Vec::new();
    for (name, source, written_model) in models::sources(document, written)? {
        let key = format!("models.{name}");
        for (other, given) in [("tasks", written_model.tasks.is_some()), ("approach", written_model.approach.is_some())]
        {
            if given {
                let found =
                    document.at_key_name(&format!("{key}.{other}"), format!("`{other}` is for experiments with tasks"));
                return Err(found.hint("remove it"));
            }
        }
        if matches!(source, ModelSource::Pretraining(_)) {
            let found = document.at_key(&format!("{key}.checkpoint"), "a pretraining cannot start from another one");
            return Err(found.hint("name its model's folder: `checkpoint: runs/…/model`"));
        }
        let vocabulary =
            written_model.vocab_file.as_ref().map(|file| path(document, &format!("{key}.vocab_file"), file));
        let recipe = recipe(document, &name, of, written_model.pretrain.as_ref(), (&source, has_text))?;
        models.push(PretrainModel {
            name,
            source,
            vocabulary: vocabulary.transpose()?,
            lower_case: written_model.do_lower_case,
            recipe,
        });
    }
    Ok(models)
}

fn text(document: &Document, written: &Written, of: &WrittenPretrain) -> Result<TextSource, Diagnostic> {
    let files = |key: &str, written: &Option<Vec<String>>| -> Result<Vec<PathBuf>, Diagnostic> {
        let Some(written) = written else { return Ok(Vec::new()) };
        not_empty(document, key, written)?;
        written.iter().enumerate().map(|(at, file)| path(document, &format!("{key}.{at}"), file)).collect()
    };
    let (train, held_out) = (files("pretrain.text", &of.text)?, files("pretrain.held_out", &of.held_out)?);
    match &written.mini {
        Some(mini) if train.is_empty() && held_out.is_empty() => Ok(TextSource::Mini { seed: mini.seed }),
        Some(_) => Err(document
            .at_key_name("mini", "both `mini` and `pretrain` say what text is read")
            .hint("keep one: `mini` is the generated corpus")),
        None => Ok(TextSource::Files { train, held_out }),
    }
}

fn numbers(document: &Document, of: &WrittenPretrain) -> Result<(), Diagnostic> {
    let refused = |key: &str, takes: &str, found: String| {
        let message = format!("`{key}` takes {takes}, found `{found}`");
        Err(document.at_key(&format!("pretrain.{key}"), message).hint(for_example(key)))
    };
    let counts = [
        ("dupe_factor", u64::from(of.dupe_factor)),
        ("eval_steps", of.eval_steps.unwrap_or(1)),
        ("logging_steps", of.logging_steps),
        ("save.save_steps", of.save.and_then(|save| save.save_steps).unwrap_or(1)),
        ("save.save_total_limit", of.save.map_or(1, |save| u64::from(save.save_total_limit))),
    ];
    if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
        return refused(key, "1 or more", "0".to_owned());
    }
    if !(0.0..=1.0).contains(&of.short_seq_prob) {
        let found = shown(document, "pretrain.short_seq_prob", of.short_seq_prob);
        return refused("short_seq_prob", "a probability from 0 to 1", found);
    }
    if let Some(minutes) = of.save.and_then(|save| save.save_minutes)
        && !(minutes > 0.0 && minutes.is_finite())
    {
        return refused("save.save_minutes", "more than 0", minutes.to_string());
    }
    Ok(())
}

/// The snapshots in order, each before every model's last step.
fn snapshots(document: &Document, of: &WrittenPretrain, models: &[PretrainModel]) -> Result<Vec<u64>, Diagnostic> {
    if of.snapshots.is_empty() {
        return Ok(Vec::new());
    }
    no_duplicates(document, "pretrain.snapshots", &of.snapshots)?;
    for (at, step) in of.snapshots.iter().enumerate() {
        let short = models.iter().find(|model| *step == 0 || *step >= model.recipe.steps());
        if let Some(model) = short {
            let message =
                format!("step {step} is not before the last step of `{}`, {}", model.name, model.recipe.steps());
            let found = document.at_key(&format!("pretrain.snapshots.{at}"), message);
            return Err(found.hint("the model of the last step is always kept"));
        }
    }
    let mut steps = of.snapshots.clone();
    steps.sort_unstable();
    Ok(steps)
}
