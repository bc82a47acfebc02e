//! What was measured of a representation: scores of the probes, and speed.

use std::collections::BTreeSet;

use crate::report::analysis::Analysis;
use crate::report::block::Cell;
use crate::report::run::Run;
use crate::settings::EncoderType;
use crate::stats;
use crate::store::{InitialWeights, Record};

/// A distance is bridged, and a side is seen, where F1 is at least half-way from chance, one half, to 1.
pub(super) const BRIDGED: f64 = 0.75;
const LEVEL: f64 = 0.95;
/// The groups of the task `sides`.
const SIDES: [&str; 3] = ["left", "right", "both"];
/// The tasks that ask how far: their names, as they head a column, and what is asked.
pub(super) const PROBES: [(&str, &str, &str); 3] = [
    ("reach", "One word", "one word decides, and a mark tells which"),
    ("lookup", "Any word", "up to 44 words were said, and any of 16 may be asked"),
    ("agreement", "Agreement", "a verb agrees with its subject, or a reflexive pronoun with its person"),
];

/// Scores of one place of the table, a number for each seed.
pub(super) struct Scores(pub(super) Vec<f64>);

/// A system with what was measured of it.
pub(super) struct Measured {
    pub(super) system: usize,
    pub(super) encoder: EncoderType,
    pub(super) layers: u32,
    /// F1 by distance, ascending, of each of [`PROBES`].
    pub(super) far: [Vec<(u32, Scores)>; PROBES.len()],
    /// F1 of [`SIDES`].
    pub(super) sides: [Scores; SIDES.len()],
    /// Training tokens per second of pretraining, by length of the examples.
    pub(super) speed: Vec<(u32, f64)>,
}

/// How far a representation goes in one of [`PROBES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bridged {
    /// Not even the first distance, which this is.
    Below(u32),
    /// The greatest distance up to which all are bridged.
    To(u32),
    /// As the other, and it is the greatest that was asked.
    AtLeast(u32),
}

impl Measured {
    pub(super) fn of(analysis: &Analysis<'_>, system: usize) -> Self {
        let architecture = &analysis.systems[system].architecture;
        let score = |task: &str, split: &str| -> Scores {
            let of = |run: &Run<'_>| {
                let scores = &run.record()?.scores;
                scores.iter().find(|score| score.split == split && score.metric == "f1")?.value
            };
            Scores(runs(analysis, system, task).filter_map(of).collect())
        };
        let far = |(task, ..): (&str, &str, &str)| {
            let asked = distances(analysis, system, task).into_iter();
            asked.map(|distance| (distance, score(task, &format!("dev_{distance}")))).collect()
        };
        Self {
            system,
            encoder: architecture.encoder,
            layers: architecture.layers,
            far: PROBES.map(far),
            sides: SIDES.map(|side| score("sides", &format!("dev_{side}"))),
            speed: speed(analysis, system),
        }
    }

    /// Whether no probe was run.
    pub(super) fn is_empty(&self) -> bool {
        self.far.iter().all(Vec::is_empty) && self.sides.iter().all(|side| side.0.is_empty())
    }

    /// How far it goes in the probe at `index`; `None` where that was not run.
    pub(super) fn bridged(&self, index: usize) -> Option<Bridged> {
        let asked = &self.far[index];
        let (first, last) = (asked.first()?.0, asked.last()?.0);
        let bridged = asked.iter().take_while(|(_, scores)| scores.mean().is_some_and(|mean| mean >= BRIDGED));
        Some(match bridged.last().map(|(distance, _)| *distance) {
            None => Bridged::Below(first),
            Some(distance) if distance == last => Bridged::AtLeast(distance),
            Some(distance) => Bridged::To(distance),
        })
    }

    /// The degree of reach that the numbers support: 3 for any word at every distance that was asked, 2 for one that is
    /// kept, at some distance, 1 for neither. `None` where one of the two probes was not run, or not learnt.
    pub(super) fn degree(&self) -> Option<u32> {
        let [one, any] = [self.bridged(0)?, self.bridged(1)?];
        if (0..=1).any(|index| self.not_learnt(index).is_some()) {
            return None;
        }
        Some(match (one, any) {
            (_, Bridged::AtLeast(_)) => 3,
            (Bridged::Below(_), Bridged::Below(_)) => 1,
            (_, _) => 2,
        })
    }

    /// The shortest distance that was asked in the probe at `index`, if not even that was bridged by a model that sees more
    /// than the word itself: every such model can, so it was not trained enough for its score to say how far it reaches.
    pub(super) fn not_learnt(&self, index: usize) -> Option<u32> {
        match self.bridged(index)? {
            Bridged::Below(first) if self.encoder.facts().is_contextual => Some(first),
            Bridged::Below(_) | Bridged::To(_) | Bridged::AtLeast(_) => None,
        }
    }

    /// Whether words on both sides are seen, where both were asked.
    pub(super) fn sees_both(&self) -> Option<bool> {
        let [left, right, _] = &self.sides;
        Some(left.mean()? >= BRIDGED && right.mean()? >= BRIDGED)
    }

    /// Whether no side was learnt, by a model that sees more than the word itself: then it was not trained enough.
    pub(super) fn learnt_nothing(&self) -> bool {
        let [left, right, _] = self.sides.each_ref().map(Scores::mean);
        let below = |mean: Option<f64>| mean.is_some_and(|mean| mean < BRIDGED);
        self.encoder.facts().is_contextual && below(left) && below(right)
    }
}

/// The runs of a system on a task that have a record, of the point of the sweep that is best over all groups of the probe.
fn runs<'a, 'b>(analysis: &'a Analysis<'b>, system: usize, task: &str) -> impl Iterator<Item = &'a Run<'b>> {
    let task = analysis.tasks.iter().position(|known| known.name == task);
    let points = task.and_then(|task| analysis.group(task, system)).map_or(&[][..], |group| &group.points);
    let done = |at: &usize| Some(&analysis.runs[*at]).filter(|run| run.record().is_some());
    let of_point = points.iter().map(|point| point.runs.iter().filter_map(done).collect::<Vec<&Run<'_>>>());
    best(of_point.collect(), |run| run.record().map(f1).unwrap_or_default()).into_iter()
}

fn f1(record: &Record) -> Vec<f64> {
    record.scores.iter().filter(|score| score.metric == "f1").filter_map(|score| score.value).collect()
}

/// The point whose runs have the greatest mean of all `scores`, of equals the first; empty without a score.
fn best<T>(points: Vec<Vec<T>>, scores: impl Fn(&T) -> Vec<f64>) -> Vec<T> {
    let mean = |runs: &[T]| stats::mean(&runs.iter().flat_map(&scores).collect::<Vec<f64>>());
    let with_mean = points.into_iter().filter_map(|runs| Some((mean(&runs)?, runs)));
    let better = |best: (f64, Vec<T>), next: (f64, Vec<T>)| if next.0 > best.0 { next } else { best };
    with_mean.reduce(better).map(|(_, runs)| runs).unwrap_or_default()
}

/// The distances that a task's dev files are of, ascending.
fn distances(analysis: &Analysis<'_>, system: usize, task: &str) -> BTreeSet<u32> {
    let records = runs(analysis, system, task).filter_map(Run::record);
    let splits = records.flat_map(|record| &record.scores).map(|score| &score.split);
    splits.filter_map(|split| split.strip_prefix("dev_")?.parse().ok()).collect()
}

/// Read off the log of the pretraining that a system starts from: the median of each phase's lines.
fn speed(analysis: &Analysis<'_>, system: usize) -> Vec<(u32, f64)> {
    let InitialWeights::Pretraining { run: id, .. } = &analysis.systems[system].initial_weights else {
        return Vec::new();
    };
    let Some(run) = analysis.pretraining.iter().find(|run| run.id == *id) else { return Vec::new() };
    let Some(objective) = run.settings.pretraining() else { return Vec::new() };
    let of_phase = |(at, length): (usize, u32)| {
        let lines: Vec<f64> =
            run.steps().filter(|step| step.phase == Some(at)).map(|step| step.tokens_per_second).collect();
        Some((length, stats::median(&lines)?))
    };
    (1..).zip(objective.phases.iter().map(|phase| phase.max_length)).filter_map(of_phase).collect()
}

impl Scores {
    pub(super) fn mean(&self) -> Option<f64> {
        stats::mean(&self.0)
    }

    /// The mean and half of its interval, in per cent.
    pub(super) fn cell(&self) -> Cell {
        let shown = Cell::known(self.mean(), "it was not measured", |mean| format!("{:.1}", 100.0 * mean));
        match stats::t_interval(&self.0, LEVEL) {
            Some(interval) => shown.small(format!("± {:.1}", 50.0 * (interval.high - interval.low))),
            None => shown,
        }
    }
}

impl Bridged {
    pub(super) fn cell(self) -> Cell {
        match self {
            Self::Below(first) => Cell::number(format!("< {first}"), 0.0),
            Self::To(distance) => Cell::number(distance.to_string(), f64::from(distance)),
            Self::AtLeast(distance) => Cell::number(format!("≥ {distance}"), f64::from(distance)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn at(distances: &[(u32, f64)]) -> Vec<(u32, Scores)> {
        distances.iter().map(|(distance, score)| (*distance, Scores(vec![*score]))).collect()
    }

    /// With scores of the first two probes at 2 and 4 tokens, and of the left and the right side.
    pub(in super::super) fn measured(
        encoder: EncoderType,
        one: [f64; 2],
        any: [f64; 2],
        [left, right]: [f64; 2],
    ) -> Measured {
        let far = |[near, far]: [f64; 2]| at(&[(2, near), (4, far)]);
        let sides = [left, right, 0.5].map(|score| Scores(vec![score]));
        Measured { system: 0, encoder, layers: 1, far: [far(one), far(any), Vec::new()], sides, speed: Vec::new() }
    }

    #[test]
    fn the_point_with_the_best_mean_over_all_distances_is_read() {
        let scores = |run: &[f64; 2]| run.to_vec();
        let near = vec![[1.0, 0.5], [0.9, 0.5]];
        let far = vec![[0.9, 0.8]];
        assert_eq!(best(vec![near.clone(), far.clone(), Vec::new()], scores), far);
        assert_eq!(best(vec![near.clone(), near.iter().rev().copied().collect()], scores), near, "of equals the first");
        assert_eq!(best(vec![Vec::new()], scores), Vec::<[f64; 2]>::new());
    }

    #[test]
    fn a_model_at_chance_on_both_sides_was_not_trained_enough_unless_it_sees_the_word_alone() {
        let of = |encoder, sides| measured(encoder, [0.5, 0.5], [0.5, 0.5], sides);
        assert!(of(EncoderType::Lstm, [0.5, 0.5]).learnt_nothing());
        assert!(!of(EncoderType::Gpt, [1.0, 0.5]).learnt_nothing());
        assert!(!of(EncoderType::WordVectors, [0.5, 0.5]).learnt_nothing());
        assert_eq!(of(EncoderType::Gpt, [1.0, 0.5]).sees_both(), Some(false));
    }

    #[test]
    fn degrees_follow_from_what_is_bridged() {
        let of = |one, any| measured(EncoderType::Lstm, one, any, [1.0, 1.0]);
        let degree = |one, any| of(one, any).degree();
        assert_eq!(degree([1.0, 1.0], [1.0, 0.8]), Some(3));
        assert_eq!(degree([1.0, 1.0], [1.0, 0.7]), Some(2));
        assert_eq!(degree([1.0, 0.5], [1.0, 0.5]), Some(2));
        assert_eq!(degree([1.0, 1.0], [0.5, 0.5]), None, "two tokens are no distance for whom the probe was learnt");
        assert_eq!(degree([0.5, 1.0], [0.8, 0.9]), None, "all up to the distance are bridged");
        assert_eq!(of([0.5, 1.0], [0.8, 0.9]).not_learnt(0), Some(2));
        let vectors = measured(EncoderType::WordVectors, [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]);
        assert_eq!(vectors.degree(), Some(1), "a vector of the word alone can learn neither");
        assert_eq!(of([1.0, 0.5], [0.5, 0.5]).bridged(0), Some(Bridged::To(2)));
        assert_eq!(of([1.0, 0.5], [0.5, 0.5]).bridged(2), None, "it was not run");
    }
}
