//! `results.json`: the report's numbers for other programs, unrounded.

use serde::Serialize;
use serde_json::{Value, json};

use super::Error;
use super::analysis::Analysis;
use super::group::{Group, Point};
use super::results_json_pretraining::{ablations, joined, pretraining_effect, start};
use super::run::{Run, State};
use super::versus::Versus;
use super::versus_summary::Summary;
use crate::store::{Failure, Record, RunSettings};

/// Raised when the file's form changes.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    title: &'a str,
    bertbench: &'static str,
    experiments: Vec<Value>,
    results: Vec<Value>,
    comparisons: Vec<Value>,
    costs: Vec<Value>,
    runs: Vec<OneRun<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pretraining_effect: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ablations: Vec<Value>,
}

#[derive(Serialize)]
struct OneRun<'a> {
    experiment: &'a str,
    id: &'a str,
    state: &'static str,
    last_step: Option<u64>,
    settings: &'a RunSettings,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
}

/// The whole file. A number that is not finite is written as null.
pub(crate) fn render(analysis: &Analysis<'_>) -> Result<Vec<u8>, Error> {
    let experiments = analysis.input.experiments.iter().enumerate().map(|(at, experiment)| {
        json!({
            "name": experiment.name,
            "plan_known": !experiment.planned.is_empty(),
            "runs": analysis.counts(|run| run.experiment == at),
            "left_out_of_plan": analysis.unplanned[at],
        })
    });
    let costs = analysis.costs.iter().map(|cost| {
        json!({
            "model": analysis.systems[cost.system].label,
            "runs": cost.runs,
            "wall_seconds_total": cost.wall_total,
            "wall_seconds_median": cost.wall_median,
            "tokens_per_second_median": cost.speed_median,
            "peak_memory_bytes": cost.peak_memory,
        })
    });
    let document = Document {
        format: FORMAT,
        title: &analysis.input.title,
        bertbench: env!("CARGO_PKG_VERSION"),
        experiments: experiments.collect(),
        results: analysis.groups.iter().map(|group| task_result(analysis, group)).collect(),
        comparisons: analysis.versus.iter().map(|versus| comparison(analysis, versus)).collect(),
        costs: costs.collect(),
        runs: analysis.all_runs().map(|run| one_run(analysis, run)).collect(),
        pretraining_effect: pretraining_effect(analysis),
        ablations: ablations(analysis),
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// One model on one task.
fn task_result(analysis: &Analysis<'_>, group: &Group<'_>) -> Value {
    let (task, system) = (&analysis.tasks[group.task], &analysis.systems[group.system]);
    let best = group.best_score().zip(group.best).map(|(score, best)| {
        let settings = group.points[best].settings;
        json!({
            "score": score.mean,
            "interval": group.interval,
            "sd_over_seeds": score.sd,
            "seeds": score.seeds,
            "run": group.best_run(analysis.compared()).map(|run| &analysis.runs[run].id),
            "batch_size": settings.optimization.batch_size,
            "learning_rate": settings.optimization.learning_rate,
            "epochs": settings.epochs(),
        })
    });
    let point = |point: &Point<'_>| {
        let (settings, score) = (point.settings, point.score.as_ref());
        json!({
            "batch_size": settings.optimization.batch_size,
            "learning_rate": settings.optimization.learning_rate,
            "epochs": settings.epochs(),
            "seeds_planned": point.runs.len(),
            "seeds_scored": score.map_or(0, |score| score.seeds),
            "mean": score.map(|score| score.mean),
            "sd": score.and_then(|score| score.sd),
        })
    };
    let spread = group.spread.as_ref();
    let named = json!({
        "experiment": analysis.input.experiments[system.experiment].name,
        "benchmark": task.benchmark,
        "task": task.name,
        "model": system.model,
    });
    let results = json!({
        "judged_by": analysis.primary_metrics[group.task],
        "runs": group.counts,
        "collapsed": group.collapsed,
        "best": best,
        "points": group.points.iter().map(point).collect::<Vec<_>>(),
        "min": spread.map(|spread| spread.min),
        "median": spread.map(|spread| spread.median),
        "max": spread.map(|spread| spread.max),
        "best_of_seeds": group.seeds.iter().map(|seed| (seed.seed, seed.value)).collect::<Vec<_>>(),
        "majority": group.majority,
        "ceiling": group.ceiling,
    });
    joined([named, start(analysis, group.system), results])
}

fn comparison(analysis: &Analysis<'_>, versus: &Versus) -> Value {
    let rows = versus.rows.iter();
    let tasks = rows.map(|row| joined([json!({"task": analysis.tasks[row.task].label}), json!(row)]));
    json!({
        "reference": versus.a.label,
        "model": versus.b.label,
        "summary": Summary::of(versus, &analysis.primary_metrics),
        "tasks": tasks.collect::<Vec<_>>(),
    })
}

fn one_run<'a>(analysis: &'a Analysis<'_>, run: &'a Run<'_>) -> OneRun<'a> {
    let failure = match run.state {
        State::Failed(failure) => Some(failure),
        State::Done(_) | State::Missing => None,
    };
    OneRun {
        experiment: &analysis.input.experiments[run.experiment].name,
        id: &run.id.0,
        state: run.state_name(),
        last_step: run.last_step(),
        settings: run.settings,
        record: run.record(),
        failure,
    }
}
