//! A comparison in one sentence.

use serde::Serialize;

use super::phrase::counted;
use super::primary_metric::{PrimaryMetric, Unit};
use super::versus::{Versus, VersusRow};
use crate::stats::{Interval, mean, t_interval};

/// Below it, a corrected p-value counts as a difference.
const SIGNIFICANT: f64 = 0.05;

/// What becomes of a comparison over all its tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// Tasks on which both have a score.
    pub(crate) tasks: usize,
    /// Tasks on which the other's best score is better.
    pub(crate) better: usize,
    /// Tasks on which it is better, and p corrected by Holm is below 0.05.
    pub(crate) wins: usize,
    /// Tasks on which neither is so.
    pub(crate) ties: usize,
    /// Tasks on which the reference is.
    pub(crate) losses: usize,
    /// Mean of the differences of the best scores over the tasks whose scores are shares or correlations, as a fraction.
    pub(crate) mean_difference: Option<f64>,
    /// Its 95 % interval over tasks, by Student's t.
    pub(crate) interval: Option<Interval>,
    /// The other's median seconds of a run over the reference's, both summed over the tasks.
    pub(crate) time_ratio: Option<f64>,
}

/// Which side of a row is better, by the corrected p-value over all seeds where there are several, else of the best runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The other model.
    Better,
    /// The reference.
    Worse,
    /// Neither: the difference may be chance.
    NoDifferenceShown,
    /// Nothing was tested.
    NotTested,
}

impl Verdict {
    pub(crate) fn of(row: &VersusRow, primary_metric: &PrimaryMetric) -> Self {
        let by_seeds = row.seeds.as_ref().and_then(|of| Some((of.difference, of.adjusted_p?)));
        let by_runs = || row.examples.as_ref().and_then(|of| Some((of.difference, of.adjusted_p?)));
        Self::by(by_seeds.or_else(by_runs), primary_metric)
    }

    /// The verdict of one test: the difference, and its corrected p-value.
    pub(crate) fn by(tested: Option<(f64, f64)>, primary_metric: &PrimaryMetric) -> Self {
        match tested {
            None => Self::NotTested,
            Some((_, p)) if p >= SIGNIFICANT => Self::NoDifferenceShown,
            Some((difference, _)) if primary_metric.signed_score(difference) > 0.0 => Self::Better,
            Some(_) => Self::Worse,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceShown => "tie",
            Self::NotTested => "–",
        }
    }
}

impl Summary {
    /// Of all rows of a comparison.
    pub(crate) fn of(versus: &Versus, primary_metrics: &[Option<PrimaryMetric>]) -> Self {
        let mut found = Self::default();
        let (mut differences, mut wall) = (Vec::new(), [0.0, 0.0]);
        for row in &versus.rows {
            let (Some(primary_metric), Some(a), Some(b)) = (primary_metrics[row.task].as_ref(), row.best_a, row.best_b)
            else {
                continue;
            };
            let difference = primary_metric.signed_score(b - a);
            found.tasks += 1;
            found.better += usize::from(difference > 0.0);
            match Verdict::of(row, primary_metric) {
                Verdict::Better => found.wins += 1,
                Verdict::Worse => found.losses += 1,
                Verdict::NoDifferenceShown => found.ties += 1,
                Verdict::NotTested => {}
            }
            if primary_metric.unit.is_hundredths() {
                differences.push(difference);
            }
            if let [Some(a), Some(b)] = row.wall_seconds {
                wall = [wall[0] + a, wall[1] + b];
            }
        }
        found.mean_difference = mean(&differences);
        found.interval = t_interval(&differences, 0.95);
        found.time_ratio = (wall[0] > 0.0 && wall[1] > 0.0).then(|| wall[1] / wall[0]);
        found
    }

    /// "large has a better score than base on 9 of 11 tasks, by 2.1 ± 0.8 points on average, and cost 3.1 times the time", with what
    /// was tested behind it.
    pub(crate) fn sentence(&self, versus: &Versus) -> String {
        let (a, b) = (&versus.a.label, &versus.b.label);
        if self.tasks == 0 {
            return format!("{b} and {a} have no task with a score of both.");
        }
        let mut text = format!("{b} has a better score than {a} on {} of {}", self.better, counted(self.tasks, "task"));
        if let Some(mean) = self.mean_difference {
            let half = self.interval.map(|interval| (interval.high - interval.low) / 2.0);
            let half = half.map_or_else(String::new, |half| format!(" ± {}", Unit::Fraction.shown(half)));
            // Of a mean that shows as 0 neither word would be true.
            let (before, after) = match Unit::Fraction.shown(mean.abs()) {
                shown if shown.chars().all(|c| "0.".contains(c)) => (", with no difference on average", String::new()),
                shown if mean > 0.0 => (", by ", format!("{shown}{half} points on average")),
                shown => ("; on average it is ", format!("{shown}{half} points worse")),
            };
            text.extend([before, &after]);
        }
        if let Some(ratio) = self.time_ratio {
            text.extend([", and cost ", &format!("{ratio:.1}"), " times the time"]);
        }
        text.push('.');
        if self.wins + self.ties + self.losses > 0 {
            let ties = counted(self.ties, "task");
            let (won, lost) = (self.wins, self.losses);
            text.push_str(" Example by example (Holm, p < 0.05): ");
            text.extend([&won.to_string(), " won, ", &lost.to_string(), " lost, no difference shown on ", &ties, "."]);
        }
        text
    }
}
