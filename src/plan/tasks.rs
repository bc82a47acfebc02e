//! From the table of tasks to what experiment files may say of them, and back to what a run reads.

use crate::config::{self, KnownTask, TaskShape};
use crate::settings::TaskFiles;
use crate::store::{TagOptions, TaskOptions};
use crate::task::{FilePart, LOSSY, TASKS, Task, format_text};

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
        dev_files: task.parts().filter(|(_, part)| *part == FilePart::Dev).count(),
        test_files: task.parts().filter(|(_, part)| *part == FilePart::Test).count(),
        similarity: task.similarity,
        pairs: task.reads_pairs(),
        test_is_scored: task
            .parts()
            .any(|(split, part)| part == FilePart::Test && task.dev().any(|dev| dev.name == split)),
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

/// The files that the experiment names for a task and how they are read, if it says anything of them.
#[must_use]
pub fn task_files(task: &config::Task) -> Option<TaskFiles> {
    (task.files != TaskFiles::default()).then(|| task.files.clone())
}
