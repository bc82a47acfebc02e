//! `bertbench bench encoders`

use std::path::PathBuf;

use rayon::ThreadPoolBuilder;

use crate::cli::error::{CommandOutcome, Error};
use crate::cli::table::{Column, print, print_json, whole_table};
use crate::cli::threads::{MOST, STACK_BYTES, cores};
use crate::settings::EncoderType;
use crate::stats::quantile;
use crate::store::{Architecture, EncoderSpeed, Optimization, RunsRoot, SpeedRow, host};
use crate::train::{StepBenchmark, time_steps};

/// Measure how fast each encoder computes, by the length of the sequences and by threads.
///
/// Every encoder has random weights, the same width and layers, and takes optimisation steps as a classifier (AdamW, no
/// dropout) on batches of as many tokens, in sequences of 32 to 512. The first two steps do not count. What is measured
/// is kept in the folder of all runs, and reports show it in the section "Representations compared".
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    /// Layers.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    layers: u32,
    /// Width of a state; a multiple of 64, or less.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(2..=4096))]
    hidden: u32,
    /// Tokens of a batch.
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(512..=1_048_576))]
    batch_tokens: u32,
    /// Steps that count.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    steps: u32,
    /// Numbers of threads, such as `1,2` [default: one, and one per CPU core].
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=MOST))]
    threads: Vec<u32>,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  bertbench bench encoders
  bertbench bench encoders --layers 4 --hidden 256 --threads 1,2,4";

/// Tokens of a sequence.
const LENGTHS: [u32; 5] = [32, 64, 128, 256, 512];
/// The five that are compared.
const ENCODERS: [EncoderType; 5] =
    [EncoderType::WordVectors, EncoderType::Lstm, EncoderType::Elmo, EncoderType::Gpt, EncoderType::Bert];
/// Of the mini benchmark about this many.
const VOCABULARY: u32 = 2000;
/// Width of a head in every size of Devlin et al. 2018 and Turc et al. 2019.
const HEAD_WIDTH: u32 = 64;

pub(in crate::cli) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    let mut threads = if args.threads.is_empty() { vec![1, cores() as u32] } else { args.threads.clone() };
    threads.sort_unstable();
    threads.dedup();
    let mut rows = Vec::new();
    for threads in threads.iter().copied() {
        // A pool for each number: the process's own is never made.
        let pool = ThreadPoolBuilder::new().num_threads(threads as usize).stack_size(STACK_BYTES).build();
        let pool = pool.map_err(|error| Error::System(format!("cannot start threads: {error}")))?;
        for (encoder, length) in ENCODERS.into_iter().flat_map(|encoder| LENGTHS.map(|length| (encoder, length))) {
            rows.push(pool.install(|| row(args, encoder, length, threads))?);
        }
    }
    let speed = EncoderSpeed {
        host: host("cpu", threads.last().copied().unwrap_or(1)),
        layers: args.layers,
        hidden: args.hidden,
        batch_tokens: args.batch_tokens,
        rows,
    };
    RunsRoot::new(&args.runs).write_encoder_speed(&speed).map_err(|error| Error::System(error.to_string()))?;
    if args.json {
        print_json(&serde_json::to_value(&speed).unwrap_or_default())?;
    } else {
        print(&text(&speed))?;
    }
    Ok(CommandOutcome::Success)
}

fn row(args: &Args, encoder: EncoderType, length: u32, threads: u32) -> Result<SpeedRow, Error> {
    let sequences = (args.batch_tokens / length).max(1);
    let benchmark = StepBenchmark {
        architecture: architecture(args, encoder, length),
        sequences,
        length,
        steps: args.steps,
        device: "cpu".to_owned(),
        optimization: Optimization { batch_size: sequences, dropout: 0.0, ..Optimization::default() },
    };
    let times = time_steps(&benchmark)?;
    let tokens = f64::from(sequences * length);
    let rate = |seconds: Vec<f64>| tokens / quantile(&seconds, 0.5).unwrap_or(f64::NAN);
    Ok(SpeedRow {
        encoder,
        length,
        threads,
        training: rate(times.steps.iter().map(|step| step.seconds.0).collect()),
        inference: rate(times.evaluations.iter().map(|seconds| seconds.0).collect()),
    })
}

fn architecture(args: &Args, encoder: EncoderType, length: u32) -> Architecture {
    let sizes = if encoder.is_transformer() {
        Architecture {
            heads: (args.hidden / HEAD_WIDTH).max(1),
            intermediate: 4 * args.hidden,
            causal: encoder.objective().is_causal(),
            ..Architecture::without_attention(encoder, args.layers, args.hidden)
        }
    } else {
        let layers = if encoder.has_layers() { args.layers } else { 0 };
        Architecture::without_attention(encoder, layers, args.hidden / 2 * 2)
    };
    Architecture { vocab_size: VOCABULARY, max_positions: length, ..sizes }
}

fn text(speed: &EncoderSpeed) -> String {
    let columns = [
        Column::Text("encoder"),
        Column::Number("threads"),
        Column::Number("length"),
        Column::Number("training tokens/s"),
        Column::Number("inference tokens/s"),
    ];
    let row = |of: &SpeedRow| {
        let [training, inference] = [of.training, of.inference].map(|rate| format!("{rate:.0}"));
        vec![of.encoder.to_string(), of.threads.to_string(), of.length.to_string(), training, inference]
    };
    whole_table(&columns, speed.rows.iter().map(row))
}
