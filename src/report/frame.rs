//! The records as a data frame, and every aggregate of the report, through Polars.
//!
//! One long frame: a row per finished run and score. Groups are formed with a stable order, which also
//! keeps Polars from splitting a group between threads: the same records give the same bits.

use polars::prelude::{
    Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, LazyFrame, NamedFrom, PolarsResult, Series,
    SortMultipleOptions, col, len, lit,
};

use super::aggregates::{Aggregates, read_costs, read_points, read_seeds, read_spreads};
use super::primary_metric::PrimaryMetric;
use super::run::Run;
use crate::store::{Record, Timings};

/// Computes all aggregates of these runs. `primary_metrics` says, by task, which score counts.
pub(crate) fn aggregate(runs: &[Run<'_>], primary_metrics: &[Option<PrimaryMetric>]) -> PolarsResult<Aggregates> {
    let scores = scores_frame(runs, primary_metrics)?.lazy();
    let primary = scores.filter(col("primary").and(col("value").is_not_null()));
    let points = points_of(primary.clone()).collect()?;
    Ok(Aggregates {
        spreads: read_spreads(&spreads_of(points.clone().lazy()).collect()?)?,
        points: read_points(&points)?,
        seeds: read_seeds(&seeds_of(primary).collect()?)?,
        costs: read_costs(&costs_of(costs_frame(runs)?.lazy()).collect()?)?,
    })
}

/// A row per finished run and score. `signed_score` is the value with the sign that makes more better.
fn scores_frame(runs: &[Run<'_>], primary_metrics: &[Option<PrimaryMetric>]) -> PolarsResult<DataFrame> {
    let rows: Vec<_> = runs
        .iter()
        .filter_map(|run| run.record().map(|record| (run, record)))
        .flat_map(|(run, record)| record.scores.iter().map(move |score| (run, record, score)))
        .collect();
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let primary_metric = |run: &Run<'_>| primary_metrics.get(run.task?).and_then(Option::as_ref);
    let signed_score =
        |run: &Run<'_>, value: f64| primary_metric(run).map_or(value, |metric| metric.signed_score(value));
    let columns = vec![
        column("system", &rows, |(run, ..)| run.system as u64),
        column("task", &rows, |(run, ..)| run.task.unwrap_or_default() as u64),
        column("point", &rows, |(run, ..)| run.point.as_str()),
        column("batch_size", &rows, |(run, ..)| run.settings.optimization.batch_size),
        column("rate", &rows, |(run, ..)| run.settings.optimization.learning_rate),
        column("epochs", &rows, |(run, ..)| run.settings.epochs()),
        column("seed", &rows, |(run, ..)| run.settings.seed),
        column("primary", &rows, |(run, record, score)| {
            primary_metric(run).is_some_and(|primary_metric| primary_metric.is_read_from(record, score))
        }),
        column("value", &rows, |(.., score)| finite(score.value)),
        column("signed_score", &rows, |(run, _, score)| finite(score.value).map(|value| signed_score(run, value))),
    ];
    DataFrame::new(rows.len(), columns)
}

/// A column with a value of each row.
fn column<'r, R, T>(name: &str, rows: &'r [R], value: impl Fn(&'r R) -> T) -> Column
where
    Series: NamedFrom<Vec<T>, [T]>,
{
    Series::new(name.into(), rows.iter().map(value).collect::<Vec<_>>()).into_column()
}

/// A row per finished run, with its timings.
fn costs_frame(runs: &[Run<'_>]) -> PolarsResult<DataFrame> {
    let done: Vec<(u64, &Record)> = runs.iter().filter_map(|run| Some((run.system as u64, run.record()?))).collect();
    let times = |name: &str, pick: fn(&Timings) -> f64| column(name, &done, |(_, record)| pick(&record.timings));
    let columns = vec![
        column("system", &done, |(system, _)| *system),
        times("wall", |of| of.wall.0),
        times("setup", |of| of.setup.0),
        times("forward", |of| of.forward.0),
        times("backward", |of| of.backward.0),
        times("optimizer", |of| of.optimizer.0),
        times("evaluation", |of| of.evaluation.0),
        times("speed", |of| of.tokens_per_second),
        column("memory", &done, |(_, record)| record.peak_memory.0),
    ];
    DataFrame::new(done.len(), columns)
}

/// How many rows a group has.
fn count(name: &str) -> Expr {
    len().cast(DataType::UInt64).alias(name)
}

fn points_of(primary: LazyFrame) -> LazyFrame {
    primary
        .sort(["system", "task", "batch_size", "rate", "epochs", "point", "seed"], SortMultipleOptions::default())
        .group_by_stable([col("system"), col("task"), col("point")])
        .agg([
            col("batch_size").first(),
            col("rate").first(),
            col("epochs").first(),
            count("seeds"),
            col("value").mean().alias("mean"),
            col("value").std(1).alias("sd"),
            col("signed_score").mean().alias("signed_score"),
        ])
}

/// A point with fewer scored seeds than others stands back: the mean of the seeds that survived a
/// divergence is not comparable. Ties go to the smaller batch, the smaller rate, the fewer epochs.
fn spreads_of(points: LazyFrame) -> LazyFrame {
    let descending = [false, false, true, true, false, false, false, false];
    points
        .sort(
            ["system", "task", "seeds", "signed_score", "batch_size", "rate", "epochs", "point"],
            SortMultipleOptions::default().with_order_descending_multi(descending).with_maintain_order(true),
        )
        .group_by_stable([col("system"), col("task")])
        .agg([
            col("point").first().alias("best"),
            count("points"),
            col("mean").min().alias("min"),
            col("mean").median().alias("median"),
            col("mean").max().alias("max"),
        ])
        .sort(["system", "task"], SortMultipleOptions::default())
}

fn seeds_of(primary: LazyFrame) -> LazyFrame {
    primary
        .sort(
            ["system", "task", "seed", "signed_score"],
            SortMultipleOptions::default().with_order_descending_multi([false, false, false, true]),
        )
        .group_by_stable([col("system"), col("task"), col("seed")])
        .agg([col("value").first()])
}

fn costs_of(costs: LazyFrame) -> LazyFrame {
    let share = |name: &str| -> Expr { (col(name).sum() / col("wall").sum()).alias(name) };
    costs
        .sort(["system"], SortMultipleOptions::default().with_maintain_order(true))
        .group_by_stable([col("system")])
        .agg([
            count("runs"),
            col("wall").sum().alias("wall_total"),
            col("wall").median().alias("wall_median"),
            col("speed").min().alias("speed_min"),
            col("speed").median().alias("speed_median"),
            col("speed").max().alias("speed_max"),
            col("memory").max() + lit(0_u64),
            share("setup"),
            share("forward"),
            share("backward"),
            share("optimizer"),
            share("evaluation"),
        ])
}
