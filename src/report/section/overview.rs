//! The headline numbers, the task × model table, and the plot beside it: every point of the sweep.

use super::pretraining::shown_perplexity;
use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Fact, Figure, Table, Tone};
use crate::report::group::{Counts, Group};
use crate::report::phrase::{counted, grouped, listed};
use crate::report::plot::{self, SpreadRow};
use crate::report::primary_metric::{PrimaryMetric, Unit};
use crate::report::run::Run;
use crate::stats;
use crate::units::Seconds;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.runs.is_empty() && !analysis.pretraining.is_empty() {
        let facts = pretraining_fact(analysis).into_iter().chain(lowest_perplexity(analysis)).collect();
        return Ok(vec![Block::Facts(facts)]);
    }
    if analysis.runs.is_empty() {
        return Ok(vec![Block::caution("Nothing has run yet: there is neither a plan nor a record to report on.")]);
    }
    let mut blocks = vec![Block::Facts(facts(analysis))];
    blocks.push(Block::paragraph(
        "Fractions and correlations are shown × 100; losses are in nats. Each score is measured on the dev set, at the best \
         point of the sweep. Bold marks a model that beats every other on its task by more than the error (95 %), as \
         far as the number of dev examples and the seeds tell it.",
    ));
    let figure = spread_figure(analysis)?;
    blocks.push(Block::Beside([Block::Table(table(analysis))].into_iter().chain(figure).collect()));
    Ok(blocks)
}

fn facts(analysis: &Analysis<'_>) -> Vec<Fact> {
    let counts = analysis.counts(|run| run.task.is_some());
    let plan_known = analysis.input.experiments.iter().all(|experiment| !experiment.planned.is_empty());
    let mut facts = vec![runs_fact(counts, plan_known)];
    let wall: f64 = analysis.costs.iter().map(|cost| cost.wall_total).sum();
    let days = [
        analysis.runs.iter().filter_map(Run::record).map(|record| record.provenance.started_unix).min(),
        analysis.runs.iter().filter_map(Run::record).map(|record| record.provenance.finished_unix).max(),
    ];
    let period = days.into_iter().flatten().map(crate::report::phrase::readable_moment).collect::<Vec<_>>();
    if let [from, to] = &period[..] {
        let (from, to) = (&from[..10], &to[..10]);
        let days = if from == to { from.to_owned() } else { format!("{from} to {to}") };
        facts.push(Fact::plain("compute time", Seconds(wall).to_string(), days));
    }
    let sizes = format!("{} × {}", analysis.tasks.len(), analysis.systems.len());
    let points = counted(analysis.groups.iter().map(|cell| cell.points.len()).sum(), "sweep point");
    facts.push(Fact::plain("tasks × models", sizes, points));
    facts.extend(leader(analysis));
    facts.extend(pretraining_fact(analysis));
    facts
}

/// How many pretraining runs are done, and how long they took together.
fn pretraining_fact(analysis: &Analysis<'_>) -> Option<Fact> {
    let counts = analysis.counts(|run| run.task.is_none());
    if counts.total() == 0 {
        return None;
    }
    let wall: f64 = analysis.pretraining.iter().filter_map(Run::record).map(|record| record.timings.wall.0).sum();
    let plan_known = analysis.input.experiments.iter().all(|experiment| !experiment.planned.is_empty());
    let value = done_of_all(counts, plan_known);
    let open = counts.total() - counts.done;
    let rest = match (open, plan_known) {
        (0, true) => String::new(),
        (0, false) => "; plan not known".to_owned(),
        (_, _) => format!("; {} failed, {} not finished", counts.failed, counts.unfinished + counts.missing),
    };
    let tone = if open == 0 && plan_known { Tone::Best } else { Tone::Bad };
    Some(Fact { label: "pretraining runs done".into(), value, detail: format!("{}{rest}", Seconds(wall)), tone })
}

/// The model that predicts held-out text best; only where all are held against the same text.
fn lowest_perplexity(analysis: &Analysis<'_>) -> Option<Fact> {
    let held_out = |run: &Run<'_>| Some(run.settings.pretraining()?.evaluation.as_ref()?.data.clone());
    let runs = &analysis.pretraining;
    if runs.windows(2).any(|pair| held_out(&pair[0]) != held_out(&pair[1])) {
        return None;
    }
    let last = |run: &Run<'_>| run.evaluations().last()?.value("perplexity").filter(|value| value.is_finite());
    let reached = runs.iter().filter_map(|run| Some((last(run)?, &run.label)));
    let (perplexity, label) = reached.min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(Fact::plain("lowest held-out perplexity", shown_perplexity(perplexity), label))
}

fn runs_fact(counts: Counts, plan_known: bool) -> Fact {
    let complete = counts.is_complete();
    let detail = match (counts.shortfall(), plan_known) {
        (Some(shortfall), true) => shortfall,
        (Some(shortfall), false) => format!("{shortfall}; plan not known"),
        (None, true) => "the sweep is complete".into(),
        (None, false) => "plan not known".into(),
    };
    let tone = if complete && plan_known { Tone::Best } else { Tone::Bad };
    Fact { label: "runs done".into(), value: done_of_all(counts, plan_known), detail, tone }
}

fn done_of_all(counts: Counts, plan_known: bool) -> String {
    let done = grouped(counts.done as u64);
    if plan_known { format!("{done} of {}", grouped(counts.total() as u64)) } else { done }
}

/// Which model is clearly best on most of the tasks that at least two models have a score on.
fn leader(analysis: &Analysis<'_>) -> Option<Fact> {
    let contested: Vec<usize> = (0..analysis.tasks.len())
        .filter(|task| analysis.groups.iter().filter(|g| g.task == *task && g.best_score().is_some()).count() > 1)
        .collect();
    let winners: Vec<usize> = contested.iter().filter_map(|task| analysis.clear_winner(*task)).collect();
    let wins = |system: usize| winners.iter().filter(|winner| **winner == system).count();
    let most = (0..analysis.systems.len()).map(wins).max().filter(|_| !contested.is_empty())?;
    let leads = |at: &usize| most > 0 && wins(*at) == most;
    let leaders: Vec<String> =
        (0..analysis.systems.len()).filter(leads).map(|at| analysis.systems[at].label.clone()).collect();
    let (value, detail) = if leaders.is_empty() {
        ("none".to_owned(), format!("no clear difference on {}", counted(contested.len(), "task")))
    } else {
        let each = if leaders.len() > 1 { " each" } else { "" };
        (listed(&leaders), format!("on {most} of {}{each}, by more than the error", contested.len()))
    };
    Some(Fact::plain("clearly best on most tasks", value, detail))
}

fn table(analysis: &Analysis<'_>) -> Table {
    let labels = analysis.systems.iter().map(|system| system.label.as_str());
    let columns = Column::list(&["Task"], &labels.chain(["Majority", "Ceiling"]).collect::<Vec<_>>());
    let mut rows: Vec<Vec<Cell>> = (0..analysis.tasks.len()).map(|task| row(analysis, task)).collect();
    rows.extend(mean_row(analysis));
    Table { caption: "Best dev score of each model".into(), columns, rows, interactive: false }
}

fn row(analysis: &Analysis<'_>, task: usize) -> Vec<Cell> {
    let primary_metric = analysis.primary_metrics[task].as_ref();
    let measured = primary_metric.map_or("no record yet".to_owned(), |primary_metric| {
        format!("{}, {}", primary_metric.metric_name(), primary_metric.split_name())
    });
    let winner = analysis.clear_winner(task);
    let mut row = vec![Cell::text(&analysis.tasks[task].label).small(measured)];
    for (system, named) in analysis.systems.iter().enumerate() {
        row.push(match analysis.group(task, system) {
            None => Cell::absent(format!("{} has no run on this task", named.label)),
            Some(group) => score(primary_metric, group, winner == Some(system)),
        });
    }
    let of_any = |pick: fn(&Group<'_>) -> Option<f64>| {
        analysis.groups.iter().filter(|group| group.task == task).find_map(pick).zip(primary_metric)
    };
    let shown = |found: Option<(f64, &PrimaryMetric)>, why: &str| match found {
        Some((value, primary_metric)) => Cell::number(primary_metric.unit.shown(value), value).tone(Tone::Quiet),
        None => Cell::absent(why),
    };
    row.push(shown(of_any(|group| group.majority), "no finished run records the majority baseline"));
    row.push(shown(of_any(|group| group.ceiling), "no ceiling is known for this data"));
    row
}

/// A cell with the best point's score; with fewer runs than planned it says so.
fn score(primary_metric: Option<&PrimaryMetric>, group: &Group<'_>, best: bool) -> Cell {
    let (Some(primary_metric), Some(score)) = (primary_metric, group.best_score()) else {
        return Cell::absent(group.counts.why_no_score()).small(group.counts.why_no_score());
    };
    let mut cell = Cell::number(primary_metric.unit.shown(score.mean), score.mean);
    if let Some(sd) = score.sd {
        cell.text = format!("{} ± {}", cell.text, primary_metric.unit.shown(sd));
        cell.title = Some(format!("mean ± standard deviation over {} seeds", score.seeds));
    }
    if let Some(shortfall) = group.counts.shortfall() {
        cell = cell.small(shortfall);
    }
    if best { cell.tone(Tone::Best) } else { cell }
}

/// The mean over the tasks, when every model has every task and all are on one scale.
fn mean_row(analysis: &Analysis<'_>) -> Option<Vec<Cell>> {
    let one_benchmark = analysis.tasks.windows(2).all(|pair| pair[0].benchmark == pair[1].benchmark);
    let primary_metrics: Vec<&PrimaryMetric> = analysis.primary_metrics.iter().flatten().collect();
    let first = primary_metrics.first()?;
    let alike = primary_metrics.iter().all(|primary_metric| {
        primary_metric.unit.is_hundredths() == first.unit.is_hundredths() && primary_metric.higher_is_better
    });
    if analysis.tasks.len() < 2 || !one_benchmark || !alike || primary_metrics.len() != analysis.tasks.len() {
        return None;
    }
    let mut row = vec![Cell::text("Mean").small("over the tasks").tone(Tone::Quiet)];
    for system in 0..analysis.systems.len() {
        let scores: Option<Vec<f64>> =
            (0..analysis.tasks.len()).map(|task| Some(analysis.group(task, system)?.best_score()?.mean)).collect();
        row.push(mean_cell(scores, first.unit, "a task has no score, so a mean would not be comparable"));
    }
    for pick in [|group: &Group<'_>| group.majority, |group: &Group<'_>| group.ceiling] {
        let of_task = |task| analysis.groups.iter().filter(|group| group.task == task).find_map(pick);
        let values: Option<Vec<f64>> = (0..analysis.tasks.len()).map(of_task).collect();
        row.push(mean_cell(values, first.unit, "not known for every task"));
    }
    Some(row)
}

fn mean_cell(values: Option<Vec<f64>>, unit: Unit, why: &str) -> Cell {
    match values.and_then(|values| stats::mean(&values)) {
        Some(mean) => Cell::number(unit.shown(mean), mean).tone(Tone::Quiet),
        None => Cell::absent(why),
    }
}

/// All points of the sweep; tasks whose primary metric is a loss have no place on its axis.
fn spread_figure(analysis: &Analysis<'_>) -> Result<Option<Block>, Error> {
    let rows: Vec<SpreadRow> = (0..analysis.tasks.len()).filter_map(|task| spread_row(analysis, task)).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let names: Vec<(usize, String)> =
        analysis.systems.iter().enumerate().map(|(at, system)| (at, system.label.clone())).collect();
    let description = format!(
        "Dot plot of the dev score of every sweep point: {} tasks, {}. The numbers are in the tables.",
        rows.len(),
        counted(names.len(), "model")
    );
    let drawing = plot::spread(&rows, &names, "dev score × 100", &description)?;
    let caption = "Every point of the sweep (faint) and the best one, by task and model; bars mark the majority answer, dashes \
                   the ceiling where it is known.";
    Ok(Some(Block::Figures(vec![Figure::new("spread".into(), caption, drawing).wide()])))
}

fn spread_row(analysis: &Analysis<'_>, task: usize) -> Option<SpreadRow> {
    let unit = analysis.primary_metrics[task].as_ref()?.unit;
    if !unit.is_hundredths() {
        return None;
    }
    let groups: Vec<&Group<'_>> = analysis.groups.iter().filter(|cell| cell.task == task).collect();
    let model = |group: &&Group<'_>| {
        let points = group.points.iter().filter_map(|point| Some(unit.scaled(point.score.as_ref()?.mean))).collect();
        (group.system, points, group.best_score().map(|score| unit.scaled(score.mean)))
    };
    Some(SpreadRow {
        name: analysis.tasks[task].label.clone(),
        models: groups.iter().map(model).collect(),
        majority: groups.iter().find_map(|group| group.majority).map(|value| unit.scaled(value)),
        ceiling: groups.iter().find_map(|group| group.ceiling).map(|value| unit.scaled(value)),
    })
}
