//! A training step as runs take it, measured: through the fit loop, on made-up sequences of one length.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::Device;

use super::device::{NamedDevice, open_device};
use super::error::TrainError;
use super::evaluate::predict_in_batches;
use super::fit::STEPS_BEHIND;
use super::observer::{Observer, StepReport};
use super::task::{TrainingData, fit};
use crate::kernel::{BusyTimer, MatrixPeak, Precision, Traffic, TrafficCounter, matrix_peak_of};
use crate::model::random_classifier;
use crate::random::Stream;
use crate::settings::Approach;
use crate::store::{
    Architecture, InitialWeights, NUMERICS_VERSION, Objective, Optimization, RunSettings, TaskObjective,
    VocabularyIdentity, peak_memory, reset_peak_memory,
};
use crate::task::Task;
use crate::text::{FeatureSet, SkippedRows};
use crate::units::{Bytes, Seconds};

/// A task of two classes.
const TASK: &str = "rte";
/// Steps that do not count: the first makes the optimizer's moments, the second fills the buffers that
/// later steps use again.
const WARM_UP: u32 = 2;
/// Batches that are predicted, of which the first does not count.
const EVALUATIONS: usize = 4;

/// What is measured.
#[derive(Clone, Debug)]
pub struct StepBenchmark {
    /// The size, with random weights.
    pub architecture: Architecture,
    /// Sequences in a batch.
    pub sequences: u32,
    /// Tokens of each.
    pub length: u32,
    /// Steps that count.
    pub steps: u32,
    /// Where: `cpu`, `vulkan:1`.
    pub device: String,
    /// Dropout, clipping, optimizer, precision.
    pub optimization: Optimization,
}

/// What was measured, with the machine's limit.
#[derive(Clone, Debug)]
pub struct StepMeasured {
    /// The steps.
    pub times: TimedSteps,
    /// Of the matrix products alone, in the same precision on the same threads.
    pub matrix_peak: MatrixPeak,
}

/// Steps as they were taken.
#[derive(Clone, Debug)]
pub struct TimedSteps {
    /// Every step that counts.
    pub steps: Vec<StepReport>,
    /// A batch of the same size without gradients, several times.
    pub evaluations: Vec<Seconds>,
    /// Of the process while it trained.
    pub peak_memory: Bytes,
    /// `cpu`, or the kind of the GPU.
    pub kind: &'static str,
    /// The device as it describes itself.
    pub device: String,
    /// Of a step on a GPU.
    pub traffic: Option<Traffic>,
    /// How long the kernels of a step keep a GPU busy, as it says itself: of a step more, in which it times them.
    pub busy: Option<Seconds>,
}

/// Takes the steps of `benchmark`, then measures the rest.
///
/// # Errors
/// As [`time_steps`].
pub fn benchmark_step(benchmark: &StepBenchmark) -> Result<StepMeasured, TrainError> {
    let times = time_steps(benchmark)?;
    let named = open_device(&benchmark.device)?;
    let precision = named.precision(benchmark.optimization.precision)?;
    Ok(StepMeasured { times, matrix_peak: matrix_peak_of(&named.device, precision) })
}

/// Takes the steps of `benchmark`, then predicts.
///
/// # Errors
/// As [`fit`]; a precision that the device does not compute in; kernels that are to be timed where there are none.
pub fn time_steps(benchmark: &StepBenchmark) -> Result<TimedSteps, TrainError> {
    let StepBenchmark { architecture, sequences, steps, ref optimization, .. } = *benchmark;
    let named = open_device(&benchmark.device)?;
    let precision = named.precision(optimization.precision)?;
    let _tuning = if optimization.autotune { Some(named.tune()?) } else { None };
    let (described, NamedDevice { name, device }) = (named.described(), named);
    let task = Task::find(TASK)?;
    let settings = settings(benchmark, name);
    reset_peak_memory();
    // The last steps are told of together, once there is no other to wait for.
    let late = if name == "cpu" { 0 } else { STEPS_BEHIND as u32 };
    let train = features(benchmark, sequences * (WARM_UP + steps + late));
    let mut model = random_classifier(&architecture, task.outputs(&[]), settings.seed, &device.clone().autodiff());
    model.encoder.set_precision(precision);
    let mut reports = Reports { steps: Vec::new(), counter: TrafficCounter::start(), traffic: Vec::new() };
    let data = TrainingData { task, train: &train, dev: &[], tags: &[] };
    let fitted = fit(model, &settings, data, &device, &mut reports, None)?;
    let peak_memory = peak_memory();
    let batch = features(benchmark, sequences);
    let predict = |_| {
        let start = Instant::now();
        drop(predict_in_batches(&fitted.model, &batch, sequences, &device)?);
        Ok(Seconds(start.elapsed().as_secs_f64()))
    };
    let evaluations = (0..EVALUATIONS).map(predict).collect::<Result<Vec<_>, TrainError>>()?.split_off(1);
    let busy = if name == "cpu" { None } else { busy(&settings, task, &train, &device, precision)? };
    let traffic = (name != "cpu").then(|| reports.of_a_step());
    Ok(TimedSteps {
        busy,
        traffic,
        kind: name,
        device: described,
        steps: reports.steps.into_iter().skip(WARM_UP as usize).take(steps as usize).collect(),
        evaluations,
        peak_memory,
    })
}

/// How long the kernels of one step take, after steps that do not count.
fn busy(
    settings: &RunSettings,
    task: &Task,
    train: &FeatureSet,
    device: &Device,
    precision: Precision,
) -> Result<Option<Seconds>, TrainError> {
    let mut model = random_classifier(&settings.architecture, task.outputs(&[]), 1, &device.clone().autodiff());
    model.encoder.set_precision(precision);
    let mut timed = TimedStep { before: WARM_UP, timer: None };
    let data = TrainingData { task, train, dev: &[], tags: &[] };
    match fit(model, settings, data, device, &mut timed, None) {
        Ok(_) | Err(TrainError::Stopped { .. }) => Ok(timed.timer.and_then(BusyTimer::busy)),
        Err(error) => Err(error),
    }
}

/// Times the step after so many others, and stops then.
struct TimedStep {
    before: u32,
    timer: Option<BusyTimer>,
}

impl Observer for TimedStep {
    fn stop(&mut self) -> bool {
        if self.timer.is_some() {
            return true;
        }
        if self.before == 0 {
            self.timer = Some(BusyTimer::start());
        }
        self.before = self.before.saturating_sub(1);
        false
    }
}

fn settings(benchmark: &StepBenchmark, device: &str) -> RunSettings {
    RunSettings {
        model: "benchmark".to_owned(),
        architecture: benchmark.architecture,
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: String::new(), do_lower_case: true, added_tokens: Vec::new() },
        seed: 1,
        device: device.to_owned(),
        optimization: Optimization { batch_size: benchmark.sequences, ..benchmark.optimization.clone() },
        objective: Objective::Task(TaskObjective {
            task: TASK.to_owned(),
            options: None,
            approach: Approach::FineTuning,
            max_length: benchmark.length,
            epochs: 1,
            data_sha256: BTreeMap::new(),
            skip_bad_rows: false,
            lm_coef: 0.0,
            both_orders: false,
        }),
        numerics_version: NUMERICS_VERSION,
    }
}

/// Sequences of random tokens, each token as likely as any other: more different rows of the word
/// embeddings have gradients than in text, where frequent words repeat.
fn features(benchmark: &StepBenchmark, examples: u32) -> FeatureSet {
    let (length, vocabulary) = (benchmark.length as usize, benchmark.architecture.vocab_size as usize);
    let mut draws = Stream::new(1, "benchmark").at(0);
    let ids: Vec<Vec<u32>> =
        (0..examples).map(|_| (0..length).map(|_| draws.below(vocabulary) as u32).collect()).collect();
    let segments = vec![vec![0; length]; ids.len()];
    let labels = (0..examples).map(|example| (example % 2) as f32).collect();
    FeatureSet::from_examples(&ids, &segments, labels, SkippedRows::default())
}

/// Keeps every step's report, and what had moved before each was begun.
struct Reports {
    steps: Vec<StepReport>,
    counter: TrafficCounter,
    traffic: Vec<Traffic>,
}

impl Reports {
    /// Of the last step but one: what the last one asked for comes with the end.
    fn of_a_step(&self) -> Traffic {
        let [.., before, after] = self.traffic[..] else { return Traffic::default() };
        Traffic {
            launches: after.launches - before.launches,
            uploaded: after.uploaded - before.uploaded,
            downloaded: after.downloaded - before.downloaded,
        }
    }
}

impl Observer for Reports {
    fn step(&mut self, report: &StepReport) {
        self.steps.push(*report);
    }

    fn stop(&mut self) -> bool {
        self.traffic.push(self.counter.so_far());
        false
    }
}
