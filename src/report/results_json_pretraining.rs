//! What `results.json` says of pretraining: the runs, what they give, and the ablations made with them.

use serde_json::{Value, json};

use super::ablation::{self, Ablation, AblationRow};
use super::analysis::Analysis;
use super::gain;
use super::weights;
use crate::store::InitialWeights;

/// One object with the entries of several, in their order.
pub(super) fn joined(parts: impl IntoIterator<Item = Value>) -> Value {
    let entries = parts.into_iter().filter_map(|part| match part {
        Value::Object(entries) => Some(entries),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    });
    Value::Object(entries.flatten().collect())
}

/// Where the weights of a system come from; what is not known of a pretraining is left out.
pub(super) fn start(analysis: &Analysis<'_>, system: usize) -> Value {
    let start = &analysis.systems[system].initial_weights;
    let kind = json!({"start": weights::kind(start)});
    let InitialWeights::Pretraining { experiment, model, step, .. } = start else { return kind };
    let recorded = weights::pretraining(&analysis.runs, system);
    let step = recorded.map(|pretraining| pretraining.step).or(*step);
    let perplexity = recorded.and_then(|pretraining| pretraining.evaluation.as_ref()?.value("perplexity"));
    let of = json!({"pretraining_experiment": experiment, "pretraining_model": model});
    let step = step.map(|step| json!({"pretraining_step": step}));
    let perplexity = perplexity.map(|perplexity| json!({"pretraining_perplexity": perplexity}));
    joined([kind, of].into_iter().chain(step).chain(perplexity))
}

/// Each pretrained system against the same one from random weights.
pub(super) fn pretraining_effect(analysis: &Analysis<'_>) -> Vec<Value> {
    let label = |system: usize| &analysis.systems[system].label;
    let mut found = Vec::new();
    for gain in gain::all(analysis) {
        for (system, rows) in gain.pretrained {
            let tally = gain::tally(analysis, &rows);
            let tasks = rows.iter();
            let tasks = tasks.map(|row| joined([json!({"task": analysis.tasks[row.task].label}), json!(row)]));
            found.push(json!({
                "random": label(gain.random),
                "pretrained": label(system),
                "tasks_helped": tally.helped,
                "tasks_clearly_helped": tally.clearly,
                "tasks_clearly_hurt": tally.hurt,
                "tasks": tasks.collect::<Vec<_>>(),
            }));
        }
    }
    found
}

/// The paper's ablations.
pub(super) fn ablations(analysis: &Analysis<'_>) -> Vec<Value> {
    let row = |of: &Ablation<'_>, row: &AblationRow<'_>| {
        let scores = of.columns.iter().zip(&row.scores).map(|(column, score)| {
            json!({
                "task": analysis.tasks[column.task].label,
                "features": column.features,
                "metric": column.metric,
                "value": score.map(|score| score.mean),
                "sd_over_seeds": score.and_then(|score| score.sd),
            })
        });
        json!({
            "models": row.systems.iter().map(|system| &analysis.systems[*system].label).collect::<Vec<_>>(),
            "step": row.pretraining.step,
            "perplexity": row.perplexity,
            "scores": scores.collect::<Vec<_>>(),
        })
    };
    let all = ablation::all(analysis);
    let shown = all.iter().map(|of| {
        json!({
            "experiment": analysis.input.experiments[of.experiment].name,
            "differs": of.kind,
            "rows": of.rows.iter().map(|one| row(of, one)).collect::<Vec<_>>(),
        })
    });
    shown.collect()
}
