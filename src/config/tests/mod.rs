use std::path::{Path, PathBuf};

use super::*;
use crate::random::Stream;
use crate::settings::{Approach, Context, Device, InitializerRange, SpanOptions, TaskFiles};

mod renamed;
mod tasks;

/// A task about one text or pair, with one file each to train on, to score on and to predict.
pub(super) const fn of_texts(name: &'static str) -> KnownTask {
    KnownTask {
        name,
        shape: TaskShape::Texts,
        max_length: 128,
        dev_files: 1,
        test_files: 1,
        test_is_scored: false,
        similarity: false,
        pairs: false,
    }
}

fn known() -> [KnownTask; 7] {
    let windows = TaskShape::Spans(SpanOptions::default());
    let tags = TaskShape::Tags(Context::Sentence);
    [
        KnownTask { pairs: true, ..of_texts("rte") },
        KnownTask { similarity: true, pairs: true, ..of_texts("mrpc") },
        of_texts("stsb"),
        of_texts("sst2"),
        KnownTask { dev_files: 2, test_files: 2, ..of_texts("mnli") },
        KnownTask { shape: windows, max_length: 384, test_files: 0, ..of_texts("squad1") },
        KnownTask { shape: tags, test_is_scored: true, ..of_texts("conll2003") },
    ]
}

const FILE: &str = "\
experiment: first
models:
  zeta: {preset: tiny}
  alpha:
    checkpoint: weights/alpha
    do_lower_case: false
tasks: [stsb, rte]
data: datasets/glue
sweep: {batch_size: [16, 32], learning_rate: [5e-5, 1e-5, 2E-5], epochs: [3]}
";

fn read(text: &str, overrides: &[&str]) -> Result<Experiment, crate::diagnostic::Diagnostic> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    parse(Path::new("first.yaml"), text, &known(), &overrides)?.with_tasks()
}

#[test]
fn a_file_becomes_plain_values_in_file_order() {
    let experiment = read(FILE, &[]).unwrap();
    assert_eq!(experiment.base.name, "first");
    assert_eq!(experiment.tasks.iter().map(|task| task.name.as_str()).collect::<Vec<_>>(), ["stsb", "rte"]);
    assert!(experiment.tasks.iter().all(|task| task.max_length == 128 && task.files == TaskFiles::default()));
    assert_eq!(
        (&experiment.models[1].tasks[..], experiment.models[1].approach),
        (&["stsb".to_owned(), "rte".to_owned()][..], Approach::FineTuning)
    );
    assert_eq!(experiment.models[0].name, "zeta");
    assert_eq!(experiment.models[0].source, ModelSource::Random(Preset::BertTiny.dimensions()));
    assert_eq!(experiment.models[0].lower_case, None);
    assert_eq!(experiment.models[1].name, "alpha");
    assert_eq!(experiment.models[1].source, ModelSource::Checkpoint(PathBuf::from("weights/alpha")));
    assert_eq!(experiment.models[1].lower_case, Some(false));
    assert_eq!(experiment.data, DataSource::Folder(PathBuf::from("datasets/glue")));
    let grid = Sweep { batch_size: vec![16, 32], learning_rate: vec![5e-5, 1e-5, 2e-5], epochs: vec![3] };
    assert_eq!(experiment.sweep, grid);
    assert_eq!(experiment.base.seeds, [1]);
    assert_eq!(experiment.base.training, Training::default());
    assert_eq!(experiment.base.device, Device::default());
    assert_eq!(experiment.base.slots, None);
}

#[test]
fn several_devices_take_the_place_of_one() {
    let devices = |text: &str| {
        let experiment = read(&format!("{FILE}{text}"), &[]).unwrap();
        (
            experiment.base.device.to_string(),
            experiment.base.devices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    };
    assert_eq!(devices(""), ("auto".to_owned(), vec!["auto".to_owned()]));
    assert_eq!(devices("device: vulkan:1\n"), ("vulkan:1".to_owned(), vec!["vulkan:1".to_owned()]));
    let two = ["vulkan:1", "vulkan:0"].map(str::to_owned);
    assert_eq!(devices("devices: [vulkan:1, vulkan:0]\n"), ("vulkan:1".to_owned(), two.to_vec()));
    assert_eq!(devices("devices: [cpu, cpu]\n").1.len(), 2);
}

#[test]
fn an_architecture_fills_in_what_bert_fixes() {
    let text = FILE.replace("{preset: tiny}", "{architecture: {layers: 1, hidden: 32, heads: 4}}");
    let tiny = Preset::BertTiny.dimensions();
    let expected = Dimensions { layers: 1, hidden: 32, heads: 4, intermediate: 128, ..tiny };
    assert_eq!(read(&text, &[]).unwrap().models[0].source, ModelSource::Random(expected));
}

#[test]
fn random_weights_of_transformers_are_as_large_as_the_file_says() {
    let of =
        |model: &str| read(&FILE.replace("{preset: tiny}", model), &[]).map(|mut read| read.models.remove(0).source);
    let transformer = |range: &str| {
        let source = of(&format!("{{architecture: {{layers: 1, hidden: 32, heads: 4, initializer_range: {range}}}}}"))?;
        let ModelSource::Random(dimensions) = source else { unreachable!("{source:?}") };
        Ok::<_, crate::diagnostic::Diagnostic>(dimensions.initializer_range)
    };
    assert_eq!(transformer("0.1").unwrap(), InitializerRange::new(0.1).unwrap());
    assert_eq!(transformer("2e-2").unwrap(), InitializerRange::BERT);
    for wrong in ["0", "-0.02", "1.5"] {
        let found = transformer(wrong).unwrap_err().to_string();
        assert!(found.contains("`initializer_range` is above 0 and at most 1"), "{found}");
    }
    let found = of("{encoder: lstm, architecture: {layers: 1, hidden: 32, initializer_range: 0.1}}").unwrap_err();
    assert!(found.to_string().contains("`lstm` has no `initializer_range`"), "{found}");
}

#[test]
fn mini_takes_the_place_of_data() {
    let text = FILE.replace("data: datasets/glue", "mini: {}");
    assert_eq!(read(&text, &[]).unwrap().data, DataSource::Mini { seed: 1 });
    let text = FILE.replace("data: datasets/glue", "mini: {seed: 18446744073709551615}");
    assert_eq!(read(&text, &[]).unwrap().data, DataSource::Mini { seed: u64::MAX });
}

#[test]
fn anchors_and_aliases_are_read() {
    let text = FILE.replace("epochs: [3]", "epochs: &few [2, 3]") + "seeds: *few\n";
    let experiment = read(&text, &[]).unwrap();
    assert_eq!(experiment.base.seeds, [2, 3]);
    // What an alias repeats is wrong where it is repeated.
    let place = experiment.base.place_of("seeds.1").unwrap();
    assert_eq!((place.line, place.column, place.width), (Some(10), Some(8), 4));
}

#[test]
fn overrides_replace_add_and_remove() {
    let experiment = read(
        FILE,
        &[
            "training.max_length=64",
            "seeds=[1, 2]",
            "models.alpha.checkpoint=other/folder",
            "data=null",
            "mini.seed=7",
            "models.beta={preset: bert-mini}",
            "device=cpu",
            "sweep.learning_rate=[1e-4]",
        ],
    )
    .unwrap();
    assert_eq!(experiment.base.training.max_length, Some(64));
    assert!(experiment.tasks.iter().all(|task| task.max_length == 64));
    assert_eq!(experiment.base.seeds, [1, 2]);
    assert_eq!(experiment.models[1].source, ModelSource::Checkpoint(PathBuf::from("other/folder")));
    assert_eq!(experiment.models[2].name, "beta");
    assert_eq!(experiment.data, DataSource::Mini { seed: 7 });
    assert_eq!(experiment.base.device, "cpu".parse::<Device>().unwrap());
    assert_eq!(experiment.sweep.learning_rate, [1e-4]);
}

#[test]
fn places_are_given_by_key_path() {
    let experiment = read(FILE, &["training.max_length=64"]).unwrap();
    let shown = |key: &str| experiment.base.place_of(key).map(|place| (place.to_string(), place.width));
    assert_eq!(shown("models.alpha.checkpoint"), Some(("first.yaml:5:17".to_owned(), 13)));
    assert_eq!(shown("models.alpha"), Some(("first.yaml:4:3".to_owned(), 5)));
    assert_eq!(shown("tasks.rte"), Some(("first.yaml:7:15".to_owned(), 3)));
    assert_eq!(shown("tasks.0"), Some(("first.yaml:7:9".to_owned(), 4)));
    assert_eq!(shown("data"), Some(("first.yaml:8:7".to_owned(), 13)));
    assert_eq!(shown("training.max_length"), Some(("--set training.max_length=64".to_owned(), 0)));
    assert_eq!(shown("training.dropout"), None);
    assert_eq!(shown("data.inside"), None);

    let found = experiment.base.finding("models.alpha.vocab_file", "no vocabulary");
    assert_eq!(found.to_string(), "first.yaml:4:3: no vocabulary");
    assert_eq!(experiment.base.finding("slots", "too many").to_string(), "first.yaml: too many");
}

/// A file of a person's editor: byte order mark, carriage returns, a comment, an end marker.
#[test]
fn editors_habits_do_not_move_places() {
    let text = format!("\u{feff}# notes\r\n{}...\r\n", FILE.replace('\n', "\r\n"));
    let experiment = read(&text, &[]).unwrap();
    let place = experiment.base.place_of("tasks.rte").unwrap();
    assert_eq!((place.line, place.column, place.text.as_deref()), (Some(8), Some(15), Some("tasks: [stsb, rte]")));
}

/// Whatever bytes of a file are changed: no panic, and every place lies in the file.
#[test]
fn no_text_makes_the_reader_panic() {
    let mut draws = Stream::new(1, "shuffle").at(0);
    let alphabet: Vec<char> = "aZ09 \n\t:,-[]{}\"'#&*!|>%@`~?<\\\u{0}é漢.e".chars().collect();
    let mut refused = 0;
    for _ in 0..4000 {
        let mut text: Vec<char> = FILE.chars().collect();
        for _ in 0..=draws.below(4) {
            let at = draws.below(text.len());
            match draws.below(3) {
                0 => text[at] = *draws.pick(&alphabet),
                1 => text.insert(at, *draws.pick(&alphabet)),
                _ => drop(text.remove(at)),
            }
        }
        let text: String = text.into_iter().collect();
        let Err(found) = read(&text, &[]) else { continue };
        refused += 1;
        assert!(!found.message.is_empty() && !found.message.contains('\n'), "{found:?} for {text}");
        let place = found.place.unwrap();
        if let (Some(line), Some(column)) = (place.line, place.column) {
            let shown = place.text.unwrap_or_else(|| panic!("line {line} is not in {text:?}"));
            assert!(column >= 1 && column + place.width <= shown.chars().count() + 2, "{column} in {shown:?}");
        }
    }
    assert!(refused > 1000, "only {refused} of the changes mattered");
}

#[test]
fn a_model_of_the_hub_has_a_revision_and_places() {
    let hub = |written: &str| {
        let text = format!(
            "experiment: a\nmodels:\n  m:\n    checkpoint: {written}\ntasks: [rte]\n\
             sweep: {{batch_size: [1], learning_rate: [1e-5], epochs: [1]}}\nmini: {{}}\n"
        );
        read(&text, &[]).unwrap()
    };
    let source = |repository: &str, revision: &str| {
        ModelSource::Hub(HubModel { repository: repository.to_owned(), revision: revision.to_owned() })
    };
    assert_eq!(hub("{hub: a/b}").models[0].source, source("a/b", "main"));
    let pinned = hub("{hub: a/b, revision: v1}");
    assert_eq!(pinned.models[0].source, source("a/b", "v1"));
    let column = |key: &str| pinned.base.finding(key, "").place.and_then(|place| place.column);
    assert_eq!(column("models.m.checkpoint.hub"), Some(23));
    assert_eq!(column("models.m.checkpoint.revision"), Some(38));
}
