//! What each encoder's representation can do, beside what the text that introduces BERT says of it: how far it reaches,
//! whether it sees both sides, whether it computes in parallel.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Figure, Table};
use crate::report::phrase::grouped;
use crate::report::plot::{self, Curve, Curves, Marks};
use crate::report::run::Run;
use crate::settings::EncoderType;
use crate::stats;
use crate::store::InitialWeights;

/// What the text says of an encoder: the degree of its reach, and whether it sees both sides and computes in parallel.
const CLAIMS: [(EncoderType, u32, bool, bool); 5] = [
    (EncoderType::WordVectors, 1, true, true),
    (EncoderType::Lstm, 2, false, false),
    (EncoderType::Elmo, 2, true, false),
    (EncoderType::Gpt, 3, false, true),
    (EncoderType::Bert, 3, true, true),
];

/// A distance is bridged where the accuracy is at least half-way from chance, one half, to 1.
const BRIDGED: f64 = 0.75;
const LEVEL: f64 = 0.95;
const SIDES: [&str; 3] = ["left", "right", "both"];

/// Scores of one place of the table, a number for each seed.
struct Scores(Vec<f64>);

/// A system with what was measured of it.
struct Measured {
    system: usize,
    encoder: EncoderType,
    layers: u32,
    /// Accuracy by distance, ascending.
    reach: Vec<(u32, Scores)>,
    /// F1 of [`SIDES`].
    sides: [Scores; 3],
    /// Training tokens per second of pretraining, by length of the examples.
    speed: Vec<(u32, f64)>,
}

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut measured: Vec<Measured> = (0..analysis.systems.len()).map(|system| measure(analysis, system)).collect();
    measured.retain(|of| !of.reach.is_empty() || of.sides.iter().any(|side| !side.0.is_empty()));
    if measured.is_empty() {
        return Ok(Vec::new());
    }
    measured.sort_by_key(|of| CLAIMS.iter().position(|claim| claim.0 == of.encoder));
    let text = "Reach is the greatest distance, in tokens, up to which a word that decides is found in at least 75 % of the \
                sentences, half-way from chance to all (task reach). Sides are F1 of a word whose class is decided by the words \
                to its left, to its right, or on both sides (task sides): a model that does not see a side is at 50 %. The mean \
                over the seeds, and half of its 95 % interval by Student's t. Dependent steps are those that must follow one \
                another for a sequence of n tokens. In brackets: what the text says.";
    let mut blocks = vec![Block::paragraph(text), Block::Table(table(analysis, &measured))];
    let disagreements: Vec<String> = measured.iter().flat_map(|of| disagreements(analysis, of)).collect();
    if disagreements.is_empty() {
        blocks.push(Block::paragraph("Where it was measured, the text's table holds."));
    } else {
        blocks.push(Block::List { items: disagreements });
    }
    let distances = table_of(analysis, &measured, "Accuracy by distance", |of| {
        of.reach.iter().map(|(distance, scores)| (*distance, scores.cell())).collect()
    });
    let speeds = table_of(analysis, &measured, "Training tokens per second by length of the examples", |of| {
        of.speed.iter().map(|(length, speed)| (*length, Cell::number(grouped(speed.round() as u64), *speed))).collect()
    });
    blocks.extend(distances.into_iter().chain(speeds).map(Block::Table));
    let mut figures = Vec::new();
    figures.extend(figure(
        analysis,
        &measured,
        "representations-reach",
        "accuracy × 100, by log₂ of the distance",
        |of| {
            let point = |(distance, scores): &(u32, Scores)| Some((*distance, 100.0 * stats::mean(&scores.0)?));
            of.reach.iter().filter_map(point).collect()
        },
    )?);
    figures.extend(figure(
        analysis,
        &measured,
        "representations-sides",
        "F1 × 100 of left (1), right (2), both (3)",
        |of| {
            // The axis is one of logarithms.
            let point = |(at, scores): (u32, &Scores)| Some((1 << at, 100.0 * stats::mean(&scores.0)?));
            (1..).zip(&of.sides).filter_map(point).collect()
        },
    )?);
    figures.extend(figure(
        analysis,
        &measured,
        "representations-speed",
        "1000 training tokens per second, by log₂ of the length",
        |of| of.speed.iter().map(|(length, speed)| (*length, speed / 1000.0)).collect(),
    )?);
    if !figures.is_empty() {
        blocks.push(Block::Figures { figures });
    }
    Ok(blocks)
}

fn measure(analysis: &Analysis<'_>, system: usize) -> Measured {
    let runs = |task: &str| -> Vec<&Run<'_>> {
        let on = |run: &&Run<'_>| {
            run.system == system && run.task.is_some_and(|at| analysis.tasks[at].name == task) && run.record().is_some()
        };
        analysis.runs.iter().filter(on).collect()
    };
    let scores = |task: &str, split: &str, metric: &str| -> Scores {
        let of = |run: &&Run<'_>| {
            let scores = &run.record()?.scores;
            scores.iter().find(|score| score.split == split && score.metric == metric)?.value
        };
        Scores(runs(task).iter().filter_map(of).collect())
    };
    let mut distances: Vec<u32> = runs("reach")
        .iter()
        .filter_map(|run| run.record())
        .flat_map(|record| &record.scores)
        .filter_map(|score| score.split.strip_prefix("dev_")?.parse().ok())
        .collect();
    distances.sort_unstable();
    distances.dedup();
    let reach = distances.into_iter().map(|at| (at, scores("reach", &format!("dev_{at}"), "accuracy"))).collect();
    let architecture = &analysis.systems[system].architecture;
    Measured {
        system,
        encoder: architecture.encoder,
        layers: architecture.layers,
        reach,
        sides: SIDES.map(|side| scores("sides", &format!("dev_{side}"), "f1")),
        speed: speed(analysis, system),
    }
}

/// Read off the log of the pretraining that a system starts from: the median of each phase's lines.
fn speed(analysis: &Analysis<'_>, system: usize) -> Vec<(u32, f64)> {
    let InitialWeights::Pretraining { run: id, .. } = &analysis.systems[system].initial_weights else {
        return Vec::new();
    };
    let Some(run) = analysis.pretraining.iter().find(|run| run.id == *id) else { return Vec::new() };
    let Some(objective) = run.settings.pretraining() else { return Vec::new() };
    let of_phase = |(at, length): (usize, u32)| {
        let lines: Vec<f64> =
            run.steps().filter(|step| step.phase == Some(at)).map(|step| step.tokens_per_second).collect();
        Some((length, stats::median(&lines)?))
    };
    (1..).zip(objective.phases.iter().map(|phase| phase.max_length)).filter_map(of_phase).collect()
}

impl Scores {
    fn mean(&self) -> Option<f64> {
        stats::mean(&self.0)
    }

    /// The mean and half of its interval, in per cent.
    fn cell(&self) -> Cell {
        let Some(mean) = self.mean() else { return Cell::absent("it was not measured") };
        let shown = Cell::number(format!("{:.1}", 100.0 * mean), mean);
        match stats::t_interval(&self.0, LEVEL) {
            Some(interval) => shown.small(format!("± {:.1}", 50.0 * (interval.high - interval.low))),
            None => shown,
        }
    }
}

impl Measured {
    /// The greatest distance up to which all are bridged; 0 for none.
    fn bridged(&self) -> u32 {
        let bridged = self.reach.iter().take_while(|(_, scores)| scores.mean().is_some_and(|mean| mean >= BRIDGED));
        bridged.last().map_or(0, |(distance, _)| *distance)
    }

    /// Whether words on both sides are seen, where both were asked.
    fn sees_both(&self) -> Option<bool> {
        let [left, right, _] = &self.sides;
        Some(left.mean()? >= BRIDGED && right.mean()? >= BRIDGED)
    }

    /// Whether no side was learnt, by a model that sees more than the word itself: then it was not trained enough.
    fn learnt_nothing(&self) -> bool {
        let [left, right, _] = self.sides.each_ref().map(Scores::mean);
        let below = |mean: Option<f64>| mean.is_some_and(|mean| mean < BRIDGED);
        self.encoder != EncoderType::WordVectors && below(left) && below(right)
    }

    /// Steps that must follow one another, for n tokens.
    fn dependent_steps(&self) -> String {
        match self.encoder {
            EncoderType::Bert | EncoderType::Gpt | EncoderType::OpenaiGpt => self.layers.to_string(),
            EncoderType::Lstm | EncoderType::Elmo => format!("{} n", self.layers),
            EncoderType::WordVectors => "1".to_owned(),
        }
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn table(analysis: &Analysis<'_>, measured: &[Measured]) -> Table {
    let mut columns = vec![Column::text("Model")];
    columns.extend(["Reach", "Left", "Right", "Both", "Dependent steps"].map(Column::number));
    let row = |of: &Measured| {
        let claim = CLAIMS.iter().find(|claim| claim.0 == of.encoder);
        let said = |say: fn(&(EncoderType, u32, bool, bool)) -> String| claim.map(say).unwrap_or_default();
        let bridged = of.bridged();
        let furthest = of.reach.last().map_or(0, |(distance, _)| *distance);
        let reach = match bridged {
            0 => format!("< {}", of.reach.first().map_or(0, |(distance, _)| *distance)),
            _ if bridged == furthest => format!("≥ {bridged}"),
            _ => bridged.to_string(),
        };
        let [left, right, both] = of.sides.each_ref().map(Scores::cell);
        let system = &analysis.systems[of.system];
        vec![
            Cell::text(&system.label).small(of.encoder.to_string()),
            if of.reach.is_empty() {
                Cell::absent("it was not measured")
            } else {
                Cell::number(reach, f64::from(bridged)).small(said(|claim| format!("[{} of 3]", claim.1)))
            },
            left,
            right,
            with_claim(both, &said(|claim| format!("[both sides: {}]", yes(claim.2)))),
            Cell::text(of.dependent_steps()).small(said(|claim| format!("[parallel: {}]", yes(claim.3)))),
        ]
    };
    let rows = measured.iter().map(row).collect();
    Table { caption: "Representations".into(), columns, rows, interactive: false }
}

fn with_claim(cell: Cell, claim: &str) -> Cell {
    let small = cell.small.clone().map_or_else(|| claim.to_owned(), |small| format!("{small} {claim}"));
    cell.small(small)
}

/// Where the measurement says otherwise than the text.
fn disagreements(analysis: &Analysis<'_>, of: &Measured) -> Vec<String> {
    let Some(claim) = CLAIMS.iter().find(|claim| claim.0 == of.encoder) else { return Vec::new() };
    let label = &analysis.systems[of.system].label;
    let mut found = Vec::new();
    if of.learnt_nothing() {
        return vec![format!(
            "{label} learnt the words of neither side with this pretraining and in these epochs: its row does not say what \
             it could see."
        )];
    }
    if let Some(both) = of.sees_both().filter(|both| *both != claim.2) {
        let why = match of.encoder {
            EncoderType::WordVectors => {
                ": both sides of a word shape its vector in training, but in a sentence the vector is the same whatever \
                 stands around it"
            }
            EncoderType::Bert | EncoderType::Gpt | EncoderType::OpenaiGpt | EncoderType::Lstm | EncoderType::Elmo => "",
        };
        found.push(format!("{label} sees both sides: {}, where the text says {}{why}.", yes(both), yes(claim.2)));
    }
    found
}

/// A table with a column for each number that some model was measured at; `None` without any.
fn table_of(
    analysis: &Analysis<'_>,
    measured: &[Measured],
    caption: &str,
    cells: impl Fn(&Measured) -> Vec<(u32, Cell)>,
) -> Option<Table> {
    let mut heads: Vec<u32> = measured.iter().flat_map(|of| cells(of).into_iter().map(|(at, _)| at)).collect();
    heads.sort_unstable();
    heads.dedup();
    if heads.is_empty() {
        return None;
    }
    let mut columns = vec![Column::text("Model")];
    columns.extend(heads.iter().map(|head| Column::number(&head.to_string())));
    let row = |of: &Measured| {
        let own = cells(of);
        let cell = |head: &u32| {
            let found = own.iter().find(|(at, _)| at == head).map(|(_, cell)| cell.clone());
            found.unwrap_or_else(|| Cell::absent("it was not measured"))
        };
        [Cell::text(&analysis.systems[of.system].label)].into_iter().chain(heads.iter().map(cell)).collect()
    };
    let rows = measured.iter().map(row).collect();
    Some(Table { caption: caption.to_owned(), columns, rows, interactive: false })
}

fn figure(
    analysis: &Analysis<'_>,
    measured: &[Measured],
    name: &str,
    title: &str,
    points: impl Fn(&Measured) -> Vec<(u32, f64)>,
) -> Result<Option<Figure>, Error> {
    let line = |of: &Measured| {
        let points = points(of).into_iter().map(|(at, value)| (f64::from(at).log2(), value)).collect();
        Curve { series: of.system, points, best: true }
    };
    let lines: Vec<Curve> = measured.iter().map(line).filter(|line| !line.points.is_empty()).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let label = |line: &Curve| (line.series, analysis.systems[line.series].label.clone());
    let names = lines.iter().map(label).collect();
    let description = format!("Line plot: {title}; a line for each of {} models.", lines.len());
    let drawing = plot::curves(&Curves {
        description: &description,
        title,
        x_title: "",
        lines,
        names,
        levels: Vec::new(),
        marks: Marks::All,
        whole: false,
        logarithmic: false,
    })?;
    Ok(Some(Figure::new(name.to_owned(), title, description, drawing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_at_chance_on_both_sides_was_not_trained_enough_unless_it_sees_the_word_alone() {
        let of = |encoder, [left, right]: [f64; 2]| Measured {
            system: 0,
            encoder,
            layers: 1,
            reach: vec![(2, Scores(vec![0.5])), (4, Scores(vec![0.9]))],
            sides: [left, right, 0.5].map(|score| Scores(vec![score])),
            speed: Vec::new(),
        };
        assert!(of(EncoderType::Lstm, [0.5, 0.5]).learnt_nothing());
        assert!(!of(EncoderType::Gpt, [1.0, 0.5]).learnt_nothing());
        assert!(!of(EncoderType::WordVectors, [0.5, 0.5]).learnt_nothing());
        assert_eq!(of(EncoderType::Gpt, [1.0, 0.5]).sees_both(), Some(false));
        assert_eq!(of(EncoderType::Bert, [1.0, 0.9]).bridged(), 0, "all up to the distance are bridged");
    }
}
