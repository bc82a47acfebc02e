//! The examples of an experiment's tasks as its models' tokens.

use std::time::Instant;

use super::Reading;
use crate::config::{Model, Task};
use crate::data::BadRows;
use crate::diagnostic::Diagnostic;
use crate::plan::{Sizes, TaskSize, task_options};
use crate::resolve::progress::Access;
use crate::task::{DevSplit, FeatureSource};
use crate::text::{CacheOutcome, FeatureCache, FeatureSet};
use crate::units::Seconds;

/// Building features for longer than this is mentioned.
const WORTH_MENTIONING: Seconds = Seconds(2.0);

impl Reading<'_> {
    /// The sizes of every task under every model that was read, through the feature cache, and the longest that reading
    /// one took. Collects what is wrong.
    pub(super) fn sizes(&mut self, access: Access<'_>) -> (Sizes, Seconds) {
        let (mut sizes, mut slowest) = (Sizes::default(), Seconds(0.0));
        for model in &self.experiment.models {
            for task in self.experiment.tasks_of(model) {
                let start = Instant::now();
                match self.size(task, model, access) {
                    Ok(Some(found)) => {
                        slowest.0 = slowest.0.max(start.elapsed().as_secs_f64());
                        sizes.tasks.insert((task.name.clone(), model.name.clone()), found);
                    }
                    // What is missing was told.
                    Ok(None) => {}
                    // The same fault of the same file, for each model, is one fault.
                    Err(finding) if self.findings.contains(&finding) => {}
                    Err(finding) => self.findings.push(finding),
                }
            }
        }
        (sizes, slowest)
    }

    fn size(&self, task: &Task, model: &Model, access: Access<'_>) -> Result<Option<TaskSize>, Diagnostic> {
        let of_model = (self.inputs.models.get(&model.name), self.vocabularies.get(&model.name));
        let (Some(checksums), (Some(input), Some(vocabulary))) = (self.inputs.data.get(&task.name), of_model) else {
            return Ok(None);
        };
        let (start, context, progress) = (Instant::now(), &self.context, access.progress);
        let cache = FeatureCache::new(&context.features);
        let (name, options) = (&task.name, task_options(task));
        let features = context.task(name)?.features(&FeatureSource {
            data_root: &context.data,
            bad_rows: if self.inputs.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse },
            checksums,
            vocabulary,
            lower_case: input.vocabulary.do_lower_case,
            max_length: task.max_length,
            options: options.as_ref(),
            cache: &if access.scratch.is_some() { cache.read_only() } else { cache },
        })?;
        let sets = std::iter::once(&features.train).chain(features.dev.iter().map(|dev| &dev.features));
        if sets.map(FeatureSet::segment_rows).max() > Some(input.architecture.type_vocab_size) {
            let message = format!("`{}` has one segment embedding, but `{name}` has pairs of texts", model.name);
            let found = self.experiment.base.finding(&format!("models.{}", model.name), message);
            return Err(found.hint("BERT has two (`type_vocab_size`); tasks of single texts need no second one"));
        }
        let seconds = Seconds(start.elapsed().as_secs_f64());
        for (split, outcome) in &features.outcomes {
            match outcome {
                CacheOutcome::Rebuilt(reason) => {
                    progress.note(&format!("damaged features of `{name}` {split} were built again: {reason}"));
                }
                CacheOutcome::NotStored(reason) => {
                    progress.note(&format!("features of `{name}` {split} could not be kept: {reason}"));
                }
                CacheOutcome::Built if seconds > WORTH_MENTIONING => {
                    let model = &model.name;
                    progress.line(&format!(
                        "built the features of `{name}` {split} for `{model}` ({seconds} with the rest)"
                    ));
                }
                CacheOutcome::Hit | CacheOutcome::Built | CacheOutcome::NotKept => {}
            }
        }
        Ok(Some(TaskSize {
            train_examples: features.train.len() as u64,
            train_tokens: features.train.tokens(),
            judged_examples: features.dev.first().map_or(0, DevSplit::examples),
            dev_examples: features.dev.iter().map(|dev| dev.features.len() as u64).sum(),
            dev_tokens: features.dev.iter().map(|dev| dev.features.tokens()).sum(),
        }))
    }
}
