//! The paper's ablations, found among the systems that start from pretraining: which of them differ in one thing of
//! their pretraining and in nothing else.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::analysis::Analysis;
use super::judge::{Judge, Unit};
use super::objective::{masks, names, unusual_masking};
use super::published_ablations::{MASKS, Measured, OBJECTIVES, SIZES};
use super::run::plain_task_name;
use super::system::parameters;
use super::weights;
use crate::store::{Approach, PretrainSettings, Pretraining};

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
    /// For how many steps: figure 5.
    Steps,
}

/// In the order of the page.
const KINDS: [Kind; 4] = [Kind::Objective, Kind::Size, Kind::Masking, Kind::Steps];

/// Systems of one experiment whose pretraining differs in one thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ablation<'a> {
    /// What differs.
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
    /// The pretraining.
    pub(crate) pretraining: &'a Pretraining,
    /// Indices of the systems that start from it: one that is fine-tuned, perhaps one that reads features.
    pub(crate) systems: Vec<usize>,
    /// Held-out perplexity, when it is of the same text as in the other rows.
    pub(crate) perplexity: Option<f64>,
    /// By column.
    pub(crate) scores: Vec<Option<f64>>,
}

/// One task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AblationColumn {
    /// Index of the task.
    pub(crate) task: usize,
    /// Whether the encoder is frozen.
    pub(crate) features: bool,
    /// The metric: the paper's where its table has the task, else the one that judges.
    pub(crate) metric: String,
    /// How its numbers are written.
    pub(crate) unit: Unit,
    /// Whether more is better.
    pub(crate) higher_is_better: bool,
    /// The column of the paper's table.
    pub(crate) published: Option<usize>,
}

/// Settings that decide no weights, or decide them up to rounding.
const UNDECIDING: [&str; 7] =
    ["model", "evaluation", "masking", "snapshots", "saving", "log_every", "gradient_accumulation"];

/// Every ablation at hand, in the paper's order of tables.
pub(crate) fn all<'a>(analysis: &Analysis<'a>) -> Vec<Ablation<'a>> {
    let known: Vec<(usize, &'a Pretraining)> = (0..analysis.systems.len())
        .filter_map(|system| Some((system, weights::pretraining(&analysis.runs, system)?)))
        .collect();
    let mut found = Vec::new();
    for kind in KINDS {
        let mut groups: BTreeMap<(usize, String), Vec<(usize, &Pretraining)>> = BTreeMap::new();
        for (system, pretraining) in &known {
            for key in keys(kind, pretraining, &known) {
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

/// What must be alike in a group of this kind. None, when a pretraining takes no part. One without masks belongs to those
/// with the paper's, else to every way of masking.
fn keys(kind: Kind, pretraining: &Pretraining, known: &[(usize, &Pretraining)]) -> Vec<String> {
    let settings = &pretraining.settings;
    if kind == Kind::Steps {
        return vec![settings.id().0];
    }
    if pretraining.step != settings.steps() {
        return Vec::new();
    }
    match kind {
        Kind::Objective => {
            let masked: Vec<&PretrainSettings> = if names(settings.objective).masks {
                vec![settings]
            } else {
                let all = known.iter().map(|(_, other)| &other.settings);
                let (usual, other): (Vec<_>, Vec<_>) =
                    all.filter(|other| names(other.objective).masks).partition(|s| unusual_masking(s).is_none());
                if usual.is_empty() { other } else { usual }
            };
            let mut keys: Vec<String> =
                masked.into_iter().map(|other| format!("{} {}", alike(kind, settings), json(&other.masking))).collect();
            keys.sort();
            keys.dedup();
            keys
        }
        Kind::Masking => {
            let of = |masking: crate::store::Masking| format!("{} {}", masking.share, masking.whole_words);
            settings.masking.map(|masking| format!("{} {}", alike(kind, settings), of(masking))).into_iter().collect()
        }
        Kind::Size | Kind::Steps => vec![alike(kind, settings)],
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The settings without those that decide nothing and those that may differ, as text.
fn alike(kind: Kind, settings: &PretrainSettings) -> String {
    let mut value = json(settings);
    let mut forget = |place: &str, names: &[&str]| {
        if let Some(Value::Object(object)) = value.pointer_mut(place) {
            object.retain(|name, _| !names.contains(&name.as_str()));
        }
    };
    forget("", &UNDECIDING);
    // A corpus is prepared for an objective and with its masks, so its checksum differs with them.
    if matches!(kind, Kind::Objective | Kind::Masking) {
        for phase in 0..settings.phases.len() {
            forget(&format!("/phases/{phase}"), &["data"]);
        }
    }
    match kind {
        // A left-to-right model is one of the same dimensions whose attention is cut.
        Kind::Objective => {
            forget("", &["objective"]);
            forget("/architecture", &["causal"]);
        }
        Kind::Size => forget("/architecture", &["layers", "hidden", "heads", "intermediate"]),
        Kind::Masking | Kind::Steps => {}
    }
    value.to_string()
}

/// The place of a pretraining among those of its kind: the paper's first, others after them.
fn place(kind: Kind, pretraining: &Pretraining) -> (usize, u64, String) {
    let settings = &pretraining.settings;
    let last = usize::MAX;
    match kind {
        Kind::Objective => {
            let row = names(settings.objective).row;
            (OBJECTIVES.rows.iter().position(|(known, _)| *known == row).unwrap_or(last), 0, row.to_owned())
        }
        Kind::Size => (0, parameters(&settings.architecture), json(&settings.architecture).to_string()),
        Kind::Masking => {
            let own = settings.masking.as_ref().map(masks);
            let rank = MASKS.rows.iter().position(|(known, _)| Some(*known) == own).unwrap_or(last);
            (rank, 0, format!("{own:?}"))
        }
        Kind::Steps => (0, pretraining.step, String::new()),
    }
}

fn ablation<'a>(
    analysis: &Analysis<'a>,
    kind: Kind,
    experiment: usize,
    members: &[(usize, &'a Pretraining)],
) -> Option<Ablation<'a>> {
    let mut found: BTreeMap<(usize, u64, String), (&'a Pretraining, Vec<usize>)> = BTreeMap::new();
    for (system, pretraining) in members {
        found.entry(place(kind, pretraining)).or_insert((pretraining, Vec::new())).1.push(*system);
    }
    if found.len() < 2 {
        return None;
    }
    let columns = columns(analysis, kind, members);
    let text =
        |pretraining: &Pretraining| pretraining.settings.evaluation.as_ref().map(|held_out| held_out.data.clone());
    let first = found.values().find_map(|(pretraining, _)| text(pretraining));
    let rows = found
        .into_values()
        .map(|(pretraining, systems)| AblationRow {
            pretraining,
            perplexity: pretraining
                .scores
                .filter(|_| text(pretraining) == first)
                .map(|scores| scores.perplexity)
                .filter(|value| value.is_finite()),
            scores: columns.iter().map(|column| score(analysis, &systems, column)).collect(),
            systems,
        })
        .collect();
    (!columns.is_empty()).then_some(Ablation { kind, experiment, rows, columns })
}

/// A column for each task and use of the encoder that a member has a score of.
fn columns(analysis: &Analysis<'_>, kind: Kind, members: &[(usize, &Pretraining)]) -> Vec<AblationColumn> {
    let published: &[Measured] = match kind {
        Kind::Objective => OBJECTIVES.columns,
        Kind::Size => SIZES.columns,
        Kind::Masking => MASKS.columns,
        Kind::Steps => &[],
    };
    let mut columns = Vec::new();
    for (task, judge) in analysis.judges.iter().enumerate() {
        for features in [false, true] {
            let has_score = |(system, _): &(usize, &Pretraining)| {
                reads_features(analysis, *system) == features
                    && analysis.cell(task, *system).is_some_and(|cell| cell.best_score().is_some())
            };
            let (Some(judge), scored) = (judge, members.iter().filter(|member| has_score(member)).count()) else {
                continue;
            };
            let column = column(published, judge, task, &analysis.tasks[task].name, features);
            // Features of one model alone say nothing about what differs, but where the paper has them too.
            if scored > usize::from(features && column.published.is_none()) {
                columns.push(column);
            }
        }
    }
    columns
}

fn column(published: &[Measured], judge: &Judge, task: usize, name: &str, features: bool) -> AblationColumn {
    let is_it = |column: &&Measured| column.task == plain_task_name(name) && column.features == features;
    let known = published.iter().find(is_it);
    AblationColumn {
        task,
        features,
        metric: known.map_or_else(|| judge.metric.clone(), |column| column.metric.to_owned()),
        // The paper's metrics are all fractions.
        unit: known.map_or(judge.unit, |_| Unit::Hundredths),
        higher_is_better: known.is_some() || judge.higher_is_better,
        published: published.iter().position(|column| is_it(&column)),
    }
}

fn reads_features(analysis: &Analysis<'_>, system: usize) -> bool {
    matches!(analysis.systems[system].approach, Approach::FeatureBased(_))
}

/// The score of a column at the best point of the first of these systems that has one.
fn score(analysis: &Analysis<'_>, systems: &[usize], column: &AblationColumn) -> Option<f64> {
    let judge = analysis.judges[column.task].as_ref()?;
    let fitting = systems.iter().filter(|system| reads_features(analysis, **system) == column.features);
    fitting.filter_map(|system| analysis.cell(column.task, *system)).find_map(|cell| {
        if column.metric == judge.metric {
            return Some(cell.best_score()?.mean);
        }
        let other = cell.others.iter().find(|(metric, split, ..)| *metric == column.metric && *split == judge.split);
        other.map(|(.., value)| *value)
    })
}
