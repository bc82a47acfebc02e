//! The runs that are at work, with their curves: of `bertbench serve`, which knows them.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Figure, Table};
use crate::report::file_name::file_name;
use crate::report::phrase::grouped;
use crate::report::plot::{self, Curve, Curves};
use crate::report::run::{Run, point_label};
use crate::store::PretrainingObjective;

/// More points than this are averaged in buckets.
const POINTS: usize = 120;
/// More plots than this are left out: a cluster works on hundreds of runs at a time.
const FIGURES: usize = 12;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let is_at_work = |run: &&Run<'_>| analysis.input.experiments[run.experiment].at_work.contains(&run.id);
    let runs: Vec<&Run<'_>> = analysis.all_runs().filter(is_at_work).collect();
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::Table(table(analysis, &runs))];
    let figures = runs.iter().filter_map(|run| figure(analysis, run).transpose());
    let figures = figures.take(FIGURES).collect::<Result<Vec<_>, _>>()?;
    if !figures.is_empty() {
        blocks.push(Block::Figures(figures));
    }
    Ok(blocks)
}

fn table(analysis: &Analysis<'_>, runs: &[&Run<'_>]) -> Table {
    let row = |run: &&Run<'_>| {
        let last = run.steps().last();
        let step = run.last_step().unwrap_or(0);
        let of = run.settings.pretraining().map(PretrainingObjective::steps);
        let epoch = last.and_then(|of| of.epoch).map(|epoch| format!("epoch {epoch} of {}", run.settings.epochs()));
        let small = epoch.or_else(|| of.map(|of| format!("of {}", grouped(of))));
        let cell = Cell::count(step as usize);
        let number = |value: Option<f64>, shown: fn(f64) -> String| Cell::known(value, "nothing is logged yet", shown);
        vec![
            Cell::text(&run.id.0).link(run.link()),
            Cell::text(analysis.task_label(run)),
            Cell::text(&run.label),
            Cell::text(point_label(run.settings)).small(format!("seed {}", run.settings.seed)),
            match small {
                Some(small) => cell.small(small),
                None => cell,
            },
            number(last.map(|of| of.loss).filter(|loss| loss.is_finite()), |loss| format!("{loss:.4}")),
            number(run.tokens_per_second(), |speed| grouped(speed.max(0.0) as u64)),
        ]
    };
    let texts = ["Run", "Task", "Model", "Batch × rate × epochs (steps)"];
    Table {
        caption: "Runs that are at work now".into(),
        columns: Column::list(&texts, &["Step", "Training loss", "Tokens/s"]),
        rows: runs.iter().map(row).collect(),
        interactive: false,
    }
}

/// The training loss of a run so far.
fn figure(analysis: &Analysis<'_>, run: &Run<'_>) -> Result<Option<Figure>, Error> {
    let logged: Vec<(f64, f64)> =
        run.steps().filter(|step| step.loss.is_finite()).map(|step| (step.step as f64, step.loss)).collect();
    if logged.is_empty() {
        return Ok(None);
    }
    let name = format!("{} {}", analysis.task_label(run), run.label);
    let description = format!("Line plot: training loss of the run {} so far, by optimisation step.", run.id);
    let drawing = plot::curves(&Curves {
        description: &description,
        title: "training loss, by step",
        x_title: "step",
        names: vec![(run.system, name.clone())],
        lines: vec![Curve { series: run.system, points: super::curves::thinned(&logged, POINTS), best: true }],
        ..Curves::default()
    })?;
    let caption = format!("{name}, run {}: training loss so far", run.id);
    Ok(Some(Figure::new(file_name(&["at-work", &run.id.0]), caption, drawing)))
}
