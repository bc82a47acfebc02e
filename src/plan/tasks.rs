//! From the table of tasks to what experiment files may say of them, and back to what a run reads.

use crate::config::{self, KnownTask, TaskShape, Windows};
use crate::store::{Context, SpanOptions, TagOptions, TaskOptions};
use crate::task::{ColumnFormat, FilePart, LOSSY, Scheme, Separator, TASKS, Task, TaskFiles, format_text};

/// What [`config::load`] needs to know of the tasks.
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
            n_best_size: of.n_best_size,
            null_score_diff_threshold: of.null_score_diff_threshold,
        }),
        Some(TaskOptions::Tags(of)) => TaskShape::Tags(match of.context {
            Context::Sentence => config::Context::Sentence,
            Context::Document => config::Context::Document,
        }),
    };
    KnownTask {
        name: task.name,
        shape,
        max_length: task.max_length,
        dev_files: task.parts().filter(|(_, part)| *part == FilePart::Dev).count(),
        test_files: task.parts().filter(|(_, part)| *part == FilePart::Test).count(),
        test_is_scored: task.parts().any(|(split, part)| part == FilePart::Test && task.dev.contains(&split)),
    }
}

/// The varying_settings of a task's shape, as a run's settings have them.
#[must_use]
pub fn task_options(task: &config::Task) -> Option<TaskOptions> {
    match task.shape {
        TaskShape::Texts => None,
        TaskShape::Spans(of) => Some(TaskOptions::Spans(SpanOptions {
            doc_stride: of.doc_stride,
            max_query_length: of.max_query_length,
            max_answer_length: of.max_answer_length,
            n_best_size: of.n_best_size,
            null_score_diff_threshold: of.null_score_diff_threshold,
        })),
        TaskShape::Tags(context) => {
            let context = match context {
                config::Context::Sentence => Context::Sentence,
                config::Context::Document => Context::Document,
            };
            let own = task.columns.map(|written| format_text(&column_format(written, task.lossy)));
            let format = own.unwrap_or_else(|| if task.lossy { LOSSY } else { "" }.to_owned());
            Some(TaskOptions::Tags(TagOptions { context, format }))
        }
    }
}

/// The files that the experiment names for a task and how they are read, if it says anything of them.
#[must_use]
pub fn task_files(task: &config::Task) -> Option<TaskFiles> {
    let config::Files { train, dev, test } = task.files.clone();
    let columns = task.columns.map(|written| column_format(written, task.lossy));
    // What concerns other tasks must not make them other than those of the table.
    let lossy = task.lossy && matches!(task.shape, TaskShape::Tags(_));
    let files = TaskFiles { train, dev, test, columns, lossy };
    (files != TaskFiles::default()).then_some(files)
}

/// The file counts columns from 1.
fn column_format(written: config::Columns, lossy: bool) -> ColumnFormat {
    let place = |column: u32| column.saturating_sub(1) as usize;
    ColumnFormat {
        separator: match written.separator {
            config::Separator::Any => Separator::Any,
            config::Separator::Space => Separator::Space,
            config::Separator::Tab => Separator::Tab,
        },
        scheme: match written.scheme {
            config::Scheme::Auto => Scheme::Auto,
            config::Scheme::Iob1 => Scheme::Iob1,
            config::Scheme::Iob2 => Scheme::Iob2,
            config::Scheme::Bioes => Scheme::Bioes,
        },
        token_column: place(written.token_column),
        tag_column: written.tag_column.map(place),
        segmentation_digit: written.segmentation_digit,
        lossy: written.lossy || lossy,
    }
}
