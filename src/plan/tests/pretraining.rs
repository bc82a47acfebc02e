//! Experiments that pretrain.

use super::*;
use crate::config::{ExperimentFile, PretrainModel, Pretraining};

const TEXT: &str = "\
experiment: first
mini: {seed: 1}
models:
  small: {architecture: {layers: 2, hidden: 16, heads: 2, max_positions: 64}}
  fewer: {architecture: {layers: 2, hidden: 16, heads: 2, max_positions: 64}, pretrain: {objective: masked_lm}}
pretrain:
  phases: [{max_length: 32, steps: 900}, {max_length: 64, steps: 100}]
  batch_size: 8
seeds: [1, 2]
device: cpu
";

fn experiment(text: &str) -> Pretraining {
    match config::parse(Path::new("first.yaml"), text, &[], &[]).unwrap() {
        ExperimentFile::Pretraining(experiment) => experiment,
        ExperimentFile::Tasks(_) => panic!("it has tasks"),
    }
}

fn inputs(experiment: &Pretraining) -> Inputs {
    let corpus = |max_length| CorpusInput { id: format!("c{max_length}"), max_length };
    let architecture = Architecture { vocab_size: 100, max_positions: 64, ..example::bert(2, 16, 2, 64) };
    let vocabulary = VocabularyIdentity { sha256: "v".to_owned(), do_lower_case: true, added_tokens: Vec::new() };
    let mut inputs = Inputs { device: "cpu".into(), ..Inputs::default() };
    for PretrainModel { name, .. } in &experiment.models {
        let (initial_weights, vocabulary) = (InitialWeights::Random, vocabulary.clone());
        inputs.models.insert(name.clone(), ModelInput { architecture, initial_weights, vocabulary });
        let (phases, held_out) = (vec![corpus(32), corpus(64)], Some(corpus(32)));
        inputs.corpora.insert(name.clone(), CorporaInput { phases, held_out, masking: None });
    }
    inputs
}

fn sizes() -> Sizes {
    let corpora = [32, 64].map(|length| (format!("c{length}"), CorpusSize { examples: 100, mean_length: 20.0 }));
    Sizes { corpora: corpora.into(), ..Sizes::default() }
}

#[test]
fn every_model_and_seed_is_a_run_with_the_papers_recipe_where_the_file_is_silent() {
    let experiment = experiment(TEXT);
    let plan = expand_pretraining(&experiment, &inputs(&experiment), &sizes()).unwrap();
    let names: Vec<(&str, u64)> =
        plan.runs.iter().map(|run| (run.settings.model.as_str(), run.settings.seed)).collect();
    assert_eq!(names, [("small", 1), ("small", 2), ("fewer", 1), ("fewer", 2)]);
    let settings = &plan.runs[0].settings;
    let of = settings.pretraining().unwrap();
    assert_eq!((of.steps(), settings.optimization.warmup), (1000, Warmup::Steps(10)), "a hundredth of the steps");
    assert_eq!(of.evaluation.as_ref().unwrap().every, 100, "a tenth of the steps");
    let adam = &settings.optimization;
    assert_eq!((adam.learning_rate, adam.adam_epsilon, adam.dropout), (1e-4, 1e-6, 0.1));
    assert_eq!(adam.optimizer, crate::settings::Optimizer::BertAdam {});
    assert_eq!(plan.runs[2].settings.pretraining().unwrap().loss, crate::settings::LmLoss::MaskedLm);
    assert_eq!(plan.runs[0].tokens, Tokens(1000 * 8 * 20));
    let ids: std::collections::BTreeSet<&RunId> = plan.runs.iter().map(|run| &run.id).collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn equal_models_and_examples_that_are_too_long_are_refused() {
    let same = experiment(&TEXT.replace(", pretrain: {objective: masked_lm}", ""));
    let found = expand_pretraining(&same, &inputs(&same), &sizes()).unwrap_err();
    assert!(found.message.contains("`small` and `fewer` are the same"), "{}", found.message);
    let longer = experiment(TEXT);
    let mut inputs = inputs(&longer);
    inputs.corpora.get_mut("fewer").unwrap().phases[1].max_length = 65;
    let found = expand_pretraining(&longer, &inputs, &sizes()).unwrap_err();
    assert!(found.message.contains("examples of 65 tokens, but `fewer` has 64 positions"), "{}", found.message);
}

#[test]
fn forecasts_grow_with_steps_and_snapshots() {
    let calibration = Calibration {
        forward_backward_flops_per_second: 1e9,
        evaluation_flops_per_second: 1e9,
        optimizer_parameters_per_second: 1e9,
        step_overhead: Seconds(0.0),
        run_overhead: Seconds(0.0),
        base_memory: Bytes(0),
    };
    let forecast = |text: &str| {
        let experiment = experiment(text);
        let plan = expand_pretraining(&experiment, &inputs(&experiment), &sizes()).unwrap();
        crate::plan::forecast(&plan.runs[0], &calibration)
    };
    let (one, twice) = (forecast(TEXT), forecast(&TEXT.replace("steps: 900", "steps: 1900")));
    assert!((twice.seconds.0 / one.seconds.0 - 2.0).abs() < 0.1, "{one:?} {twice:?}");
    let kept = forecast(&TEXT.replace("batch_size: 8", "batch_size: 8\n  snapshots: [500]"));
    let weights = 4 * inputs(&experiment(TEXT)).models["small"].architecture.parameters();
    assert!(kept.disk.0 >= one.disk.0 + weights, "{one:?} {kept:?}");
    assert_eq!(kept.peak_memory, one.peak_memory);
    let recomputed = forecast(&format!("{TEXT}training: {{gradient_checkpointing: true}}\n"));
    assert!(recomputed.peak_memory < one.peak_memory, "{one:?} {recomputed:?}");
}

#[test]
fn filters_know_pretraining_runs() {
    let experiment = experiment(TEXT);
    let plan = expand_pretraining(&experiment, &inputs(&experiment), &sizes()).unwrap();
    let only = |text: &str| plan.only(&[Filter::parse(text).unwrap()]).map(|plan| plan.runs.len());
    assert_eq!(only("model=small"), Ok(2));
    assert_eq!(only("task=pretraining,seed=2"), Ok(2));
    assert!(only("epochs=3").unwrap_err().hint.unwrap().contains("no such setting"));
}
