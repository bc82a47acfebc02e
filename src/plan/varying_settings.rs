//! What distinguishes the tasks and the models of an experiment besides the sweep: options of a task's shape, lengths where
//! tasks differ in them, approaches other than fine-tuning.

use std::collections::BTreeSet;

use crate::store::{RunSettings, TaskOptions};

/// A line for each task and model whose settings vary, in their order: `squad1: max_length 384, doc_stride 128`.
#[must_use]
pub fn varying_settings<'a>(runs: impl Iterator<Item = &'a RunSettings> + Clone) -> Vec<String> {
    let lengths: BTreeSet<u32> = runs.clone().map(RunSettings::max_length).collect();
    let mut lines = Vec::new();
    for settings in runs {
        let of_task = of_task(settings, lengths.len() > 1);
        let of_model = (!settings.approach().is_fine_tuning()).then(|| settings.approach().to_string());
        for (name, what) in [(settings.task_name(), of_task), (&settings.model, of_model)] {
            let line = what.map(|what| format!("{name}: {what}"));
            lines.extend(line.filter(|line| !lines.contains(line)));
        }
    }
    lines
}

fn of_task(settings: &RunSettings, with_length: bool) -> Option<String> {
    let options = settings.task_options().map_or_else(Vec::new, TaskOptions::named);
    let length = with_length.then(|| ("max_length", settings.max_length().to_string()));
    let all = length.into_iter().chain(options).map(|(name, value)| format!("{name} {value}"));
    let text = all.collect::<Vec<_>>().join(", ");
    (!text.is_empty()).then_some(text)
}
