//! One model or two on a task, with all that their best runs left of the dev split.

use std::collections::BTreeSet;

use crate::report::analysis::Analysis;
use crate::report::file_name::{UniqueNames, file_name};
use crate::report::predictions::{Predictions, TaggedSentence};
use crate::report::primary_metric::PrimaryMetric;
use crate::report::run::Run;
use crate::store::{Answers, Examples, RunId, examples_name};

/// The best run of a model, or those of two that answered the same examples: the reference, the other. Lists have an entry
/// for each side.
pub(crate) struct Sides<'r> {
    /// What the page calls the task.
    pub(crate) task: &'r str,
    /// The score that counts.
    pub(crate) metric: &'r PrimaryMetric,
    /// What the page calls the models.
    pub(crate) labels: Vec<&'r str>,
    /// Their numbers, for colour and mark.
    pub(crate) series: Vec<usize>,
    pub(crate) runs: Vec<&'r Run<'r>>,
    pub(crate) answers: Vec<&'r Answers>,
    /// What else is known of their predictions.
    pub(crate) predictions: Vec<Option<&'r Predictions>>,
    pub(crate) examples: Option<&'r Examples>,
    /// The page's place in the report's folder.
    pub(crate) page: String,
}

impl<'r> Sides<'r> {
    /// Every two models that the report compares, on each task that both answered example by example; of a task on which
    /// a model is compared with none, that model alone.
    pub(crate) fn all(analysis: &'r Analysis<'r>) -> Vec<Self> {
        let rows = analysis.versus.iter().flat_map(|versus| &versus.rows);
        let mut all: Vec<Self> = rows.filter_map(|row| Self::of(analysis, row.task, &row.systems)).collect();
        let compared: BTreeSet<&RunId> = all.iter().flat_map(|sides| &sides.runs).map(|run| &run.id).collect();
        let alone = analysis.groups.iter().filter_map(|group| Self::of(analysis, group.task, &[group.system]));
        let alone: Vec<Self> = alone.filter(|sides| !compared.contains(&sides.runs[0].id)).collect();
        all.extend(alone);
        let mut pages = UniqueNames::default();
        for sides in &mut all {
            let names = std::iter::once(sides.task).chain(sides.labels.iter().rev().copied());
            let name = names.map(|part| file_name(&[part])).collect::<Vec<_>>().join("--");
            sides.page = format!("understanding/{}.html", pages.next(name, "__"));
        }
        all
    }

    fn of(analysis: &'r Analysis<'r>, task: usize, systems: &[usize]) -> Option<Self> {
        let metric = analysis.primary_metrics[task].as_ref()?;
        let best = |system: &usize| Some(&analysis.runs[analysis.group(task, *system)?.best_run(analysis.compared())?]);
        let runs: Vec<&Run<'_>> = systems.iter().map(best).collect::<Option<_>>()?;
        let left = |run: &Run<'_>| &analysis.input.experiments[run.experiment];
        let answers: Vec<&Answers> = runs.iter().map(|run| analysis.compared().answers(run)).collect::<Option<_>>()?;
        let examples = |run: &&Run<'_>| left(run).examples.get(&examples_name(run.settings, &metric.split)?);
        let examples = runs.iter().find_map(examples).filter(|examples| examples.count() == answers[0].examples());
        answers.iter().all(|other| answers[0].is_of_same_examples(other)).then(|| Self {
            task: &analysis.tasks[task].label,
            metric,
            labels: systems.iter().map(|system| analysis.systems[*system].label.as_str()).collect(),
            series: systems.to_vec(),
            predictions: runs.iter().map(|run| left(run).predictions.get(&run.id)).collect(),
            runs,
            answers,
            examples,
            page: String::new(),
        })
    }

    /// Whether two models are compared.
    pub(crate) fn is_pair(&self) -> bool {
        self.runs.len() > 1
    }

    pub(crate) fn sides(&self) -> std::ops::Range<usize> {
        0..self.runs.len()
    }

    /// How many examples were answered.
    pub(crate) fn len(&self) -> usize {
        self.answers[0].examples()
    }

    /// The tagged sentences of a side, where words are tagged.
    pub(crate) fn sentences(&self, side: usize) -> Option<&'r [TaggedSentence]> {
        let Some(Predictions::Tags(sentences)) = self.predictions[side] else { return None };
        Some(sentences)
    }

    /// Which examples a side answers right, as [`Sides::is_right`] says.
    pub(crate) fn all_right(&self, side: usize) -> Option<Vec<bool>> {
        (0..self.len()).map(|at| self.is_right(side, at)).collect()
    }

    /// Whether a side's answer to an example is right as a whole; `None` of scores, which are near or far.
    pub(crate) fn is_right(&self, side: usize, at: usize) -> Option<bool> {
        match self.answers[side] {
            Answers::Classes { gold, predicted } => Some(gold[at] == predicted[at]),
            Answers::Scores { .. } => None,
            Answers::Spans { exact, .. } => Some(exact[at] > 0),
            Answers::Tags { gold, found, correct } => Some(gold[at] == correct[at] && found[at] == correct[at]),
        }
    }

    /// Predicted less gold score.
    pub(crate) fn residual(&self, side: usize, at: usize) -> Option<f64> {
        let Answers::Scores { gold, predicted } = self.answers[side] else { return None };
        Some(f64::from(predicted[at]) - f64::from(gold[at]))
    }

    /// The probability that a side gave the class that it answered with.
    pub(crate) fn confidence(&self, side: usize, at: usize) -> Option<f64> {
        let (Some(Predictions::Classes { names, probabilities }), Answers::Classes { predicted, .. }) =
            (self.predictions[side], self.answers[side])
        else {
            return None;
        };
        probabilities.get(at * names.len() + predicted[at] as usize).copied().filter(|of| of.is_finite())
    }
}
