//! Which pretrainings differ in one thing and in nothing else.

use serde::Serialize;
use serde_json::Value;

use super::Kind;
use crate::report::objective::{masks, names, unusual_masking};
use crate::report::published_ablations::{MASKS, OBJECTIVES};
use crate::settings::Masking;
use crate::store::{Origin, PretrainingObjective, RunSettings};

/// Where the settings of a pretraining are in a run's.
const OBJECTIVE: &str = "/objective/pretraining";
/// Settings that decide no weights, or decide them up to rounding, by their place.
const IGNORED: [(&str, &[&str]); 3] = [
    ("", &["model"]),
    ("/optimization", &["gradient_accumulation_steps", "gradient_checkpointing"]),
    (OBJECTIVE, &["evaluation", "masking", "snapshots", "saving", "logging_steps"]),
];

/// The groups of this kind that a pretraining belongs to, each named by the settings that its members share. One without
/// masks belongs to those with the paper's, else to every way of masking.
pub(super) fn group_keys(kind: Kind, pretraining: &Origin, known: &[(usize, &Origin)]) -> Vec<String> {
    let settings = &pretraining.settings;
    let Some(objective) = pretraining.settings.pretraining() else { return Vec::new() };
    if kind != Kind::Steps && pretraining.step != objective.steps() {
        return Vec::new();
    }
    match kind {
        // The paper's figure has a line for masked tokens and one from left to right.
        Kind::Objective | Kind::Steps => {
            let masked: Vec<&PretrainingObjective> = if names(objective.loss).masks {
                vec![objective]
            } else {
                let all = known.iter().filter_map(|(_, other)| other.settings.pretraining());
                let (usual, other): (Vec<_>, Vec<_>) =
                    all.filter(|other| names(other.loss).masks).partition(|s| unusual_masking(s).is_none());
                if usual.is_empty() { other } else { usual }
            };
            let mut keys: Vec<String> = masked
                .into_iter()
                .map(|other| format!("{} {}", shared_settings(kind, settings), json(&other.masking)))
                .collect();
            keys.sort();
            keys.dedup();
            keys
        }
        Kind::Masking => {
            let of = |masking: Masking| format!("{} {}", masking.masked_lm_prob, masking.whole_word);
            objective
                .masking
                .map(|masking| format!("{} {}", shared_settings(kind, settings), of(masking)))
                .into_iter()
                .collect()
        }
        Kind::Size => vec![shared_settings(kind, settings)],
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The settings without those that decide nothing and those that may differ, as text.
fn shared_settings(kind: Kind, settings: &RunSettings) -> String {
    let mut value = json(settings);
    let mut forget = |pointer: &str, names: &[&str]| {
        if let Some(Value::Object(object)) = value.pointer_mut(pointer) {
            object.retain(|name, _| !names.contains(&name.as_str()));
        }
    };
    for (place, names) in IGNORED {
        forget(place, names);
    }
    // A corpus is prepared for an objective and with its masks, so its checksum differs with them.
    if kind != Kind::Size {
        for phase in 0..settings.pretraining().map_or(0, |of| of.phases.len()) {
            forget(&format!("{OBJECTIVE}/phases/{phase}"), &["data"]);
        }
    }
    match kind {
        // A left-to-right model is one of the same dimensions whose attention is cut.
        Kind::Objective | Kind::Steps => {
            forget(OBJECTIVE, &["loss"]);
            forget("/architecture", &["causal"]);
        }
        Kind::Size => forget("/architecture", &["layers", "hidden", "heads", "intermediate"]),
        Kind::Masking => {}
    }
    value.to_string()
}

/// What a row is known by and sorted by: the paper's rows first, others after them.
pub(super) type RowKey = (usize, u64, String);

/// The row of a pretraining among those of its kind.
pub(super) fn row_key(kind: Kind, pretraining: &Origin) -> RowKey {
    let settings = &pretraining.settings;
    let last = usize::MAX;
    match kind {
        Kind::Objective | Kind::Steps => {
            let row = pretraining.settings.pretraining().map_or("", |of| names(of.loss).row);
            let rank = OBJECTIVES.rows.iter().position(|(known, _)| *known == row).unwrap_or(last);
            (rank, if kind == Kind::Steps { pretraining.step } else { 0 }, row.to_owned())
        }
        Kind::Size => (0, settings.architecture.parameters(), json(&settings.architecture).to_string()),
        Kind::Masking => {
            let own = pretraining.settings.pretraining().and_then(|of| of.masking.as_ref()).map(masks);
            let rank = MASKS.rows.iter().position(|(known, _)| Some(*known) == own).unwrap_or(last);
            (rank, 0, format!("{own:?}"))
        }
    }
}
