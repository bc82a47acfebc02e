//! The experiments that are shipped, each as it is: `plan` and `check` on tiny stand-ins for the data and the
//! models that they name.

use std::fs;
use std::path::Path;

use bertbench::config::{self, DataSource, Experiment, ExperimentFile, ModelSource, Pretraining, TextSource};
use bertbench::kernel::Bf16Support;
use bertbench::plan::known_tasks;
use bertbench::settings::Approach;

use super::program::Workplace;

/// How many runs each makes: models and their tasks × points of the sweep × seeds. Those that pretrain come after.
const EXPERIMENTS: [(&str, usize); 19] = [
    ("bert-base", 11 * 12 * 5),
    ("bert-large", 11 * 12 * 5),
    ("chinese-ner", 2 * 12 * 5),
    ("conll-features", 6 * 2 * 5),
    ("five-models", 5 * 7 * 3),
    ("five-models-wikitext2", 5 * 4 * 3 * 3),
    ("glue-base-large", 2 * 9 * 12),
    ("mini", 4 * 13 * 12),
    ("mini-baselines", 4 * 8),
    ("mini-masking", 6 * 3 * 3),
    ("mini-objectives", 3 * 5 * 3),
    ("mini-sizes", 6 * 3 * 3),
    ("mini-steps", 10 * 3),
    ("resume-ner", 2),
    ("rte-minilm", 12),
    ("squad2", 2 * 5),
    ("stsb-minilm", 5),
    ("stsb-minilm-bf16", 5),
    ("try", 12),
];

/// The experiments that pretrain, and how many runs each makes.
const PRETRAINING: [(&str, usize); 10] = [
    ("five-models-pretrain", 5),
    ("five-models-wikitext2-pretrain", 5),
    ("mini-masking-pretrain", 6),
    ("mini-objectives-pretrain", 3),
    ("mini-pretrain", 2),
    ("mini-sizes-pretrain", 6),
    ("mini-steps-pretrain", 2),
    ("pretrain-base", 1),
    ("pretrain-large", 1),
    ("pretrain-wikitext2", 1),
];

/// Lines of `status`, by experiment: what is particular to a task or a model.
const PARTICULARS: [(&str, &str); 5] = [
    (
        "mini",
        "squad1: max_length 64, doc_stride 24, max_query_length 20, max_answer_length 30, n_best_size 20, null_score_diff_threshold 0",
    ),
    ("mini", "rte: max_length 48"),
    ("conll-features", "conll2003: context document"),
    ("conll-features", "sum-all: feature-based: layers sum_all, BiLSTM of 2 layers, width 8"),
    (
        "mini-baselines",
        "bilstm-word2vec-attn: feature-based: layers embeddings, BiLSTM of 2 layers, width 8, attention",
    ),
];

/// Two checkpoints with the depth that the approaches to features need and the positions of BERT.
const STAND_IN: &str = "\
experiment: stand-in
data: datasets/mini-1
models:
  small: {architecture: {layers: 4, hidden: 16, heads: 2, max_positions: 512}}
tasks: [wnli, rte]
sweep: {batch_size: [32], learning_rate: [1e-3], epochs: [1]}
seeds: [1]
device: cpu
";

/// The folder of the mini benchmark that `mini: {seed: 1}` looks for, with datasets of all formats.
const DATA: &str = "datasets/mini-1";

/// The tasks whose kept models are the checkpoints; two experiments compare two models, which must not be one.
const CHECKPOINTS: [&str; 2] = ["wnli", "rte"];

/// A workplace with the data folder and the checkpoints, in folders called like their tasks.
fn with_stand_ins() -> Workplace {
    let place = Workplace::new();
    place.generate(DATA);
    let msra = |split: &str| place.read(&format!("{DATA}/MSRA/msra_{split}_bio.txt"));
    let (train, test) = (msra("train"), msra("test"));
    let (train, test) = (sentences(&train), sentences(&test));
    for (split, of) in [("train", &train), ("dev", &test), ("test", &test)] {
        place.write(&format!("{DATA}/Weibo/weiboNER_2nd_conll.{split}"), &weibo(of));
        place.write(&format!("{DATA}/ResumeNER/{split}.char.bmes"), &resume(of));
    }
    write_wikitext(&place);
    place.write("stand-in.yaml", STAND_IN);
    place.run(&["run", "stand-in.yaml"]).ok();
    for task in CHECKPOINTS {
        let files = place.files(&format!("runs/stand-in/{task}"));
        let weights = files.iter().find(|path| path.ends_with("model/model.safetensors")).unwrap();
        fs::rename(weights.parent().unwrap(), place.path(task)).unwrap();
    }
    place
}

/// Articles of WikiText and a vocabulary, where experiments on WikiText-2 look for them.
fn write_wikitext(place: &Workplace) {
    let article = |name: &str| {
        format!(
            " \n = {name} = \n \n The {name} sings in the morning . It sings in the evening . \n Few sing at noon . \n"
        )
    };
    let articles = ["Lark", "Wren", "Finch"].map(article).concat();
    for split in ["train", "valid"] {
        place.write(&format!("datasets/wikitext-2/wiki.{split}.raw"), &articles);
    }
    place.write("datasets/wikitext-2/vocab.txt", &place.read(&format!("{DATA}/vocab.txt")));
}

/// Characters with their tags.
type Tagged<'a> = Vec<(&'a str, &'a str)>;

fn sentences(text: &str) -> Vec<Tagged<'_>> {
    let pair = |line| str::split_once(line, ['\t', ' ']).unwrap_or_else(|| panic!("no column: {line}"));
    text.trim_end().split("\n\n").map(|sentence| sentence.lines().map(pair).collect()).collect()
}

/// Characters numbered within their words, here of one character each, and names told from nouns.
fn weibo(sentences: &[Tagged<'_>]) -> String {
    let named = |tag: &str| if tag == "O" { tag.to_owned() } else { format!("{tag}.NAM") };
    let line = |(character, tag): &(&str, &str)| format!("{character}0\t{}\n", named(tag));
    sentences.iter().map(|sentence| sentence.iter().map(line).collect::<String>() + "\n").collect()
}

/// `B`, `M` and `E` for the first, the middle and the last of an entity, `S` for its only character.
fn resume(sentences: &[Tagged<'_>]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        for (at, (character, tag)) in sentence.iter().enumerate() {
            let goes_on = sentence.get(at + 1).is_some_and(|(_, next)| next.starts_with("I-"));
            let tag = match (tag.split_once('-'), goes_on) {
                (None, _) => "O".to_owned(),
                (Some(("B", kind)), true) => format!("B-{kind}"),
                (Some(("B", kind)), false) => format!("S-{kind}"),
                (Some((_, kind)), true) => format!("M-{kind}"),
                (Some((_, kind)), false) => format!("E-{kind}"),
            };
            text += &format!("{character} {tag}\n");
        }
        text.push('\n');
    }
    text
}

/// What is not available where tests run, put into the experiment's place for it: `--set` options.
fn overrides(experiment: &Experiment) -> Vec<String> {
    let mut set = Vec::new();
    if !matches!(experiment.data, DataSource::Mini { .. }) {
        set.push(format!("data={DATA}"));
    }
    for (model, checkpoint) in experiment.models.iter().zip(CHECKPOINTS.iter().cycle()) {
        match model.source {
            ModelSource::Hub(_) | ModelSource::Checkpoint(_) => {
                set.push(format!("models.{}.checkpoint={checkpoint}", model.name));
            }
            ModelSource::Random(_) if model.vocabulary.is_some() => {
                set.push(format!("models.{}.vocab_file={DATA}/vocab.txt", model.name));
            }
            ModelSource::Random(_) | ModelSource::Pretraining(_) => {}
        }
        if model.approach != Approach::FineTuning {
            // The paper's 768 are half a minute of CPU time.
            set.push(format!("models.{}.approach.feature_based.hidden=8", model.name));
        }
    }
    if Bf16Support::detect() == Bf16Support::None {
        set.push("training.precision=f32".to_owned());
    }
    set.iter().flat_map(|set| ["--set".to_owned(), set.clone()]).collect()
}

#[test]
fn every_experiment_of_the_folder_is_in_the_table() {
    let mut found: Vec<String> = fs::read_dir("experiments")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    let mut known: Vec<&str> = EXPERIMENTS.iter().chain(&PRETRAINING).map(|(name, _)| *name).collect();
    known.sort_unstable();
    assert_eq!(found, known);
}

/// Experiments look for those that pretrain their models beside themselves.
fn copy_all(place: &Workplace) {
    for (name, _) in EXPERIMENTS.iter().chain(&PRETRAINING) {
        let file = format!("{name}.yaml");
        fs::copy(Path::new("experiments").join(&file), place.path(&file)).unwrap();
    }
}

/// For experiments with text of their own, the mini benchmark's, and sizes and batches that take a step in no time.
fn pretraining_overrides(experiment: &Pretraining) -> Vec<String> {
    let mut set = Vec::new();
    if matches!(experiment.text, TextSource::Files { .. }) {
        set.push(format!("pretrain.text=[{DATA}/corpus/train.txt]"));
        set.push(format!("pretrain.held_out=[{DATA}/corpus/heldout.txt]"));
        set.push("pretrain.format=sentences".to_owned());
        set.push("pretrain.dupe_factor=1".to_owned());
        set.push("training.gradient_accumulation_steps=1".to_owned());
        for model in &experiment.models {
            let of = format!("models.{}", model.name);
            let ModelSource::Random(architecture) = &model.source else { panic!("{of} starts from weights") };
            let encoder = architecture.encoder;
            let size = match (encoder.facts().is_transformer, encoder.facts().costs.has_layers) {
                (true, _) => "{layers: 1, hidden: 16, heads: 2}",
                (false, true) => "{layers: 1, hidden: 16}",
                (false, false) => "{hidden: 16}",
            };
            let encoder = encoder.name();
            set.push(format!("{of}={{encoder: {encoder}, architecture: {size}, vocab_file: {DATA}/vocab.txt}}"));
        }
    }
    set.push("pretrain.batch_size=4".to_owned());
    set.iter().flat_map(|set| ["--set".to_owned(), set.clone()]).collect()
}

#[test]
fn every_pretraining_is_planned_and_checked_on_stand_ins() {
    let place = Workplace::new();
    place.generate(DATA);
    copy_all(&place);
    for (name, runs) in PRETRAINING {
        let file = format!("{name}.yaml");
        let ExperimentFile::Pretraining(experiment) = config::load(&place.path(&file), &known_tasks(), &[]).unwrap()
        else {
            panic!("{name} does not pretrain")
        };
        let set = pretraining_overrides(&experiment);
        let arguments: Vec<&str> = std::iter::once(file.as_str()).chain(set.iter().map(String::as_str)).collect();
        let plan = place.run(&[&["plan", "--json"], &arguments[..]].concat()).ok().json();
        let planned = plan["runs"].as_array().unwrap();
        assert_eq!(planned.len(), runs, "{name}");
        assert!(planned.iter().all(|run| run["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0)), "{plan:#}");
        let check = place.run(&[&["check"], &arguments[..]].concat()).ok();
        for model in &experiment.models {
            let line = format!("ok    one step of {}: loss ", model.name);
            assert!(check.out.contains(&line), "no {line:?} in {}", check.exchange());
        }
    }
}

#[test]
fn every_experiment_is_planned_and_checked_on_stand_ins() {
    let place = with_stand_ins();
    copy_all(&place);
    for (name, runs) in EXPERIMENTS {
        let file = format!("{name}.yaml");
        let experiment = config::load(&place.path(&file), &known_tasks(), &[]).unwrap().with_tasks().unwrap();
        let set = overrides(&experiment);
        let arguments: Vec<&str> = std::iter::once(file.as_str()).chain(set.iter().map(String::as_str)).collect();

        let plan = place.run(&[&["plan", "--json"], &arguments[..]].concat()).ok().json();
        let planned = plan["runs"].as_array().unwrap();
        assert_eq!(planned.len(), runs, "{name}");
        assert!(planned.iter().all(|run| run["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0)), "{plan:#}");
        let ids: std::collections::BTreeSet<&str> = planned.iter().map(|run| run["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), runs, "{name}");

        place.run(&[&["status"], &arguments[..]].concat()).ok();
        let mut particulars = PARTICULARS.iter().filter(|(of, _)| *of == name).peekable();
        if particulars.peek().is_some() {
            let mut command = place.command(&[&["plan"], &arguments[..]].concat());
            let plan = String::from_utf8(command.env("COLUMNS", "200").output().unwrap().stdout).unwrap();
            for (_, line) in particulars {
                assert!(plan.lines().any(|found| found == *line), "no {line:?} in {plan}");
            }
        }

        let check = place.run(&[&["check"], &arguments[..]].concat()).ok();
        for model in &experiment.models {
            for task in experiment.tasks_of(model) {
                let (task, of, model) = (&task.name, &model.source, &model.name);
                let step = match of {
                    // Its weights are not there yet.
                    ModelSource::Pretraining(of) => format!("ok    pretraining {} {} ", of.experiment, of.model),
                    ModelSource::Random(_) | ModelSource::Checkpoint(_) | ModelSource::Hub(_) => {
                        format!("ok    one step of {model} on {task}: loss ")
                    }
                };
                for line in [format!("ok    {task} train: "), step] {
                    assert!(check.out.contains(&line), "no {line:?} in {}", check.exchange());
                }
            }
        }
    }
}
