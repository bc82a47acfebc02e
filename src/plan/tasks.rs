//! From the table of tasks to what experiment files may say of them, and back to what a run reads.

use crate::config::{self, KnownTask, TaskShape};
use crate::store::{TagOptions, TaskOptions};
use crate::task::{LOSSY, TASKS, Task, format_text, is_test};

/// What [`config::load`] needs to know of the tasks.
#[must_use]
pub fn known_tasks() -> Vec<KnownTask> {
    TASKS.iter().map(known).collect()
}

fn known(task: &'static Task) -> KnownTask {
    let shape = match task.default_options() {
        None => TaskShape::Texts,
        Some(TaskOptions::Spans(of)) => TaskShape::Spans(of),
        Some(TaskOptions::Tags(of)) => TaskShape::Tags(of.context),
    };
    KnownTask {
        name: &task.name,
        shape,
        max_length: task.max_length(),
        dev_files: task.dev().filter(|split| !is_test(split)).count(),
        test_files: task.dataset.splits.iter().filter(|split| is_test(split)).count(),
        similarity: task.similarity,
        pairs: task.reads_pairs(),
        test_is_scored: task.dev().any(is_test),
    }
}

/// The settings of a task's shape, as a run's settings have them.
#[must_use]
pub fn task_options(task: &config::Task) -> Option<TaskOptions> {
    match task.shape {
        TaskShape::Texts => None,
        TaskShape::Spans(of) => Some(TaskOptions::Spans(of)),
        TaskShape::Tags(context) => {
            let own = task.files.columns.as_ref().map(format_text);
            let format = own.unwrap_or_else(|| if task.files.lossy { LOSSY } else { "" }.to_owned());
            Some(TaskOptions::Tags(TagOptions { context, format }))
        }
    }
}
