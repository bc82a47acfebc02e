//! Two models side by side: example by example, and by runs that share point and seed.

use serde::Serialize;

use super::by_example::{ByExample, OverSeeds, compare_runs, compare_seeds};
use super::group::{Compared, Group};
use super::primary_metric::PrimaryMetric;
use super::run::Run;
use super::task::other_files;
use crate::stats::{self, Interval, PairedTest};

/// Random signs are drawn from this seed; a report shows the same p-value every time.
const TEST_SEED: u64 = 0;

/// One side of a comparison: a model, or the models of an experiment that share its tasks among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    /// What the page calls it.
    pub(crate) label: String,
    /// Indices of its systems.
    pub(crate) systems: Vec<usize>,
}

/// Side `b` against side `a`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Versus {
    /// The reference.
    pub(crate) a: Side,
    /// The other.
    pub(crate) b: Side,
    /// By task, those that both have runs of.
    pub(crate) rows: Vec<VersusRow>,
    /// Tasks of both that are not compared, and why.
    pub(crate) refused: Vec<String>,
}

/// Two systems on one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct VersusRow {
    /// Index of the task.
    #[serde(skip)]
    pub(crate) task: usize,
    /// The systems: the reference, the other.
    #[serde(skip)]
    pub(crate) systems: [usize; 2],
    /// The best point's score of the reference.
    pub(crate) best_a: Option<f64>,
    /// The best point's score of the other.
    pub(crate) best_b: Option<f64>,
    /// The best run of the other's best point against that of the reference's, example by example.
    pub(crate) examples: Option<ByExample>,
    /// The same of all seeds of both best points.
    pub(crate) seeds: Option<OverSeeds>,
    /// Median seconds of a finished run of the reference, and of the other.
    pub(crate) wall_seconds: [Option<f64>; 2],
    /// Mean of the reference over the pairs.
    pub(crate) mean_a: Option<f64>,
    /// Mean of the other over the pairs.
    pub(crate) mean_b: Option<f64>,
    /// Other minus reference, pair by pair, in the report's order.
    pub(crate) differences: Vec<f64>,
    /// Their mean's interval by Student's t, at 95 % for all intervals of this comparison together.
    pub(crate) interval: Option<Interval>,
    /// Sign-flip test of the differences.
    pub(crate) test: Option<PairedTest>,
    /// The test's p-value times the number of tests of this comparison (Bonferroni), at most 1.
    pub(crate) adjusted_p: Option<f64>,
}

/// Models of one experiment: each against the first before it that it shares a task with. Of several experiments: each
/// against the first before it that it shares a task with, as [`sides`] pairs their models.
pub(crate) fn all(of: Compared<'_, '_>) -> Vec<Versus> {
    let with_rows = |(a, b)| Some(between(of, a, b)).filter(|versus| !versus.rows.is_empty());
    let systems_of = |experiment: usize| -> Vec<usize> {
        (0..of.systems.len()).filter(|at| of.systems[*at].experiment == experiment).collect()
    };
    let side = |at: usize| Side { label: of.systems[at].label.clone(), systems: vec![at] };
    let mut found = Vec::new();
    for experiment in 0..of.input.experiments.len() {
        let own = systems_of(experiment);
        for earlier in 0..experiment {
            let paired = sides(of, (&systems_of(earlier), None), (&own, None));
            let before = found.len();
            found.extend(paired.into_iter().filter_map(with_rows));
            if found.len() > before {
                break;
            }
        }
        let against_first = |at: usize| own[..at].iter().find_map(|earlier| with_rows((side(*earlier), side(own[at]))));
        found.extend((1..own.len()).filter_map(against_first));
    }
    found
}

/// Which models of two experiments, or of parts of them, are held against each other: those of the same name, and what is
/// left of either side as a whole, so that models with different names meet on the tasks that they share. `label` is what
/// the user calls a side.
pub(crate) fn sides(
    of: Compared<'_, '_>,
    a: (&[usize], Option<&str>),
    b: (&[usize], Option<&str>),
) -> Vec<(Side, Side)> {
    let name = |at: &usize| of.systems[*at].model.as_str();
    let side = |systems: Vec<usize>, label: Option<&str>| {
        let own = match systems[..] {
            [one] => of.systems[one].label.clone(),
            _ => of.input.experiments[of.systems[systems[0]].experiment].name.clone(),
        };
        Side { label: label.map_or(own, str::to_owned), systems }
    };
    let same = |left: &usize| b.0.iter().find(|right| name(right) == name(left));
    let named: Vec<(usize, usize)> = a.0.iter().filter_map(|left| Some((*left, *same(left)?))).collect();
    // One model on either side is the whole side, by whatever name.
    let (label_a, label_b) =
        if named.len() == 1 && a.0.len() == 1 && b.0.len() == 1 { (a.1, b.1) } else { (None, None) };
    let mut found: Vec<(Side, Side)> =
        named.iter().map(|(left, right)| (side(vec![*left], label_a), side(vec![*right], label_b))).collect();
    let rest = |all: &[usize], taken: fn(&(usize, usize)) -> usize| -> Vec<usize> {
        all.iter().copied().filter(|at| !named.iter().any(|pair| taken(pair) == *at)).collect()
    };
    let (left, right) = (rest(a.0, |pair| pair.0), rest(b.0, |pair| pair.1));
    if !left.is_empty() && !right.is_empty() {
        found.push((side(left, a.1), side(right, b.1)));
    }
    found
}

/// Side `b` against side `a` on every task that both have.
pub(crate) fn between(of: Compared<'_, '_>, a: Side, b: Side) -> Versus {
    let mut versus = Versus { a, b, rows: Vec::new(), refused: Vec::new() };
    for (task, primary_metric) in of.primary_metrics.iter().enumerate() {
        let groups = |side: &Side| -> Vec<&Group<'_>> {
            let is_own = |group: &&Group<'_>| group.task == task && side.systems.contains(&group.system);
            of.groups.iter().filter(is_own).collect()
        };
        let (left, right) = (groups(&versus.a), groups(&versus.b));
        let label = &of.tasks[task].label;
        match (&left[..], &right[..], primary_metric) {
            ([a], [b], Some(primary_metric)) => versus.rows.push(row(of, primary_metric, a, b)),
            ([_], [_], None) => versus.refused.push(format!("{label}: no finished run")),
            ([], _, _) | (_, [], _) => {}
            _ => {
                let (side, of_side) = if left.len() > 1 { (&versus.a, &left) } else { (&versus.b, &right) };
                let names: Vec<&str> = of_side.iter().map(|group| of.systems[group.system].model.as_str()).collect();
                let (label, names) = (label, names.join(" and "));
                versus.refused.push(format!("{label}: {} has runs of {names}; name one of them", side.label));
            }
        }
    }
    let on_other_data = on_other_data(of, &versus.a, &versus.b);
    versus.refused.extend(on_other_data);
    correct(&mut versus.rows);
    versus
}

/// Tasks that both sides have by name, each on data of its own, and the files that differ.
fn on_other_data(of: Compared<'_, '_>, a: &Side, b: &Side) -> Vec<String> {
    let of_side = |side: &Side| -> Vec<&Group<'_>> {
        of.groups.iter().filter(|group| side.systems.contains(&group.system)).collect()
    };
    let (left, right) = (of_side(a), of_side(b));
    let alone = |group: &&&Group<'_>, others: &[&Group<'_>]| !others.iter().any(|other| other.task == group.task);
    let name = |group: &Group<'_>| of.tasks[group.task].name.as_str();
    let mut found = Vec::new();
    for group in left.iter().filter(|group| alone(group, &right)) {
        let other = right.iter().filter(|other| alone(other, &left)).find(|other| name(other) == name(group));
        if let Some(other) = other {
            let files = other_files(group.points[0].settings, other.points[0].settings);
            found.push(format!("{}: the two have other data: {}", name(group), files.join(", ")));
        }
    }
    found
}

/// Corrects p-values and intervals for the number of tasks.
fn correct(rows: &mut [VersusRow]) {
    // Bonferroni's correction serves intervals and p-values alike, so that the two say the same thing.
    let tests = rows.iter().filter(|row| row.test.is_some()).count() as f64;
    for row in &mut *rows {
        row.adjusted_p = row.test.map(|test| (test.p_value * tests).min(1.0));
        row.interval = stats::t_interval(&row.differences, 1.0 - 0.05 / tests.max(1.0));
    }
    correct_by_holm(rows.iter_mut().filter_map(|row| row.examples.as_mut()).map(|of| (of.p_value, &mut of.adjusted_p)));
    correct_by_holm(rows.iter_mut().filter_map(|row| row.seeds.as_mut()).map(|of| (of.p_value, &mut of.adjusted_p)));
}

/// Puts beside each p-value the same corrected for their number.
fn correct_by_holm<'r>(tests: impl Iterator<Item = (Option<f64>, &'r mut Option<f64>)>) {
    let (p_values, places): (Vec<f64>, Vec<&mut Option<f64>>) =
        tests.filter_map(|(p, place)| Some((p?, place))).unzip();
    places.into_iter().zip(stats::holm(&p_values)).for_each(|(place, p)| *place = Some(p));
}

fn row(of: Compared<'_, '_>, primary_metric: &PrimaryMetric, a: &Group<'_>, b: &Group<'_>) -> VersusRow {
    let pairs = paired_scores(of.runs, primary_metric, a, b);
    let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let differences: Vec<f64> = pairs.iter().map(|(x, y)| y - x).collect();
    let best = |group: &Group<'_>| of.answers(&of.runs[group.best_run(of)?]);
    let examples = best(a).zip(best(b)).and_then(|(a, b)| compare_runs(a, b, &primary_metric.metric));
    let seeds = compare_seeds(&a.best_answers(of), &b.best_answers(of), &primary_metric.metric);
    VersusRow {
        task: a.task,
        systems: [a.system, b.system],
        best_a: a.best_score().map(|score| score.mean),
        best_b: b.best_score().map(|score| score.mean),
        examples,
        seeds,
        wall_seconds: [a, b].map(|group| group.median_wall(of.runs)),
        mean_a: stats::mean(&xs),
        mean_b: stats::mean(&ys),
        interval: None,
        test: (differences.len() > 1).then(|| stats::sign_flip_test(&differences, TEST_SEED)).flatten(),
        differences,
        adjusted_p: None,
    }
}

/// The scores of runs that are alike but for their model.
fn paired_scores(runs: &[Run<'_>], primary_metric: &PrimaryMetric, a: &Group<'_>, b: &Group<'_>) -> Vec<(f64, f64)> {
    let of = |group: &Group<'_>| -> Vec<usize> { group.points.iter().flat_map(|point| point.runs.clone()).collect() };
    let (lefts, rights) = (of(a), of(b));
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    for left in &lefts {
        let only = |runs_of: &[usize], with: usize| -> Option<usize> {
            let mut partners = runs_of.iter().filter(|other| is_pair(&runs[with], &runs[**other]));
            partners.next().filter(|_| partners.next().is_none()).copied()
        };
        // Two fixed settings may share a label; then no single partner exists, and none is taken.
        if let Some(right) = only(&rights, *left)
            && only(&lefts, right) == Some(*left)
            && let (Some(x), Some(y)) = (primary_metric.score(&runs[*left]), primary_metric.score(&runs[right]))
        {
            pairs.push((x, y));
        }
    }
    pairs
}

/// Runs that differ by their model alone, as far as the sweep is concerned, and read the same data.
fn is_pair(a: &Run<'_>, b: &Run<'_>) -> bool {
    let point = |run: &Run<'_>| {
        let of = &run.settings.optimization;
        (of.batch_size, run.settings.epochs(), run.settings.seed, of.learning_rate.to_bits())
    };
    let data = [a, b].map(|run| run.settings.task().map(|of| &of.data_sha256));
    point(a) == point(b) && data[0] == data[1]
}
