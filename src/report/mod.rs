//! The report: tables, plots and one HTML page, made from records alone.
//!
//! [`Input`] → analysis (joined runs, aggregates through Polars) → page (sections of blocks) → files.
//! A table is a value before it is text: `section` computes blocks, and `html`, `markdown` and `plot`
//! write them down. [`render`] touches no disk and [`write()`] does nothing else.

mod ablation;
mod add_answers;
mod aggregates;
mod analysis;
mod answers;
mod block;
mod by_example;
mod compare;
mod difference;
mod experiment_list;
mod file_name;
mod frame;
mod gain;
mod gather;
mod group;
mod html;
mod input;
mod latex;
mod markdown;
mod objective;
mod page;
mod pages_beside;
mod palette;
mod phrase;
mod plot;
mod predictions;
mod primary_metric;
mod published;
mod published_ablations;
mod results_csv;
mod results_json;
mod results_json_pretraining;
mod run;
mod run_filter;
mod run_table;
mod section;
mod system;
mod task;
mod understanding;
mod versus;
mod versus_summary;
mod weights;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub use add_answers::{add_answers, add_examples};
pub use compare::{Comparison, compare};
pub use experiment_list::{ListedExperiment, experiment_list};
pub use gather::{add_at_work, gather};
pub use input::{ExperimentInput, Input};
pub use phrase::moment;
pub use plot::PlotError;
pub use predictions::{Predictions, TaggedSentence};
pub use results_csv::result_columns;
pub use run::State;
pub use run_table::{RunCondition, RunRow, RunTable, RunTableError, listed_folders, run_columns};

use crate::diagnostic::{visible, visible_json};
use crate::store::atomic;
use analysis::Analysis;
use page::Page;

/// A report could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The aggregates could not be computed.
    #[error("cannot aggregate the records: {0}")]
    Aggregate(#[from] polars::prelude::PolarsError),
    /// A plot could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// The page could not be rendered.
    #[error("cannot render the page: {0}")]
    Page(#[from] minijinja::Error),
    /// `results.csv` could not be written.
    #[error("cannot write CSV: {0}")]
    Csv(#[from] csv::Error),
    /// A value could not be written as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A file of the report could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// Its place in the report's folder.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Makes a report's files: `index.html`, `results.csv`, `results.md`, `results.tex`, `results.json`, the plots, and
/// `understanding/`, a page for each two models on a task; of many runs also `runs/`, pages of all runs.
/// The same input gives the same bytes.
///
/// # Errors
/// When a part cannot be rendered.
pub fn render(input: &Input) -> Result<Vec<OutputFile>, Error> {
    render_as(input, None, false, None)
}

/// As [`render()`], of pages that ask the server that they come from whether they changed, and then load themselves again.
/// The report has a link to `list`, the page in front of it, where there is one.
///
/// # Errors
/// As [`render()`].
pub fn render_live(input: &Input, list: Option<&str>) -> Result<Vec<OutputFile>, Error> {
    let up = list.map(|list| [list.to_owned(), "All experiments".to_owned()]);
    render_as(input, None, true, up)
}

/// The page is as [`Page`] has it of these settings.
fn render_as(
    input: &Input,
    refresh_seconds: Option<u32>,
    live: bool,
    up: Option<[String; 2]>,
) -> Result<Vec<OutputFile>, Error> {
    let analysis = Analysis::of(input)?;
    let mut page = Page { refresh_seconds, live, up, ..Page::of(&analysis)? };
    let json = results_json::render(&analysis)?;
    let mut files = vec![
        shown("results.csv", &results_csv::render(&analysis)?),
        OutputFile { name: "results.json".into(), bytes: visible_json(&String::from_utf8_lossy(&json)).into_bytes() },
        shown("results.md", markdown::render(&page).as_bytes()),
        shown("results.tex", latex::render(&page).as_bytes()),
    ];
    for figure in page.figures_mut() {
        let svg = plot::standalone(&figure.svg, &figure.caption);
        files.push(shown(&format!("{}.svg", figure.name), svg.as_bytes()));
    }
    let beside = pages_beside::all(&analysis);
    let made = beside.par_iter().map(|made| {
        let (name, page) = made()?;
        Ok::<_, Error>(shown(&name, html::render(&Page { live, ..page })?.as_bytes()))
    });
    files.extend(made.collect::<Result<Vec<_>, Error>>()?);
    // Last: whoever waits for the page finds its plots.
    files.push(shown("index.html", html::render(&page)?.as_bytes()));
    Ok(files)
}

/// A file that people look at. What stands in records may come from any file: the names of tensors, tokens, paths.
fn shown(name: &str, bytes: &[u8]) -> OutputFile {
    OutputFile { name: name.to_owned(), bytes: visible(&String::from_utf8_lossy(bytes)).into_bytes() }
}

/// Makes a report in `folder`, which is created when it does not exist. Each file appears whole or not
/// at all. For a sweep that goes on, the page loads itself again after `refresh_seconds`. Returns the path of the page.
///
/// # Errors
/// When a part cannot be rendered, or a file cannot be written.
pub fn write(input: &Input, folder: &Path, refresh_seconds: Option<u32>) -> Result<PathBuf, Error> {
    let files = render_as(input, refresh_seconds, false, None)?;
    std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    for file in files {
        let path = folder.join(&file.name);
        let inside = atomic::parent(&path);
        std::fs::create_dir_all(inside).map_err(|source| Error::Write { path: inside.to_owned(), source })?;
        atomic::write(&path, &file.bytes).map_err(|source| Error::Write { path, source })?;
    }
    Ok(folder.join("index.html"))
}
