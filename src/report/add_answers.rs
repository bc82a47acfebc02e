//! The answers to single examples that a report's statistics need: those of the best points.

use super::Error;
use super::analysis::Analysis;
use super::answers::{all, score};
use super::input::Input;
use super::predictions::Predictions;
use super::run::Run;
use crate::store::{Answers, Examples, Record, RunFolder, RunId, RunsRoot, StoreError, examples_name};

/// A recorded score and the same from the answers differ by the order of sums at most.
const ROUNDING: f64 = 1e-6;

/// Reads the answers of the runs of the best point of every model and task into `input`, whose experiments' runs lie in
/// `root`. Answers that cannot be read, or do not give the score that was recorded, are left out with a note; runs
/// without answers are compared by their scores alone.
///
/// # Errors
/// When the aggregates cannot be computed.
pub fn add_answers(root: &RunsRoot, input: &mut Input) -> Result<(), Error> {
    let mut found: Vec<(usize, RunId, Result<Answers, String>)> = Vec::new();
    let analysis = Analysis::of(input)?;
    for group in &analysis.groups {
        let (Some(best), Some(metric)) = (group.best, analysis.primary_metrics[group.task].as_ref()) else { continue };
        for run in group.points[best].runs.iter().map(|at| &analysis.runs[*at]) {
            let Some(recorded) = metric.score(run) else { continue };
            let experiment = &analysis.input.experiments[run.experiment].name;
            let folder = root.folder_of(experiment, run.settings, run.id.clone());
            let read = match folder.and_then(|folder| folder.answers(&metric.split)) {
                Ok(None) => continue,
                Ok(Some(answers)) => {
                    let again = score(&answers, &metric.metric, &all(&answers));
                    let (id, split) = (&run.id, &metric.split);
                    ((again - recorded).abs() <= ROUNDING).then_some(answers).ok_or_else(|| {
                        format!("run {id}: answers-{split}.json gives {again:.6} where {recorded:.6} is recorded")
                    })
                }
                Err(error) => Err(error.to_string()),
            };
            found.push((run.experiment, run.id.clone(), read));
        }
    }
    drop(analysis);
    for (experiment, id, read) in found {
        let of = &mut input.experiments[experiment];
        match read {
            Ok(answers) => drop(of.answers.insert(id, answers)),
            Err(cause) => of.notes.push(format!("{cause}; it is left out of statistics on examples")),
        }
    }
    Ok(())
}

/// Reads what the pages about models show besides answers: predictions, and the texts of the examples, of the best run of
/// every model on every task. [`add_answers()`] comes first. What cannot be read is left out with a note.
///
/// # Errors
/// When the aggregates cannot be computed.
pub fn add_examples(root: &RunsRoot, input: &mut Input) -> Result<(), Error> {
    // Without answers there are no statistics on examples to wait for; which runs are best does not depend on them.
    let answers: Vec<_> =
        input.experiments.iter_mut().map(|experiment| std::mem::take(&mut experiment.answers)).collect();
    let wanted = wanted(input);
    for (experiment, answers) in input.experiments.iter_mut().zip(answers) {
        experiment.answers = answers;
    }
    for (experiment, record, split) in wanted? {
        let of = &mut input.experiments[experiment];
        let Some(answers) = of.answers.get(&record.id) else { continue };
        let folder = root.folder_of(&of.name, &record.settings, record.id.clone());
        match folder.and_then(|folder| shown(&folder, &record, &split, answers)) {
            Ok((predictions, examples)) => {
                of.predictions.extend(predictions.map(|predictions| (record.id.clone(), predictions)));
                of.examples.extend(examples_name(&record.settings, &split).zip(examples));
            }
            Err(error) => of.notes.push(format!("{error}; pages about models do not show it")),
        }
    }
    Ok(())
}

/// The best run of every model on every task: experiment, record and the split that is judged.
fn wanted(input: &Input) -> Result<Vec<(usize, Record, String)>, Error> {
    let analysis = Analysis::of(input)?;
    let mut found: Vec<(usize, Record, String)> = Vec::new();
    for group in &analysis.groups {
        let Some(run) = group.best_run(analysis.compared()).map(|at| &analysis.runs[at]) else { continue };
        if let (Some(metric), Some(record)) = (analysis.primary_metrics[group.task].as_ref(), Run::record(run)) {
            found.push((run.experiment, record.clone(), metric.split.clone()));
        }
    }
    Ok(found)
}

fn shown(
    folder: &RunFolder,
    record: &Record,
    split: &str,
    answers: &Answers,
) -> Result<(Option<Predictions>, Option<Examples>), StoreError> {
    Ok((Predictions::read(folder, record, split, answers)?, folder.examples(&record.settings, split)?))
}
