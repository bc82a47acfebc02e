//! What `bertbench runs show` tells of a run's record and its course.

use super::error::Error;
use super::table::{Column, print, print_wrapped, table};
use crate::report::moment;
use crate::store::{Evaluation, Event, Record};

/// Characters of a curve, and the heights that one of them has.
const CURVE: usize = 60;
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a run left: when and where it ran, what it cost, its last scores.
pub(super) fn record(record: &Record) -> Result<(), Error> {
    let (ended, ran) = (&record.timings, &record.provenance);
    let commit = ran.git_commit.as_deref().map_or("unknown", |commit| commit.get(..12).unwrap_or(commit));
    let dirty = if ran.git_dirty { ", with uncommitted changes" } else { "" };
    print(&format_args!(
        "host    {} ({}, {} {})\nran     {} to {}\ncommit  {commit}{dirty}",
        record.host.name,
        record.host.device,
        record.host.threads,
        if record.host.threads == 1 { "thread" } else { "threads" },
        moment(ran.started_unix),
        moment(ran.finished_unix)
    ))?;
    print(&format_args!(
        "time    {} ({} tokens/s, {:.1} % overhead), peak memory {}",
        ended.wall,
        ended.tokens_per_second.round(),
        100.0 * ended.overhead_fraction,
        record.peak_memory
    ))?;
    let shown = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
    if record.task().is_some() {
        let columns = [Column::Text("split"), Column::Text("metric"), Column::Number("value"), Column::Text("unit")];
        let rows = record
            .scores
            .iter()
            .map(|score| vec![score.split.clone(), score.metric.clone(), shown(score.value), score.unit.clone()]);
        print(&format_args!("\n{}", table(&columns, rows)))?;
    } else {
        let columns = ["step", "loss", "perplexity", "accuracy", "next sentence"].map(Column::Number);
        let metrics = ["mlm_loss", "perplexity", "mlm_accuracy", "nsp_accuracy"];
        let rows = record.evaluations.iter().map(|evaluation| {
            let values = metrics
                .map(|name| evaluation.value(name).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}")));
            std::iter::once(evaluation.step.to_string()).chain(values).collect()
        });
        print(&format_args!("\n{}", table(&columns, rows)))?;
    }
    for note in &record.notes {
        print_wrapped(&format_args!("note    {note}"), 8)?;
    }
    Ok(())
}

/// The scores by epoch, and the training loss over the steps as a curve.
pub(super) fn evaluations(record: Option<&Record>, events: &[Event]) -> Result<(), Error> {
    let logged = events.iter().filter_map(|event| match event {
        Event::Evaluation(evaluation) => Some(evaluation),
        Event::Step(_) => None,
    });
    let evaluations: Vec<&Evaluation> = match record.filter(|record| !record.evaluations.is_empty()) {
        Some(record) => record.evaluations.iter().collect(),
        None => logged.collect(),
    };
    // A pretraining's evaluations are the table of its record.
    if let Some(last) = evaluations.last().filter(|last| last.epoch.is_some()) {
        let names: Vec<String> = last.scores.iter().map(|score| format!("{} {}", score.split, score.metric)).collect();
        let header = ["epoch", "train loss"].into_iter().chain(names.iter().map(String::as_str));
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        let rows = evaluations.iter().map(|evaluation| {
            let epoch = evaluation.epoch.map_or_else(String::new, |epoch| epoch.to_string());
            let scores = evaluation.scores.iter().map(|score| number(score.value));
            [epoch, number(evaluation.train_loss)].into_iter().chain(scores).collect::<Vec<_>>()
        });
        print(&format_args!("\n{}", lines(&header.collect::<Vec<_>>(), &rows.collect::<Vec<_>>())))?;
    }
    let losses: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Step(step) => Some(step.loss),
            Event::Evaluation(_) => None,
        })
        .collect();
    if let Some(drawn) = curve(&losses) {
        print(&format_args!("\n{drawn}"))?;
    }
    Ok(())
}

/// Numbers under their heads, aligned right.
fn lines(header: &[&str], rows: &[Vec<String>]) -> String {
    let letters = |text: &str| text.chars().count();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| letters(cell)).max().unwrap_or(0);
    let widths: Vec<usize> = header.iter().enumerate().map(|(at, head)| width(at).max(letters(head))).collect();
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        padded.collect::<Vec<_>>().join("  ")
    };
    let body = rows.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    std::iter::once(line(header)).chain(body).collect::<Vec<_>>().join("\n")
}

/// Training loss from the first step to the last, a character for the mean of several; none below two finite losses.
fn curve(losses: &[f64]) -> Option<String> {
    let finite: Vec<f64> = losses.iter().copied().filter(|loss| loss.is_finite()).collect();
    if finite.len() < 2 {
        return None;
    }
    let columns = CURVE.min(finite.len());
    let part = |at: usize| &finite[at * finite.len() / columns..(at + 1) * finite.len() / columns];
    let means: Vec<f64> = (0..columns).map(|at| part(at).iter().sum::<f64>() / part(at).len() as f64).collect();
    let (low, high) =
        means.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    let height = |mean: &f64| ((mean - low) / (high - low).max(f64::MIN_POSITIVE) * 7.0).round() as usize;
    let drawn: String = means.iter().map(|mean| HEIGHTS[height(mean).min(7)]).collect();
    Some(format!("loss    {drawn}\n        {high:.3} to {low:.3}, {} steps", losses.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_falls_from_left_to_right() {
        let losses: Vec<f64> = (0..600).map(|step| 1.0 - f64::from(step) / 600.0).collect();
        let drawn = curve(&losses).unwrap();
        let first = drawn.lines().next().unwrap().trim_start_matches("loss").trim();
        assert_eq!((first.chars().count(), first.chars().next(), first.chars().last()), (60, Some('█'), Some('▁')));
        assert!(drawn.ends_with("600 steps"), "{drawn}");
        assert_eq!((curve(&[f64::NAN, 1.0]), curve(&[])), (None, None));
        assert!(curve(&[1.0, 1.0]).unwrap().contains("▁▁"));
    }
}
