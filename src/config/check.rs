//! What types cannot say: ranges, duplicates, contradictions, names.

use super::base::ExperimentBase;
use super::document::Document;
use super::experiment::{DataSource, Experiment, ExperimentFile, data_cache};
use super::names::example;
use super::task::{KnownTask, Task, TaskShape};
use super::values::{for_example, is_name, no_duplicates, not_empty, path, shown, tidy};
use super::written::{Sweep, Written};
use super::written_training::Training;
use super::{approach, lengths, models, pretraining_check, tasks};
use crate::diagnostic::Diagnostic;
use crate::settings::{Cluster, DeviceKind};

/// Turns the file as written into an experiment of one of the two kinds.
pub(super) fn check(
    mut written: Written,
    document: Document,
    known: &[KnownTask],
) -> Result<ExperimentFile, Diagnostic> {
    folder_name(&document, &written.experiment)?;
    no_duplicates(&document, "seeds", &written.seeds)?;
    training(&document, &written.training)?;
    if written.slots == Some(0) {
        return Err(document.at_key("slots", "`slots` takes 1 or more").hint("leave it out to use the whole machine"));
    }
    cluster(&document, &written.cluster)?;
    devices(&document, &mut written)?;
    if written.pretrain.is_some() {
        return Ok(ExperimentFile::Pretraining(pretraining_check::check(&written, document)?));
    }
    Ok(ExperimentFile::Tasks(with_tasks(written, document, known)?))
}

fn with_tasks(written: Written, document: Document, known: &[KnownTask]) -> Result<Experiment, Diagnostic> {
    for key in ["tasks", "sweep"] {
        if document.spot(key).is_none() {
            return Err(document
                .about(format!("the key `{key}` is missing"))
                .hint(format!("add `{}`", example(key).unwrap_or(key))));
        }
    }
    sweep(&document, &written.sweep)?;
    let data = data_source(&document, &written)?;
    let tasks = tasks::resolve_all(&document, &written, known)?;
    with_language_model(&document, &written.training, &tasks)?;
    let models = models::resolve_all(&document, &written, &tasks)?;
    approach::fits_training(&document, &written.training, &models, &tasks)?;
    Ok(Experiment { base: ExperimentBase::of(&written, document), models, tasks, data, sweep: written.sweep })
}

/// Several devices are of one kind, for the kind is a part of a run's id. The first of them is `device`.
fn devices(document: &Document, written: &mut Written) -> Result<(), Diagnostic> {
    let Some(devices) = &written.devices else { return Ok(()) };
    if document.spot("device").is_some() {
        let found = document.at_key_name("devices", "`devices` cannot be combined with `device`");
        return Err(found.hint("keep one of the two"));
    }
    not_empty(document, "devices", devices)?;
    let first = devices.first().copied().unwrap_or_default();
    if let Some(index) = devices.iter().position(|device| device.kind == DeviceKind::Auto) {
        let found = document.at_key(&format!("devices.{index}"), "`devices` takes devices by their names, not `auto`");
        return Err(found.hint("`bertbench list devices` has the names"));
    }
    if let Some(index) = devices.iter().position(|device| device.kind != first.kind) {
        let message = format!("`devices` takes devices of one kind, found `{first}` and `{}`", devices[index]);
        let found = document.at_key(&format!("devices.{index}"), message);
        return Err(
            found.hint("what a run computes on is a part of its id; another experiment file can have the other kind")
        );
    }
    written.device = first;
    Ok(())
}

fn folder_name(document: &Document, name: &str) -> Result<(), Diagnostic> {
    if is_name(name, &['-', '_', '.']) {
        return Ok(());
    }
    let message =
        "the experiment's name becomes a folder's: letters, digits, `-`, `_` and `.`, a letter or digit first";
    let hint = match tidy(name) {
        tidy if tidy.is_empty() => "for example `experiment: my-first`".to_owned(),
        tidy => format!("for example `experiment: {tidy}`"),
    };
    Err(document.at_key("experiment", message).hint(hint))
}

fn sweep(document: &Document, sweep: &Sweep) -> Result<(), Diagnostic> {
    no_duplicates(document, "sweep.batch_size", &sweep.batch_size)?;
    no_duplicates(document, "sweep.learning_rate", &sweep.learning_rate)?;
    no_duplicates(document, "sweep.epochs", &sweep.epochs)?;
    for (key, values) in [("batch_size", &sweep.batch_size), ("epochs", &sweep.epochs)] {
        if let Some(index) = values.iter().position(|value| *value == 0) {
            let found = document.at_key(&format!("sweep.{key}.{index}"), format!("`{key}` takes 1 or more, found `0`"));
            return Err(found.hint(for_example(key)));
        }
    }
    for (index, rate) in sweep.learning_rate.iter().enumerate() {
        // AdamW moves every weight by about the learning rate per step, and weights start at 0.02.
        if !(*rate > 0.0 && *rate < 1.0) {
            let key = format!("sweep.learning_rate.{index}");
            let message =
                format!("`learning_rate` takes more than 0 and less than 1, found `{}`", shown(document, &key, *rate));
            return Err(document.at_key(&key, message).hint(for_example("learning_rate")));
        }
    }
    Ok(())
}

/// A number of `training`: its key, what it is, what holds of it, and what it takes in words.
type Rule = (&'static str, fn(&Training) -> f64, fn(f64) -> bool, &'static str);

const TRAINING_RULES: [Rule; 9] = [
    ("warmup_fraction", |of| of.warmup_fraction, |value| (0.0..=1.0).contains(&value), "a fraction from 0 to 1"),
    ("weight_decay", |of| of.weight_decay, is_finite_from_zero, "0 or more"),
    ("dropout", |of| of.dropout, is_below_one, "a probability from 0 to below 1"),
    ("max_grad_norm", |of| of.max_grad_norm, is_finite_above_zero, "more than 0"),
    ("gradient_accumulation_steps", |of| of.gradient_accumulation_steps.into(), |value| value >= 1.0, "1 or more"),
    ("lm_coef", |of| of.lm_coef, is_finite_from_zero, "0 or more"),
    ("adam_beta1", |of| of.adam_beta1, is_below_one, "0 to below 1"),
    ("adam_beta2", |of| of.adam_beta2, is_below_one, "0 to below 1"),
    ("adam_epsilon", Training::epsilon, is_finite_above_zero, "more than 0"),
];

fn is_finite_from_zero(value: f64) -> bool {
    value >= 0.0 && value.is_finite()
}

fn is_finite_above_zero(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn is_below_one(value: f64) -> bool {
    (0.0..1.0).contains(&value)
}

fn training(document: &Document, training: &Training) -> Result<(), Diagnostic> {
    lengths::long_enough(document, "training.max_length", training.max_length)?;
    for (name, number, holds, takes) in TRAINING_RULES {
        let value = number(training);
        if holds(value) {
            continue;
        }
        let key = format!("training.{name}");
        let found = shown(document, &key, value);
        let found = document.at_key(&key, format!("`{name}` takes {takes}, found `{found}`"));
        // 10 for 10 % is the likely slip where a fraction is wanted.
        let percent = value > 1.0 && value <= 100.0 && holds(value / 100.0);
        return Err(if percent {
            found.hint(format!("{value} % is written `{}`", value / 100.0))
        } else {
            found.hint(format!("the default is `{}`", number(&Training::default())))
        });
    }
    Ok(())
}

/// Refuses what fine-tuning as Radford et al. 2018 do it has no use for in these tasks.
fn with_language_model(document: &Document, training: &Training, tasks: &[Task]) -> Result<(), Diagnostic> {
    let without_answer = tasks.iter().find(|task| task.shape != TaskShape::Texts);
    if let (Some(task), true) = (without_answer, training.lm_coef > 0.0) {
        let message = format!(
            "`lm_coef` is for tasks with one answer to a text, a pair or a choice, and `{}` is none",
            task.name
        );
        let found = document.at_key("training.lm_coef", message);
        return Err(found.hint("another experiment file can have the other tasks"));
    }
    if training.both_orders && !tasks.iter().any(|task| task.similarity) {
        let message = "`both_orders` is for tasks about the similarity of two texts, and none of these is one";
        return Err(document
            .at_key("training.both_orders", message)
            .hint("`mrpc`, `qqp` and `stsb` are; else remove it"));
    }
    Ok(())
}

/// Options and lines of a batch script.
fn cluster(document: &Document, cluster: &Cluster) -> Result<(), Diagnostic> {
    let Some(slurm) = &cluster.slurm else { return Ok(()) };
    if let Some((key, _)) = slurm.counts().find(|(_, count)| *count == 0) {
        let found = document.at_key(&format!("cluster.slurm.{key}"), format!("`{key}` takes 1 or more, found `0`"));
        return Err(found.hint(for_example(key)));
    }
    if let Some((key, _)) = slurm.texts().find(|(_, text)| text.trim().is_empty() || text.contains(['\0', '\n'])) {
        let found = document.at_key(&format!("cluster.slurm.{key}"), "this is not a line of text");
        return Err(found.hint("several lines are several elements of `setup` or `options`"));
    }
    Ok(())
}

fn data_source(document: &Document, written: &Written) -> Result<DataSource, Diagnostic> {
    match (&written.data, &written.mini) {
        (Some(_), Some(_)) => Err(document
            .at_key("mini", "both `data` and `mini` say where the data comes from")
            .hint("keep one: `data` for real data, `mini` for the generated benchmark")),
        (Some(folder), None) => Ok(DataSource::Folder(path(document, "data", folder)?)),
        (None, Some(mini)) => Ok(DataSource::Mini { seed: mini.seed }),
        (None, None) => data_cache().map(DataSource::Cache).ok_or_else(|| {
            let found = document.about("no `data` and no data cache: neither BERTBENCH_DATA nor HOME is set");
            found.hint("add `data: path/to/glue` or `mini: {seed: 1}`")
        }),
    }
}
