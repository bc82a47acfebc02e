//! Two models on a task, with all that their best runs left of the dev split.

use std::collections::BTreeMap;

use crate::report::analysis::Analysis;
use crate::report::file_name::file_name;
use crate::report::predictions::Predictions;
use crate::report::primary_metric::PrimaryMetric;
use crate::report::run::Run;
use crate::report::versus::VersusRow;
use crate::store::{Answers, Examples, examples_name};

/// The best runs of two models that answered the same examples: the reference, the other.
pub(crate) struct Pair<'r> {
    /// What the page calls the task.
    pub(crate) task: &'r str,
    /// The score that counts.
    pub(crate) metric: &'r PrimaryMetric,
    /// What the page calls the models.
    pub(crate) labels: [&'r str; 2],
    /// Their numbers, for colour and mark.
    pub(crate) series: [usize; 2],
    /// Their runs.
    pub(crate) runs: [&'r Run<'r>; 2],
    /// Their answers.
    pub(crate) answers: [&'r Answers; 2],
    /// What else is known of their predictions.
    pub(crate) predictions: [Option<&'r Predictions>; 2],
    /// The examples' texts.
    pub(crate) examples: Option<&'r Examples>,
    /// The page's place in the report's folder.
    pub(crate) page: String,
}

impl<'r> Pair<'r> {
    /// Every two models that the report compares, on each task that both answered example by example.
    pub(crate) fn all(analysis: &'r Analysis<'r>) -> Vec<Self> {
        let rows = analysis.versus.iter().flat_map(|versus| &versus.rows);
        let mut pairs: Vec<Self> = rows.filter_map(|row| Self::of(analysis, row)).collect();
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        for pair in &mut pairs {
            let [a, b] = pair.labels;
            // Two hyphens occur in no name made by `file_name`.
            let name = [pair.task, b, a].map(|part| file_name(&[part])).join("--");
            let uses = uses.entry(name.clone()).or_default();
            *uses += 1;
            let number = if *uses > 1 { format!("__{uses}") } else { String::new() };
            pair.page = format!("understanding/{name}{number}.html");
        }
        pairs
    }

    fn of(analysis: &'r Analysis<'r>, row: &VersusRow) -> Option<Self> {
        let metric = analysis.primary_metrics[row.task].as_ref()?;
        let best = |system: usize| Some(&analysis.runs[analysis.best_run(analysis.group(row.task, system)?)?]);
        let runs = [best(row.systems[0])?, best(row.systems[1])?];
        let left = |run: &Run<'_>| &analysis.input.experiments[run.experiment];
        let answers = |run: &Run<'_>| left(run).answers.get(&run.id);
        let answers = [answers(runs[0])?, answers(runs[1])?];
        let examples = |run: &Run<'_>| left(run).examples.get(&examples_name(run.settings, &metric.split)?);
        let examples = runs.into_iter().find_map(examples).filter(|examples| examples.len() == answers[0].examples());
        answers[0].is_of_same_examples(answers[1]).then(|| Self {
            task: &analysis.tasks[row.task].label,
            metric,
            labels: row.systems.map(|system| analysis.systems[system].label.as_str()),
            series: row.systems,
            runs,
            answers,
            predictions: runs.map(|run| left(run).predictions.get(&run.id)),
            examples,
            page: String::new(),
        })
    }

    /// How many examples both answered.
    pub(crate) fn len(&self) -> usize {
        self.answers[0].examples()
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
        match self.answers[side] {
            Answers::Scores { gold, predicted } => Some(f64::from(predicted[at]) - f64::from(gold[at])),
            Answers::Classes { .. } | Answers::Spans { .. } | Answers::Tags { .. } => None,
        }
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
