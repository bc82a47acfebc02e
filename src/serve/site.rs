//! What is at which path: reports that are made again once their runs changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::response::{Content, Response, in_path};
use crate::diagnostic::Error;
use crate::gather::gathered_files;
use crate::report::{self, Input, ListedExperiment, gather};
use crate::store::{RunsRoot, StoredPlan};

/// Between two looks at the runs.
const PAUSE: Duration = Duration::from_secs(2);
/// After this time a report with runs at work is made again in any case: their process may have died.
const STALE: Duration = Duration::from_mins(1);

/// The pages of a runs folder.
#[derive(Debug)]
pub struct Site {
    root: RunsRoot,
    set: Vec<String>,
    /// Says that a report could not be made, and gives what the page says of it.
    failed: fn(&Error) -> String,
    /// The experiment files of the one report at `/`; none for one of each experiment, at `/NAME/`.
    files: Vec<PathBuf>,
    /// By the experiment's name; the one of files has none.
    reports: Mutex<BTreeMap<String, Arc<Mutex<Report>>>>,
}

/// A report as it was last made.
#[derive(Debug, Default)]
struct Report {
    /// Its files by name.
    contents: BTreeMap<String, Content>,
    /// The experiments that it is of, and what their folders looked like.
    seen: Vec<(String, u64)>,
    /// Whether a run was at work.
    is_at_work: bool,
    /// Why it could not be made again.
    error: Option<String>,
    /// When the runs were last looked at, and when the report was made.
    looked: Option<Instant>,
    made: Option<Instant>,
    /// How long the last report took.
    took: Duration,
}

impl Site {
    /// The pages of these files, or of all experiments where none is named. When a report cannot be made, `failed` is told,
    /// and gives what the page says of it.
    ///
    /// # Errors
    /// Where a file cannot be read, or was never run so: as `bertbench report`.
    pub fn open(
        root: RunsRoot,
        files: Vec<PathBuf>,
        set: Vec<String>,
        failed: fn(&Error) -> String,
    ) -> Result<Self, Error> {
        if !files.is_empty() {
            gathered_files(&root, &files, &set)?;
        }
        Ok(Self { root, set, failed, files, reports: Mutex::default() })
    }

    /// What is at `path`, which begins with `/`.
    pub fn answer(&self, path: &str) -> Response {
        let path = path.strip_prefix('/').unwrap_or(path);
        // Browsers ask for it unasked, and show an error where it is not there.
        if path == "favicon.ico" {
            return Response::nothing();
        }
        if !self.files.is_empty() {
            return self.file(None, path);
        }
        match path.split_once('/') {
            Some((experiment, file)) if self.is_there(experiment) => self.file(Some(experiment), file),
            None if path.is_empty() || path == "index.html" => self.list(),
            None if self.is_there(path) => Response::moved(&format!("/{path}/")),
            Some(_) | None => Response::not_found(),
        }
    }

    fn is_there(&self, experiment: &str) -> bool {
        self.root.experiments().is_ok_and(|known| known.iter().any(|name| name == experiment))
    }

    /// A file of the report of an experiment, or of the files.
    fn file(&self, experiment: Option<&str>, name: &str) -> Response {
        let known = locked(&self.reports).entry(experiment.unwrap_or_default().to_owned()).or_default().clone();
        let mut report = locked(&known);
        self.refresh(&mut report, experiment);
        let name = if name.is_empty() { "index.html" } else { name };
        match (report.contents.get(name), &report.error) {
            (Some(content), _) => Response::content(content.clone()),
            (None, Some(error)) if report.contents.is_empty() => Response::text(503, error.trim_end()),
            (None, _) => Response::not_found(),
        }
    }

    /// Makes a report again where its runs changed, not more often than its making allows. One that cannot be made stays
    /// as it was.
    fn refresh(&self, report: &mut Report, experiment: Option<&str>) {
        let pause = PAUSE.max(3 * report.took);
        if report.looked.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        let started = Instant::now();
        report.looked = Some(started);
        let is_stale = report.is_at_work && report.made.is_none_or(|at| at.elapsed() > STALE);
        let names = report.seen.iter().map(|(name, _)| name.clone());
        if !report.seen.is_empty() && !is_stale && self.look(names) == report.seen {
            return;
        }
        match self.make(report, experiment) {
            Ok(()) => report.error = None,
            Err(error) => report.error = Some((self.failed)(&error)),
        }
        (report.made, report.took) = (Some(started), started.elapsed());
    }

    fn make(&self, report: &mut Report, experiment: Option<&str>) -> Result<(), Error> {
        let known =
            || experiment.map(str::to_owned).into_iter().chain(report.seen.iter().map(|(name, _)| name.clone()));
        // Before anything is read: what changes meanwhile shows at the next look.
        let before = self.look(known().collect::<BTreeSet<_>>());
        let mut input = match experiment {
            None => gathered_files(&self.root, &self.files, &self.set)?.1,
            Some(name) => {
                let plans = self.root.plan_file(name).ok().flatten();
                let plan = plans.as_ref().and_then(|stored| stored.plans.last());
                Input { title: name.to_owned(), experiments: vec![gather(&self.root, (name, None), plan)] }
            }
        };
        // An experiment that nobody looked at before is looked at again.
        let version = |name: &String| before.iter().find(|(known, _)| known == name).map_or(0, |(_, version)| *version);
        report.seen = input.experiments.iter().map(|of| (of.name.clone(), version(&of.name))).collect();
        report::add_at_work(&self.root, &mut input);
        report::add_answers(&self.root, &mut input).map_err(Error::system)?;
        report::add_examples(&self.root, &mut input).map_err(Error::system)?;
        let files = report::render_live(&input, experiment.map(|_| "../")).map_err(Error::system)?;
        report.is_at_work = input.experiments.iter().any(|of| !of.at_work.is_empty());
        let content = |file: report::OutputFile| (file.name.clone(), Content::of(&file.name, file.bytes));
        report.contents = files.into_iter().map(content).collect();
        Ok(())
    }

    /// What the folders of experiments look like; 0 where one cannot be listed.
    fn look(&self, names: impl IntoIterator<Item = String>) -> Vec<(String, u64)> {
        let seen = |name: String| {
            let version = self.root.look(&name).map_or(0, |look| look.version);
            (name, version)
        };
        names.into_iter().map(seen).collect()
    }

    /// The page in front of all reports.
    fn list(&self) -> Response {
        let listed = |name: &String| {
            let plan = self.root.plan_file(name).ok().flatten();
            let runs = |plan: &StoredPlan| plan.runs.iter().map(|run| &run.id).collect::<BTreeSet<_>>().len();
            ListedExperiment {
                name: name.clone(),
                link: format!("{}/", in_path(name)),
                planned: plan.as_ref().and_then(|plan| plan.plans.last()).map(runs),
                done: self.root.look(name).map_or(0, |look| look.records),
            }
        };
        let experiments = self.root.experiments().unwrap_or_default();
        let list: Vec<ListedExperiment> = experiments.iter().map(listed).collect();
        match report::experiment_list(&list) {
            Ok(page) => Response::content(Content::of("index.html", page.into_bytes())),
            Err(error) => Response::text(503, &error.to_string()),
        }
    }
}

/// What is behind a lock; a thread that ended in a panic leaves at worst a report that is made again.
fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
