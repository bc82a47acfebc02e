//! `results.json`: the report's numbers for other programs, unrounded.

use serde::Serialize;

use super::Error;
use super::aggregates::Cost;
use super::analysis::Analysis;
use super::group::{Counts, Group};
use super::primary_metric::PrimaryMetric;
use super::results_json_pretraining::{GainGroup, OneAblation, Started};
use super::run::{Run, State};
use super::versus::VersusRow;
use super::versus_summary::Summary;
use crate::stats::Interval;
use crate::store::{Failure, Record, RunSettings};

/// Raised when the file's form changes.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Results<'a> {
    format: u32,
    title: &'a str,
    bertbench: &'static str,
    experiments: Vec<Experiment<'a>>,
    #[serde(rename = "results")]
    groups: Vec<TaskResult<'a>>,
    comparisons: Vec<Comparison<'a>>,
    costs: Vec<SystemCost<'a>>,
    runs: Vec<OneRun<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pretraining_effect: Vec<GainGroup<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ablations: Vec<OneAblation<'a>>,
}

#[derive(Serialize)]
struct Experiment<'a> {
    name: &'a str,
    plan_known: bool,
    runs: Counts,
    left_out_of_plan: usize,
}

/// One model on one task.
#[derive(Serialize)]
struct TaskResult<'a> {
    experiment: &'a str,
    benchmark: &'a str,
    task: &'a str,
    model: &'a str,
    #[serde(flatten)]
    started: Started<'a>,
    judged_by: Option<&'a PrimaryMetric>,
    runs: Counts,
    collapsed: usize,
    best: Option<Best<'a>>,
    points: Vec<OnePoint>,
    min: Option<f64>,
    median: Option<f64>,
    max: Option<f64>,
    best_of_seeds: Vec<(u64, f64)>,
    majority: Option<f64>,
    ceiling: Option<f64>,
}

#[derive(Serialize)]
struct Best<'a> {
    score: f64,
    interval: Option<Interval>,
    sd_over_seeds: Option<f64>,
    seeds: usize,
    run: Option<&'a str>,
    batch_size: u32,
    learning_rate: f64,
    epochs: u32,
}

#[derive(Serialize)]
struct OnePoint {
    batch_size: u32,
    learning_rate: f64,
    epochs: u32,
    seeds_planned: usize,
    seeds_scored: usize,
    mean: Option<f64>,
    sd: Option<f64>,
}

#[derive(Serialize)]
struct Comparison<'a> {
    reference: &'a str,
    model: &'a str,
    summary: Summary,
    tasks: Vec<ComparedTask<'a>>,
}

#[derive(Serialize)]
struct ComparedTask<'a> {
    task: &'a str,
    #[serde(flatten)]
    row: &'a VersusRow,
}

#[derive(Serialize)]
struct SystemCost<'a> {
    model: &'a str,
    runs: usize,
    wall_seconds_total: f64,
    wall_seconds_median: f64,
    tokens_per_second_median: f64,
    peak_memory_bytes: u64,
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
    let experiments = &analysis.input.experiments;
    let results = Results {
        format: FORMAT,
        title: &analysis.input.title,
        bertbench: env!("CARGO_PKG_VERSION"),
        experiments: experiments
            .iter()
            .enumerate()
            .map(|(at, experiment)| Experiment {
                name: &experiment.name,
                plan_known: !experiment.planned.is_empty(),
                runs: analysis.counts(|run| run.experiment == at),
                left_out_of_plan: analysis.unplanned[at],
            })
            .collect(),
        groups: analysis.groups.iter().map(|group| task_result(analysis, group)).collect(),
        comparisons: analysis
            .versus
            .iter()
            .map(|versus| Comparison {
                reference: &versus.a.label,
                model: &versus.b.label,
                summary: Summary::of(versus, &analysis.primary_metrics),
                tasks: versus
                    .rows
                    .iter()
                    .map(|row| ComparedTask { task: &analysis.tasks[row.task].label, row })
                    .collect(),
            })
            .collect(),
        costs: analysis.costs.iter().map(|cost| system_cost(analysis, cost)).collect(),
        runs: analysis.all_runs().map(|run| one_run(analysis, run)).collect(),
        pretraining_effect: GainGroup::all(analysis),
        ablations: OneAblation::all(analysis),
    };
    let mut bytes = serde_json::to_vec_pretty(&results)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn task_result<'a>(analysis: &'a Analysis<'_>, group: &'a Group<'_>) -> TaskResult<'a> {
    let (task, system) = (&analysis.tasks[group.task], &analysis.systems[group.system]);
    let best = group.best_score().zip(group.best).map(|(score, best)| {
        let settings = group.points[best].settings;
        Best {
            score: score.mean,
            interval: group.interval,
            sd_over_seeds: score.sd,
            seeds: score.seeds,
            run: analysis.best_run(group).map(|run| analysis.runs[run].id.0.as_str()),
            batch_size: settings.optimization.batch_size,
            learning_rate: settings.optimization.learning_rate,
            epochs: settings.epochs(),
        }
    });
    let points = group.points.iter().map(|point| OnePoint {
        batch_size: point.settings.optimization.batch_size,
        learning_rate: point.settings.optimization.learning_rate,
        epochs: point.settings.epochs(),
        seeds_planned: point.runs.len(),
        seeds_scored: point.score.as_ref().map_or(0, |score| score.seeds),
        mean: point.score.as_ref().map(|score| score.mean),
        sd: point.score.as_ref().and_then(|score| score.sd),
    });
    TaskResult {
        experiment: &analysis.input.experiments[system.experiment].name,
        benchmark: &task.benchmark,
        task: &task.name,
        model: &system.model,
        started: Started::of(analysis, group.system),
        judged_by: analysis.primary_metrics[group.task].as_ref(),
        runs: group.counts,
        collapsed: group.collapsed,
        best,
        points: points.collect(),
        min: group.spread.as_ref().map(|spread| spread.min),
        median: group.spread.as_ref().map(|spread| spread.median),
        max: group.spread.as_ref().map(|spread| spread.max),
        best_of_seeds: group.seeds.iter().map(|seed| (seed.seed, seed.value)).collect(),
        majority: group.majority,
        ceiling: group.ceiling,
    }
}

fn system_cost<'a>(analysis: &'a Analysis<'_>, cost: &Cost) -> SystemCost<'a> {
    SystemCost {
        model: &analysis.systems[cost.system].label,
        runs: cost.runs,
        wall_seconds_total: cost.wall_total,
        wall_seconds_median: cost.wall_median,
        tokens_per_second_median: cost.speed_median,
        peak_memory_bytes: cost.peak_memory,
    }
}

fn one_run<'a>(analysis: &'a Analysis<'_>, run: &'a Run<'_>) -> OneRun<'a> {
    let failure = match run.state {
        State::Failed(failure) => Some(failure),
        State::Done(_) | State::Missing => None,
    };
    let experiment = &analysis.input.experiments[run.experiment].name;
    OneRun {
        experiment,
        id: &run.id.0,
        state: run.state_name(),
        last_step: run.last_step(),
        settings: run.settings,
        record: run.record(),
        failure,
    }
}
