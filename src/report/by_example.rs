//! Two models that answered the same examples, compared example by example.

use serde::Serialize;

use super::answers::{LEVEL, SeedAnswers, all, resampling, right, score, scores};
use crate::stats::{
    CrossedEstimate, Interval, McNemar, POWER, SIGNIFICANCE, mcnemar, mean, percentile_interval, smallest_difference,
};
use crate::store::Answers;

/// One run of either model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ByExample {
    /// Examples that both answered.
    pub(crate) examples: usize,
    /// The score of the reference's run.
    pub(crate) reference: f64,
    /// The score of the other's run.
    pub(crate) model: f64,
    /// The other's less the reference's.
    pub(crate) difference: f64,
    /// Its 95 % interval, between percentiles of the paired bootstrap over examples.
    pub(crate) interval: Option<Interval>,
    /// How the p-value was found.
    pub(crate) test: ExampleTest,
    /// Two-sided p-value of "the two models are equally good".
    pub(crate) p_value: Option<f64>,
    /// The same by Holm over the tasks of the comparison.
    pub(crate) adjusted_p: Option<f64>,
    /// The smallest difference that McNemar's test shows with a power of 0.8 on so many examples, of which the two models
    /// disagree in being right on as many as these two do; of shares of right examples.
    pub(crate) smallest_difference: Option<f64>,
}

/// A test of paired examples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExampleTest {
    /// Of shares of right examples.
    #[serde(rename = "mcnemar")]
    McNemar(McNemar),
    /// Of every other score.
    ApproximateRandomization {
        /// Random swaps of the two models' answers.
        samples: u64,
    },
}

/// All runs of the best points, which differ by their seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct OverSeeds {
    /// Seeds of the reference, and of the other.
    pub(crate) seeds: [usize; 2],
    /// The difference of the mean scores.
    pub(crate) difference: f64,
    /// Its 95 % interval, over examples and seeds together ([`CrossedEstimate`]).
    pub(crate) interval: Option<Interval>,
    /// Degrees of freedom of the variance between seeds, of the model with fewer; below [`crate::stats::ENOUGH_DEGREES`] the interval
    /// holds more or less often than it says.
    pub(crate) seed_degrees_of_freedom: Option<f64>,
    /// The two-sided p-value of the same standard error.
    pub(crate) p_value: Option<f64>,
    /// The same by Holm over the tasks of the comparison.
    pub(crate) adjusted_p: Option<f64>,
}

/// Run `b` against run `a`; `None` when they did not answer the same examples, or a score is not defined.
pub(crate) fn compare_runs(a: &Answers, b: &Answers, metric: &str) -> Option<ByExample> {
    if !a.is_of_same_examples(b) {
        return None;
    }
    let (examples, everything) = (a.examples(), all(a));
    let (reference, model) = (score(a, metric, &everything), score(b, metric, &everything));
    let difference = model - reference;
    if !difference.is_finite() {
        return None;
    }
    let by = resampling(examples, "paired bootstrap");
    let samples = by.bootstrap(examples, |sample| score(b, metric, sample) - score(a, metric, sample));
    let (test, p_value, smallest_difference) = if let (Some(a), Some(b)) = (right(a, metric), right(b, metric)) {
        let only =
            |one: &[bool], other: &[bool]| one.iter().zip(other).filter(|(one, other)| **one && !**other).count();
        let found = mcnemar(only(&a, &b) as u64, only(&b, &a) as u64);
        let discordant = (found.only_first + found.only_second) as f64 / examples as f64;
        let smallest = smallest_difference(examples as u64, discordant, SIGNIFICANCE, POWER);
        (ExampleTest::McNemar(found), Some(found.p_value), smallest)
    } else {
        let by = resampling(examples, "approximate randomization");
        let swapped = |swaps: &[bool]| {
            let [a, b] = exchanged(a, b, swaps);
            score(&b, metric, &everything) - score(&a, metric, &everything)
        };
        let p_value = by.randomization(examples, difference, swapped);
        (ExampleTest::ApproximateRandomization { samples: by.samples }, p_value, None)
    };
    let (interval, adjusted_p) = (percentile_interval(&samples, LEVEL), None);
    Some(ByExample { examples, reference, model, difference, interval, test, p_value, adjusted_p, smallest_difference })
}

/// The runs `b` against the runs `a`; `None` unless both have several seeds, and all answered the same examples.
pub(crate) fn compare_seeds(of_a: &SeedAnswers<'_>, of_b: &SeedAnswers<'_>, metric: &str) -> Option<OverSeeds> {
    let (a, b) = (&of_a.answers[..], &of_b.answers[..]);
    let first = *a.first()?;
    if a.len() < 2 || b.len() < 2 || !a.iter().chain(b).all(|other| first.is_of_same_examples(other)) {
        return None;
    }
    let of = |sample: &[u32]| [scores(a, metric, sample), scores(b, metric, sample)];
    let [scores_a, scores_b] = of(&all(first));
    let samples = resampling(first.examples(), "bootstrap over seeds").bootstrap(first.examples(), |s| of(s).concat());
    let difference = mean(&scores_b)? - mean(&scores_a)?;
    let found = CrossedEstimate::of(&[of_a.with_scores(&scores_a), of_b.with_scores(&scores_b)], &samples);
    difference.is_finite().then(|| OverSeeds {
        seeds: [a.len(), b.len()],
        difference,
        interval: found.and_then(|found| found.interval(LEVEL)),
        seed_degrees_of_freedom: found.map(|found| found.seed_degrees_of_freedom),
        p_value: found.and_then(|found| found.p_value()),
        adjusted_p: None,
    })
}

/// The two models with their answers exchanged where `swaps` says so.
fn exchanged(a: &Answers, b: &Answers, swaps: &[bool]) -> [Answers; 2] {
    match (a, b) {
        (Answers::Classes { gold, predicted: a }, Answers::Classes { predicted: b, .. }) => {
            swapped(a, b, swaps).map(|predicted| Answers::Classes { gold: gold.clone(), predicted })
        }
        (Answers::Scores { gold, predicted: a }, Answers::Scores { predicted: b, .. }) => {
            swapped(a, b, swaps).map(|predicted| Answers::Scores { gold: gold.clone(), predicted })
        }
        (Answers::Spans { exact: exact_a, f1: f1_a }, Answers::Spans { exact: exact_b, f1: f1_b }) => {
            let ([exact, other_exact], [f1, other_f1]) = (swapped(exact_a, exact_b, swaps), swapped(f1_a, f1_b, swaps));
            [Answers::Spans { exact, f1 }, Answers::Spans { exact: other_exact, f1: other_f1 }]
        }
        (
            Answers::Tags { gold, found: found_a, correct: correct_a },
            Answers::Tags { found: found_b, correct: correct_b, .. },
        ) => {
            let [found, other_found] = swapped(found_a, found_b, swaps);
            let [correct, other_correct] = swapped(correct_a, correct_b, swaps);
            [
                Answers::Tags { gold: gold.clone(), found, correct },
                Answers::Tags { gold: gold.clone(), found: other_found, correct: other_correct },
            ]
        }
        // Answers to the same examples are of one shape.
        _ => [a.clone(), b.clone()],
    }
}

fn swapped<T: Copy>(a: &[T], b: &[T], swaps: &[bool]) -> [Vec<T>; 2] {
    let pick = |one: &[T], other: &[T]| -> Vec<T> {
        swaps.iter().enumerate().map(|(at, swap)| if *swap { other[at] } else { one[at] }).collect()
    };
    [pick(a, b), pick(b, a)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(gold: &[u32], wrong: &[usize]) -> Answers {
        let flip = |(at, class): (usize, &u32)| if wrong.contains(&at) { 1 - class } else { *class };
        Answers::Classes { gold: gold.to_vec(), predicted: gold.iter().enumerate().map(flip).collect() }
    }

    #[test]
    fn accuracy_is_tested_by_mcnemar_and_f1_by_randomization() {
        let gold: Vec<u32> = (0..100).map(|at| u32::from(at % 3 > 0)).collect();
        let a = classes(&gold, &(0..20).collect::<Vec<_>>());
        let b = classes(&gold, &[0, 1, 2, 3, 50]);
        let found = compare_runs(&a, &b, "accuracy").unwrap();
        assert!((found.difference - 0.15).abs() < 1e-12 && found.examples == 100);
        let ExampleTest::McNemar(test) = found.test else { panic!("{found:?}") };
        assert_eq!((test.only_first, test.only_second), (1, 16));
        // SciPy 1.17.1: binomtest(1, 17).pvalue.
        assert!((found.p_value.unwrap() - 0.000_274_658_203_125).abs() < 1e-12);
        let interval = found.interval.unwrap();
        assert!(interval.low > 0.05 && interval.high < 0.25 && found.smallest_difference.unwrap() < 0.15);
        let found = compare_runs(&a, &b, "f1").unwrap();
        assert!(matches!(found.test, ExampleTest::ApproximateRandomization { samples: 10_000 }));
        assert!(found.p_value.unwrap() < 0.005 && found.difference > 0.05);
        assert_eq!(compare_runs(&a, &classes(&gold[1..], &[]), "accuracy"), None, "other examples");
        assert_eq!(compare_runs(&a, &b, "spearman"), None);
    }

    #[test]
    fn equal_models_differ_by_nothing() {
        let spans = Answers::Spans { exact: vec![1, 0, 1, 0], f1: vec![1.0, 0.5, 1.0, 0.0] };
        let tags = Answers::Tags { gold: vec![1, 2, 0], found: vec![1, 1, 1], correct: vec![1, 1, 0] };
        let scores = Answers::Scores { gold: vec![0.0, 1.0, 3.0, 4.0], predicted: vec![0.5, 0.4, 2.0, 5.0] };
        for (answers, metric) in [(&spans, "exact_match"), (&spans, "f1"), (&tags, "f1"), (&scores, "pearson")] {
            let found = compare_runs(answers, answers, metric).unwrap();
            assert!(found.difference.abs() < 1e-15 && found.p_value.unwrap() > 0.999, "{found:?}");
        }
    }

    fn seeds(of: &[Answers]) -> SeedAnswers<'_> {
        SeedAnswers { answers: of.iter().collect(), other_points: Vec::new() }
    }

    #[test]
    fn seeds_widen_the_interval() {
        let gold: Vec<u32> = (0..200).map(|at| at % 2).collect();
        let runs = |from: usize, step: usize| -> Vec<Answers> {
            (0..5).map(|seed| classes(&gold, &(from..from + 20 + step * seed).collect::<Vec<_>>())).collect()
        };
        let (a, alike, apart) = (runs(0, 0), runs(0, 0), runs(0, 8));
        let of = |b: &[Answers]| compare_seeds(&seeds(&a), &seeds(b), "accuracy").unwrap();
        let (alike, apart) = (of(&alike), of(&apart));
        assert!(alike.difference.abs() < 1e-12 && alike.p_value.unwrap() > 0.9);
        assert!((apart.difference + 0.08).abs() < 1e-12);
        let width = |found: &OverSeeds| found.interval.map_or(0.0, |interval| interval.high - interval.low);
        assert!(width(&apart) > width(&alike) + 0.05, "{apart:?}");
        assert_eq!(compare_seeds(&seeds(&a[..1]), &seeds(&a[1..2]), "accuracy"), None, "one seed each");
    }
}
