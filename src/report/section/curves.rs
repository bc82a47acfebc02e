//! Learning curves: the best run of each model, all its runs faint behind it.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Figure};
use crate::report::file_name::file_name;
use crate::report::plot::{self, Curve, Curves, Marks};
use crate::report::primary_metric::PrimaryMetric;
use crate::report::run::Run;
use crate::stats;
use crate::store::Evaluation;

/// More points than this are averaged in buckets: a curve of 380 pixels shows no more.
const POINTS: usize = 45;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut blocks = Vec::new();
    for task in 0..analysis.tasks.len() {
        let Some(primary_metric) = &analysis.primary_metrics[task] else { continue };
        let mut figures = Vec::new();
        figures.extend(dev_figure(analysis, task, primary_metric)?);
        figures.extend(loss_figure(analysis, task)?);
        if !figures.is_empty() {
            blocks.push(Block::heading(&analysis.tasks[task].label));
            blocks.push(Block::Figures(figures));
        }
    }
    if !blocks.is_empty() {
        let is_crowded = |task: usize| analysis.runs.iter().filter(|run| run.task == Some(task)).count() > FAINT_LINES;
        let some = if (0..analysis.tasks.len()).any(is_crowded) { "some of " } else { "" };
        let text = format!(
            "Strong lines are each model's best run, faint lines {some}its other runs. The dev score is measured at the \
             end of each epoch; the training loss is averaged over neighbouring steps."
        );
        blocks.insert(0, Block::paragraph(text));
    }
    Ok(blocks)
}

/// Faint lines of a plot; more cover each other.
const FAINT_LINES: usize = 120;

/// A line for the best runs of the task and, of the others, for all or for so many that lie evenly among them; those
/// without points, as `points` finds them, have none.
fn lines(analysis: &Analysis<'_>, task: usize, points: impl Fn(&Run<'_>) -> Vec<(f64, f64)>) -> Vec<Curve> {
    let runs = analysis.runs.iter().filter(|run| run.task == Some(task) && run.last_step().is_some());
    let (best, others): (Vec<_>, Vec<_>) = runs.partition(|run| super::results::is_best(analysis, run));
    let count = others.len();
    // The k-th of n evenly spaced ones: where k·n/count steps up.
    let is_drawn = |at: &usize| count <= FAINT_LINES || at * FAINT_LINES / count != (at + 1) * FAINT_LINES / count;
    let drawn = others.into_iter().enumerate().filter(|(at, _)| is_drawn(at)).map(|(_, run)| (run, false));
    let lines = best.into_iter().map(|run| (run, true)).chain(drawn);
    lines
        .map(|(run, best)| Curve { series: run.system, points: points(run), best })
        .filter(|line| !line.points.is_empty())
        .collect()
}

fn recorded<'a>(run: &Run<'a>) -> &'a [Evaluation] {
    run.record().map(|record| record.evaluations.as_slice()).unwrap_or_default()
}

fn names(analysis: &Analysis<'_>, lines: &[Curve]) -> Vec<(usize, String)> {
    let systems = analysis.systems.iter().enumerate();
    systems
        .filter(|(at, _)| lines.iter().any(|line| line.series == *at))
        .map(|(at, system)| (at, system.label.clone()))
        .collect()
}

fn dev_figure(analysis: &Analysis<'_>, task: usize, primary_metric: &PrimaryMetric) -> Result<Option<Figure>, Error> {
    let lines = lines(analysis, task, |run| {
        let point =
            |e: &Evaluation| Some((f64::from(e.epoch?), primary_metric.unit.scaled(primary_metric.read(&e.scores)?)));
        recorded(run).iter().filter_map(point).collect()
    });
    if lines.is_empty() {
        return Ok(None);
    }
    let name = &analysis.tasks[task].label;
    let measured = primary_metric.described();
    let description = format!("Line plot: {measured} of {name} after each epoch, {} runs.", lines.len());
    let majority = analysis.groups.iter().filter(|cell| cell.task == task).find_map(|cell| cell.majority);
    let drawing = plot::curves(&Curves {
        description: &description,
        title: &format!("{measured}, by epoch"),
        x_title: "epoch",
        names: names(analysis, &lines),
        lines,
        levels: majority.map(|value| (primary_metric.unit.scaled(value), "majority")).into_iter().collect(),
        marks: Marks::All,
        whole: true,
        ..Curves::default()
    })?;
    let caption = format!("{name}: {measured} after each epoch");
    Ok(Some(Figure::new(file_name(&["dev", name]), caption, drawing)))
}

fn loss_figure(analysis: &Analysis<'_>, task: usize) -> Result<Option<Figure>, Error> {
    let lines = lines(analysis, task, |run| {
        let logged: Vec<(f64, f64)> =
            run.steps().filter(|p| p.loss.is_finite()).map(|p| (p.step as f64, p.loss)).collect();
        if !logged.is_empty() {
            return thinned(&logged, POINTS);
        }
        // Without a step-by-step log the record still knows each epoch's mean.
        let mean = |e: &Evaluation| Some((e.step as f64, e.train_loss.filter(|loss| loss.is_finite())?));
        recorded(run).iter().filter_map(mean).collect()
    });
    if lines.is_empty() {
        return Ok(None);
    }
    let name = &analysis.tasks[task].label;
    let description = format!("Line plot: training loss of {name} over optimisation steps, {} runs.", lines.len());
    let drawing = plot::curves(&Curves {
        description: &description,
        title: "training loss, by step",
        x_title: "step",
        names: names(analysis, &lines),
        lines,
        ..Curves::default()
    })?;
    Ok(Some(Figure::new(file_name(&["loss", name]), format!("{name}: training loss"), drawing)))
}

/// At most `most` points: means of neighbours.
pub(super) fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let bucket = points.len().div_ceil(most.max(1)).max(1);
    let mean = |values: Vec<f64>| stats::mean(&values).unwrap_or_default();
    points
        .chunks(bucket)
        .map(|chunk| (mean(chunk.iter().map(|p| p.0).collect()), mean(chunk.iter().map(|p| p.1).collect())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_means_and_short_curves() {
        let short = [(1.0, 0.7), (2.0, 0.6)];
        assert_eq!(thinned(&short, 45), short);
        let long: Vec<(f64, f64)> = (0..900).map(|at| (f64::from(at), f64::from(at % 10))).collect();
        let thin = thinned(&long, 45);
        assert_eq!(thin.len(), 45);
        assert!(thin.iter().all(|point| (point.1 - 4.5).abs() < 1e-12));
    }
}
