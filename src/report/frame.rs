//! The records as a data frame, and every aggregate of the report, through Polars.
//!
//! One long frame: a row per finished run and score. Groups are formed with a stable order, which also
//! keeps Polars from splitting a group between threads: the same records give the same bits.

use polars::prelude::{Column, DataFrame, Expr, IntoLazy, LazyFrame, PolarsResult, SortMultipleOptions, col, len, lit};

use super::aggregates::{Aggregates, read_costs, read_points, read_seeds, read_spreads};
use super::primary_metric::PrimaryMetric;
use super::run::Run;

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
    let lower_is_better =
        |run: &Run<'_>| primary_metric(run).is_some_and(|primary_metric| !primary_metric.higher_is_better);
    let signed_score = |run: &Run<'_>, value: f64| if lower_is_better(run) { -value } else { value };
    DataFrame::new(
        rows.len(),
        vec![
            Column::new("system".into(), rows.iter().map(|(run, ..)| run.system as u64).collect::<Vec<_>>()),
            Column::new(
                "task".into(),
                rows.iter().map(|(run, ..)| run.task.unwrap_or_default() as u64).collect::<Vec<_>>(),
            ),
            Column::new("point".into(), rows.iter().map(|(run, ..)| run.point.as_str()).collect::<Vec<_>>()),
            Column::new(
                "batch_size".into(),
                rows.iter().map(|(run, ..)| run.settings.optimization.batch_size).collect::<Vec<_>>(),
            ),
            Column::new(
                "rate".into(),
                rows.iter().map(|(run, ..)| run.settings.optimization.learning_rate).collect::<Vec<_>>(),
            ),
            Column::new("epochs".into(), rows.iter().map(|(run, ..)| run.settings.epochs()).collect::<Vec<_>>()),
            Column::new("seed".into(), rows.iter().map(|(run, ..)| run.settings.seed).collect::<Vec<_>>()),
            Column::new(
                "primary".into(),
                rows.iter()
                    .map(|(run, record, score)| {
                        primary_metric(run).is_some_and(|primary_metric| primary_metric.is_read_from(record, score))
                    })
                    .collect::<Vec<_>>(),
            ),
            Column::new("value".into(), rows.iter().map(|(.., score)| finite(score.value)).collect::<Vec<_>>()),
            Column::new(
                "signed_score".into(),
                rows.iter()
                    .map(|(run, _, score)| finite(score.value).map(|value| signed_score(run, value)))
                    .collect::<Vec<_>>(),
            ),
        ],
    )
}

/// A row per finished run, with its timings.
fn costs_frame(runs: &[Run<'_>]) -> PolarsResult<DataFrame> {
    let done: Vec<_> = runs.iter().filter_map(|run| run.record().map(|record| (run.system as u64, record))).collect();
    let times =
        |pick: fn(&crate::store::Timings) -> f64| done.iter().map(|(_, r)| pick(&r.timings)).collect::<Vec<_>>();
    DataFrame::new(
        done.len(),
        vec![
            Column::new("system".into(), done.iter().map(|(system, _)| *system).collect::<Vec<_>>()),
            Column::new("wall".into(), times(|t| t.wall.0)),
            Column::new("setup".into(), times(|t| t.setup.0)),
            Column::new("forward".into(), times(|t| t.forward.0)),
            Column::new("backward".into(), times(|t| t.backward.0)),
            Column::new("optimizer".into(), times(|t| t.optimizer.0)),
            Column::new("evaluation".into(), times(|t| t.evaluation.0)),
            Column::new("speed".into(), times(|t| t.tokens_per_second)),
            Column::new("memory".into(), done.iter().map(|(_, r)| r.peak_memory.0).collect::<Vec<_>>()),
        ],
    )
}

fn points_of(primary: LazyFrame) -> LazyFrame {
    primary
        .sort(["system", "task", "batch_size", "rate", "epochs", "point", "seed"], SortMultipleOptions::default())
        .group_by_stable([col("system"), col("task"), col("point")])
        .agg([
            col("batch_size").first(),
            col("rate").first(),
            col("epochs").first(),
            len().cast(polars::prelude::DataType::UInt64).alias("seeds"),
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
            len().cast(polars::prelude::DataType::UInt64).alias("points"),
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
            len().cast(polars::prelude::DataType::UInt64).alias("runs"),
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
