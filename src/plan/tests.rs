use std::path::Path;

use super::*;
use crate::spec;
use crate::store::{Context, SpanOptions, TagOptions, TaskOptions};
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
    let (intermediate, max_positions, type_vocab_size) = (4 * hidden, 512, 2);
    Architecture { layers, hidden, heads, intermediate, vocab_size, max_positions, type_vocab_size, causal: false }
}

fn experiment(text: &str) -> Experiment {
    spec::parse(Path::new("grid.yaml"), text, &TASKS.map(spec::KnownTask::of_texts), &[]).unwrap()
}

fn inputs() -> Inputs {
    let model = |layers, hidden| ModelInput {
        architecture: architecture(layers, hidden, 2, 1000),
        start: Start::Random,
        vocabulary_sha256: "aa".to_owned(),
        lower_case: true,
    };
    let task = |train_examples| TaskInput {
        data_sha256: BTreeMap::from([("train.tsv".to_owned(), format!("{train_examples}"))]),
        train_examples,
        train_tokens: 30 * train_examples,
        dev_examples: 100,
        dev_tokens: 3000,
    };
    let mut tasks = BTreeMap::new();
    for name in ["wide", "deep"] {
        tasks.insert(("stsb".to_owned(), name.to_owned()), task(1000));
        tasks.insert(("rte".to_owned(), name.to_owned()), task(250));
    }
    let models = BTreeMap::from([("wide".to_owned(), model(2, 64)), ("deep".to_owned(), model(4, 32))]);
    Inputs { device: "cpu".to_owned(), skip_bad_rows: false, models, tasks }
}

fn plan() -> Plan {
    expand(&experiment(FILE), &inputs()).unwrap()
}

#[test]
fn every_combination_is_a_run_in_file_order() {
    let plan = plan();
    assert_eq!(plan.runs.len(), 2 * 2 * 2 * 2 * 3 * 2);
    let point = |run: &PlannedRun| {
        let s = &run.settings;
        (s.model.clone(), s.task.clone(), s.seed, s.batch_size, s.learning_rate, s.epochs)
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
    assert_eq!((run.dev_examples, run.dev_tokens), (100, Tokens(3000)));
    assert_eq!(steps(1000, 16, 3), 3 * 63);
    assert_eq!(steps(1, 32, 4), 4);
}

#[test]
fn the_result_of_a_run_does_not_depend_on_names() {
    let renamed = FILE.replace("  wide:", "  broad:");
    let mut other = inputs();
    let model = other.models.remove("wide").unwrap();
    other.models.insert("broad".to_owned(), model);
    for task in TASKS {
        let input = other.tasks.remove(&(task.to_owned(), "wide".to_owned())).unwrap();
        other.tasks.insert((task.to_owned(), "broad".to_owned()), input);
    }
    let renamed = expand(&experiment(&renamed), &other).unwrap();
    let ids = |plan: &Plan| plan.runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&plan()), ids(&renamed));

    let mut device = inputs();
    device.device = "wgpu".to_owned();
    assert_ne!(ids(&plan()), ids(&expand(&experiment(FILE), &device).unwrap()));
}

#[test]
fn two_equal_models_are_refused_at_the_second() {
    let mut same = inputs();
    same.models.insert("deep".to_owned(), same.models["wide"].clone());
    let found = expand(&experiment(FILE), &same).unwrap_err();
    assert!(found.message.starts_with("the models `wide` and `deep` are the same"), "{found}");
    assert_eq!(found.place.unwrap().to_string(), "grid.yaml:4:3");
}

#[test]
fn what_the_data_and_the_weights_cannot_do_is_refused_at_its_line() {
    let mut short = inputs();
    short.models.get_mut("deep").unwrap().architecture.max_positions = 64;
    let found = expand(&experiment(FILE), &short).unwrap_err();
    assert_eq!(
        found.to_string(),
        "grid.yaml:4:3: `max_length` of `stsb` is 128, but the model `deep` has 64 positions (set `training: {max_length: 64}` or less)"
    );

    let mut empty = inputs();
    empty.tasks.get_mut(&("rte".to_owned(), "wide".to_owned())).unwrap().train_examples = 0;
    let found = expand(&experiment(FILE), &empty).unwrap_err();
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

/// Devlin et al. 2018 round these to 110M and 340M; the exact counts are those of the published
/// checkpoints.
#[test]
fn parameters_match_the_published_checkpoints() {
    assert_eq!(parameters(&architecture(12, 768, 12, 30522)), 109_482_240);
    assert_eq!(parameters(&architecture(24, 1024, 16, 30522)), 335_141_888);
    assert_eq!(parameters(&architecture(12, 768, 12, 28996)), 108_310_272);
    assert_eq!(parameters(&architecture(12, 768, 12, 21128)), 102_267_648);
}

/// 4 layers of width 768, 16 sequences of 128 tokens: 0.36 TFLOP a training step, by hand
/// 3 × 4 × 2048 × (2 × 7,077,888 + 4 × 128 × 768), and 16 poolings.
#[test]
fn flops_of_a_training_step_match_the_count_by_hand() {
    let step = 3.0 * forward_flops(&architecture(4, 768, 12, 30522), 16 * 128, 16);
    let by_hand = 3.0 * (4.0 * 2048.0 * (2.0 * 7_077_888.0 + 4.0 * 128.0 * 768.0) + 16.0 * 2.0 * 768.0 * 768.0);
    assert!((step / by_hand - 1.0).abs() < 1e-12);
    assert!((step / 0.36e12 - 1.0).abs() < 0.02, "{step}");
}

#[test]
fn the_forecast_adds_up_what_a_run_does() {
    let plan = plan();
    let run = &plan.runs[0];
    let all = forecast(run, &CALIBRATION).seconds.0;
    let infinite = f64::INFINITY;
    let free = Calibration {
        forward_backward_flops_per_second: infinite,
        evaluation_flops_per_second: infinite,
        optimizer_parameters_per_second: infinite,
        step_overhead: Seconds(0.0),
        run_overhead: Seconds(0.0),
        base_memory: Bytes(0),
    };
    let part = |calibration: Calibration| forecast(run, &calibration).seconds.0;
    let parts = [
        part(Calibration { forward_backward_flops_per_second: 1e11, ..free }),
        part(Calibration { evaluation_flops_per_second: 2e11, ..free }),
        part(Calibration { optimizer_parameters_per_second: 1e9, ..free }),
        part(Calibration { step_overhead: Seconds(0.001), ..free }),
        part(Calibration { run_overhead: Seconds(0.5), ..free }),
    ];
    assert!(parts.iter().all(|part| *part > 0.0), "{parts:?}");
    assert!((parts.iter().sum::<f64>() / all - 1.0).abs() < 1e-12);
    assert!((parts[3] - 0.189).abs() < 1e-12, "189 steps of a millisecond: {}", parts[3]);
    let flops = 3.0 * forward_flops(&run.settings.architecture, 90_000, 3000);
    assert!((parts[0] / (flops / 1e11) - 1.0).abs() < 1e-12);
    let unknown = part(Calibration { forward_backward_flops_per_second: 0.0, ..free });
    assert_eq!(Seconds(unknown).to_string(), "unknown");
}

#[test]
fn memory_grows_with_the_batch_and_holds_the_optimizer() {
    let plan = plan();
    let memory = |index: usize| forecast(&plan.runs[index], &CALIBRATION).peak_memory.0;
    let trained = 16 * parameters(&plan.runs[0].settings.architecture);
    let fixed = CALIBRATION.base_memory.0 + trained;
    // Runs 0 and 6 differ in the batch size alone, 16 and 32.
    assert_eq!(memory(6) - fixed, 2 * (memory(0) - fixed));
    // By hand: 16 × 128 tokens, 2 layers of (10 × 64 + 2 × 256 + 3 × 2 × 128) floats, 3 × 64 before them.
    assert_eq!(memory(0) - fixed, 4 * 2048 * (2 * (640 + 512 + 768) + 192));
    // With layers computed again: two inputs of 64 floats and one layer at a time.
    let mut recomputed = plan.runs[0].clone();
    recomputed.settings.training.activation_checkpointing = true;
    assert_eq!(forecast(&recomputed, &CALIBRATION).peak_memory.0 - fixed, 4 * 2048 * (2 * 64 + 640 + 512 + 768));
}

#[test]
fn training_settings_are_those_of_the_file_and_the_optimizer_brings_its_epsilon() {
    let settings = |training: &str| {
        let experiment = experiment(&format!("{FILE}training: {training}\n"));
        expand(&experiment, &inputs()).unwrap().runs[0].settings.training.clone()
    };
    let of = |training: &str| (settings(training).optimizer, settings(training).adam_epsilon);
    assert_eq!(of("{}"), (Optimizer::AdamW, 1e-8));
    assert_eq!(of("{optimizer: {adamw: {}}}"), (Optimizer::AdamW, 1e-8));
    assert_eq!(of("{optimizer: {bert_adam: {}}}"), (Optimizer::BertAdam, 1e-6));
    assert_eq!(of("{optimizer: {bert_adam: {}}, adam_epsilon: 1e-7}"), (Optimizer::BertAdam, 1e-7));
    let precision = |training: &str| settings(training).precision;
    assert_eq!(precision("{}"), Precision::F32);
    assert_eq!(precision("{precision: f32}"), Precision::F32);
    assert_eq!(precision("{precision: bf16}"), Precision::Bf16);
    assert!(
        !settings("{}").activation_checkpointing
            && settings("{activation_checkpointing: true}").activation_checkpointing
    );
}

#[test]
fn the_longest_run_comes_first_and_equal_ones_in_file_order() {
    let plan = plan();
    let order = plan.longest_first(&CALIBRATION);
    assert_eq!(order.len(), plan.runs.len());
    let seconds: Vec<f64> = order.iter().map(|run| forecast(run, &CALIBRATION).seconds.0).collect();
    assert!(seconds.is_sorted_by(|a, b| a >= b), "{seconds:?}");
    let longest = &order[0].settings;
    assert_eq!((longest.task.as_str(), longest.batch_size, longest.epochs), ("stsb", 16, 4));
    // Seeds and learning rates change nothing in the time.
    assert_eq!((longest.seed, longest.learning_rate), (2, 5e-5));
    assert_eq!((order[1].settings.seed, order[1].settings.learning_rate), (2, 3e-5));
}

#[test]
fn totals_sum_time_and_disk_and_keep_one_model_per_task() {
    let plan = plan();
    let totals = plan.totals(&CALIBRATION);
    let each: Vec<Forecast> = plan.runs.iter().map(|run| forecast(run, &CALIBRATION)).collect();
    assert_eq!(totals.runs, 96);
    assert!((totals.seconds.0 - each.iter().map(|f| f.seconds.0).sum::<f64>()).abs() < 1e-9);
    assert_eq!(totals.peak_memory, each.iter().map(|f| f.peak_memory).max().unwrap());
    let folders: u64 = each.iter().map(|f| f.disk.0).sum();
    let largest = parameters(&plan.runs[0].settings.architecture).max(parameters(&plan.runs[48].settings.architecture));
    assert_eq!(totals.disk.0, folders + 2 * 4 * largest);
}

const SHAPES: &str = "\
experiment: shapes
models:
  wide: {architecture: {layers: 2, hidden: 64, heads: 2}, tasks: [rte, own, squad1]}
  deep: {architecture: {layers: 4, hidden: 32, heads: 2}, tasks: [own], approach: {feature_based: {layers: last}}}
tasks: [squad1, rte, own]
task_settings:
  rte: {max_length: 64}
  squad1: {doc_stride: 32, train: half.json}
  own: {train: a.txt, dev: b.txt, context: document, columns: {scheme: bioes}}
data: root
sweep: {batch_size: [16], learning_rate: [5e-5], epochs: [3]}
";

/// The experiment of [`SHAPES`], with a row for SQuAD as the table of tasks would have it.
fn shapes(overrides: &[&str]) -> Result<Plan, String> {
    let windows =
        spec::Windows { doc_stride: 128, max_query_length: 64, max_answer_length: 30, n_best: 20, null_threshold: 0.0 };
    let (shape, max_length) = (spec::TaskShape::Spans(windows), 384);
    let squad = spec::KnownTask { shape, max_length, ..spec::KnownTask::of_texts("squad1") };
    let known = [squad, spec::KnownTask::of_texts("rte")];
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let experiment = spec::parse(Path::new("shapes.yaml"), SHAPES, &known, &overrides).unwrap();
    let mut inputs = inputs();
    let input = inputs.tasks[&("rte".to_owned(), "wide".to_owned())].clone();
    for (task, model) in [("squad1", "wide"), ("own", "wide"), ("own", "deep")] {
        inputs.tasks.insert((task.to_owned(), model.to_owned()), input.clone());
    }
    expand(&experiment, &inputs).map_err(|found| found.to_string())
}

#[test]
fn a_run_has_the_settings_of_its_task_and_its_model() {
    let plan = shapes(&[]).unwrap();
    let shown: Vec<(&str, &str, u32)> = plan
        .runs
        .iter()
        .map(|run| (run.settings.model.as_str(), run.settings.task.as_str(), run.settings.training.max_length))
        .collect();
    let expected = [("wide", "squad1", 384), ("wide", "rte", 64), ("wide", "own", 128), ("deep", "own", 128)];
    assert_eq!(shown, expected);
    let options = |at: usize| plan.runs[at].settings.task_options.clone();
    assert_eq!(options(0), Some(TaskOptions::Spans(SpanOptions { doc_stride: 32, ..SpanOptions::default() })));
    assert_eq!(options(1), None);
    let format = "separator any, scheme bioes, token 1, tag last".to_owned();
    assert_eq!(options(2), Some(TaskOptions::Tags(TagOptions { context: Context::Document, format })));
    assert_eq!(plan.runs[2].settings.approach, Approach::FineTuning);
    let layers = FeatureBased { layers: Layers::Last, hidden: 768, lstm_layers: 2 };
    assert_eq!(plan.runs[3].settings.approach, Approach::FeatureBased(layers));
}

#[test]
fn settings_of_a_task_decide_its_runs_and_no_others() {
    let ids =
        |overrides: &[&str]| -> Vec<RunId> { shapes(overrides).unwrap().runs.into_iter().map(|run| run.id).collect() };
    let base = ids(&[]);
    for (set, changed) in [
        ("task_settings.squad1.n_best=10", &[0][..]),
        ("task_settings.own.context=sentence", &[2, 3]),
        ("task_settings.own.columns.separator=tab", &[2, 3]),
        ("task_settings.rte.max_length=32", &[1]),
        ("models.deep.approach=fine_tuning", &[3]),
        // Where a file lies does not decide a result; its checksum does.
        ("task_settings.own.train=elsewhere/a.txt", &[]),
    ] {
        let found: Vec<usize> = (0..4).filter(|at| ids(&[set])[*at] != base[*at]).collect();
        assert_eq!(found, changed, "{set}");
    }
}

/// What decides a run is the length, not where it is written: that GLUE's 128 are its default changes no id.
#[test]
fn a_default_length_that_is_written_gives_the_same_runs() {
    let ids = |text: &str| expand(&experiment(text), &inputs()).unwrap().runs.into_iter().map(|run| run.id);
    let written = format!("{FILE}training: {{max_length: 128}}\n");
    assert!(ids(FILE).eq(ids(&written)));
    assert!(!ids(FILE).eq(ids(&written.replace("128", "64"))));
}

#[test]
fn layers_that_a_model_has_not_are_refused() {
    let set = "models.deep.approach.feature_based.layers=concat_last_four";
    assert!(shapes(&[set]).is_ok(), "it has four");
    let set =
        ["models.wide.tasks=[own]", "models.wide.approach={feature_based: {layers: sum_last_four}}", "tasks=[own]"];
    let set = [&set[..], &["task_settings.rte=null", "task_settings.squad1=null"]].concat();
    assert_eq!(
        shapes(&set).unwrap_err(),
        "--set models.wide.approach={feature_based: {layers: sum_last_four}}: these layers are of the last 4, but the \
         model `wide` has 2 (`last`, `embeddings` and `sum_all` are there in every model)"
    );
}

/// Every row of the table can be named, and its own defaults come back out.
#[test]
fn known_tasks_are_those_of_the_table() {
    for (known, task) in known_tasks().iter().zip(crate::task::TASKS) {
        assert_eq!((known.name, known.max_length), (task.name, task.max_length));
        assert_eq!(known.dev_files + usize::from(known.test_is_scored), task.dev.len(), "{}", task.name);
        let text = FILE.replace("[stsb, rte]", &format!("[{}]", task.name)).replace("hidden: 64", "hidden: 48");
        let experiment = spec::parse(Path::new("grid.yaml"), &text, &known_tasks(), &[]).unwrap();
        assert_eq!(task_options(&experiment.tasks[0]), task.default_options(), "{}", task.name);
        assert_eq!(experiment.tasks[0].max_length, task.max_length);
        assert_eq!(task_files(&experiment.tasks[0]), None);
    }
    let mnli = known_tasks().into_iter().find(|task| task.name == "mnli").unwrap();
    assert_eq!((mnli.dev_files, mnli.test_files, mnli.test_is_scored), (2, 2, false));
}
