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

/// Makes a page: its place in the report's folder, and itself. One by one, since many of them at a time take much memory.
pub(crate) type PageBeside<'r> = Box<dyn Fn() -> Result<(String, Page), Error> + Sync + 'r>;

pub(crate) fn all<'r>(analysis: &'r Analysis<'r>) -> Vec<PageBeside<'r>> {
    let understanding = Sides::all(analysis).into_iter();
    let understanding = understanding.map(|of| Box::new(move || understanding_page(analysis, &of)) as PageBeside<'r>);
    let runs = run_pages(analysis)
        .into_iter()
        .map(|(page, runs)| -> PageBeside<'r> { Box::new(move || Ok((page.to_owned(), runs_page(analysis, &runs)))) });
    understanding.chain(runs).collect()
}

fn runs_page(analysis: &Analysis<'_>, runs: &[&Run<'_>]) -> Page {
    let (task, model) = (analysis.task_label(runs[0]), &runs[0].label);
    let blocks = table_and_details(analysis, runs, &format!("All runs of {model} on {task}"));
    Page {
        title: format!("{task}: the runs of {model}"),
        subtitle: counted(runs.len(), "run"),
        notice: notice(analysis),
        up: Some(["../index.html#runs", "The report"].map(str::to_owned)),
        sections: vec![Part { id: "runs", title: "Every run", blocks }],
        ..Page::default()
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
    let (notice, sections) = (notice(analysis), parts(of)?);
    let up = Some(["../index.html#understanding", "The report"].map(str::to_owned));
    Ok((of.page.clone(), Page { title, subtitle, notice, up, sections, ..Page::default() }))
}
