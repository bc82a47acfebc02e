//! What TensorBoard's plugin hparams reads: which settings and scores there are, and those of each run.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use serde_json::Value as Json;

use super::event;
use super::messages::{
    Dimension, Event, Experiment, HParamInfo, HParams, HParamsData, MetricInfo, MetricName, PluginData, Scalar,
    ScalarKind, SessionEnd, SessionStart, SummaryMetadata, SummaryValue, TensorProto, TensorShape, Value,
};
use crate::export::ExportedRun;
use crate::export::parameters::{main_parameters, parameters};
use crate::report::State;

/// `DataType` of `api.proto`.
const STRING: i32 = 1;
const TRUTH: i32 = 2;
const NUMBER: i32 = 3;
/// `DT_FLOAT` of `types.proto`.
const FLOAT: i32 = 1;
/// `Status` of `api.proto`.
const SUCCESS: i32 = 1;
const FAILURE: i32 = 2;

/// The settings of a run that are shown: those that everyone asks for, and those in which runs differ.
fn shown(run: &ExportedRun<'_>, varying: &BTreeSet<String>) -> BTreeMap<String, Json> {
    let mut shown = main_parameters(run.settings);
    shown.extend(parameters(run.settings).into_iter().filter(|(name, _)| varying.contains(name)));
    shown
}

/// The event that lists settings and primary scores.
pub(super) fn experiment(name: &str, runs: &[ExportedRun<'_>], varying: &BTreeSet<String>) -> Event {
    let mut kinds: BTreeMap<String, i32> = BTreeMap::new();
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in runs.iter().flat_map(|run| shown(run, varying)) {
        let kind = kind(&value);
        values.entry(name.clone()).or_default().insert(value.to_string());
        // A setting that is a number here and a word there is shown as a word.
        kinds.entry(name).and_modify(|known| *known = if *known == kind { kind } else { STRING }).or_insert(kind);
    }
    let primary = |run: &ExportedRun<'_>| {
        let record = run.record()?;
        let split = record.task().map_or("held_out", |task| &task.primary_split);
        Some(format!("final/{split}/{}", record.primary_metric()))
    };
    let metrics: BTreeSet<String> = runs.iter().filter_map(primary).collect();
    let differs = |name: &String| values.get(name).is_some_and(|values| values.len() > 1);
    let info = |(name, kind): (String, i32)| HParamInfo { differs: differs(&name), name, kind };
    let began = runs.iter().map(|run| run.times().0).filter(|at| *at > 0).min().unwrap_or(0);
    let experiment = Experiment {
        time_created_secs: began as f64,
        name: name.to_owned(),
        hparam_infos: kinds.into_iter().map(info).collect(),
        metric_infos: metrics.into_iter().map(|tag| MetricInfo { name: Some(MetricName { tag }) }).collect(),
    };
    of(began as f64, "_hparams_/experiment", HParamsData::Experiment(experiment))
}

/// The event at the start of a run: its settings.
pub(super) fn start(run: &ExportedRun<'_>, varying: &BTreeSet<String>) -> Event {
    let hparams = shown(run, varying).into_iter().map(|(name, value)| (name, scalar(value))).collect();
    let started = run.times().0 as f64;
    let start = SessionStart { hparams, group_name: run.place(), start_time_secs: started };
    of(started, "_hparams_/session_start_info", HParamsData::SessionStart(start))
}

/// The event at the end of a run that ended.
pub(super) fn end(run: &ExportedRun<'_>) -> Option<Event> {
    let status = match run.ending {
        State::Done(_) => SUCCESS,
        State::Failed(_) => FAILURE,
        State::Missing => return None,
    };
    let ended = run.times().1 as f64;
    let end = SessionEnd { status, end_time_secs: ended };
    Some(of(ended, "_hparams_/session_end_info", HParamsData::SessionEnd(end)))
}

/// As `summary.py` of the plugin writes it: the content is in the metadata, and the value is one zero.
fn of(wall_time: f64, tag: &str, data: HParamsData) -> Event {
    let content = HParams { data: Some(data) }.encode_to_vec();
    let plugin_data = Some(PluginData { plugin_name: "hparams".to_owned(), content });
    let shape = TensorShape { dim: vec![Dimension { size: 1 }] };
    let zero = TensorProto { dtype: FLOAT, tensor_shape: Some(shape), float_val: vec![0.0] };
    let metadata = Some(SummaryMetadata { plugin_data });
    event(wall_time, 0, SummaryValue { tag: tag.to_owned(), metadata, value: Some(Value::Tensor(zero)) })
}

fn kind(value: &Json) -> i32 {
    match value {
        Json::Bool(_) => TRUTH,
        Json::Number(_) => NUMBER,
        Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => STRING,
    }
}

fn scalar(value: Json) -> Scalar {
    let kind = match value {
        Json::Bool(truth) => ScalarKind::Truth(truth),
        Json::Number(number) => ScalarKind::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => ScalarKind::Text(text),
        other @ (Json::Null | Json::Array(_) | Json::Object(_)) => ScalarKind::Text(other.to_string()),
    };
    Scalar { kind: Some(kind) }
}
