//! The logs of an experiment's pretraining runs as plots.

use super::curves::thinned;
use crate::report::Error;
use crate::report::block::Figure;
use crate::report::file_name::file_name;
use crate::report::plot::{self, Curve, Curves, Marks};
use crate::report::run::Run;
use crate::store::{Evaluation, StepEvent};

/// The most points of a line, and of all lines of a plot together; what is more is averaged in buckets.
const POINTS: (usize, usize) = (240, 720);

type Line = Vec<(f64, f64)>;
type FromStep = fn(&StepEvent) -> Option<f64>;
type FromScores = fn(&Evaluation) -> Option<f64>;

/// What one plot shows.
struct Quantity {
    /// The first part of its file's name.
    file: &'static str,
    /// Its title, without its unit.
    title: &'static str,
    /// Read from the log of training, if it is there.
    step: Option<FromStep>,
    /// Read from evaluations, if it is there.
    scores: Option<FromScores>,
    logarithmic: bool,
}

const fn quantity(
    file: &'static str,
    title: &'static str,
    step: Option<FromStep>,
    scores: Option<FromScores>,
) -> Quantity {
    Quantity { file, title, step, scores, logarithmic: false }
}

const QUANTITIES: [Quantity; 6] = [
    quantity("pretraining-loss", "training loss", Some(|event| Some(event.loss)), None),
    Quantity {
        logarithmic: true,
        ..quantity("pretraining-perplexity", "held-out perplexity", None, Some(|scores| scores.value("perplexity")))
    },
    quantity(
        "pretraining-mlm",
        "token accuracy × 100",
        Some(|event| event.mlm_accuracy.map(|share| 100.0 * share)),
        Some(|scores| scores.value("mlm_accuracy").map(|share| 100.0 * share)),
    ),
    quantity(
        "pretraining-nsp",
        "next-sentence accuracy × 100",
        Some(|event| event.nsp_accuracy.map(|share| 100.0 * share)),
        Some(|scores| scores.value("nsp_accuracy").map(|share| 100.0 * share)),
    ),
    quantity("pretraining-rate", "learning rate", Some(|event| Some(event.learning_rate)), None),
    quantity("pretraining-speed", "training tokens per second", Some(|event| Some(event.tokens_per_second)), None),
];

/// A plot of each quantity that a run has logged, with a line for each such run.
pub(super) fn figures(experiment: &str, runs: &[&Run<'_>]) -> Result<Vec<Figure>, Error> {
    QUANTITIES.iter().filter_map(|quantity| figure(experiment, runs, quantity).transpose()).collect()
}

fn lines(runs: &[&Run<'_>], points: impl Fn(&Run<'_>) -> Line) -> Vec<Curve> {
    let line = |run: &&Run<'_>| Curve { series: run.system, points: points(run), best: true };
    runs.iter().map(line).filter(|line| !line.points.is_empty()).collect()
}

fn logged(run: &Run<'_>, read: FromStep, most: usize) -> Line {
    let point = |step: &StepEvent| Some((step.step as f64, read(step)?));
    let points: Line = run.steps().filter_map(point).filter(|point| point.1.is_finite()).collect();
    thinned(&points, most)
}

fn evaluated(run: &Run<'_>, read: FromScores) -> Line {
    let point = |scores: &Evaluation| Some((scores.step as f64, read(scores)?));
    run.evaluations().iter().filter_map(point).filter(|point| point.1.is_finite()).collect()
}

fn figure(experiment: &str, runs: &[&Run<'_>], quantity: &Quantity) -> Result<Option<Figure>, Error> {
    // Held-out scores and those of training do not share a plot.
    let held_out = quantity.scores.map(|read| lines(runs, |run| evaluated(run, read))).unwrap_or_default();
    let is_held_out = !held_out.is_empty();
    let mut lines = match quantity.step {
        Some(read) if !is_held_out => {
            let most = (POINTS.1 / runs.len().max(1)).clamp(40, POINTS.0);
            lines(runs, |run| logged(run, read, most))
        }
        Some(_) | None => held_out,
    };
    if lines.is_empty() {
        return Ok(None);
    }
    let mut title = match (is_held_out, quantity.step.is_some() && quantity.scores.is_some()) {
        (true, true) => format!("{}, held out", quantity.title),
        (false, true) => format!("{}, in training", quantity.title),
        (_, false) => quantity.title.to_owned(),
    };
    if let Some(unit) = small_unit(&lines) {
        lines.iter_mut().flat_map(|line| &mut line.points).for_each(|point| point.1 /= unit);
        title = format!("{title}, in {unit:e}");
    }
    let few = lines.iter().all(|line| line.points.len() <= 25);
    let description = format!("Line plot: {title} of {experiment}, over pretraining steps; lines: {}.", lines.len());
    let names = runs
        .iter()
        .filter(|run| lines.iter().any(|line| line.series == run.system))
        .map(|run| (run.system, run.label.clone()))
        .collect();
    let drawing = plot::curves(&Curves {
        description: &description,
        title: &format!("{title}, by step"),
        x_title: "step",
        lines,
        names,
        marks: if is_held_out && few { Marks::All } else { Marks::Last },
        logarithmic: quantity.logarithmic,
        ..Curves::default()
    })?;
    Ok(Some(Figure::new(file_name(&[quantity.file, experiment]), format!("{experiment}: {title}"), drawing)))
}

/// The power of ten below the largest value, when its digits would not fit beside an axis.
fn small_unit(lines: &[Curve]) -> Option<f64> {
    let most = lines.iter().flat_map(|line| &line.points).map(|point| point.1.abs()).fold(0.0, f64::max);
    (most > 0.0 && most < 0.05).then(|| 10_f64.powf(most.log10().floor()))
}
