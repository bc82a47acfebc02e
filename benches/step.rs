//! Seconds of a training step for a few sizes on this machine: `just bench`. With names of the published
//! sizes, real steps of those through the fit loop, with their peak memory: `just bench bert-base`.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use std::collections::BTreeMap;

use bertbench::model::random_classifier;
use bertbench::store::{
    Architecture, Evaluation, Optimizer, RunSettings, Start, TrainingSettings, peak_memory, reset_peak_memory,
};
use bertbench::task::Task;
use bertbench::text::{FeatureSet, LeftOut};
use bertbench::train::{Material, StepReport, StepTimes, Watch, fit, measure_step, open_device};
use burn::tensor::Device;

/// Name, layers, hidden size, heads, sequences and tokens of each.
const SIZES: [(&str, u32, u32, u32, u32, u32); 4] = [
    ("mini-base", 2, 64, 2, 32, 20),
    ("mini-large", 4, 96, 4, 32, 20),
    ("MiniLM-L6", 6, 384, 12, 32, 28),
    ("BERT-base, 4 layers", 4, 768, 12, 16, 128),
];

/// Name, layers, hidden size, heads, sequences of 128 tokens, whether layers are computed twice. Run one
/// a process: memory that was freed may still be the process's.
const PUBLISHED: [(&str, u32, u32, u32, u32, bool); 4] = [
    ("bert-base", 12, 768, 12, 16, false),
    ("bert-base-recomputed", 12, 768, 12, 16, true),
    ("bert-large", 24, 1024, 16, 8, false),
    ("bert-large-recomputed", 24, 1024, 16, 8, true),
];
const LENGTH: u32 = 128;
/// Steps of a published size; the first, which makes the optimizer's moments, does not count.
const STEPS: u32 = 4;

fn main() {
    let device = match open_device("cpu") {
        Ok(device) => device.device,
        Err(error) => return println!("{error}"),
    };
    // cargo itself adds `--bench`.
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if names.is_empty() {
        return small(&device);
    }
    for name in names {
        match PUBLISHED.iter().find(|(known, ..)| *known == name) {
            Some(&(name, layers, hidden, heads, sequences, recomputed)) => {
                published(name, &architecture(layers, hidden, heads), sequences, recomputed, &device);
            }
            None => println!("unknown size `{name}`; known: {}", PUBLISHED.map(|(name, ..)| name).join(", ")),
        }
    }
}

fn architecture(layers: u32, hidden: u32, heads: u32) -> Architecture {
    let (intermediate, vocab_size, max_positions, type_vocab_size) = (4 * hidden, 30_522, 512, 2);
    Architecture { layers, hidden, heads, intermediate, vocab_size, max_positions, type_vocab_size }
}

fn training(activation_checkpointing: bool) -> TrainingSettings {
    TrainingSettings {
        max_length: LENGTH,
        warmup_fraction: 0.1,
        weight_decay: 0.01,
        dropout: 0.1,
        clip_norm: 1.0,
        gradient_accumulation: 1,
        activation_checkpointing,
        optimizer: Optimizer::AdamW,
        adam_beta1: 0.9,
        adam_beta2: 0.999,
        adam_epsilon: 1e-8,
    }
}

fn small(device: &Device) {
    println!("{:<22}{:>14}{:>14}{:>14}{:>12}", "size", "fwd+bwd, s", "optimizer, s", "evaluation, s", "tokens/s");
    for (name, layers, hidden, heads, sequences, length) in SIZES {
        let architecture = architecture(layers, hidden, heads);
        let StepTimes { forward_backward, optimizer, evaluation, .. } =
            measure_step(&architecture, layers, sequences, length, &training(false), device);
        let tokens = f64::from(sequences * length) / (forward_backward.0 + optimizer.0);
        println!("{name:<22}{:>14.4}{:>14.4}{:>14.4}{tokens:>12.0}", forward_backward.0, optimizer.0, evaluation.0);
    }
}

/// Seconds of each step.
struct Seconds(Vec<f64>);

impl Watch for Seconds {
    fn step(&mut self, report: &StepReport) {
        self.0.push(report.seconds.0);
        println!("  step {}: loss {:.4}, {:.2} s", report.step, report.loss, report.seconds.0);
    }

    fn evaluated(&mut self, _: &Evaluation) {}

    fn stop(&mut self) -> bool {
        false
    }
}

/// A few steps as a run takes them.
fn published(name: &str, architecture: &Architecture, sequences: u32, recomputed: bool, device: &Device) {
    reset_peak_memory();
    let examples = (sequences * STEPS) as usize;
    let ids: Vec<Vec<u32>> = (0..examples as u32)
        .map(|example| (0..LENGTH).map(|at| 1000 + (example * 7919 + at * 104_729) % 29_000).collect())
        .collect();
    let labels = (0..examples).map(|example| (example % 2) as f32).collect();
    let segments = vec![vec![0; LENGTH as usize]; examples];
    let train = FeatureSet::from_examples(&ids, &segments, labels, LeftOut::default());
    let settings = RunSettings {
        model: name.to_owned(),
        architecture: *architecture,
        start: Start::Random,
        task: "rte".to_owned(),
        batch_size: sequences,
        learning_rate: 2e-5,
        epochs: 1,
        seed: 1,
        training: training(recomputed),
        device: "cpu".to_owned(),
        data_sha256: BTreeMap::new(),
        vocabulary_sha256: String::new(),
        lower_case: true,
        skip_bad_rows: false,
        numerics_version: 1,
    };
    let Ok(task) = Task::find(&settings.task) else { return };
    let model = random_classifier(architecture, task.head.outputs(), 1, &device.clone().autodiff());
    let mut seconds = Seconds(Vec::new());
    match fit(model, &settings, Material { task, train: &train, dev: &[] }, device, &mut seconds) {
        Ok(fitted) => {
            let counted = &mut seconds.0[1..];
            counted.sort_by(f64::total_cmp);
            let (median, peak) = (counted[counted.len() / 2], peak_memory());
            let timings = fitted.timings;
            println!("{name}, {sequences} × {LENGTH} tokens: {median:.2} s a step (median of {})", counted.len());
            println!(
                "  all steps: {} forward, {} backward, {} optimizer",
                timings.forward, timings.backward, timings.optimizer
            );
            println!("  peak memory {peak}");
        }
        Err(error) => println!("{name}: {error}"),
    }
}
