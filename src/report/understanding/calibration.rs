//! Whether the models are right as often as they are sure.

use super::sides::Sides;
use crate::report::Error;
use crate::report::block::{Block, Cell, Column, Figure, Table};
use crate::report::phrase::grouped;
use crate::report::plot::{self, Cloud, Scatter};
use crate::stats::{BINS, ConfidenceBin, calibration_error, mean, reliability};

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let Some(sides) = pair.sides().map(|side| bins(pair, side)).collect::<Option<Vec<_>>>() else {
        return Ok(Vec::new());
    };
    let text = format!(
        "A model is well calibrated when, of the answers that it is 80 % sure of, 80 % are right. Answers are put into {BINS} \
         bins by the probability of the answered class; the expected calibration error (ECE) is the mean distance of \
         accuracy from confidence over all answers (Guo et al. 2017)."
    );
    let table = table(pair, &sides);
    let figure = figure(pair, &sides)?;
    Ok(vec![Block::paragraph(text), Block::Table(table), figure])
}

/// What a side's answers were, and their bins.
struct Sure {
    confidence: f64,
    accuracy: f64,
    bins: Vec<ConfidenceBin>,
}

fn bins(pair: &Sides<'_>, side: usize) -> Option<Sure> {
    let confidences: Vec<f64> = (0..pair.len()).map(|at| pair.confidence(side, at)).collect::<Option<_>>()?;
    let right = pair.all_right(side)?;
    let accuracy = right.iter().filter(|right| **right).count() as f64 / right.len() as f64;
    Some(Sure { confidence: mean(&confidences)?, accuracy, bins: reliability(&confidences, &right, BINS) })
}

fn table(pair: &Sides<'_>, sides: &[Sure]) -> Table {
    let shown = |value: f64| Cell::number(format!("{:.1}", 100.0 * value), value);
    let row = |(label, of): (&&str, &Sure)| {
        let error = calibration_error(&of.bins);
        let over = of.confidence - of.accuracy;
        vec![
            Cell::text(*label),
            Cell::known(error, "there is no answer", |error| format!("{:.1}", 100.0 * error)),
            shown(of.confidence),
            shown(of.accuracy),
            Cell::number(format!("{:+.1}", 100.0 * over).replace('-', "−"), over),
        ]
    };
    Table {
        caption: "Calibration, × 100".into(),
        columns: Column::list(&["Model"], &["ECE", "Mean confidence", "Accuracy", "Overconfidence"]),
        rows: pair.labels.iter().zip(sides).map(row).collect(),
        interactive: false,
    }
}

fn figure(pair: &Sides<'_>, sides: &[Sure]) -> Result<Block, Error> {
    let cloud = |side: usize| {
        let all: u64 = sides[side].bins.iter().map(|bin| bin.count).sum();
        // The area of a mark says how many answers the bin has.
        let radius = |bin: &ConfidenceBin| (12.0 * (bin.count as f64 / all as f64).sqrt()).max(2.0);
        let points = sides[side].bins.iter().map(|bin| ((bin.confidence, bin.accuracy), radius(bin))).collect();
        Cloud { series: pair.series[side], points, opacity: 0.6, joined: true }
    };
    let described = |side: usize| {
        let bin = |bin: &ConfidenceBin| {
            let (count, sure, right) = (grouped(bin.count), 100.0 * bin.confidence, 100.0 * bin.accuracy);
            format!("{count} answers with a mean confidence of {sure:.0} % are right in {right:.0} %")
        };
        let all: Vec<String> = sides[side].bins.iter().map(bin).collect();
        format!("{}: {}.", pair.labels[side], all.join("; "))
    };
    let description = format!("Reliability diagram. {}", pair.sides().map(described).collect::<Vec<_>>().join(" "));
    let drawing = plot::scatter(&Scatter {
        description: &description,
        y_title: "accuracy",
        x_title: "confidence",
        clouds: pair.sides().map(cloud).collect(),
        names: pair.sides().map(|side| (pair.series[side], pair.labels[side].to_owned())).collect(),
        range: (0.0, 1.0),
    })?;
    let caption = "Reliability: on the diagonal a model is right as often as it is sure, below it less often. The larger a \
                   mark, the more answers.";
    Ok(Block::Figures(vec![Figure::new(String::new(), caption, drawing)]))
}
