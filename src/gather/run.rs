//! A run by its folder, its id, or the first digits of that.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Error};
use crate::store::{RunFolder, RunsRoot};

/// The one run that `named` names: its folder, its id, or the first digits of that; of `experiment` alone, if one is given.
///
/// # Errors
/// When none or several are meant.
pub fn find_run(root: &RunsRoot, named: &str, experiment: Option<&str>) -> Result<RunFolder, Error> {
    // Every id starts with nothing.
    if named.is_empty() {
        return Err(Diagnostic::new("the id is empty").hint("`bertbench runs list` shows the ids").into());
    }
    if named.contains('/') {
        return at(root, named, experiment);
    }
    let mut found = root.find(named)?;
    found.retain(|folder| experiment.is_none_or(|experiment| folder.experiment() == experiment));
    let exact = |folder: &RunFolder| folder.id().0 == named;
    if found.iter().any(exact) {
        found.retain(exact);
    }
    match (found.len(), found.pop()) {
        (1, Some(folder)) => Ok(folder),
        (0, _) | (_, None) => {
            let of = experiment.map_or_else(String::new, |experiment| format!(" of `{experiment}`"));
            let hint = "`bertbench runs list` shows the ids";
            Err(Diagnostic::new(format!("no run's id{of} starts with `{named}`")).hint(hint).into())
        }
        (count, Some(last)) if exact(&last) => {
            found.push(last);
            let places: Vec<String> = found.iter().map(|folder| format!("`{}`", folder.path().display())).collect();
            let hint = match experiment {
                None => "name one of these folders, or `--experiment NAME`",
                Some(_) => "name one of these folders",
            };
            Err(Diagnostic::new(format!("run {named} is in {count} places: {}", places.join(", "))).hint(hint).into())
        }
        (count, Some(last)) => {
            let finding = Diagnostic::new(format!("{count} runs' ids start with `{named}`"));
            Err(finding.hint(format!("give more digits, such as `{}`", last.id())).into())
        }
    }
}

/// The run whose folder is at `path`.
fn at(root: &RunsRoot, path: &str, experiment: Option<&str>) -> Result<RunFolder, Error> {
    let path = Path::new(path);
    let wanted = path.canonicalize().map_err(|error| Diagnostic::new(error.to_string()).in_file(path))?;
    let names = match experiment {
        Some(experiment) => vec![experiment.to_owned()],
        None => root.experiments()?,
    };
    for experiment in names {
        let mut folders = root.folders(&experiment)?.into_iter();
        if let Some(found) = folders.find(|folder| folder.path().canonicalize().is_ok_and(|place| place == wanted)) {
            return Ok(found);
        }
    }
    let finding = Diagnostic::new(format!("this is no run's folder in {}/", root.path().display())).in_file(path);
    Err(finding.hint("a run's folder is RUNS/EXPERIMENT/TASK/MODEL/ID").into())
}
