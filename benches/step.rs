//! Seconds of a training step for a few sizes on this machine: `just bench`.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use bertbench::store::{Architecture, Optimizer, TrainingSettings};
use bertbench::train::{StepTimes, measure_step, open_device};

/// Name, layers, hidden size, heads, sequences and tokens of each.
const SIZES: [(&str, u32, u32, u32, u32, u32); 4] = [
    ("mini-base", 2, 64, 2, 32, 20),
    ("mini-large", 4, 96, 4, 32, 20),
    ("MiniLM-L6", 6, 384, 12, 32, 28),
    ("BERT-base, 4 layers", 4, 768, 12, 16, 128),
];

fn main() {
    let device = match open_device("cpu") {
        Ok(device) => device.device,
        Err(error) => return println!("{error}"),
    };
    let training = TrainingSettings {
        max_length: 128,
        warmup_fraction: 0.1,
        weight_decay: 0.01,
        dropout: 0.1,
        clip_norm: 1.0,
        gradient_accumulation: 1,
        activation_checkpointing: false,
        optimizer: Optimizer::AdamW,
        adam_beta1: 0.9,
        adam_beta2: 0.999,
        adam_epsilon: 1e-8,
    };
    println!("{:<22}{:>14}{:>14}{:>14}{:>12}", "size", "fwd+bwd, s", "optimizer, s", "evaluation, s", "tokens/s");
    for (name, layers, hidden, heads, sequences, length) in SIZES {
        let architecture = Architecture {
            layers,
            hidden,
            heads,
            intermediate: 4 * hidden,
            vocab_size: 30_522,
            max_positions: 512,
            type_vocab_size: 2,
        };
        let StepTimes { forward_backward, optimizer, evaluation, .. } =
            measure_step(&architecture, layers, sequences, length, &training, &device);
        let tokens = f64::from(sequences * length) / (forward_backward.0 + optimizer.0);
        println!("{name:<22}{:>14.4}{:>14.4}{:>14.4}{tokens:>12.0}", forward_backward.0, optimizer.0, evaluation.0);
    }
}
