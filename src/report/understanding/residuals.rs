//! How far predicted scores lie from the gold ones.

use super::sides::Sides;
use crate::random::Stream;
use crate::report::Error;
use crate::report::block::{Block, Cell, Column, Figure, Table};
use crate::report::plot::{self, Cloud, Scatter};
use crate::stats::mean;
use crate::store::Answers;

/// Equally wide parts of the scale.
const PARTS: usize = 5;
/// As many points are drawn at most.
const POINTS: usize = 1000;

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let Answers::Scores { gold, .. } = pair.answers[0] else { return Ok(Vec::new()) };
    let gold: Vec<f64> = gold.iter().map(|gold| f64::from(*gold)).collect();
    let text = "A residual is the predicted less the gold score: above 0 the prediction is too high. The error is the mean of \
                the residuals without their sign.";
    let figures = pair.sides().map(|side| figure(pair, &gold, side)).collect::<Result<Vec<_>, _>>()?;
    Ok(vec![Block::paragraph(text), Block::Table(table(pair, &gold)), Block::Figures(figures)])
}

/// Mean residual, mean absolute residual, and root of the mean square.
fn errors(residuals: &[f64]) -> Option<[f64; 3]> {
    let absolute: Vec<f64> = residuals.iter().map(|of| of.abs()).collect();
    let squares: Vec<f64> = residuals.iter().map(|of| of * of).collect();
    Some([mean(residuals)?, mean(&absolute)?, mean(&squares)?.sqrt()])
}

/// The smallest and the largest gold score.
fn ends(gold: &[f64]) -> (f64, f64) {
    gold.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), of| (low.min(*of), high.max(*of)))
}

/// Which of [`PARTS`] a gold score is in; the last one has its upper end.
fn part_of(gold: f64, (low, high): (f64, f64)) -> usize {
    (((gold - low) / (high - low) * PARTS as f64) as usize).min(PARTS - 1)
}

fn table(pair: &Sides<'_>, gold: &[f64]) -> Table {
    let ends = ends(gold);
    let width = (ends.1 - ends.0) / PARTS as f64;
    let mut parts: Vec<(String, Vec<usize>)> = (0..PARTS)
        .map(|part| {
            let from = ends.0 + part as f64 * width;
            let own = (0..gold.len()).filter(|at| part_of(gold[*at], ends) == part).collect();
            (format!("{from:.1} to {:.1}", from + width), own)
        })
        .collect();
    parts.push(("all".to_owned(), (0..gold.len()).collect()));
    let mut columns = Column::list(&["Gold score"], &["Examples"]);
    for what in ["mean residual", "error", "root mean square"] {
        columns.extend(pair.labels.iter().map(|label| Column::number(&format!("{label}, {what}"))));
    }
    let rows = parts.iter().filter(|(_, own)| !own.is_empty()).map(|(name, own)| {
        let errors_of = |side: usize| {
            errors(&own.iter().filter_map(|at| pair.residual(side, *at)).collect::<Vec<_>>()).unwrap_or([f64::NAN; 3])
        };
        let sides: Vec<[f64; 3]> = pair.sides().map(errors_of).collect();
        let mut row = vec![Cell::text(name), Cell::count(own.len())];
        for what in 0..3 {
            let shown = |value: f64| Cell::number(format!("{value:.2}").replace('-', "−"), value);
            row.extend(sides.iter().map(|side| shown(side[what])));
        }
        row
    });
    Table { caption: "Residuals by gold score".into(), columns, rows: rows.collect(), interactive: false }
}

fn figure(pair: &Sides<'_>, gold: &[f64], side: usize) -> Result<Figure, Error> {
    let mut places: Vec<usize> = (0..gold.len()).collect();
    let sampled = places.len() > POINTS;
    if sampled {
        Stream::new(0, "residuals").at(0).shuffle(&mut places);
        places.truncate(POINTS);
    }
    let point = |at: &usize| Some(((gold[*at], gold[*at] + pair.residual(side, *at)?), 2.2));
    let points = places.iter().filter_map(point).collect();
    let label = pair.labels[side];
    let of = if sampled { format!("{POINTS} examples drawn at random") } else { "all examples".to_owned() };
    let description = format!("Scatter plot of the scores predicted by {label} against the gold scores, of {of}.");
    let drawing = plot::scatter(&Scatter {
        description: &description,
        y_title: "predicted",
        x_title: "gold",
        clouds: vec![Cloud { series: pair.series[side], points, opacity: 0.35, joined: false }],
        names: vec![(pair.series[side], label.to_owned())],
        range: ends(gold),
    })?;
    Ok(Figure::new(String::new(), format!("Predicted against gold scores, {of}: {label}."), drawing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_worked_out_by_hand() {
        // −1, 0.5 and 2: mean 0.5, absolute 3.5 / 3, squares (1 + 0.25 + 4) / 3 = 1.75.
        let [bias, absolute, root] = errors(&[-1.0, 0.5, 2.0]).unwrap();
        assert!((bias - 0.5).abs() < 1e-12 && (absolute - 3.5 / 3.0).abs() < 1e-12);
        assert!((root - 1.75_f64.sqrt()).abs() < 1e-12);
        assert_eq!(errors(&[]), None);
        assert_eq!([0.0, 0.99, 1.0, 4.99, 5.0].map(|gold| part_of(gold, (0.0, 5.0))), [0, 0, 1, 4, 4]);
        assert_eq!(part_of(2.0, (2.0, 2.0)), 0, "one score alone");
    }
}
