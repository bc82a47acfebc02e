//! `bertbench extract`

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::CommandOutcome;
use super::trained_model::{ModelArgs, note_truncated};
use crate::diagnostic::{Diagnostic, Error};
use crate::exec::StopFlag;
use crate::infer::extract::{ExtractError, Extractor, Layer, line_features, parse_layers};
use crate::store::output;
use crate::terminal::{Output, note, print, read_input, standard};
use crate::text::FeatureSet;

/// Extract hidden states of a model as features of tokens.
///
/// Every line of the input is a text, or a pair of texts with ` ||| ` between them. The output's file name sets its
/// format: `.jsonl` holds one JSON object per line, as google-research/bert's `extract_features.py` writes it;
/// `.safetensors` holds one tensor per layer, over all tokens of all lines.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The layers: -1 is the last, -2 the one before; 0 is the output of the embeddings, 1 the first layer.
    #[arg(
        long,
        value_name = "LAYER,…",
        value_delimiter = ',',
        allow_hyphen_values = true,
        default_value = "-1,-2,-3,-4"
    )]
    layers: Vec<i64>,
    /// The texts; `-` is standard input.
    #[arg(long, value_name = "TEXT")]
    input: PathBuf,
    /// The features, `.jsonl` or `.safetensors`; `-` is standard output, as JSON lines.
    #[arg(long, value_name = "FEATURES")]
    output: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
}

const EXAMPLES: &str = "\
Examples:
  bertbench extract datasets/all-MiniLM-L6-v2 --input text.txt --output features.jsonl
  bertbench extract MODEL --layers=-1,-2,-3,-4 --input text.txt --output features.safetensors
  echo 'Is this it? ||| No, it is not.' | bertbench extract MODEL --layers=-2 --input - --output -";

pub(super) fn execute(args: &Args) -> Result<CommandOutcome, Error> {
    args.model.threads.compute(|| extract(args))
}

fn extract(args: &Args) -> Result<CommandOutcome, Error> {
    let output = Output::open(&args.output)?;
    let is_json_lines = is_json_lines(&output)?;
    let model = args.model.open()?;
    let layers = parse_layers(&args.layers, model.config.architecture.layers)?;
    let (bytes, name) = read_input(&args.input)?;
    let features = line_features(&model, &bytes, &name)?;
    let extractor = Extractor::load(&model, &features, &layers, args.model.batch_size)?;
    extractor.notes().iter().for_each(note);
    note_truncated(&features, model.max_length);
    let stop = StopFlag::on_signals()?;
    let is_stopped = || stop.is_set();
    let written = match &output {
        Output::Standard => standard(|into| extractor.json_lines(into, &is_stopped)),
        Output::File(path) if is_json_lines => output::write(path, |file| {
            let mut into = BufWriter::new(file);
            extractor.json_lines(&mut into, &is_stopped)?;
            Ok(into.flush()?)
        }),
        Output::File(path) => output::write(path, |file| extractor.safetensors(file, args.model.name(), &is_stopped)),
    };
    match written {
        Ok(()) => conclude(&output, &features, &layers, model.config.architecture.hidden),
        Err(ExtractError::Stopped) => Ok(CommandOutcome::Interrupted),
        Err(ExtractError::Io(error)) if output.reader_is_gone(&error) => Ok(CommandOutcome::Success),
        Err(ExtractError::Io(error)) => Err(error.into()),
        Err(ExtractError::NotFinite { example }) => {
            Err(Error::System(format!("a hidden state of line {} is not a finite number", example + 1)))
        }
    }
}

/// Whether features are written as JSON lines, else as safetensors.
fn is_json_lines(output: &Output) -> Result<bool, Diagnostic> {
    let Output::File(path) = output else { return Ok(true) };
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("jsonl") => Ok(true),
        Some("safetensors") => Ok(false),
        Some(_) | None => {
            Err(Diagnostic::new(format!("the file name does not tell the output's format: {}", path.display()))
                .hint("the output's name ends in .jsonl or .safetensors"))
        }
    }
}

fn conclude(output: &Output, features: &FeatureSet, layers: &[Layer], hidden: u32) -> Result<CommandOutcome, Error> {
    if let Output::File(path) = output {
        let layers: Vec<String> = layers.iter().map(|layer| layer.index.to_string()).collect();
        print(&format_args!(
            "{}: {} lines, {} tokens, layers {} of width {hidden}",
            path.display(),
            features.len(),
            features.tokens(),
            layers.join(",")
        ))?;
    }
    Ok(CommandOutcome::Success)
}
