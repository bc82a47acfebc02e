//! The answers to single examples that a report's statistics need: those of the best points.

use super::Error;
use super::analysis::Analysis;
use super::answers::{all, score};
use super::input::Input;
use crate::store::{Answers, RunId, RunsRoot};

/// A recorded score and the same from the answers differ by the order of sums at most.
const ROUNDING: f64 = 1e-6;

/// Reads the answers of the runs of the best point of every model and task into `input`, whose experiments' runs lie in
/// `root`. Answers that cannot be read, or do not give the score that was recorded, are left out with a note; runs
/// without answers are compared by their scores alone.
///
/// # Errors
/// When the aggregates cannot be computed.
pub fn add_answers(root: &RunsRoot, input: &mut Input) -> Result<(), Error> {
    let mut found: Vec<(usize, RunId, Answers)> = Vec::new();
    let mut notes = Vec::new();
    let analysis = Analysis::of(input)?;
    for group in &analysis.groups {
        let (Some(best), Some(metric)) = (group.best, analysis.primary_metrics[group.task].as_ref()) else { continue };
        for run in group.points[best].runs.iter().map(|at| &analysis.runs[*at]) {
            let Some(recorded) = metric.score(run) else { continue };
            let experiment = &analysis.input.experiments[run.experiment].name;
            let folder = root.folder_of(experiment, run.settings, run.id.clone());
            match folder.and_then(|folder| folder.answers(&metric.split)) {
                Ok(Some(answers)) => {
                    let again = score(&answers, &metric.metric, &all(&answers));
                    if (again - recorded).abs() <= ROUNDING {
                        found.push((run.experiment, run.id.clone(), answers));
                    } else {
                        let (id, split) = (&run.id, &metric.split);
                        let cause = format!("answers-{split}.json gives {again:.6} where {recorded:.6} is recorded");
                        notes.push((
                            run.experiment,
                            format!("run {id}: {cause}; it is left out of statistics on examples"),
                        ));
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    notes.push((run.experiment, format!("{error}; it is left out of statistics on examples")));
                }
            }
        }
    }
    drop(analysis);
    for (experiment, id, answers) in found {
        input.experiments[experiment].answers.insert(id, answers);
    }
    for (experiment, note) in notes {
        input.experiments[experiment].notes.push(note);
    }
    Ok(())
}
