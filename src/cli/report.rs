//! `bertbench report`

use clap_complete::engine::ArgValueCompleter;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::completions;
use super::error::{CommandOutcome, Error, note};
use super::table::print;
use crate::config::{self, Experiment};
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::report::{self, ExperimentInput, Input, gather};
use crate::store::{RunsRoot, StoredPlan};

/// Write tables, plots and an HTML page from the records of one or more experiments.
///
/// Only records are read: a copy of the runs folder on another machine is enough.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The experiment files.
    #[arg(value_name = "EXPERIMENT.yaml", required = true, add = ArgValueCompleter::new(completions::experiment_files))]
    files: Vec<PathBuf>,
    /// The folder to write [default: reports/NAME; several names are joined by `+`].
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Override a setting of the files, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Write again as runs finish, until no run is missing; the page loads itself again.
    #[arg(long)]
    watch: bool,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
}

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let Args { files, set, output, runs, .. } = args;
    let mut pages = Pages::new(RunsRoot::new(runs), files.clone(), set.clone(), output.clone());
    if !args.watch {
        let folder = pages.gather()?;
        if pages.input.experiments.iter().all(|of| of.records.is_empty() && of.failures.is_empty()) {
            let found =
                Diagnostic::new(format!("no run of `{}` has ended: there is nothing to report", pages.input.title));
            return Err(found
                .hint("`bertbench status` shows how far they are; `report --watch` waits for them")
                .into());
        }
        print(&pages.write_gathered(&folder, false)?.display())?;
        return Ok(CommandOutcome::Success);
    }
    let mut is_shown = false;
    loop {
        let started = Instant::now();
        let (page, is_unfinished) = pages.write_if_changed()?;
        if !std::mem::replace(&mut is_shown, true) {
            print(&page.display())?;
        }
        if !is_unfinished {
            return Ok(CommandOutcome::Success);
        }
        // What is written often costs little, however many runs there are.
        std::thread::sleep(PAUSE.max(10 * started.elapsed()));
    }
}

/// Between two looks at the runs.
pub(super) const PAUSE: Duration = Duration::from_secs(2);
/// After how many seconds a page of a sweep that goes on loads itself again.
const REFRESH_SECONDS: u32 = 10;

/// The report of some experiments, written once or as their runs finish.
pub(super) struct Pages {
    root: RunsRoot,
    files: Vec<PathBuf>,
    set: Vec<String>,
    output: Option<PathBuf>,
    /// What was said already.
    said: BTreeSet<String>,
    /// How many runs had ended when the page was last written, and whether any was missing.
    written: Option<(usize, bool)>,
    /// What the last page was made from.
    pub(super) input: Input,
}

impl Pages {
    pub(super) fn new(root: RunsRoot, files: Vec<PathBuf>, set: Vec<String>, output: Option<PathBuf>) -> Self {
        let input = Input { title: String::new(), experiments: Vec::new() };
        Self { root, files, set, output, said: BTreeSet::new(), written: None, input }
    }

    /// Reads the runs, and says where the page belongs.
    fn gather(&mut self) -> Result<PathBuf, Error> {
        let (names, input) = gathered_files(&self.root, &self.files, &self.set)?;
        self.input = input;
        Ok(self.output.clone().unwrap_or_else(|| PathBuf::from("reports").join(names.join("+"))))
    }

    /// Writes the page from what there is now. Returns its path, and whether runs are missing.
    pub(super) fn write(&mut self) -> Result<(PathBuf, bool), Error> {
        let folder = self.gather()?;
        Ok((self.write_gathered(&folder, false)?, self.input.is_unfinished()))
    }

    /// The same where a run ended since, and as a page that loads itself again while runs are missing.
    pub(super) fn write_if_changed(&mut self) -> Result<(PathBuf, bool), Error> {
        let folder = self.gather()?;
        let ended = self.input.experiments.iter().map(|of| of.records.len() + of.failures.len()).sum();
        let is_unfinished = self.input.is_unfinished();
        if self.written == Some((ended, is_unfinished)) {
            return Ok((folder.join("index.html"), is_unfinished));
        }
        let page = self.write_gathered(&folder, is_unfinished)?;
        self.written = Some((ended, is_unfinished));
        Ok((page, is_unfinished))
    }

    fn write_gathered(&mut self, folder: &Path, refreshes: bool) -> Result<PathBuf, Error> {
        let system = |error: report::Error| Error::System(error.to_string());
        report::add_answers(&self.root, &mut self.input).map_err(system)?;
        report::add_examples(&self.root, &mut self.input).map_err(system)?;
        for text in self.input.experiments.iter().flat_map(|experiment| &experiment.notes) {
            if self.said.insert(text.clone()) {
                note(text);
            }
        }
        if refreshes {
            return report::write_refreshed(&self.input, folder, REFRESH_SECONDS).map_err(system);
        }
        if self.input.experiments.iter().all(|experiment| experiment.records.is_empty()) {
            note(&"no run is finished yet: the page has no scores");
        }
        report::write(&self.input, folder).map_err(system)
    }
}

/// The names of the experiments of these files, and what their runs left.
pub(super) fn gathered_files(
    root: &RunsRoot,
    files: &[PathBuf],
    set: &[String],
) -> Result<(Vec<String>, Input), Error> {
    let (mut names, mut experiments) = (Vec::new(), Vec::new());
    for file in files {
        let experiment = config::load(file, &plan::known_tasks(), set)?;
        names.push(experiment.name().to_owned());
        add(root, (experiment.name(), Some(file)), &experiment.sha256(), &mut experiments)?;
    }
    let title = names.join(" + ");
    Ok((names, Input { title, experiments }))
}

/// Adds an experiment unless it is there, and behind it those that its models start from. Of those the plan may no longer
/// be kept, which the experiment's notes then say.
fn add(
    root: &RunsRoot,
    (name, file): (&str, Option<&Path>),
    sha256: &str,
    into: &mut Vec<ExperimentInput>,
) -> Result<(), Error> {
    if into.iter().any(|known| known.name == name) {
        return Ok(());
    }
    let expected = PathBuf::from(format!("{name}.yaml"));
    let shown = file.unwrap_or(&expected);
    let (found, plan) = gathered_with_plan(root, (name, file), sha256)?;
    let at = into.len();
    into.push(found);
    for needed in plan.iter().flat_map(|plan| &plan.pretraining) {
        let beside = shown.with_file_name(format!("{}.yaml", needed.experiment));
        let beside = beside.is_file().then_some(beside.as_path());
        match add(root, (&needed.experiment, beside), &needed.experiment_sha256, into) {
            Err(Error::Input(findings)) => {
                let why = findings.first().map(ToString::to_string).unwrap_or_default();
                let text = format!("the pretraining `{}` is left out: {why}", needed.experiment);
                into[at].notes.push(text);
            }
            other => other?,
        }
    }
    Ok(())
}

/// The plan, records, failures and logs of an experiment with tasks.
pub(super) fn gathered(root: &RunsRoot, experiment: &Experiment, file: &Path) -> Result<ExperimentInput, Error> {
    let found = gathered_with_plan(root, (&experiment.name, Some(file)), &experiment.sha256())?.0;
    found.notes.iter().for_each(note);
    Ok(found)
}

/// The same by the experiment's file or its name, which stands for its last plan, whatever file that was.
pub(super) fn gathered_experiment(root: &RunsRoot, named: &str, set: &[String]) -> Result<ExperimentInput, Error> {
    let file = Path::new(named);
    if file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") || file.is_file() {
        return gathered(root, &config::load(file, &plan::known_tasks(), set)?.with_tasks()?, file);
    }
    let stored = root.plan_file(named).ok().flatten();
    let found = gather(root, (named, None), stored.as_ref().and_then(|stored| stored.plans.last()));
    found.notes.iter().for_each(note);
    Ok(found)
}

/// Adds what the runs answered to each example, and says which answers are damaged.
pub(super) fn add_answers(root: &RunsRoot, input: &mut Input) -> Result<(), Error> {
    let known: Vec<usize> = input.experiments.iter().map(|experiment| experiment.notes.len()).collect();
    report::add_answers(root, input).map_err(|error| Error::System(error.to_string()))?;
    input.experiments.iter().zip(known).flat_map(|(experiment, known)| &experiment.notes[known..]).for_each(note);
    Ok(())
}

fn gathered_with_plan(
    root: &RunsRoot,
    (name, file): (&str, Option<&Path>),
    sha256: &str,
) -> Result<(ExperimentInput, Option<StoredPlan>), Error> {
    let (mut notes, expected) = (Vec::new(), PathBuf::from(format!("{name}.yaml")));
    let plan = stored_plan(root, (name, file.unwrap_or(&expected)), sha256, &mut notes)?;
    let mut found = gather(root, (name, file.map(|file| file.display().to_string())), plan.as_ref());
    found.notes.splice(0..0, notes);
    Ok((found, plan))
}

/// What was planned when the experiment `name` was run as `file` says, `--set` included. None, with a note, when its
/// `plan.json` cannot be read: then nobody knows which runs the file asks for.
///
/// # Errors
/// When it was never run so into `root`: the runs of another plan are not what was asked for.
fn stored_plan(
    root: &RunsRoot,
    (name, file): (&str, &Path),
    sha256: &str,
    notes: &mut Vec<String>,
) -> Result<Option<StoredPlan>, Error> {
    let (runs, shown) = (root.path().display(), file.display());
    let stored = match root.plan_file(name) {
        Ok(stored) => stored,
        Err(error) => {
            notes.push(format!(
                "{error}; `bertbench run {shown}` writes it anew. Until then every record of the experiment is shown, whether the file asks for it or not"
            ));
            return Ok(None);
        }
    };
    let Some(stored) = stored else {
        let message = format!("the experiment `{name}` was not run yet: there is no {runs}/{name}/plan.json");
        let hint = format!("`bertbench run {shown}` plans and runs it; a copy of its runs has the plan with them");
        return Err(Diagnostic::new(message).hint(hint).into());
    };
    if let Some(plan) = stored.plan_of(sha256) {
        return Ok(Some(plan.clone()));
    }
    let message = format!("`{name}` was not run as this file says now: which runs it asks for is not known");
    let mut hint = format!("`bertbench run {shown}` finds out, and runs what is missing");
    // Perhaps what was forgotten are the `--set` of its last run.
    if let Some(last) = stored.plans.last().filter(|last| !last.overrides.is_empty())
        && config::load(file, &plan::known_tasks(), &last.overrides)
            .is_ok_and(|with| with.sha256() == last.experiment_sha256)
    {
        let set: Vec<String> = last.overrides.iter().map(|set| format!("--set '{set}'")).collect();
        hint = format!("{hint}; it was last run with {}", set.join(" "));
    }
    Err(Diagnostic::new(message).in_file(file).hint(hint).into())
}
