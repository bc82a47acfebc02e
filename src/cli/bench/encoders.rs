//! `bertbench bench encoders`

use std::path::PathBuf;

use crate::benchmark::EncoderRequest;
use crate::cli::threads::{MOST, STACK_BYTES};
use crate::diagnostic::Error;
use crate::store::{EncoderSpeed, RunsRoot, SpeedRow};
use crate::sweep::cores;
use crate::terminal::{Column, print, print_json, whole_table};

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

pub(in crate::cli) fn execute(args: &Args) -> Result<(), Error> {
    let mut threads = if args.threads.is_empty() { vec![1, cores() as u32] } else { args.threads.clone() };
    threads.sort_unstable();
    threads.dedup();
    let Args { layers, hidden, batch_tokens, steps, .. } = *args;
    let request = EncoderRequest { layers, hidden, batch_tokens, steps, threads, stack_bytes: STACK_BYTES };
    let speed = request.measure()?;
    RunsRoot::new(&args.runs).write_encoder_speed(&speed)?;
    if args.json {
        print_json(&serde_json::to_value(&speed).unwrap_or_default())?;
    } else {
        print(&text(&speed))?;
    }
    Ok(())
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
