mod fine_tuning;
mod forecast;
mod pretraining;
mod shapes;

use std::path::Path;

use super::*;
use crate::config;
use crate::settings::{Context, Optimizer, Precision, SpanOptions};
use crate::store::{Architecture, InitialWeights, TagOptions, TaskOptions, VocabularyIdentity, example};
use crate::units::{Bytes, Seconds};

const TASKS: [&str; 2] = ["rte", "stsb"];

const FILE: &str = "\
experiment: grid
models:
  wide: {architecture: {layers: 2, hidden: 64, heads: 2}}
  deep: {architecture: {layers: 4, hidden: 32, heads: 2}}
tasks: [stsb, rte]
data: glue
sweep: {batch_size: [16, 32], learning_rate: [5e-5, 3e-5, 2e-5], epochs: [3, 4]}
seeds: [2, 1]
";

const CALIBRATION: Calibration = Calibration {
    forward_backward_flops_per_second: 1e11,
    evaluation_flops_per_second: 2e11,
    optimizer_parameters_per_second: 1e9,
    step_overhead: Seconds(0.001),
    run_overhead: Seconds(0.5),
    base_memory: Bytes(100 << 20),
};

fn architecture(layers: u32, hidden: u32, heads: u32, vocab_size: u32) -> Architecture {
    Architecture { vocab_size, ..example::bert(layers, hidden, heads, 4 * hidden) }
}

fn experiment(text: &str) -> Experiment {
    parsed(text, &[]).unwrap()
}

fn parsed(text: &str, overrides: &[&str]) -> Result<Experiment, Diagnostic> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    config::parse(Path::new("grid.yaml"), text, &known_tasks(), &overrides)?.with_tasks()
}

fn inputs() -> Inputs {
    let model = |layers, hidden| ModelInput {
        architecture: architecture(layers, hidden, 2, 1000),
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: "aa".to_owned(), do_lower_case: true, added_tokens: Vec::new() },
    };
    let data = |train: &str| BTreeMap::from([("train.tsv".to_owned(), train.to_owned())]);
    let data = [("stsb", "1000"), ("rte", "250")].map(|(task, train)| (task.to_owned(), data(train)));
    let models = BTreeMap::from([("wide".to_owned(), model(2, 64)), ("deep".to_owned(), model(4, 32))]);
    Inputs { device: "cpu".to_owned(), models, data: data.into(), ..Inputs::default() }
}

fn sizes() -> Sizes {
    let size = |train_examples| TaskSize {
        train_examples,
        train_tokens: 30 * train_examples,
        judged_examples: 90,
        dev_examples: 100,
        dev_tokens: 3000,
    };
    let mut sizes = Sizes::default();
    for model in ["wide", "deep", "broad"] {
        for (task, examples) in [("stsb", 1000), ("rte", 250)] {
            sizes.tasks.insert((task.to_owned(), model.to_owned()), size(examples));
        }
    }
    sizes
}

fn plan() -> Plan {
    expand(&experiment(FILE), &inputs(), &sizes()).unwrap()
}

#[test]
fn every_combination_is_a_run_in_file_order() {
    let plan = plan();
    assert_eq!(plan.runs.len(), 2 * 2 * 2 * 2 * 3 * 2);
    let point = |run: &PlannedRun| {
        let s = &run.settings;
        let (batch_size, rate) = (s.optimization.batch_size, s.optimization.learning_rate);
        (s.model.clone(), s.task_name().to_owned(), s.seed, batch_size, rate, s.epochs())
    };
    let wide = |task: &str, seed, batch, rate, epochs| ("wide".to_owned(), task.to_owned(), seed, batch, rate, epochs);
    assert_eq!(point(&plan.runs[0]), wide("stsb", 2, 16, 5e-5, 3));
    assert_eq!(point(&plan.runs[1]), wide("stsb", 2, 16, 5e-5, 4));
    assert_eq!(point(&plan.runs[2]), wide("stsb", 2, 16, 3e-5, 3));
    assert_eq!(point(&plan.runs[6]), wide("stsb", 2, 32, 5e-5, 3));
    assert_eq!(point(&plan.runs[12]), wide("stsb", 1, 16, 5e-5, 3));
    assert_eq!(point(&plan.runs[24]), wide("rte", 2, 16, 5e-5, 3));
    assert_eq!(plan.runs[48].settings.model, "deep");
    let mut ids: Vec<&RunId> = plan.runs.iter().map(|run| &run.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), plan.runs.len());
}

#[test]
fn a_run_counts_its_steps_and_tokens() {
    let plan = plan();
    let run = &plan.runs[0];
    assert_eq!(run.id, run.settings.id());
    // 1000 examples in batches of 16: 63 a pass, the last one short.
    assert_eq!(run.steps, 3 * 63);
    assert_eq!(run.examples, 3000);
    assert_eq!(run.tokens, Tokens(90_000));
    assert_eq!(run.evaluations, Evaluations { count: 3, examples: 100, judged: 90, tokens: Tokens(3000) });
    assert_eq!(steps(1000, 16, 3), 3 * 63);
    assert_eq!(steps(1, 32, 4), 4);
}

#[test]
fn the_result_of_a_run_does_not_depend_on_names() {
    let renamed = FILE.replace("  wide:", "  broad:");
    let mut other = inputs();
    let model = other.models.remove("wide").unwrap();
    other.models.insert("broad".to_owned(), model);
    let renamed = expand(&experiment(&renamed), &other, &sizes()).unwrap();
    let ids = |plan: &Plan| plan.runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&plan()), ids(&renamed));

    let mut device = inputs();
    device.device = "wgpu".to_owned();
    assert_ne!(ids(&plan()), ids(&expand(&experiment(FILE), &device, &sizes()).unwrap()));
}

#[test]
fn two_equal_models_are_refused_at_the_second() {
    let mut same = inputs();
    same.models.insert("deep".to_owned(), same.models["wide"].clone());
    let found = expand(&experiment(FILE), &same, &sizes()).unwrap_err();
    assert!(found.message.starts_with("the models `wide` and `deep` are the same"), "{found}");
    assert_eq!(found.place.unwrap().to_string(), "grid.yaml:4:3");
}

#[test]
fn what_the_data_and_the_weights_cannot_do_is_refused_at_its_line() {
    let mut short = inputs();
    short.models.get_mut("deep").unwrap().architecture.max_positions = 64;
    let found = expand(&experiment(FILE), &short, &sizes()).unwrap_err();
    assert_eq!(
        found.to_string(),
        "grid.yaml:4:3: `max_length` of `stsb` is 128, but the model `deep` has 64 positions (set `training: {max_length: 64}` or less)"
    );

    let mut empty = sizes();
    empty.tasks.get_mut(&("rte".to_owned(), "wide".to_owned())).unwrap().train_examples = 0;
    let found = expand(&experiment(FILE), &inputs(), &empty).unwrap_err();
    assert_eq!(found.to_string(), "grid.yaml:5:15: `rte` has no training examples (is its training file empty?)");
}

fn only(filters: &[&str]) -> Result<usize, String> {
    let filters: Result<Vec<Filter>, Diagnostic> = filters.iter().map(|text| Filter::parse(text)).collect();
    let filters = filters.map_err(|found| found.to_string())?;
    plan().only(&filters).map(|plan| plan.runs.len()).map_err(|found| found.to_string())
}

#[test]
fn filters_select_by_value() {
    assert_eq!(only(&[]), Ok(96));
    assert_eq!(only(&["task=rte"]), Ok(48));
    assert_eq!(only(&["task=rte,learning_rate=0.00003"]), Ok(16));
    assert_eq!(only(&["model=deep, seed=1,batch_size=16,epochs=4"]), Ok(6));
    // Several values of one key: any of them. Several filters: any of them.
    assert_eq!(only(&["learning_rate=3e-5,learning_rate=2e-5,task=rte"]), Ok(32));
    assert_eq!(only(&["task=rte", "task=stsb,seed=1"]), Ok(72));
}

#[test]
fn a_filter_that_selects_nothing_says_why() {
    let told = |filter: &str| only(&[filter]).unwrap_err();
    assert_eq!(told("tsak=rte"), "--only tsak=rte: unknown key `tsak` (did you mean `task`?)");
    assert_eq!(told("task=rtee"), "--only task=rtee: no run has task `rtee` (did you mean `rte`?)");
    assert_eq!(
        told("learning_rate=1e-4"),
        "--only learning_rate=1e-4: no run has learning_rate `1e-4` (the experiment has 5e-5, 3e-5, 2e-5)"
    );
    assert_eq!(
        told("epochs=three"),
        "--only epochs=three: epochs `three` is not a whole number (for example `--only task=rte,learning_rate=3e-5`)"
    );
    assert_eq!(told("rte"), "--only rte: `rte` is not KEY=VALUE (for example `--only task=rte,learning_rate=3e-5`)");
}

#[test]
fn training_settings_are_those_of_the_file_and_the_optimizer_brings_its_epsilon() {
    let settings = |training: &str| {
        let experiment = experiment(&format!("{FILE}training: {training}\n"));
        expand(&experiment, &inputs(), &sizes()).unwrap().runs[0].settings.optimization.clone()
    };
    let of = |training: &str| (settings(training).optimizer, settings(training).adam_epsilon);
    assert_eq!(of("{}"), (Optimizer::AdamW {}, 1e-8));
    assert_eq!(of("{optimizer: {adamw: {}}}"), (Optimizer::AdamW {}, 1e-8));
    assert_eq!(of("{optimizer: {bert_adam: {}}}"), (Optimizer::BertAdam {}, 1e-6));
    assert_eq!(of("{optimizer: {bert_adam: {}}, adam_epsilon: 1e-7}"), (Optimizer::BertAdam {}, 1e-7));
    let precision = |training: &str| settings(training).precision;
    assert_eq!(precision("{}"), Precision::F32);
    assert_eq!(precision("{precision: f32}"), Precision::F32);
    assert_eq!(precision("{precision: bf16}"), Precision::Bf16);
    assert!(!settings("{}").autotune && settings("{autotune: true}").autotune);
    assert!(
        !settings("{}").gradient_checkpointing && settings("{gradient_checkpointing: true}").gradient_checkpointing
    );
}
