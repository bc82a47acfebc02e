//! Pretraining runs: what was learned, how far, and at what price.

use super::pretraining_curves::figures;
use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::objective::{names, phases, unusual_masking};
use crate::report::phrase::{grouped, millions};
use crate::report::primary_metric::Unit;
use crate::report::run::{Run, State};
use crate::store::{Architecture, InitialWeights, PretrainingObjective, Record, Score};
use crate::units::Seconds;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.pretraining.is_empty() {
        return Ok(Vec::new());
    }
    let text = "Perplexity is the exponential of the mean loss over the predicted tokens of held-out text, so it compares only models \
                with the same text and vocabulary. Accuracies (× 100) are on held-out text too. Parameters are those of the \
                encoder with its pooler.";
    let mut blocks = vec![Block::paragraph(text), Block::Table(table(analysis))];
    for (at, experiment) in analysis.input.experiments.iter().enumerate() {
        let runs: Vec<&Run<'_>> = analysis.pretraining.iter().filter(|run| run.experiment == at).collect();
        let figures = figures(&experiment.name, &runs)?;
        if !figures.is_empty() {
            blocks.push(Block::heading(&experiment.name));
            blocks.push(Block::Figures(figures));
        }
    }
    Ok(blocks)
}

fn table(analysis: &Analysis<'_>) -> Table {
    let runs = &analysis.pretraining;
    let with_masking = runs.iter().filter_map(|run| run.settings.pretraining()).any(|of| unusual_masking(of).is_some());
    let numbers =
        ["Batch", "Peak learning rate", "Tokens", "Perplexity", "MLM accuracy", "NSP accuracy", "Tokens/s", "Time"];
    let texts = ["Run", "State", "Layers × width", "Objective", "Steps × length"];
    let mut columns = Column::list(&texts, &numbers);
    if with_masking {
        columns.insert(4, Column::text("Mask/same/random"));
    }
    let row = |run: &Run<'_>| Some(row(analysis, run, run.settings.pretraining()?, with_masking));
    let rows = runs.iter().filter_map(row).collect();
    Table { caption: "Pretraining runs".into(), columns, rows, interactive: runs.len() > 6 }
}

/// `2 × 64` of layers and width.
pub(super) fn size(architecture: &Architecture) -> String {
    format!("{} × {}", architecture.layers, architecture.hidden)
}

fn row(analysis: &Analysis<'_>, run: &Run<'_>, of: &PretrainingObjective, with_masking: bool) -> Vec<Cell> {
    let settings = run.settings;
    let shape = &settings.architecture;
    let experiment = &analysis.input.experiments[run.experiment].name;
    let mut row = vec![
        Cell::text(&run.label).small(experiment).link(run.link()),
        state(run, of),
        Cell::text(size(shape)).small(millions(shape.parameters())),
        objective(run, of),
    ];
    if with_masking {
        let usual = || Cell::text("80/10/10").small("of 15 %").tone(Tone::Quiet);
        row.push(match (names(of.loss).masks, unusual_masking(of)) {
            (false, _) => Cell::absent("nothing is masked"),
            (true, None) if of.masking.is_none() => Cell::absent("not recorded"),
            (true, None) => usual(),
            (true, Some(masking)) => match masking.split_once(' ') {
                Some((masks, rest)) => Cell::text(masks).small(rest),
                None => Cell::text(masking),
            },
        });
    }
    row.push(phases_cell(of));
    row.push(Cell::number(settings.optimization.batch_size.to_string(), f64::from(settings.optimization.batch_size)));
    row.push(Cell::number(format!("{:e}", settings.optimization.learning_rate), settings.optimization.learning_rate));
    let of_record = |value: fn(&Record) -> f64| run.record().map(value);
    let tokens = of_record(|record| record.tokens.0 as f64);
    row.push(Cell::known(tokens, "not finished", |tokens| millions(tokens as u64)));
    row.extend(scores(run));
    row.push(Cell::known(
        run.tokens_per_second(),
        "nothing logged yet",
        |speed| grouped(speed.max(0.0).round() as u64),
    ));
    let wall = of_record(|record| record.timings.wall.0);
    row.push(Cell::known(wall, "not finished", |wall| Seconds(wall).to_string()));
    row
}

/// The phases, one a line.
fn phases_cell(of: &PretrainingObjective) -> Cell {
    let phases = phases(of);
    match phases.split_once(", ") {
        Some((first, rest)) => Cell::text(first).small(format!("then {rest}")),
        None => Cell::text(phases),
    }
}

fn objective(run: &Run<'_>, of: &PretrainingObjective) -> Cell {
    let cell = Cell::text(names(of.loss).words);
    match run.settings.initial_weights {
        InitialWeights::Random => cell,
        InitialWeights::Checkpoint { .. } | InitialWeights::Pretraining { .. } => {
            cell.small("continued from other weights")
        }
    }
}

fn state(run: &Run<'_>, of: &PretrainingObjective) -> Cell {
    let steps = grouped(of.steps());
    let reached = run.last_step().map(|step| format!("step {} of {steps}", grouped(step)));
    match run.state {
        State::Done(_) => Cell::text("done"),
        State::Failed(failure) => {
            let after = reached.map_or_else(String::new, |reached| format!(", {reached}"));
            Cell::text("failed").small(format!("{}: {}{after}", failure.kind, failure.cause)).tone(Tone::Bad)
        }
        State::Missing => match reached {
            Some(reached) => Cell::text("not finished").small(reached),
            None => Cell::text("not run").tone(Tone::Absent),
        },
    }
}

/// Perplexity and both accuracies after the last evaluation.
fn scores(run: &Run<'_>) -> Vec<Cell> {
    let Some(last) = run.evaluations().pop() else {
        return (0..3).map(|_| Cell::absent("no held-out text, or not evaluated yet")).collect();
    };
    let shown = |metric: &str, why: &str| {
        Cell::known(last.value(metric).filter(|value| value.is_finite()), why, |value| Unit::Fraction.shown(value))
    };
    let mut first = perplexity_cell(&last.scores);
    if run.record().is_none() {
        first = first.small(format!("after step {}", grouped(last.step)));
    }
    vec![
        first,
        shown("mlm_accuracy", "the accuracy is not a number"),
        shown("nsp_accuracy", "next sentences are not predicted"),
    ]
}

/// A perplexity, if the objective defines one: skip-gram tells neighbours from drawn words and gives words no probability.
pub(super) fn perplexity_cell(scores: &[Score]) -> Cell {
    match scores.iter().find(|score| score.metric == "perplexity") {
        None => Cell::absent("the objective defines no perplexity"),
        Some(Score { value: Some(value), .. }) if value.is_finite() => Cell::number(shown_perplexity(*value), *value),
        Some(_) => Cell::text("NaN").title("the perplexity is not a number").tone(Tone::Bad),
    }
}

/// Three or four digits: `3.99`, `25.8`, `1 204`.
pub(super) fn shown_perplexity(perplexity: f64) -> String {
    match perplexity {
        small if small < 10.0 => format!("{small:.2}"),
        middle if middle < 1000.0 => format!("{middle:.1}"),
        large => grouped(large.round() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perplexities_have_the_digits_that_count() {
        assert_eq!([3.987, 25.81, 1203.7].map(shown_perplexity), ["3.99", "25.8", "1\u{202f}204"]);
    }

    #[test]
    fn only_a_perplexity_that_is_not_a_number_is_nan() {
        let scores = |metric: &str, value| {
            let (metric, split, unit) = (metric.to_owned(), "held_out".to_owned(), "plain".to_owned());
            [Score { metric, split, value, unit, higher_is_better: false }]
        };
        assert_eq!(perplexity_cell(&scores("perplexity", Some(3.987))).text, "3.99");
        assert_eq!(perplexity_cell(&scores("perplexity", None)).tone, Tone::Bad);
        assert_eq!(
            perplexity_cell(&scores("mlm_loss", Some(2.0))),
            Cell::absent("the objective defines no perplexity")
        );
    }
}
