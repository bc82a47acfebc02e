//! The published GPT pretrained further, against transformers (`tests/golden/openai_gpt_pretraining.py`).

use std::path::PathBuf;

use burn::module::Module;
use serde_json::Value;

use super::batch::{Targets, pack};
use super::tests::passes;
use crate::corpus::examples::TrainingInstance;
use crate::model::{AddedRows, Config, LanguageModel, load_encoder, load_pretraining, save_pretraining};
use crate::settings::{LmLoss, Optimizer};
use crate::store::{Optimization, Warmup};
use crate::train::batch::{Losses, Part};
use crate::train::invariants::device;
use crate::train::optimizer;
use crate::train::schedule::Schedule;

/// Of the first loss: both are in f32.
const FORWARD: f64 = 1e-4;
/// Of the loss of every step.
const CURVE: f64 = 1e-3;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Sequences of which every token but the last has a next one.
fn part(rows: &[Vec<u32>]) -> Vec<Part<Targets>> {
    let example = |ids: &Vec<u32>| TrainingInstance {
        ids: ids.clone(),
        segments: vec![0; ids.len()],
        masked_positions: (0..ids.len() as u32 - 1).collect(),
        masked_labels: ids[1..].to_vec(),
        next_is_random: None,
    };
    let examples: Vec<TrainingInstance> = rows.iter().map(example).collect();
    pack(&examples, examples.len(), LmLoss::CausalLm, &device())
}

fn loss(model: &LanguageModel, rows: &[Vec<u32>]) -> (f64, Vec<Option<burn::tensor::Tensor<1>>>) {
    let passes = passes(model, &part(rows));
    (passes.losses.wait().unwrap().loss(), passes.gradients.unwrap())
}

#[test]
fn twenty_steps_follow_the_loss_curve_of_transformers() {
    let text = std::fs::read_to_string(golden("openai_gpt_pretraining.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let number = |key: &str| expected[key].as_f64().unwrap();
    let batches: Vec<Vec<Vec<u32>>> = serde_json::from_value(expected["batches"].clone()).unwrap();
    let losses: Vec<f64> = serde_json::from_value(expected["losses"].clone()).unwrap();
    let loaded = load_pretraining(&golden("openai_gpt"), false, 1, &device()).unwrap();
    assert_eq!(loaded.notes, Vec::<String>::new(), "no row is drawn that nothing predicts");
    assert_eq!(loaded.config.architecture.vocab_size, 300);

    let optimization = Optimization {
        weight_decay: number("weight_decay"),
        max_grad_norm: number("clip_norm"),
        optimizer: Optimizer::AdamW {},
        adam_epsilon: number("epsilon"),
        ..Optimization::default()
    };
    let warmup = Warmup::Steps(number("warmup_steps") as u64);
    let schedule = Schedule::new(optimization.optimizer, batches.len() as u64, warmup);
    let (mut model, mut adam) = (loaded.model, optimizer::Optimizer::new());
    assert_eq!((batches.len(), losses.len()), (20, 20));
    for (step, (rows, theirs)) in (0..).zip(batches.iter().zip(&losses)) {
        let (ours, gradients) = loss(&model, rows);
        let tolerance = if step == 0 { FORWARD } else { CURVE };
        assert!((ours - theirs).abs() <= tolerance, "step {step}: {ours}, and transformers has {theirs}");
        (model, _) = adam.step(model, gradients, number("learning_rate") * schedule.factor(step), &optimization);
    }
    let held_out: Vec<Vec<u32>> = serde_json::from_value(expected["held_out"].clone()).unwrap();
    let (ours, theirs) = (loss(&model, &held_out).0, number("held_out_loss"));
    assert!((ours - theirs).abs() <= CURVE, "held out: {ours}, and transformers has {theirs}");
    assert!(theirs < losses[0] - 0.5, "there is something to learn: from {} to {theirs}", losses[0]);
}

/// What is kept has the form of what was published: fine-tuning adds its rows to it.
#[test]
fn a_kept_model_has_no_rows_of_fine_tuning_and_is_read_with_them() {
    let loaded = load_pretraining(&golden("openai_gpt"), false, 1, &device()).unwrap();
    let (of, folder) = (loaded.config.architecture, tempfile::tempdir().unwrap());
    let config = Config::of_pretrained(of, true);
    save_pretraining(folder.path(), &loaded.model.valid(), &config, 0.1, &[]).unwrap();
    let written = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    assert!(written.contains("\"OpenAIGPTLMHeadModel\"") && !written.contains("special_tokens"), "{written}");
    let read = Config::read(folder.path()).unwrap();
    assert_eq!((read.architecture.vocab_size, read.added_rows), (303, AddedRows::ToDraw));
    assert_eq!((read.architecture, read.of_language_model().architecture), (config.for_tasks(), of));
    assert_eq!(load_encoder(folder.path(), 1, &device()).unwrap().config.architecture, config.for_tasks());
    // With another vocabulary nothing is added, and nothing is taken away.
    let words = Config::of_pretrained(of, false);
    assert_eq!(words.for_tasks(), of);
    let folder = tempfile::tempdir().unwrap();
    save_pretraining(folder.path(), &loaded.model.valid(), &words, 0.1, &[]).unwrap();
    assert_eq!(Config::read(folder.path()).unwrap().of_language_model().architecture, of);
}
