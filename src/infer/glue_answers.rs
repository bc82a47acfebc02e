//! GLUE's test files, answered by the best runs of their tasks.

use std::collections::BTreeMap;
use std::path::Path;

use super::kept_model::KeptModel;
use crate::data::BadRows;
use crate::data::submission::{FILES, Part, SubmissionFile};
use crate::diagnostic::Error;
use crate::store::{Kept, Record, RunId, RunsRoot, by_rank};
use crate::task::{OWN_DATA, TASKS, Task};
use crate::train::NamedDevice;

/// The predictions, and what stands behind each file.
#[derive(Debug, Default)]
pub struct GlueAnswers {
    /// The files that runs answer.
    pub parts: Vec<Part>,
    /// Where each file's predictions are from, by its name.
    pub sources: BTreeMap<&'static str, Source>,
}

/// Where the predictions of a file are from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A run.
    Run {
        /// Its model.
        model: String,
        /// Its id.
        id: RunId,
        /// The split on which it was chosen.
        split: String,
        /// The metric by which it was chosen.
        metric: String,
        /// The score by which it was chosen; none where it is undefined.
        score: Option<f64>,
    },
    /// Nothing answers it, for this reason.
    Constant(String),
}

/// Whose runs answer, and what.
pub struct GlueRequest<'a> {
    /// The folder of all runs.
    pub root: &'a RunsRoot,
    /// The finished runs.
    pub records: &'a [Record],
    /// The data folder, in GLUE's layout.
    pub data: &'a Path,
    /// Where the models compute.
    pub device: NamedDevice,
    /// What malformed rows of test files are.
    pub bad_rows: BadRows,
    /// How the weights of a run come back that are gone, in a sentence without its full stop.
    pub made_again: &'a dyn Fn(&RunId) -> String,
}

impl GlueRequest<'_> {
    /// The predictions for all files that the runs can answer; `note` says what is worth knowing of them.
    ///
    /// # Errors
    /// Weights or test files that cannot be read.
    pub fn answers(&self, note: fn(&str)) -> Result<GlueAnswers, Error> {
        let mut answers = GlueAnswers::default();
        for task in TASKS {
            let files: Vec<&SubmissionFile> = FILES.iter().filter(|file| answered_by(task, file)).collect();
            if files.is_empty() {
                continue;
            }
            let Some(kept) = Kept::best(self.root, self.records, &task.name)? else {
                let reason = self.why_none(task, note);
                answers.sources.extend(files.iter().map(|file| (file.name, Source::Constant(reason.clone()))));
                continue;
            };
            self.note_choice(task, &kept, note);
            let model = KeptModel::read(task, &kept, &self.device)?;
            for file in files {
                let mut notes = Vec::new();
                let answered = model.answers(file, self.data, self.bad_rows, &mut notes)?;
                for text in &notes {
                    note(text);
                }
                let source = if let Some(predictions) = answered {
                    answers.parts.push(Part { file, answers: predictions });
                    Source::of(kept.record)
                } else {
                    Source::Constant("its test file is not in the data folder".to_owned())
                };
                answers.sources.insert(file.name, source);
            }
        }
        Ok(answers)
    }

    /// Why no run of `task` answers.
    fn why_none(&self, task: &Task, note: fn(&str)) -> String {
        let of_task = self.records.iter().filter(|record| record.settings.task_name() == task.name);
        let best = of_task.min_by(|a, b| by_rank(a, b));
        if let Some(best) = best {
            note(&format!("the weights of `{}`'s runs are gone: {}", task.name, (self.made_again)(&best.id)));
        }
        format!("no run of `{}` {}", task.name, if best.is_none() { "is done" } else { "has kept its weights" })
    }

    /// Says what is worth knowing of the run that answers for `task`.
    fn note_choice(&self, task: &Task, kept: &Kept<'_>, note: fn(&str)) {
        let name = &task.name;
        if let Some(better) = &kept.better {
            let (taken, made_again) = (&kept.record.id, (self.made_again)(better));
            note(&format!("the best run of `{name}`, {better}, has no weights here; {taken} is used. {made_again}"));
        }
        if kept.record.task().is_some_and(|of| of.benchmark == OWN_DATA) {
            note(&format!("the run of `{name}` was chosen by its score on other data than GLUE's"));
        }
    }
}

/// Whether a model of `task` answers `file`.
fn answered_by(task: &Task, file: &SubmissionFile) -> bool {
    task.predicts().any(|(dataset, split)| (&*dataset.name, split.name) == (file.dataset, file.split))
}

impl Source {
    fn of(record: &Record) -> Self {
        Self::Run {
            model: record.settings.model.clone(),
            id: record.id.clone(),
            split: record.task().map_or_else(String::new, |of| of.primary_split.clone()),
            metric: record.primary_metric().to_owned(),
            score: record.primary_score(),
        }
    }
}
