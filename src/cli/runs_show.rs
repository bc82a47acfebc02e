//! What `bertbench runs show` tells of a run's record and its course.

use crate::diagnostic::Error;
use crate::report::moment;
use crate::store::{Evaluation, Event, Record};
use crate::terminal::{Column, curve, numbers_table, print, print_wrapped, table};

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
        print(&format_args!("\n{}", numbers_table(&header.collect::<Vec<_>>(), &rows.collect::<Vec<_>>())))?;
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
