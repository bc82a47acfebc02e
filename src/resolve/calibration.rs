//! Rates of this machine, measured in a few seconds, for forecasts.

use std::collections::BTreeMap;

use super::prepared::Prepared;
use crate::plan::{
    Calibration, Forecast, LastLayer, Plan, PlannedRun, Totals, classifier_flops, evaluation_flops, forecast,
    training_flops,
};
use crate::settings::EncoderType;
use crate::store::{Architecture, Optimization, RunSettings, peak_memory};
use crate::train::{NamedDevice, StepTimes, measure_skip_gram, measure_step};
use crate::units::{Bytes, Seconds};

/// Layers of the measured models: their time is nearly proportional to it.
const LAYERS: u32 = 2;
/// A backward pass costs two forward passes.
const TRAINING_TO_FORWARD: f64 = 3.0;
/// A batch so small that what a step costs whatever its size dominates it.
const SMALL: (u32, u32) = (2, 4);
/// Sequences of the largest batch that is measured: the time of larger ones is proportional.
const LARGEST_MEASURED: u32 = 32;

/// The calibration of every model of a plan.
#[derive(Debug)]
pub struct Calibrations(BTreeMap<String, Calibration>);

impl Calibrations {
    /// Measures a training step of each architecture that has runs in `plan`.
    #[must_use]
    pub fn measure(prepared: &Prepared, plan: &Plan) -> Self {
        let mut measured: Vec<((Architecture, bool), Calibration)> = Vec::new();
        let mut by_model = BTreeMap::new();
        for run in &plan.runs {
            let model = &run.settings.model;
            if by_model.contains_key(model) {
                continue;
            }
            let measured_as = (run.settings.architecture, run.settings.pretraining().is_some());
            let known = measured.iter().find(|(known, _)| *known == measured_as).map(|(_, rates)| *rates);
            let rates = known
                .unwrap_or_else(|| Calibration { run_overhead: prepared.reading, ..calibrate(&prepared.device, run) });
            measured.push((measured_as, rates));
            by_model.insert(model.clone(), rates);
        }
        Self(by_model)
    }

    /// What a run will take; `None` for a model that was not measured.
    #[must_use]
    pub fn forecast(&self, run: &PlannedRun) -> Option<Forecast> {
        Some(forecast(run, self.0.get(&run.settings.model)?))
    }

    /// What the runs of `plan` will take, one after the other.
    #[must_use]
    pub fn totals(&self, plan: &Plan) -> Totals {
        let mut sum = Totals { runs: 0, seconds: Seconds(0.0), peak_memory: Bytes(0), disk: Bytes(0) };
        for (model, rates) in &self.0 {
            let runs = plan.runs.iter().filter(|run| run.settings.model == *model).cloned().collect();
            let part = Plan { experiment: plan.experiment.clone(), runs }.totals(rates);
            sum.runs += part.runs;
            sum.seconds.0 += part.seconds.0;
            sum.peak_memory = sum.peak_memory.max(part.peak_memory);
            sum.disk.0 += part.disk.0;
        }
        sum
    }
}

fn calibrate(device: &NamedDevice, run: &PlannedRun) -> Calibration {
    let settings = &run.settings;
    let sequences = settings.optimization.sequences_per_pass().min(LARGEST_MEASURED);
    let typical = Batch { sequences, mean_length: run.tokens.0 / run.examples.max(1) };
    let architecture = &settings.architecture;
    if architecture.encoder.facts().costs.has_layers {
        return rates(architecture, &settings.optimization, typical, device);
    }
    // Word vectors themselves compute nothing; what a task puts on them is an LSTM.
    let lstm = Architecture { max_positions: architecture.max_positions, ..lstm_of(architecture.hidden) };
    let rates = rates(&lstm, &settings.optimization, typical, device);
    if settings.pretraining().is_some() { skip_gram_rates(rates, settings, typical, device) } else { rates }
}

fn lstm_of(hidden: u32) -> Architecture {
    Architecture::without_attention(EncoderType::Lstm, LAYERS, hidden)
}

/// The rates at which word vectors are learnt, of operations as the forecast counts them.
fn skip_gram_rates(rates: Calibration, settings: &RunSettings, of: Batch, device: &NamedDevice) -> Calibration {
    let length = of.mean_length.clamp(4, u64::from(settings.architecture.max_positions)) as u32;
    let Seconds(seconds) = measure_skip_gram(&settings.architecture, of.sequences, length, &device.device);
    let (tokens, sequences) = (u64::from(of.sequences * length), u64::from(of.sequences));
    let rate = |flops: f64| flops / seconds.max(f64::MIN_POSITIVE);
    Calibration {
        forward_backward_flops_per_second: rate(training_flops(settings, tokens, sequences)),
        evaluation_flops_per_second: rate(evaluation_flops(settings, tokens, sequences)),
        step_overhead: Seconds(0.0),
        ..rates
    }
}

/// A batch of a run.
#[derive(Clone, Copy)]
struct Batch {
    sequences: u32,
    mean_length: u64,
}

fn rates(architecture: &Architecture, optimization: &Optimization, of: Batch, device: &NamedDevice) -> Calibration {
    let base_memory = peak_memory();
    let mean_length = of.mean_length.clamp(4, u64::from(architecture.max_positions));
    let measure = |(sequences, length): (u32, u32)| {
        measure_step(architecture, LAYERS, sequences, length, optimization, &device.device)
    };
    let typical = measure((of.sequences, mean_length as u32));
    let small = measure(SMALL);
    let last = LastLayer::of(architecture, device.name);
    let flops = |times: &StepTimes| {
        classifier_flops(&times.architecture, times.sequences * times.length, times.sequences, last)
    };
    // Two points on a line: seconds = overhead + operations / rate.
    let more = flops(&typical) - flops(&small);
    let slope = |a: Seconds, b: Seconds, scale: f64| ((a.0 - b.0) / (scale * more)).max(f64::MIN_POSITIVE);
    let training = slope(typical.forward_backward, small.forward_backward, TRAINING_TO_FORWARD);
    let evaluation = slope(typical.evaluation, small.evaluation, 1.0);
    let overhead = (small.forward_backward.0 - TRAINING_TO_FORWARD * flops(&small) * training).max(0.0);
    let layers = f64::from(architecture.layers) / f64::from(typical.architecture.layers.max(1));
    Calibration {
        forward_backward_flops_per_second: 1.0 / training,
        evaluation_flops_per_second: 1.0 / evaluation,
        optimizer_parameters_per_second: typical.parameters as f64 / typical.optimizer.0.max(f64::MIN_POSITIVE),
        step_overhead: Seconds(overhead * layers),
        run_overhead: Seconds(0.0),
        base_memory,
    }
}
