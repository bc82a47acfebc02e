//! Settings of single tasks and models, and what decides the id of a run.

use super::*;
use crate::settings::{Approach, FeatureBased, Layers, TaskFiles};

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

/// The experiment of [`SHAPES`].
fn shapes(overrides: &[&str]) -> Result<Plan, String> {
    let experiment = parsed(SHAPES, overrides).unwrap();
    let (mut inputs, mut sizes) = (inputs(), sizes());
    let size = sizes.tasks[&("rte".to_owned(), "wide".to_owned())];
    for (task, model) in [("squad1", "wide"), ("own", "wide"), ("own", "deep")] {
        inputs.data.insert(task.to_owned(), inputs.data["rte"].clone());
        sizes.tasks.insert((task.to_owned(), model.to_owned()), size);
    }
    expand(&experiment, &inputs, &sizes).map_err(|found| found.to_string())
}

#[test]
fn a_run_has_the_settings_of_its_task_and_its_model() {
    let plan = shapes(&[]).unwrap();
    let shown: Vec<(&str, &str, u32)> = plan
        .runs
        .iter()
        .map(|run| (run.settings.model.as_str(), run.settings.task_name(), run.settings.max_length()))
        .collect();
    let expected = [("wide", "squad1", 384), ("wide", "rte", 64), ("wide", "own", 128), ("deep", "own", 128)];
    assert_eq!(shown, expected);
    let options = |at: usize| plan.runs[at].settings.task_options().cloned();
    assert_eq!(options(0), Some(TaskOptions::Spans(SpanOptions { doc_stride: 32, ..SpanOptions::default() })));
    assert_eq!(options(1), None);
    let format = "separator any, scheme bioes, token 1, tag last".to_owned();
    assert_eq!(options(2), Some(TaskOptions::Tags(TagOptions { context: Context::Document, format })));
    assert_eq!(plan.runs[2].settings.approach(), Approach::FineTuning);
    let layers = FeatureBased { layers: Layers::Last, hidden: 768, lstm_layers: 2, attention: false };
    assert_eq!(plan.runs[3].settings.approach(), Approach::FeatureBased(layers));
}

#[test]
fn settings_of_a_task_decide_its_runs_and_no_others() {
    let ids =
        |overrides: &[&str]| -> Vec<RunId> { shapes(overrides).unwrap().runs.into_iter().map(|run| run.id).collect() };
    let base = ids(&[]);
    for (set, changed) in [
        ("task_settings.squad1.n_best_size=10", &[0][..]),
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
    let ids = |text: &str| expand(&experiment(text), &inputs(), &sizes()).unwrap().runs.into_iter().map(|run| run.id);
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
        "--set models.wide.approach={feature_based: {layers: sum_last_four}}: these are layers of the last 4, but the \
         model `wide` has 2 (`last`, `embeddings` and `sum_with_embeddings` are there in every model)"
    );
}

/// Every row of the table can be named, and its own defaults come back out.
#[test]
fn known_tasks_are_those_of_the_table() {
    for (known, task) in known_tasks().iter().zip(crate::task::TASKS) {
        assert_eq!((known.name, known.max_length), (&*task.name, task.max_length()));
        assert_eq!(known.dev_files + usize::from(known.test_is_scored), task.dev().count(), "{}", task.name);
        let text = FILE.replace("[stsb, rte]", &format!("[{}]", task.name)).replace("hidden: 64", "hidden: 48");
        let experiment = experiment(&text);
        assert_eq!(task_options(&experiment.tasks[0]), task.default_options(), "{}", task.name);
        assert_eq!(experiment.tasks[0].max_length, task.max_length());
        assert_eq!(experiment.tasks[0].files, TaskFiles::default());
    }
    let mnli = known_tasks().into_iter().find(|task| task.name == "mnli").unwrap();
    assert_eq!((mnli.dev_files, mnli.test_files, mnli.test_is_scored), (2, 2, false));
}
