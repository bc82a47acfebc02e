//! The pages beside the report: one for each two models on a task, so that the report itself stays small however many
//! there are.

use super::Error;
use super::analysis::Analysis;
use super::page::{Page, notice};
use super::understanding::{Pair, parts};

/// Each page with its place in the report's folder.
pub(crate) fn all(analysis: &Analysis<'_>) -> Result<Vec<(String, Page)>, Error> {
    let page = |pair: Pair<'_>| {
        let [a, b] = pair.labels;
        let page = Page {
            title: format!("{}: {b} against {a}", pair.task),
            subtitle: format!(
                "The best run of the best point of each ({} and {}), on {}",
                pair.runs[0].id,
                pair.runs[1].id,
                pair.metric.split_name()
            ),
            notice: notice(analysis),
            refresh_seconds: None,
            up: Some("../index.html#understanding".to_owned()),
            sections: parts(&pair)?,
        };
        Ok((pair.page.clone(), page))
    };
    Pair::all(analysis).into_iter().map(page).collect()
}
