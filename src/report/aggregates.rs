//! What the queries of [`super::frame`] answer, as Rust values.

use polars::prelude::{DataFrame, PolarsResult};

/// The scored seeds of one point of one system on one task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PointScore {
    /// Index of the system.
    pub(crate) system: usize,
    /// Index of the task.
    pub(crate) task: usize,
    /// The id of the settings without the seed.
    pub(crate) point: String,
    /// Seeds with a score.
    pub(crate) seeds: usize,
    /// Mean of the primary score over them.
    pub(crate) mean: f64,
    /// Sample standard deviation over them, from two seeds on.
    pub(crate) sd: Option<f64>,
}

/// The points of one system on one task: which is best, and how far they lie apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread {
    /// Index of the system.
    pub(crate) system: usize,
    /// Index of the task.
    pub(crate) task: usize,
    /// The best point.
    pub(crate) best: String,
    /// Points with a score.
    pub(crate) points: usize,
    /// The smallest point mean.
    pub(crate) min: f64,
    /// The median point mean.
    pub(crate) median: f64,
    /// The largest point mean.
    pub(crate) max: f64,
}

/// The best run of one seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeedBest {
    /// Index of the system.
    pub(crate) system: usize,
    /// Index of the task.
    pub(crate) task: usize,
    /// The seed.
    pub(crate) seed: u64,
    /// Its best primary score over the points.
    pub(crate) value: f64,
}

/// What the finished runs of one system cost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cost {
    /// Index of the system.
    pub(crate) system: usize,
    /// Finished runs.
    pub(crate) runs: usize,
    /// Seconds of all runs together.
    pub(crate) wall_total: f64,
    /// Median seconds of a run.
    pub(crate) wall_median: f64,
    /// Slowest run's training tokens per second.
    pub(crate) speed_min: f64,
    /// Median of the training tokens per second.
    pub(crate) speed_median: f64,
    /// Fastest run's training tokens per second.
    pub(crate) speed_max: f64,
    /// The largest peak memory, in bytes.
    pub(crate) peak_memory: u64,
    /// Shares of the total wall time: setup, forward, backward, optimizer, evaluation.
    pub(crate) shares: [f64; 5],
}

/// Every aggregate that the report prints.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregates {
    /// By system, task and point.
    pub(crate) points: Vec<PointScore>,
    /// By system and task.
    pub(crate) spreads: Vec<Spread>,
    /// By system, task and seed.
    pub(crate) seeds: Vec<SeedBest>,
    /// By system.
    pub(crate) costs: Vec<Cost>,
}

fn whole(frame: &DataFrame, name: &str) -> PolarsResult<Vec<u64>> {
    Ok(frame.column(name)?.u64()?.iter().map(Option::unwrap_or_default).collect())
}

fn real(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<f64>>> {
    Ok(frame.column(name)?.f64()?.iter().collect())
}

fn known(frame: &DataFrame, name: &str) -> PolarsResult<Vec<f64>> {
    Ok(real(frame, name)?.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

fn text(frame: &DataFrame, name: &str) -> PolarsResult<Vec<String>> {
    Ok(frame.column(name)?.str()?.iter().map(|value| value.unwrap_or_default().to_owned()).collect())
}

pub(super) fn read_points(frame: &DataFrame) -> PolarsResult<Vec<PointScore>> {
    let (system, task, point) = (whole(frame, "system")?, whole(frame, "task")?, text(frame, "point")?);
    let (seeds, mean, sd) = (whole(frame, "seeds")?, known(frame, "mean")?, real(frame, "sd")?);
    Ok((0..frame.height())
        .map(|row| PointScore {
            system: system[row] as usize,
            task: task[row] as usize,
            point: point[row].clone(),
            seeds: seeds[row] as usize,
            mean: mean[row],
            sd: sd[row],
        })
        .collect())
}

pub(super) fn read_spreads(frame: &DataFrame) -> PolarsResult<Vec<Spread>> {
    let (system, task, best) = (whole(frame, "system")?, whole(frame, "task")?, text(frame, "best")?);
    let points = whole(frame, "points")?;
    let (min, median, max) = (known(frame, "min")?, known(frame, "median")?, known(frame, "max")?);
    Ok((0..frame.height())
        .map(|row| Spread {
            system: system[row] as usize,
            task: task[row] as usize,
            best: best[row].clone(),
            points: points[row] as usize,
            min: min[row],
            median: median[row],
            max: max[row],
        })
        .collect())
}

pub(super) fn read_seeds(frame: &DataFrame) -> PolarsResult<Vec<SeedBest>> {
    let (system, task) = (whole(frame, "system")?, whole(frame, "task")?);
    let (seed, value) = (whole(frame, "seed")?, known(frame, "value")?);
    Ok((0..frame.height())
        .map(|row| SeedBest {
            system: system[row] as usize,
            task: task[row] as usize,
            seed: seed[row],
            value: value[row],
        })
        .collect())
}

pub(super) fn read_costs(frame: &DataFrame) -> PolarsResult<Vec<Cost>> {
    let (system, runs, memory) = (whole(frame, "system")?, whole(frame, "runs")?, whole(frame, "memory")?);
    let (wall_total, wall_median) = (known(frame, "wall_total")?, known(frame, "wall_median")?);
    let speeds = [known(frame, "speed_min")?, known(frame, "speed_median")?, known(frame, "speed_max")?];
    let shares = [
        known(frame, "setup")?,
        known(frame, "forward")?,
        known(frame, "backward")?,
        known(frame, "optimizer")?,
        known(frame, "evaluation")?,
    ];
    Ok((0..frame.height())
        .map(|row| Cost {
            system: system[row] as usize,
            runs: runs[row] as usize,
            wall_total: wall_total[row],
            wall_median: wall_median[row],
            speed_min: speeds[0][row],
            speed_median: speeds[1][row],
            speed_max: speeds[2][row],
            peak_memory: memory[row],
            shares: [0, 1, 2, 3, 4].map(|share: usize| shares[share][row]),
        })
        .collect())
}
