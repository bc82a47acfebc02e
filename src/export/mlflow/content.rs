//! What of a run is sent.

use serde_json::{Value, json};

use crate::export::ExportedRun;
use crate::export::parameters::{main_parameters, parameters};
use crate::export::series::{Point, points};
use crate::report::State;

/// MLflow refuses longer values of parameters and tags (`mlflow/utils/validation.py`: 6000 and 8000).
const LONGEST: usize = 6000;

/// The most tags of one call (`mlflow/utils/validation.py`: 100), less those that are added to these.
const TAGS: usize = 90;

/// The parameters, metrics and tags of a run, as MLflow's REST API takes them.
#[derive(Debug)]
pub(super) struct Content {
    /// `{key, value}`.
    pub(super) parameters: Vec<Value>,
    /// `{key, value, timestamp, step}`.
    pub(super) metrics: Vec<Value>,
    /// Names and values.
    pub(super) tags: Vec<(String, String)>,
    /// BLAKE3 of all that.
    pub(super) checksum: String,
}

impl Content {
    pub(super) fn of(run: &ExportedRun<'_>) -> Self {
        let mut settings = main_parameters(run.settings);
        settings.extend(parameters(run.settings));
        let parameters: Vec<Value> =
            settings.iter().map(|(name, value)| json!({"key": key(name), "value": cut(&plain(value))})).collect();
        let metric = |of: Point| json!({"key": key(&of.name), "value": number(of.value), "timestamp": milliseconds(of.at), "step": of.step});
        let metrics: Vec<Value> = points(run).into_iter().map(metric).collect();
        let tags = tags(run);
        let all = json!([parameters, metrics, tags, run.times().1]).to_string();
        Self { parameters, metrics, tags, checksum: blake3::hash(all.as_bytes()).to_hex().to_string() }
    }
}

/// Where a run comes from, or why it failed.
fn tags(run: &ExportedRun<'_>) -> Vec<(String, String)> {
    let mut tags = vec![("mlflow.source.name".to_owned(), "bertbench".to_owned())];
    match run.ending {
        State::Done(record) => {
            let of = &record.provenance;
            tags.push(("bertbench.version".to_owned(), of.bertbench.clone()));
            tags.push(("bertbench.host".to_owned(), record.host.name.clone()));
            tags.push(("bertbench.wall_seconds".to_owned(), record.timings.wall.0.to_string()));
            tags.push(("bertbench.peak_memory_bytes".to_owned(), record.peak_memory.0.to_string()));
            tags.extend(of.git_commit.iter().map(|commit| ("mlflow.source.git.commit".to_owned(), commit.clone())));
            tags.extend(
                record.notes.iter().enumerate().map(|(at, note)| (format!("bertbench.note.{}", at + 1), cut(note))),
            );
        }
        State::Failed(failure) => {
            tags.push(("bertbench.failure".to_owned(), cut(&format!("{}: {}", failure.kind, failure.cause))));
        }
        State::Missing => {}
    }
    tags.truncate(TAGS);
    tags
}

/// A name of the characters that MLflow takes: letters, digits, `_`, `-`, `.`, space, `:` and `/`.
fn key(name: &str) -> String {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':' | '/');
    // 250 are the most (`mlflow/utils/validation.py`).
    name.chars().map(|c| if is_taken(c) { c } else { '_' }).take(250).collect()
}

/// JSON of protocol buffers has words for these numbers.
fn number(value: f64) -> Value {
    match value {
        _ if value.is_nan() => json!("NaN"),
        _ if value.is_finite() => json!(value),
        _ if value > 0.0 => json!("Infinity"),
        _ => json!("-Infinity"),
    }
}

pub(super) fn milliseconds(unix: f64) -> i64 {
    (unix * 1000.0) as i64
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(of) if of.is_f64() => format!("{:?}", of.as_f64().unwrap_or(f64::NAN)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
