//! The one score by which a task is judged, and how its numbers are written.

use serde::Serialize;

use super::run::Run;
use crate::metric::Metric;
use crate::stats::Interval;
use crate::store::{Record, Score};

/// The score by which all runs of a task are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PrimaryMetric {
    /// `accuracy`, `mcc`, …
    pub(crate) metric: String,
    /// The dev split that it is taken from.
    pub(crate) split: String,
    /// How its numbers are written.
    pub(crate) unit: Unit,
    pub(crate) higher_is_better: bool,
}

/// What a number is, and with that how it is written and how uncertain it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// A share of examples: times 100, one decimal.
    Fraction,
    /// A correlation: times 100, one decimal.
    Correlation,
    /// Nats and everything else: as it is, three decimals.
    Plain,
}

impl Unit {
    /// The unit of a score as its record names it.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "fraction" => Self::Fraction,
            "correlation" => Self::Correlation,
            _ => Self::Plain,
        }
    }

    /// As JSON spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Correlation => "correlation",
            Self::Plain => "plain",
        }
    }

    /// Whether its numbers are shown times 100, and so may share an axis.
    pub(crate) fn is_hundredths(self) -> bool {
        self != Self::Plain
    }

    /// The number as the page shows it, without a sign for 0.
    pub(crate) fn shown(self, value: f64) -> String {
        let text = if self.is_hundredths() { format!("{:.1}", value * 100.0) } else { format!("{value:.3}") };
        // −0.04 rounds to −0.0, which reads as a mistake.
        let is_zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
        if is_zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "−") }
    }

    /// The number with its sign, for differences.
    pub(crate) fn signed(self, value: f64) -> String {
        let text = self.shown(value);
        let is_zero = text.chars().all(|c| c == '0' || c == '.');
        if value > 0.0 && !is_zero { format!("+{text}") } else { text }
    }

    /// `52.1 to 60.4`.
    pub(crate) fn range(self, Interval { low, high }: Interval) -> String {
        format!("{} to {}", self.shown(low), self.shown(high))
    }

    /// `−1.2 to +3.4`, of a difference.
    pub(crate) fn signed_range(self, Interval { low, high }: Interval) -> String {
        format!("{} to {}", self.signed(low), self.signed(high))
    }

    /// The number on the page's scale, for axes.
    pub(crate) fn scaled(self, value: f64) -> f64 {
        if self.is_hundredths() { value * 100.0 } else { value }
    }
}

/// A metric's name for readers.
pub(crate) fn metric_name(metric: &str) -> String {
    Metric::find(metric).map_or_else(|| metric.replace('_', " "), |known| known.title.to_owned())
}

impl PrimaryMetric {
    pub(crate) fn metric_name(&self) -> String {
        metric_name(&self.metric)
    }

    /// The split's name for readers: `dev matched`.
    pub(crate) fn split_name(&self) -> String {
        self.split.replace('_', " ")
    }

    /// `accuracy on dev matched`.
    pub(crate) fn described(&self) -> String {
        format!("{} on {}", self.metric_name(), self.split_name())
    }

    /// What the records of one task name as their primary score. Should versions of the code
    /// disagree, the alphabetically first name is read from all of them.
    pub(crate) fn of<'a>(records: impl Iterator<Item = &'a Record>) -> Option<Self> {
        let records: Vec<&Record> = records.collect();
        let names = records.iter().filter_map(|record| record.task()).map(|of| (&of.primary_metric, &of.primary_split));
        let (metric, split) = names.min()?;
        let score = records.iter().flat_map(|record| &record.scores).find(|s| s.metric == *metric && s.split == *split);
        Some(Self {
            metric: metric.clone(),
            split: split.clone(),
            unit: Unit::named(score.map_or("fraction", |score| score.unit.as_str())),
            higher_is_better: score.is_none_or(|score| score.higher_is_better),
        })
    }

    /// This score in a list of them, when it is a number.
    pub(crate) fn read(&self, scores: &[Score]) -> Option<f64> {
        let score = scores.iter().find(|score| score.metric == self.metric && score.split == self.split)?;
        score.value.filter(|value| value.is_finite())
    }

    /// Whether `score` is the one that [`PrimaryMetric::read`] finds in `record`.
    pub(crate) fn is_read_from(&self, record: &Record, score: &Score) -> bool {
        let first = record.scores.iter().find(|s| s.metric == self.metric && s.split == self.split);
        first.is_some_and(|first| std::ptr::eq(first, score))
    }

    /// The final score of a run; `None` when it did not finish or the score is not a number.
    pub(crate) fn score(&self, run: &Run<'_>) -> Option<f64> {
        self.read(&run.record()?.scores)
    }

    /// The final score with the sign that makes more better.
    pub(crate) fn signed_score(&self, value: f64) -> f64 {
        if self.higher_is_better { value } else { -value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_alike_everywhere() {
        assert_eq!(Unit::Fraction.shown(0.88449), "88.4");
        assert_eq!(Unit::Fraction.shown(-0.0531), "−5.3");
        assert_eq!(Unit::Fraction.shown(-0.0004), "0.0");
        assert_eq!(Unit::Fraction.signed(0.0123), "+1.2");
        assert_eq!(Unit::Fraction.signed(0.0001), "0.0");
        assert_eq!(Unit::Fraction.signed(-0.0123), "−1.2");
        assert_eq!(Unit::Plain.shown(1.23456), "1.235");
        assert_eq!(Unit::named("nats"), Unit::Plain);
        assert_eq!(Unit::named("correlation"), Unit::Correlation);
    }
}
