//! `bertbench bench step`

use crate::benchmark::{PHASES, StepRequest, StepSummary};
use crate::cli::threads::ThreadArgs;
use crate::cli::trained_model::PrecisionArgs;
use crate::diagnostic::Error;
use crate::kernel::{MatrixPeak, Traffic};
use crate::store::Host;
use crate::terminal::{print, print_json};
use crate::train::{StepBenchmark, benchmark_step};

/// Measure a training step: its time, where the time goes, and how far it is from the device's peak.
///
/// A BERT with random weights and a classifier takes optimisation steps as a run does (dropout, gradients clipped at
/// norm 1, AdamW), on random tokens in sequences of one length. The first two steps do not count. GFLOP/s count, for
/// every token, 6 × the weights of the layers' matrices and of attention's products: 6 × (4 × hidden² + 2 × hidden ×
/// intermediate) + 12 × length × hidden per layer; and 6 × hidden² per sequence for the pooler. In the last layer, what
/// follows the attention (hidden² + 2 × hidden × intermediate) counts for one token of each sequence: a classifier reads
/// no other, and no other is computed. Dropout, norms, softmax and the optimizer are not counted. The matrix peak is the
/// rate of one large product, 2048 × 768 × 3072, and the clock's peak that of multiply-adds on registers alone, both
/// measured in the same process. `BERTBENCH_ISA` (`portable`, `avx2`, `avx512`) forces a lower instruction
/// set than the processor's best. Of a GPU it also says how many kernels a step launches, how many bytes it moves, and
/// for what share of a step no kernel runs; the phases are then those of the CPU that directs it, and what it waits for
/// counts as backward.
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
    /// Time a GPU's kernels for matrix products first, and use the fastest.
    #[arg(long)]
    autotune: bool,
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

pub(in crate::cli) fn execute(args: &Args) -> Result<(), Error> {
    let request = StepRequest {
        layers: args.layers,
        hidden: args.hidden,
        heads: args.heads,
        intermediate: args.intermediate,
        vocab_size: args.vocab_size,
        sequences: args.batch_size,
        length: args.length,
        steps: args.steps,
        gradient_checkpointing: args.gradient_checkpointing,
        device: args.device.clone(),
        precision: args.precision.precision,
        autotune: args.autotune,
    };
    let benchmark = request.benchmark()?;
    args.threads.compute(|| {
        let measured = benchmark_step(&benchmark)?;
        let summary = StepSummary::of(&benchmark, &measured);
        Ok(if args.json { print_json(&summary.json()) } else { print(&text(&summary)) }?)
    })
}

fn text(summary: &StepSummary<'_>) -> String {
    let StepBenchmark { architecture, sequences, length, steps, optimization, .. } = summary.benchmark;
    let Host { cpu, cores, threads, .. } = &summary.host;
    let [low, median, high] = summary.quartiles;
    let shares: Vec<String> =
        PHASES.iter().enumerate().map(|(at, (name, _))| format!("{name} {:.1} %", 100.0 * summary.share(at))).collect();
    let MatrixPeak { ref kernel, clock, product } = summary.measured.matrix_peak;
    let rate = summary.flop_per_second / 1e9;
    let part = 100.0 * rate / product;
    let rate = format!("{rate:.1} GFLOP/s, {part:.1} % of the matrix peak of {product:.1} GFLOP/s");
    let of_clock = clock.map(|clock| (100.0 * product / clock, clock));
    let kernels = of_clock.map_or_else(String::new, |(of, clock)| {
        format!("\n             the matrix peak is {of:.1} % of the clock's peak of {clock:.1} GFLOP/s")
    });
    let kernels = format!("{kernel}{kernels}");
    let idle = summary.idle().map_or("how long it is idle it does not say".to_owned(), |idle| {
        format!("idle {:.1} % of the time", 100.0 * idle)
    });
    let traffic = summary.measured.times.traffic.map(|Traffic { launches, uploaded, downloaded }| {
        let moved = format!("{uploaded} bytes sent, {downloaded} received");
        format!("device       {launches} kernels launched a step, {moved}; {idle}; {}", summary.host.device)
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
            "batch        {sequences} × {length} tokens, {}{}, threads: {threads}{}",
            optimization.precision,
            if optimization.autotune { ", autotuned" } else { "" },
            if optimization.gradient_checkpointing { ", gradient checkpointing" } else { "" }
        ),
        format!("step         {median:.4} s (median of {steps}; quartiles {low:.4} and {high:.4})"),
        format!("             {:.0} tokens/s", summary.tokens_per_second),
        format!("phases       {}", shares.join(", ")),
        format!("rate         {rate}"),
        format!("kernels      {kernels}"),
        format!("evaluation   {:.4} s a batch, {:.0} tokens/s", summary.evaluation, tokens / summary.evaluation),
        format!("peak memory  {}", summary.measured.times.peak_memory),
        format!("machine      {cpu}, {cores} cores"),
    ]
    .into_iter()
    .chain(traffic)
    .collect::<Vec<_>>()
    .join("\n")
}
