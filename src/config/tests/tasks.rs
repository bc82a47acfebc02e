//! Settings of single tasks, declared tasks, and models that are trained on some of the tasks only.

use super::*;
use crate::settings::{Approach, Columns, Context, FeatureBased, Layers, Separator, SpanOptions};

const TASKS: &str = "\
experiment: several
models:
  wide: {preset: bert-base}
tasks: [rte, squad1, conll2003]
data: root
sweep: {batch_size: [16], learning_rate: [5e-5], epochs: [3]}
";

const DECLARED: &str = "\
experiment: own
models:
  wide: {preset: bert-base}
tasks: [my-ner]
task_settings:
  my-ner:
    train: mine/train.txt
    dev: mine/dev.txt
sweep: {batch_size: [16], learning_rate: [5e-5], epochs: [3]}
";

fn tasks(text: &str, overrides: &[&str]) -> Vec<Task> {
    read(text, overrides).unwrap().tasks
}

/// The one-line form of what is wrong.
fn wrong(text: &str, overrides: &[&str]) -> String {
    read(text, overrides).map(|experiment| experiment.base.name).unwrap_err().to_string()
}

#[test]
fn a_task_has_its_own_length_unless_the_file_has_one() {
    let lengths = |overrides: &[&str]| tasks(TASKS, overrides).iter().map(|task| task.max_length).collect::<Vec<_>>();
    assert_eq!(lengths(&[]), [128, 384, 128]);
    assert_eq!(lengths(&["training.max_length=256"]), [256, 256, 256]);
    let own = ["training.max_length=256", "task_settings.squad1.max_length=320"];
    assert_eq!(lengths(&own), [256, 320, 256]);
}

#[test]
fn settings_of_a_task_stand_beside_its_defaults() {
    let set = ["task_settings.squad1={doc_stride: 64, n_best_size: 5}", "task_settings.conll2003.context=document"];
    let found = tasks(TASKS, &set);
    assert_eq!(found[0].shape, TaskShape::Texts);
    assert_eq!(
        found[1].shape,
        TaskShape::Spans(SpanOptions { doc_stride: 64, n_best_size: 5, ..SpanOptions::default() })
    );
    assert_eq!(found[2].shape, TaskShape::Tags(Context::Document));
    let files = &tasks(TASKS, &["task_settings.squad1.dev=half.json"])[1].files;
    assert_eq!(*files, TaskFiles { dev: Some(PathBuf::from("half.json")), ..TaskFiles::default() });
}

#[test]
fn a_task_of_ones_own_has_files_and_a_format() {
    let experiment = read(DECLARED, &["task_settings.my-ner.columns={separator: tab, tag_column: 3}"]).unwrap();
    let task = &experiment.tasks[0];
    assert_eq!((task.name.as_str(), task.max_length, task.shape), ("my-ner", 128, TaskShape::Tags(Context::Sentence)));
    let columns = Columns { separator: Separator::Tab, tag_column: Some(3), ..Columns::default() };
    assert_eq!(task.files.columns, Some(columns));
    assert_eq!(task.files.train.as_deref(), Some(Path::new("mine/train.txt")));
    assert!(!experiment.reads_data_folder());
    let reads = |name: &str, files: &str| {
        let set = [format!("tasks=[{name}]"), format!("task_settings.{name}={files}")];
        read(TASKS, &[&set[0], &set[1]]).unwrap().reads_data_folder()
    };
    assert!(reads("rte", "{train: a}") && !reads("rte", "{train: a, dev: b}"));
    assert!(reads("conll2003", "{train: a, dev: b}") && !reads("conll2003", "{train: a, dev: b, test: c}"));
    assert_eq!(tasks(DECLARED, &[])[0].files.columns, Some(Columns::default()));
}

#[test]
fn a_task_that_is_neither_known_nor_declared_gets_both_ways_out() {
    assert_eq!(
        wrong(TASKS, &["tasks=[conll]"]),
        "--set tasks=[conll]: unknown task `conll` (known: rte, mrpc, stsb, sst2, mnli, squad1, conll2003. A task of \
         your own is declared: `task_settings: {conll: {train: FILE, dev: FILE}}`)"
    );
    assert!(wrong(DECLARED, &["tasks=[my-nre]"]).contains("(did you mean `my-ner`? A task of your own"));
    // Settings alone declare nothing.
    assert!(wrong(TASKS, &["tasks=[rtee]", "task_settings.rtee.max_length=64"]).contains("did you mean `rte`?"));
    assert!(wrong(TASKS, &["task_settings.conll2033.context=document"]).ends_with("(did you mean `conll2003`?)"));
}

#[test]
fn settings_that_a_task_has_not_are_refused() {
    for (set, said) in [
        (
            "task_settings.conll2003.n_best_size=5",
            "`n_best_size` is for windows of long texts, which `conll2003` does not have",
        ),
        (
            "task_settings.squad1.context=document",
            "`context` is for sentences whose words are tagged, which `squad1` does not have (remove it; it is for conll2003)",
        ),
        ("task_settings.squad1.test=a.json", "`squad1` has no test split, so `test` cannot name its file"),
        ("task_settings.squad1.n_best_size=0", "`n_best_size` takes 1 or more, found `0`"),
        (
            "task_settings.squad1.doc_stride=0",
            "`doc_stride` takes 1 or more, found `0` (for example `doc_stride: 128`)",
        ),
        ("task_settings.squad1.null_score_diff_threshold=.inf", "`null_score_diff_threshold` takes a finite number"),
        ("task_settings.rte.max_length=2", "`max_length` takes at least 3: `[CLS]`, one token and `[SEP]`, found `2`"),
        ("task_settings.rte.train=''", "`train` is not a path"),
    ] {
        assert!(wrong(TASKS, &[set]).starts_with(&format!("--set {set}: {said}")), "{}", wrong(TASKS, &[set]));
    }
    let both = "task_settings.my-ner.columns={token_column: 2, tag_column: 2}";
    assert!(wrong(DECLARED, &[both]).contains("word and tag are both in column 2"), "{}", wrong(DECLARED, &[both]));
}

#[test]
fn windows_have_room_and_leave_no_gaps() {
    // Beside a question of 64 tokens and three special ones, 68 tokens are the first to hold text.
    let fits = |length: u32, stride: u32| {
        let length = format!("task_settings.squad1.max_length={length}");
        let stride = format!("task_settings.squad1.doc_stride={stride}");
        read(TASKS, &[&length, &stride]).map(|_| ()).map_err(|found| found.message)
    };
    assert_eq!(fits(68, 1), Ok(()));
    assert!(fits(67, 1).unwrap_err().starts_with("67 tokens have no room for text beside a question of 64"));
    assert_eq!(fits(195, 128), Ok(()));
    assert!(fits(194, 128).unwrap_err().starts_with("windows of 127 tokens that start 128 apart leave text"));
    assert_eq!(
        wrong(TASKS, &["training.max_length=128"]),
        "--set training.max_length=128: windows of 61 tokens that start 128 apart leave text of `squad1` between \
         them (set `doc_stride: 31` or less, or a greater `max_length`)"
    );
}

#[test]
fn a_model_can_be_for_some_of_the_tasks() {
    let two = ["models.cased={preset: bert-small, tasks: [conll2003, rte]}", "models.wide.tasks=[squad1]"];
    let experiment = read(TASKS, &two).unwrap();
    let of = |at: usize| experiment.tasks_of(&experiment.models[at]).map(|task| task.name.as_str()).collect::<Vec<_>>();
    assert_eq!(of(0), ["squad1"]);
    assert_eq!(of(1), ["rte", "conll2003"]);
    assert!(
        wrong(TASKS, &["models.wide.tasks=[rte, sqad1]"])
            .ends_with("`sqad1` is not one of the experiment's `tasks` (did you mean `squad1`?)")
    );
    assert!(wrong(TASKS, &["models.wide.tasks=[]"]).contains("`tasks` is empty"));
    assert!(wrong(TASKS, &["models.wide.tasks=[rte, rte]"]).contains("`tasks` has the value `rte` twice"));
    // A short model need not reach the length of a task that is not its own.
    let short = "{architecture: {layers: 1, hidden: 32, heads: 2, max_positions: 128}, tasks: [rte]}";
    assert!(read(TASKS, &[&format!("models.short={short}")]).is_ok());
    let long = short.replace("[rte]", "[rte, squad1]");
    let found = wrong(TASKS, &[&format!("models.short={long}")]);
    assert!(found.contains("`max_length` of `squad1` is 384, but the model `short` has 128 positions"), "{found}");
}

#[test]
fn attention_is_for_an_experiment_with_pairs() {
    let set =
        ["tasks=[rte, sst2]", "models.wide.tasks=null", "approach={feature_based: {layers: last, attention: true}}"];
    let frozen = FeatureBased { layers: Layers::Last, hidden: 768, lstm_layers: 2, attention: true };
    assert_eq!(read(TASKS, &set).unwrap().models[0].approach, Approach::FeatureBased(frozen));
}

#[test]
fn an_approach_is_the_models_own_or_that_of_all() {
    let frozen = FeatureBased { layers: Layers::SumAll, hidden: 768, lstm_layers: 2, attention: false };
    let of = |overrides: &[&str]| {
        let all = [&["tasks=[conll2003]"], overrides].concat();
        read(TASKS, &all).map(|experiment| experiment.models[0].approach).map_err(|found| found.to_string())
    };
    assert_eq!(of(&[]), Ok(Approach::FineTuning));
    assert_eq!(of(&["approach={feature_based: {layers: sum_all}}"]), Ok(Approach::FeatureBased(frozen)));
    let both = ["approach={feature_based: {layers: sum_all}}", "models.wide.approach=fine_tuning"];
    assert_eq!(of(&both), Ok(Approach::FineTuning));
    let own = "models.wide.approach={feature_based: {layers: sum_all, hidden: 64, lstm_layers: 1}}";
    assert_eq!(of(&[own]), Ok(Approach::FeatureBased(FeatureBased { hidden: 64, lstm_layers: 1, ..frozen })));
    for (set, said) in [
        ("approach={feature_based: {layers: last, hidden: 0}}", "`hidden` takes 1 to 65536, found `0`"),
        ("approach={fine_tuning: {}}", "expected a name for `approach`"),
        ("approach=frozen", "unknown approach `frozen`"),
    ] {
        let found = of(&[set]).unwrap_err();
        assert!(found.starts_with(&format!("--set {set}: ")) && found.contains(said), "{found}");
    }
}
