//! What `results.json` says of pretraining: the runs, what they give, and the ablations made with them.

use serde::Serialize;

use super::ablation::{self, Kind};
use super::analysis::Analysis;
use super::gain::{self, GainRow};
use super::weights;
use crate::store::InitialWeights;

/// Where the weights of a system come from.
#[derive(Serialize)]
pub(super) struct Started<'a> {
    start: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pretraining_experiment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pretraining_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pretraining_step: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pretraining_perplexity: Option<f64>,
}

/// A pretrained system against the same one from random weights.
#[derive(Serialize)]
pub(super) struct GainGroup<'a> {
    random: &'a str,
    pretrained: &'a str,
    tasks_helped: usize,
    tasks_clearly_helped: usize,
    tasks_clearly_hurt: usize,
    tasks: Vec<GainTask<'a>>,
}

#[derive(Serialize)]
struct GainTask<'a> {
    task: &'a str,
    #[serde(flatten)]
    row: GainRow,
}

/// One of the paper's ablations.
#[derive(Serialize)]
pub(super) struct OneAblation<'a> {
    experiment: &'a str,
    differs: Kind,
    rows: Vec<AblationRow<'a>>,
}

#[derive(Serialize)]
struct AblationRow<'a> {
    models: Vec<&'a str>,
    step: u64,
    perplexity: Option<f64>,
    scores: Vec<AblationScore<'a>>,
}

#[derive(Serialize)]
struct AblationScore<'a> {
    task: &'a str,
    features: bool,
    metric: String,
    value: Option<f64>,
    sd_over_seeds: Option<f64>,
}

impl<'a> Started<'a> {
    pub(super) fn of(analysis: &'a Analysis<'_>, system: usize) -> Self {
        let start = &analysis.systems[system].initial_weights;
        let (experiment, model, step) = match start {
            InitialWeights::Pretraining { experiment, model, step, .. } => (Some(experiment), Some(model), *step),
            InitialWeights::Random | InitialWeights::Checkpoint { .. } => (None, None, None),
        };
        let recorded = weights::pretraining(&analysis.runs, system).filter(|_| experiment.is_some());
        Self {
            start: weights::kind(start),
            pretraining_experiment: experiment.map(String::as_str),
            pretraining_model: model.map(String::as_str),
            pretraining_step: recorded.map(|pretraining| pretraining.step).or(step),
            pretraining_perplexity: recorded
                .and_then(|pretraining| pretraining.evaluation.as_ref()?.value("perplexity")),
        }
    }
}

impl<'a> GainGroup<'a> {
    pub(super) fn all(analysis: &'a Analysis<'_>) -> Vec<Self> {
        let label = |system: usize| analysis.systems[system].label.as_str();
        let mut groups = Vec::new();
        for gain in gain::all(analysis) {
            for (system, rows) in gain.pretrained {
                let tally = gain::tally(analysis, &rows);
                groups.push(Self {
                    random: label(gain.random),
                    pretrained: label(system),
                    tasks_helped: tally.helped,
                    tasks_clearly_helped: tally.clearly,
                    tasks_clearly_hurt: tally.hurt,
                    tasks: rows
                        .into_iter()
                        .map(|row| GainTask { task: &analysis.tasks[row.task].label, row })
                        .collect(),
                });
            }
        }
        groups
    }
}

impl<'a> OneAblation<'a> {
    pub(super) fn all(analysis: &'a Analysis<'_>) -> Vec<Self> {
        let label = |system: &usize| analysis.systems[*system].label.as_str();
        ablation::all(analysis)
            .into_iter()
            .map(|ablation| Self {
                experiment: &analysis.input.experiments[ablation.experiment].name,
                differs: ablation.kind,
                rows: ablation
                    .rows
                    .iter()
                    .map(|row| AblationRow {
                        models: row.systems.iter().map(label).collect(),
                        step: row.pretraining.step,
                        perplexity: row.perplexity,
                        scores: ablation
                            .columns
                            .iter()
                            .zip(&row.scores)
                            .map(|(column, score)| AblationScore {
                                task: &analysis.tasks[column.task].label,
                                features: column.features,
                                metric: column.metric.clone(),
                                value: score.map(|score| score.mean),
                                sd_over_seeds: score.and_then(|score| score.sd),
                            })
                            .collect(),
                    })
                    .collect(),
            })
            .collect()
    }
}
