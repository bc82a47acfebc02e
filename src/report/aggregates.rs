//! What the queries of [`super::frame`] answer, as Rust values; systems and tasks by their indices in the analysis.

use polars::prelude::{DataFrame, PolarsResult};

/// The scored seeds of one point of one system on one task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PointScore {
    pub(crate) system: usize,
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
    pub(crate) system: usize,
    pub(crate) task: usize,
    pub(crate) best: String,
    /// Points with a score.
    pub(crate) points: usize,
    /// Of the means of the points.
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

/// The best run of one seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeedBest {
    pub(crate) system: usize,
    pub(crate) task: usize,
    pub(crate) seed: u64,
    /// Its best primary score over the points.
    pub(crate) value: f64,
}

/// What the finished runs of one system cost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) system: usize,
    /// Finished runs.
    pub(crate) runs: usize,
    /// Seconds of all runs together.
    pub(crate) wall_total: f64,
    /// Median seconds of a run.
    pub(crate) wall_median: f64,
    /// Of the runs' training tokens per second.
    pub(crate) speed_min: f64,
    pub(crate) speed_median: f64,
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

/// The rows of a frame, each made by `read` from the values of its named columns.
fn rows<T>(frame: &DataFrame, read: impl Fn(&Row<'_>) -> PolarsResult<T>) -> PolarsResult<Vec<T>> {
    (0..frame.height()).map(|at| read(&Row { frame, at })).collect()
}

struct Row<'a> {
    frame: &'a DataFrame,
    at: usize,
}

impl Row<'_> {
    fn whole(&self, name: &str) -> PolarsResult<u64> {
        Ok(self.frame.column(name)?.u64()?.get(self.at).unwrap_or_default())
    }

    fn index(&self, name: &str) -> PolarsResult<usize> {
        Ok(self.whole(name)? as usize)
    }

    fn optional(&self, name: &str) -> PolarsResult<Option<f64>> {
        Ok(self.frame.column(name)?.f64()?.get(self.at))
    }

    fn real(&self, name: &str) -> PolarsResult<f64> {
        Ok(self.optional(name)?.unwrap_or(f64::NAN))
    }

    fn text(&self, name: &str) -> PolarsResult<String> {
        Ok(self.frame.column(name)?.str()?.get(self.at).unwrap_or_default().to_owned())
    }
}

pub(super) fn read_points(frame: &DataFrame) -> PolarsResult<Vec<PointScore>> {
    rows(frame, |row| {
        Ok(PointScore {
            system: row.index("system")?,
            task: row.index("task")?,
            point: row.text("point")?,
            seeds: row.index("seeds")?,
            mean: row.real("mean")?,
            sd: row.optional("sd")?,
        })
    })
}

pub(super) fn read_spreads(frame: &DataFrame) -> PolarsResult<Vec<Spread>> {
    rows(frame, |row| {
        Ok(Spread {
            system: row.index("system")?,
            task: row.index("task")?,
            best: row.text("best")?,
            points: row.index("points")?,
            min: row.real("min")?,
            median: row.real("median")?,
            max: row.real("max")?,
        })
    })
}

pub(super) fn read_seeds(frame: &DataFrame) -> PolarsResult<Vec<SeedBest>> {
    rows(frame, |row| {
        let (system, task) = (row.index("system")?, row.index("task")?);
        Ok(SeedBest { system, task, seed: row.whole("seed")?, value: row.real("value")? })
    })
}

pub(super) fn read_costs(frame: &DataFrame) -> PolarsResult<Vec<Cost>> {
    rows(frame, |row| {
        Ok(Cost {
            system: row.index("system")?,
            runs: row.index("runs")?,
            wall_total: row.real("wall_total")?,
            wall_median: row.real("wall_median")?,
            speed_min: row.real("speed_min")?,
            speed_median: row.real("speed_median")?,
            speed_max: row.real("speed_max")?,
            peak_memory: row.whole("memory")?,
            shares: [
                row.real("setup")?,
                row.real("forward")?,
                row.real("backward")?,
                row.real("optimizer")?,
                row.real("evaluation")?,
            ],
        })
    })
}
