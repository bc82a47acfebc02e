//! `bertbench compare`

use clap_complete::engine::ArgValueCompleter;
use std::path::PathBuf;

use super::completions;
use crate::diagnostic::{Diagnostic, Error};
use crate::gather::{Operand, with_baseline};
use crate::report::{self, Comparison, Input};
use crate::store::RunsRoot;
use crate::terminal::{note, note_text, print};

/// Compare experiments, models of them, or single runs, task by task.
///
/// What is compared are the best runs of two models, example by example, and all seeds of their best points; and runs that
/// share batch size, learning rate, epochs, seed and data. Models are paired by the tasks that they share, whatever
/// they are called; where both sides have several models for a task, those of the same name. Only records are read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Experiments (a file or a name), models in them (X.yaml:MODEL), runs (an id or its first digits); one experiment
    /// alone stands for its models.
    #[arg(value_name = "EXPERIMENT[:MODEL] | RUN", required = true, add = ArgValueCompleter::new(completions::operands))]
    operands: Vec<String>,
    /// Which of them the others are compared with [default: the first].
    #[arg(long, value_name = "OPERAND")]
    baseline: Option<String>,
    /// Override a setting of the files, as for `run`; the value is YAML.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder of all runs [default: runs].
    #[arg(long, default_value = "runs", value_name = "DIR", hide_default_value = true)]
    runs: PathBuf,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag, and clap lets one of them be given")]
struct Format {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print a row per task as CSV.
    #[arg(long)]
    csv: bool,
    /// Print tables in Markdown.
    #[arg(long)]
    md: bool,
    /// Print tables in LaTeX, with the rules of the package booktabs.
    #[arg(long)]
    latex: bool,
}

const EXAMPLES: &str = "\
Examples:
  bertbench compare experiments/bert-base.yaml experiments/bert-large.yaml
  bertbench compare experiments/mini.yaml                  the models of one file
  bertbench compare x.yaml:large y.yaml:base --latex
  bertbench compare 0a1b2c 3d4e5f                          two runs";

pub(super) fn execute(args: &Args) -> Result<(), Error> {
    let root = RunsRoot::new(&args.runs);
    let mut named = args.operands.clone();
    if let Some(baseline) = &args.baseline
        && !named.contains(baseline)
    {
        named.insert(0, baseline.clone());
    }
    let mut operands = Vec::new();
    for text in &named {
        operands.push(Operand::read(&root, text, &args.set, note_text)?);
    }
    if let [_] = operands[..] {
        operands = operands.into_iter().flat_map(Operand::models).collect();
    }
    let at = args.baseline.as_ref().and_then(|of| named.iter().position(|text| text == of)).unwrap_or(0);
    let operands = with_baseline(operands, at);
    let (experiments, labels): (Vec<_>, Vec<_>) = operands.into_iter().map(|of| (of.input, of.label)).unzip();
    if experiments.len() < 2 {
        let found = Diagnostic::new(format!("nothing can be compared: `{}` has a single model", named[0]));
        return Err(found.hint("name a second experiment, model or run").into());
    }
    let mut input = Input { title: String::new(), experiments };
    let known: Vec<usize> = input.experiments.iter().map(|experiment| experiment.notes.len()).collect();
    report::add_answers(&root, &mut input).map_err(Error::system)?;
    // Which answers are damaged.
    input.experiments.iter().zip(known).flat_map(|(experiment, known)| &experiment.notes[known..]).for_each(note);
    let comparison = report::compare(&input, &labels, 0).map_err(Error::system)?;
    show(&args.format, &comparison)
}

fn show(format: &Format, comparison: &Comparison) -> Result<(), Error> {
    if let Some(why) = comparison.nothing() {
        let why = if why.is_empty() { "no two models share a task".to_owned() } else { why };
        let found = Diagnostic::new(format!("nothing can be compared: {why}"));
        return Err(found.hint("`bertbench runs list` shows which runs there are").into());
    }
    let text = match format {
        Format { json: true, .. } => comparison.to_json().map_err(Error::system)?,
        Format { csv: true, .. } => comparison.to_csv().map_err(Error::system)?,
        Format { md: true, .. } => comparison.to_markdown(),
        Format { latex: true, .. } => comparison.to_latex(),
        Format { .. } => comparison.to_text(),
    };
    print(&text.trim_end())?;
    comparison.remarks().for_each(|remark| note(&remark));
    Ok(())
}
