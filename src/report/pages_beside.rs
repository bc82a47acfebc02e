//! The pages beside the report, so that the report itself stays small however many there are: one for each two models on
//! a task, and for many runs one for those of each model on each task.

use super::Error;
use super::analysis::Analysis;
use super::block::Part;
use super::page::{Page, notice};
use super::phrase::counted;
use super::run::Run;
use super::section::{run_pages, table_and_details};
use super::understanding::{Sides, parts};

/// A page to be: made one by one, since many of them at a time take much memory.
pub(crate) enum PageBeside<'r, 'a> {
    /// One model or two on a task.
    Understanding(Box<Sides<'r>>),
    /// The runs of a model on a task.
    Runs {
        /// The page's place in the report's folder.
        page: &'r str,
        /// The runs.
        runs: Vec<&'r Run<'a>>,
    },
}

/// Every page beside the report.
pub(crate) fn all<'r>(analysis: &'r Analysis<'r>) -> Vec<PageBeside<'r, 'r>> {
    let runs = run_pages(analysis).into_iter().map(|(page, runs)| PageBeside::Runs { page, runs });
    Sides::all(analysis).into_iter().map(|sides| PageBeside::Understanding(Box::new(sides))).chain(runs).collect()
}

impl PageBeside<'_, '_> {
    /// Its place in the report's folder, and the page.
    pub(crate) fn made(&self, analysis: &Analysis<'_>) -> Result<(String, Page), Error> {
        match self {
            Self::Understanding(sides) => understanding_page(analysis, sides),
            Self::Runs { page, runs } => Ok(((*page).to_owned(), runs_page(analysis, runs))),
        }
    }
}

fn runs_page(analysis: &Analysis<'_>, runs: &[&Run<'_>]) -> Page {
    let (task, model) = (analysis.task_label(runs[0]), &runs[0].label);
    let blocks = table_and_details(analysis, runs, &format!("All runs of {model} on {task}"));
    Page {
        title: format!("{task}: the runs of {model}"),
        subtitle: counted(runs.len(), "run"),
        notice: notice(analysis),
        refresh_seconds: None,
        live: false,
        up: Some(["../index.html#runs", "The report"].map(str::to_owned)),
        has_data: false,
        sections: vec![Part { id: "runs", title: "Every run", blocks }],
    }
}

fn understanding_page(analysis: &Analysis<'_>, of: &Sides<'_>) -> Result<(String, Page), Error> {
    let split = of.metric.split_name();
    let (title, subtitle) = match (&of.labels[..], &of.runs[..]) {
        ([a, b], [run_a, run_b]) => (
            format!("{}: {b} against {a}", of.task),
            format!("The best run of the best point of each ({} and {}), on {split}", run_a.id, run_b.id),
        ),
        (labels, runs) => (
            format!("{}: {}", of.task, labels[0]),
            format!("The best run of the best point ({}), on {split}", runs[0].id),
        ),
    };
    let page = Page {
        title,
        subtitle,
        notice: notice(analysis),
        refresh_seconds: None,
        live: false,
        up: Some(["../index.html#understanding", "The report"].map(str::to_owned)),
        has_data: false,
        sections: parts(of)?,
    };
    Ok((of.page.clone(), page))
}
