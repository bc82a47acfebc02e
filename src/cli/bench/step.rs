//! `bertbench bench step`

use serde_json::{Value, json};

use crate::cli::error::{CommandOutcome, Error};
use crate::cli::table::{print, print_json};
use crate::cli::threads::ThreadArgs;
use crate::cli::trained_model::PrecisionArgs;
use crate::diagnostic::Diagnostic;
use crate::kernel::{MatrixPeak, Traffic};
use crate::plan::forward_flops;
use crate::stats::quantile;
use crate::store::{Architecture, Host, Optimization, host};
use crate::train::{Phases, StepBenchmark, StepMeasured, benchmark_step, open_device};
use crate::units::Seconds;

/// Measure a training step: its time, where the time goes, and how far it is from the device's peak.
///
/// A BERT with random weights and a classifier takes optimisation steps as a run does (dropout, gradients clipped at
/// norm 1, AdamW), on random tokens in sequences of one length. The first two steps do not count. GFLOP/s count, for
/// every token, 6 × the weights of the layers' matrices and of attention's products: 6 × (4 × hidden² + 2 × hidden ×
/// intermediate) + 12 × length × hidden per layer; and 6 × hidden² per sequence for the pooler. Dropout, norms,
/// softmax and the optimizer are not counted. The matrix peak is the rate of one large product, 2048 × 768 × 3072, and
/// the clock's peak that of multiply-adds on registers alone, both measured in the same process. `BERTBENCH_ISA`
/// (`portable`, `avx2`, `avx512`) forces a lower instruction set than the processor's best. Of a GPU it also
/// says how many kernels a step launches, how many bytes it moves, and for what share of a step no kernel runs; the
/// phases are then those of the CPU that directs it, and what it waits for counts as backward.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Transformer layers.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    layers: u32,
    /// Hidden size.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    hidden: u32,
    /// Attention heads [default: of width 64].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    heads: Option<u32>,
    /// Width of the feed-forward layer [default: four times the hidden size].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=262_144))]
    intermediate: Option<u32>,
    /// Rows of the word embeddings.
    #[arg(long, value_name = "N", default_value_t = 30_522, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    vocab_size: u32,
    /// Sequences in a batch.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch_size: u32,
    /// Tokens of each sequence.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    length: u32,
    /// Steps that count.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    steps: u32,
    /// Recompute layers in the backward pass, for less memory.
    #[arg(long)]
    gradient_checkpointing: bool,
    /// `auto`, `cpu`, `wgpu`, `vulkan` or `cuda`; of several GPUs one, `vulkan:1`.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  bertbench bench step --layers 4 --hidden 768 --batch-size 16 --length 128
  bertbench bench step --layers 4 --hidden 768 --batch-size 16 --length 128 --precision bf16 --json
  bertbench bench step --layers 6 --hidden 384 --heads 12 --batch-size 32 --length 64 --threads 1";

/// Width of a head in every size of Devlin et al. 2018 and Turc et al. 2019.
const HEAD_WIDTH: u32 = 64;
/// Positions of every published BERT; longer sequences get as many as they need.
const POSITIONS: u32 = 512;
const SEGMENTS: u32 = 2;
/// Weight, gradient and two moments, in float32.
const BYTES_PER_PARAMETER: u64 = 16;
/// A backward pass costs two forward passes.
const TRAINING_TO_FORWARD: f64 = 3.0;

pub(in crate::cli) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let benchmark = benchmark(args)?;
    args.threads.compute(|| {
        let measured = benchmark_step(&benchmark)?;
        let summary = Summary::of(&benchmark, &measured);
        if args.json { print_json(&summary.json()) } else { print(&summary.text()) }?;
        Ok(CommandOutcome::Success)
    })
}

/// What the options ask for, if this machine can do it.
fn benchmark(args: &Args) -> Result<StepBenchmark, Error> {
    let device = open_device(&args.device).map_err(|error| Diagnostic::new(error.to_string()))?;
    device
        .precision(args.precision.precision)
        .map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))?;
    let heads = args.heads.unwrap_or((args.hidden / HEAD_WIDTH).max(1));
    if !args.hidden.is_multiple_of(heads) {
        let message = format!("{heads} heads do not divide the hidden size {}", args.hidden);
        return Err(Diagnostic::new(message).hint("`--heads` takes a divisor of `--hidden`").into());
    }
    let architecture = Architecture {
        layers: args.layers,
        hidden: args.hidden,
        heads,
        intermediate: args.intermediate.unwrap_or(4 * args.hidden),
        vocab_size: args.vocab_size,
        max_positions: args.length.max(POSITIONS),
        type_vocab_size: SEGMENTS,
        causal: false,
        encoder: crate::settings::EncoderType::Bert,
        pooling: None,
        initializer_range: crate::settings::InitializerRange::BERT,
    };
    let (needed, memory) = (architecture.parameters().saturating_mul(BYTES_PER_PARAMETER), host("cpu", 1).memory.0);
    if device.name == "cpu" && needed > memory {
        let [needed, memory] = [needed, memory].map(crate::units::Bytes);
        let message = format!("weights, gradients and optimizer moments need {needed}, but this machine has {memory}");
        return Err(Diagnostic::new(message).hint("fewer layers, a smaller hidden size or vocabulary").into());
    }
    let optimization = optimization(args);
    let (sequences, length, steps, device) = (args.batch_size, args.length, args.steps, args.device.clone());
    Ok(StepBenchmark { architecture, sequences, length, steps, device, optimization })
}

/// Of the paper's three rates the largest; it changes no step's time.
const LEARNING_RATE: f64 = 5e-5;

/// The settings of an experiment that names none, but for those of the command line.
fn optimization(args: &Args) -> Optimization {
    Optimization {
        batch_size: args.batch_size,
        learning_rate: LEARNING_RATE,
        gradient_checkpointing: args.gradient_checkpointing,
        precision: args.precision.precision,
        ..Optimization::default()
    }
}

/// A phase's name and its part of a step.
type Phase = (&'static str, fn(&Phases) -> Seconds);

/// The phases in their order, as they are printed.
const PHASES: [Phase; 4] = [
    ("batching", |phases| phases.batching),
    ("forward", |phases| phases.forward),
    ("backward", |phases| phases.backward),
    ("optimizer", |phases| phases.optimizer),
];

/// What is told of a measurement.
struct Summary<'a> {
    benchmark: &'a StepBenchmark,
    measured: &'a StepMeasured,
    /// First quartile, median and third quartile of the steps' seconds.
    quartiles: [f64; 3],
    /// Median seconds of each of [`PHASES`].
    phases: [f64; PHASES.len()],
    tokens_per_second: f64,
    flop_per_second: f64,
    evaluation: f64,
    host: Host,
}

impl<'a> Summary<'a> {
    fn of(benchmark: &'a StepBenchmark, measured: &'a StepMeasured) -> Self {
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
        let flop = TRAINING_TO_FORWARD * forward_flops(&benchmark.architecture, tokens, sequences);
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

    /// A phase's part of the step.
    fn share(&self, phase: usize) -> f64 {
        self.phases[phase] / self.quartiles[1]
    }

    /// The part of a step in which no kernel runs.
    fn idle(&self) -> Option<f64> {
        self.measured.times.busy.map(|Seconds(busy)| (1.0 - busy / self.quartiles[1]).max(0.0))
    }

    fn json(&self) -> Value {
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

    fn text(&self) -> String {
        let StepBenchmark { architecture, sequences, length, steps, optimization, .. } = self.benchmark;
        let Host { cpu, cores, threads, .. } = &self.host;
        let [low, median, high] = self.quartiles;
        let shares: Vec<String> = PHASES
            .iter()
            .enumerate()
            .map(|(at, (name, _))| format!("{name} {:.1} %", 100.0 * self.share(at)))
            .collect();
        let MatrixPeak { ref kernel, clock, product } = self.measured.matrix_peak;
        let rate = self.flop_per_second / 1e9;
        let part = 100.0 * rate / product;
        let rate = format!("{rate:.1} GFLOP/s, {part:.1} % of the matrix peak of {product:.1} GFLOP/s");
        let of_clock = clock.map(|clock| (100.0 * product / clock, clock));
        let kernels = of_clock.map_or_else(String::new, |(of, clock)| {
            format!("\n             the matrix peak is {of:.1} % of the clock's peak of {clock:.1} GFLOP/s")
        });
        let kernels = format!("{kernel}{kernels}");
        let idle = self.idle().map_or("how long it is idle it does not say".to_owned(), |idle| {
            format!("idle {:.1} % of the time", 100.0 * idle)
        });
        let traffic = self.measured.times.traffic.map(|Traffic { launches, uploaded, downloaded }| {
            let moved = format!("{uploaded} bytes sent, {downloaded} received");
            format!("device       {launches} kernels launched a step, {moved}; {idle}; {}", self.host.device)
        });
        let tokens = f64::from(*sequences) * f64::from(*length);
        [
            format!(
                "model        {} of width {}, {} heads, feed-forward {}, vocabulary {}",
                if architecture.layers == 1 { "1 layer".to_owned() } else { format!("{} layers", architecture.layers) },
                architecture.hidden,
                architecture.heads,
                architecture.intermediate,
                architecture.vocab_size
            ),
            format!(
                "batch        {sequences} × {length} tokens, {}, threads: {threads}{}",
                optimization.precision,
                if optimization.gradient_checkpointing { ", gradient checkpointing" } else { "" }
            ),
            format!("step         {median:.4} s (median of {steps}; quartiles {low:.4} and {high:.4})"),
            format!("             {:.0} tokens/s", self.tokens_per_second),
            format!("phases       {}", shares.join(", ")),
            format!("rate         {rate}"),
            format!("kernels      {kernels}"),
            format!("evaluation   {:.4} s a batch, {:.0} tokens/s", self.evaluation, tokens / self.evaluation),
            format!("peak memory  {}", self.measured.times.peak_memory),
            format!("machine      {cpu}, {cores} cores"),
        ]
        .into_iter()
        .chain(traffic)
        .collect::<Vec<_>>()
        .join("\n")
    }
}
