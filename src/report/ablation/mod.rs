//! The paper's ablations, found among the systems that start from pretraining: which of them differ in one thing of
//! their pretraining and in nothing else.

mod grouping;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::analysis::Analysis;
use super::difference::score_variance;
use super::primary_metric::{PrimaryMetric, Unit};
use super::published_ablations::{MASKS, Measured, OBJECTIVES, SIZES};
use super::run::plain_task_name;
use super::weights;
use crate::settings::Approach;
use crate::store::{Origin, RunId};
use grouping::{RowKey, group_keys, row_key};

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// What is learned: table 5.
    Objective,
    /// The dimensions of the encoder: table 6.
    Size,
    /// What stands in the places of masked tokens: table 8.
    Masking,
    /// For how many steps, and perhaps what is learned too: figure 5.
    Steps,
}

/// In the order of the page.
const KINDS: [Kind; 4] = [Kind::Objective, Kind::Size, Kind::Masking, Kind::Steps];

/// Systems of one experiment whose pretraining differs in one thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ablation<'a> {
    pub(crate) kind: Kind,
    /// Index into [`super::Input::experiments`].
    pub(crate) experiment: usize,
    /// By what differs, in the paper's order.
    pub(crate) rows: Vec<AblationRow<'a>>,
    /// The tasks at hand.
    pub(crate) columns: Vec<AblationColumn>,
}

/// One way of pretraining.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AblationRow<'a> {
    pub(crate) pretraining: &'a Origin,
    /// Indices of the systems that start from it: one that is fine-tuned, perhaps one that reads features.
    pub(crate) systems: Vec<usize>,
    /// Held-out perplexity, when it is of the same text as in the other rows.
    pub(crate) perplexity: Option<f64>,
    /// By column.
    pub(crate) scores: Vec<Option<AblationScore>>,
}

/// The best point of a system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AblationScore {
    /// Mean over its seeds.
    pub(crate) mean: f64,
    /// Sample standard deviation over them, from two seeds on, of the primary score.
    pub(crate) sd: Option<f64>,
    /// The squared standard error, when it is known.
    pub(crate) variance: Option<f64>,
}

/// One task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AblationColumn {
    /// Index of the task.
    pub(crate) task: usize,
    /// Whether the encoder is frozen.
    pub(crate) features: bool,
    /// The metric: the paper's where its table has the task, else the primary one.
    pub(crate) metric: String,
    pub(crate) unit: Unit,
    pub(crate) higher_is_better: bool,
    /// The column of the paper's table.
    pub(crate) published: Option<usize>,
}

/// Every ablation at hand, in the paper's order of tables.
pub(crate) fn all<'a>(analysis: &Analysis<'a>) -> Vec<Ablation<'a>> {
    let known: Vec<(usize, &'a Origin)> = (0..analysis.systems.len())
        .filter_map(|system| Some((system, weights::pretraining(&analysis.runs, system)?)))
        .collect();
    let mut found = Vec::new();
    for kind in KINDS {
        let mut groups: BTreeMap<(usize, String), Vec<(usize, &Origin)>> = BTreeMap::new();
        for (system, pretraining) in &known {
            for key in group_keys(kind, pretraining, &known) {
                let experiment = analysis.systems[*system].experiment;
                groups.entry((experiment, key)).or_default().push((*system, pretraining));
            }
        }
        for ((experiment, _), members) in groups {
            found.extend(ablation(analysis, kind, experiment, &members));
        }
    }
    found
}

fn ablation<'a>(
    analysis: &Analysis<'a>,
    kind: Kind,
    experiment: usize,
    members: &[(usize, &'a Origin)],
) -> Option<Ablation<'a>> {
    // Runs with the same key differ in their text, which may have been prepared anew: each has a row.
    let mut found: BTreeMap<(RowKey, RunId), (&'a Origin, Vec<usize>)> = BTreeMap::new();
    for (system, pretraining) in members {
        let key = (row_key(kind, pretraining), pretraining.settings.id());
        found.entry(key).or_insert((pretraining, Vec::new())).1.push(*system);
    }
    if kind == Kind::Steps {
        let mut steps: BTreeMap<RunId, usize> = BTreeMap::new();
        for (_, run) in found.keys() {
            *steps.entry(run.clone()).or_default() += 1;
        }
        found.retain(|(_, run), _| steps.get(run).is_some_and(|count| *count > 1));
    }
    if found.keys().map(|(key, _)| key).collect::<BTreeSet<_>>().len() < 2 {
        return None;
    }
    let systems: Vec<usize> = found.values().flat_map(|(_, systems)| systems.clone()).collect();
    let columns = columns(analysis, kind, &systems);
    let text = |pretraining: &Origin| Some(pretraining.settings.pretraining()?.evaluation.as_ref()?.data.clone());
    let first = found.values().find_map(|(pretraining, _)| text(pretraining));
    let rows = found
        .into_values()
        .map(|(pretraining, systems)| AblationRow {
            pretraining,
            perplexity: pretraining
                .evaluation
                .as_ref()
                .filter(|_| text(pretraining) == first)
                .and_then(|scores| scores.value("perplexity"))
                .filter(|value| value.is_finite()),
            scores: columns.iter().map(|column| score(analysis, &systems, column)).collect(),
            systems,
        })
        .collect();
    (!columns.is_empty()).then_some(Ablation { kind, experiment, rows, columns })
}

/// A column for each task and use of the encoder that a member has a score of.
fn columns(analysis: &Analysis<'_>, kind: Kind, systems: &[usize]) -> Vec<AblationColumn> {
    let published: &[Measured] = match kind {
        Kind::Objective => OBJECTIVES.columns,
        Kind::Size => SIZES.columns,
        Kind::Masking => MASKS.columns,
        Kind::Steps => &[],
    };
    let mut columns = Vec::new();
    for (task, primary_metric) in analysis.primary_metrics.iter().enumerate() {
        for features in [false, true] {
            let has_score = |system: &&usize| {
                reads_features(analysis, **system) == features
                    && analysis.group(task, **system).is_some_and(|cell| cell.best_score().is_some())
            };
            let (Some(primary_metric), scored) = (primary_metric, systems.iter().filter(has_score).count()) else {
                continue;
            };
            let column = column(published, primary_metric, task, &analysis.tasks[task].name, features);
            // Features of one model alone say nothing about what differs, but where the paper has them too.
            if scored > usize::from(features && column.published.is_none()) {
                columns.push(column);
            }
        }
    }
    columns
}

fn column(
    published: &[Measured],
    primary_metric: &PrimaryMetric,
    task: usize,
    name: &str,
    features: bool,
) -> AblationColumn {
    let is_it = |column: &&Measured| column.task == plain_task_name(name) && column.features == features;
    let known = published.iter().find(is_it);
    AblationColumn {
        task,
        features,
        metric: known.map_or_else(|| primary_metric.metric.clone(), |column| column.metric.to_owned()),
        // The paper's metrics are all fractions.
        unit: known.map_or(primary_metric.unit, |_| Unit::Fraction),
        higher_is_better: known.is_some() || primary_metric.higher_is_better,
        published: published.iter().position(|column| is_it(&column)),
    }
}

fn reads_features(analysis: &Analysis<'_>, system: usize) -> bool {
    matches!(analysis.systems[system].approach, Approach::FeatureBased(_))
}

/// The score of a column at the best point of the first of these systems that has one.
fn score(analysis: &Analysis<'_>, systems: &[usize], column: &AblationColumn) -> Option<AblationScore> {
    let primary_metric = analysis.primary_metrics[column.task].as_ref()?;
    let fitting = systems.iter().filter(|system| reads_features(analysis, **system) == column.features);
    fitting.filter_map(|system| analysis.group(column.task, *system)).find_map(|group| {
        if column.metric == primary_metric.metric {
            return group.best_score().map(|score| {
                let over_seeds = score.sd.map(|sd| (sd, score.seeds));
                let variance = group.dev_examples.and_then(|n| score_variance(column.unit, score.mean, n, over_seeds));
                AblationScore { mean: score.mean, sd: score.sd, variance }
            });
        }
        let other =
            group.others.iter().find(|(metric, split, ..)| *metric == column.metric && *split == primary_metric.split);
        other.map(|(.., mean)| {
            let variance = group.dev_examples.and_then(|n| score_variance(column.unit, *mean, n, None));
            AblationScore { mean: *mean, sd: None, variance }
        })
    })
}
