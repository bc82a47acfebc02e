//! A training step: its time, where the time goes, and how far it is from the device's peak.

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Error};
use crate::plan::{LastLayer, classifier_flops};
use crate::settings::{EncoderType, Precision};
use crate::stats::quantile;
use crate::store::{Architecture, Host, Optimization, host};
use crate::train::{Phases, StepBenchmark, StepMeasured, open_device};
use crate::units::{Bytes, Seconds};

/// Width of a head in every size of Devlin et al. 2018 and Turc et al. 2019.
const HEAD_WIDTH: u32 = 64;
/// Positions of every published BERT; longer sequences get as many as they need.
const POSITIONS: u32 = 512;
/// Weight, gradient and two moments, in float32.
const BYTES_PER_PARAMETER: u64 = 16;
/// A backward pass costs two forward passes.
const TRAINING_TO_FORWARD: f64 = 3.0;
/// Of the paper's three rates the largest; it changes no step's time.
const LEARNING_RATE: f64 = 5e-5;

/// A step of a BERT with random weights and a classifier; what is left out is as in the published models.
#[derive(Clone, Debug)]
pub struct StepRequest {
    /// Transformer layers.
    pub layers: u32,
    /// Hidden size.
    pub hidden: u32,
    /// Attention heads.
    pub heads: Option<u32>,
    /// Width of the feed-forward layer.
    pub intermediate: Option<u32>,
    /// Rows of the word embeddings.
    pub vocab_size: u32,
    /// Sequences in a batch.
    pub sequences: u32,
    /// Tokens of each sequence.
    pub length: u32,
    /// Steps that count.
    pub steps: u32,
    /// Recompute layers in the backward pass.
    pub gradient_checkpointing: bool,
    /// The device's name.
    pub device: String,
    /// The numbers that matrix products take.
    pub precision: Precision,
    /// Time the kernels of matrix products and use the fastest.
    pub autotune: bool,
}

impl StepRequest {
    /// What is to be measured, if this machine can do it.
    ///
    /// # Errors
    /// A device that is not there, has not the precision, or no kernels to be timed; heads that do not divide the hidden size; weights that do not
    /// fit into memory.
    pub fn benchmark(&self) -> Result<StepBenchmark, Error> {
        let device = open_device(&self.device).map_err(|error| Diagnostic::new(error.to_string()))?;
        device.precision(self.precision).map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))?;
        if self.autotune {
            device.can_tune().map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))?;
        }
        let heads = self.heads.unwrap_or((self.hidden / HEAD_WIDTH).max(1));
        if !self.hidden.is_multiple_of(heads) {
            let message = format!("{heads} heads do not divide the hidden size {}", self.hidden);
            return Err(Diagnostic::new(message).hint("`--heads` takes a divisor of `--hidden`").into());
        }
        let architecture = Architecture {
            heads,
            intermediate: self.intermediate.unwrap_or(4 * self.hidden),
            vocab_size: self.vocab_size,
            max_positions: self.length.max(POSITIONS),
            ..Architecture::without_attention(EncoderType::Bert, self.layers, self.hidden)
        };
        let (needed, memory) = (architecture.parameters().saturating_mul(BYTES_PER_PARAMETER), host("cpu", 1).memory.0);
        if device.name == "cpu" && needed > memory {
            let [needed, memory] = [needed, memory].map(Bytes);
            let message =
                format!("weights, gradients and optimizer moments need {needed}, but this machine has {memory}");
            return Err(Diagnostic::new(message).hint("fewer layers, a smaller hidden size or vocabulary").into());
        }
        // The settings of an experiment that names none, but for those of the request.
        let optimization = Optimization {
            batch_size: self.sequences,
            learning_rate: LEARNING_RATE,
            gradient_checkpointing: self.gradient_checkpointing,
            precision: self.precision,
            autotune: self.autotune,
            ..Optimization::default()
        };
        let (sequences, length, steps, device) = (self.sequences, self.length, self.steps, self.device.clone());
        Ok(StepBenchmark { architecture, sequences, length, steps, device, optimization })
    }
}

/// A phase's name and its part of a step.
pub type Phase = (&'static str, fn(&Phases) -> Seconds);

/// The phases in their order.
pub const PHASES: [Phase; 4] = [
    ("batching", |phases| phases.batching),
    ("forward", |phases| phases.forward),
    ("backward", |phases| phases.backward),
    ("optimizer", |phases| phases.optimizer),
];

/// What is to be said of a measured step.
#[derive(Debug)]
pub struct StepSummary<'a> {
    /// What was measured.
    pub benchmark: &'a StepBenchmark,
    /// The measurement.
    pub measured: &'a StepMeasured,
    /// First quartile, median and third quartile of the steps' seconds.
    pub quartiles: [f64; 3],
    /// Median seconds of each of [`PHASES`].
    pub phases: [f64; PHASES.len()],
    /// Tokens that are trained on in a second.
    pub tokens_per_second: f64,
    /// Operations of the matrices in a second.
    pub flop_per_second: f64,
    /// Median seconds of evaluating a batch.
    pub evaluation: f64,
    /// The machine.
    pub host: Host,
}

impl<'a> StepSummary<'a> {
    /// The summary of `measured`, which `benchmark` asked for.
    #[must_use]
    pub fn of(benchmark: &'a StepBenchmark, measured: &'a StepMeasured) -> Self {
        let at = |values: &[f64], p: f64| quantile(values, p).unwrap_or(f64::NAN);
        let seconds: Vec<f64> = measured.times.steps.iter().map(|step| step.seconds.0).collect();
        let quartiles = [0.25, 0.5, 0.75].map(|p| at(&seconds, p));
        let phase = |(_, of): Phase| {
            let seconds: Vec<f64> = measured.times.steps.iter().map(|step| of(&step.phases).0).collect();
            at(&seconds, 0.5)
        };
        let evaluations: Vec<f64> = measured.times.evaluations.iter().map(|seconds| seconds.0).collect();
        let sequences = u64::from(benchmark.sequences);
        let tokens = sequences * u64::from(benchmark.length);
        let architecture = &benchmark.architecture;
        let last = LastLayer::of(architecture, measured.times.kind);
        let flop = TRAINING_TO_FORWARD * classifier_flops(architecture, tokens, sequences, last);
        Self {
            benchmark,
            measured,
            quartiles,
            phases: PHASES.map(phase),
            tokens_per_second: tokens as f64 / quartiles[1],
            flop_per_second: flop / quartiles[1],
            evaluation: at(&evaluations, 0.5),
            host: host(&measured.times.device, rayon::current_num_threads() as u32),
        }
    }

    /// The part of the step that the phase at this place of [`PHASES`] has.
    #[must_use]
    pub fn share(&self, phase: usize) -> f64 {
        self.phases[phase] / self.quartiles[1]
    }

    /// The part of a step in which no kernel runs, if the device says it.
    #[must_use]
    pub fn idle(&self) -> Option<f64> {
        self.measured.times.busy.map(|Seconds(busy)| (1.0 - busy / self.quartiles[1]).max(0.0))
    }

    /// All of it, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let (benchmark, measured, peak) = (self.benchmark, self.measured, &self.measured.matrix_peak);
        let phases: serde_json::Map<String, Value> = PHASES
            .iter()
            .enumerate()
            .map(|(at, (name, _))| ((*name).to_owned(), json!({"seconds": self.phases[at], "share": self.share(at)})))
            .collect();
        let every: Vec<f64> = measured.times.steps.iter().map(|step| step.seconds.0).collect();
        json!({
            "seconds_per_step": self.quartiles[1],
            "seconds_quartiles": [self.quartiles[0], self.quartiles[2]],
            "seconds_of_each_step": every,
            "tokens_per_second": self.tokens_per_second,
            "phases": phases,
            "gflop_per_second": self.flop_per_second / 1e9,
            "kernel": peak.kernel,
            "clock_peak_gflop_per_second": peak.clock,
            "matrix_peak_gflop_per_second": peak.product,
            "percent_of_matrix_peak": 100.0 * self.flop_per_second / 1e9 / peak.product,
            "launches_per_step": measured.times.traffic.map(|traffic| traffic.launches),
            "uploaded_bytes_per_step": measured.times.traffic.map(|traffic| traffic.uploaded),
            "downloaded_bytes_per_step": measured.times.traffic.map(|traffic| traffic.downloaded),
            "device_busy_seconds_per_step": measured.times.busy,
            "percent_device_idle": self.idle().map(|idle| 100.0 * idle),
            "evaluation_seconds": self.evaluation,
            "peak_memory_bytes": measured.times.peak_memory,
            "host": self.host,
            "settings": {
                "architecture": benchmark.architecture,
                "batch": benchmark.sequences,
                "length": benchmark.length,
                "steps": benchmark.steps,
                "training": benchmark.optimization,
            },
        })
    }
}
