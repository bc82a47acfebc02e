//! From the table of tasks to what experiment files may say of them, and back to what a run reads.

use crate::spec::{self, KnownTask, TaskShape, Windows};
use crate::store::{Context, SpanOptions, TagOptions, TaskOptions};
use crate::task::{ColumnScheme, ColumnSeparator, Columns, TASKS, Task, TaskFiles};

/// What [`spec::load`] needs to know of the tasks.
#[must_use]
pub fn known_tasks() -> Vec<KnownTask> {
    TASKS.iter().map(known).collect()
}

fn known(task: &Task) -> KnownTask {
    let shape = match task.default_options() {
        None => TaskShape::Texts,
        Some(TaskOptions::Spans(of)) => TaskShape::Spans(Windows {
            doc_stride: of.doc_stride,
            max_query_length: of.max_query_length,
            max_answer_length: of.max_answer_length,
            n_best: of.n_best,
            null_threshold: of.null_threshold,
        }),
        Some(TaskOptions::Tags(of)) => TaskShape::Tags(match of.context {
            Context::Sentence => spec::Context::Sentence,
            Context::Document => spec::Context::Document,
        }),
    };
    let (dev_splits, test_splits) = (task.dev.len(), task.test_splits());
    KnownTask { name: task.name, shape, max_length: task.max_length, dev_splits, test_splits }
}

/// The particulars of a task's shape, as a run's settings have them.
#[must_use]
pub fn task_options(task: &spec::Task) -> Option<TaskOptions> {
    match task.shape {
        TaskShape::Texts => None,
        TaskShape::Spans(of) => Some(TaskOptions::Spans(SpanOptions {
            doc_stride: of.doc_stride,
            max_query_length: of.max_query_length,
            max_answer_length: of.max_answer_length,
            n_best: of.n_best,
            null_threshold: of.null_threshold,
        })),
        TaskShape::Tags(context) => {
            let context = match context {
                spec::Context::Sentence => Context::Sentence,
                spec::Context::Document => Context::Document,
            };
            let format = task.columns.map_or_else(String::new, |written| columns(written).to_string());
            Some(TaskOptions::Tags(TagOptions { context, format }))
        }
    }
}

/// The files that the experiment names for a task, if it names any.
#[must_use]
pub fn task_files(task: &spec::Task) -> Option<TaskFiles> {
    let spec::Files { train, dev, test } = task.files.clone();
    let files = TaskFiles { train, dev, test, columns: task.columns.map(columns) };
    (!task.files.is_empty()).then_some(files)
}

fn columns(written: spec::Columns) -> Columns {
    Columns {
        separator: match written.separator {
            spec::Separator::Any => ColumnSeparator::Any,
            spec::Separator::Space => ColumnSeparator::Space,
            spec::Separator::Tab => ColumnSeparator::Tab,
        },
        scheme: match written.scheme {
            spec::Scheme::Auto => ColumnScheme::Auto,
            spec::Scheme::Iob1 => ColumnScheme::Iob1,
            spec::Scheme::Iob2 => ColumnScheme::Iob2,
            spec::Scheme::Bioes => ColumnScheme::Bioes,
        },
        token_column: written.token_column,
        tag_column: written.tag_column,
        segmentation_digit: written.segmentation_digit,
        lossy: written.lossy,
    }
}
