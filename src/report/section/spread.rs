//! The plot beside the headline table: every point of the sweep.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Figure};
use crate::report::group::Group;
use crate::report::phrase::counted;
use crate::report::plot::{self, SpreadRow};

/// All points of the sweep; tasks whose primary metric is a loss have no place on its axis.
pub(super) fn figure(analysis: &Analysis<'_>) -> Result<Option<Block>, Error> {
    let rows: Vec<SpreadRow> = (0..analysis.tasks.len()).filter_map(|task| row(analysis, task)).collect();
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
    Ok(Some(Block::Figures {
        figures: vec![
            Figure::new(
                "spread".into(),
                "Every point of the sweep (faint) and the best one, by task and model; bars mark the majority \
                      answer, dashes the ceiling where it is known.",
                description,
                drawing,
            )
            .wide(),
        ],
    }))
}

fn row(analysis: &Analysis<'_>, task: usize) -> Option<SpreadRow> {
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
