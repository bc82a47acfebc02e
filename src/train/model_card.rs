//! The model card of a kept model: `README.md` with the metadata that Hugging Face's hub reads (`model-index`).

use std::fmt::Write;

use super::ready::MINI;
use crate::model::Head;
use crate::settings::Approach;
use crate::store::{InitialWeights, Optimization, PretrainingObjective, Record, RunFolder, RunSettings, Score};
use crate::task::{OWN_DATA, Task};

/// The file's name, by which the hub finds it.
pub(super) const MODEL_CARD: &str = "README.md";

/// What the hub calls a task, a dataset or a metric.
struct Named {
    id: String,
    name: String,
}

/// The card of a model that was trained on `task`. Nothing in it depends on when and where the run was.
pub(super) fn task_card(record: &Record, task: &Task, benchmark: &str) -> String {
    let settings = &record.settings;
    let pipeline = pipeline(task.head);
    let dataset = dataset(task, benchmark);
    let mut text = String::from("---\n");
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "tags:\n- bertbench\npipeline_tag: {}", quoted(&pipeline.id));
    if settings.architecture.encoder.is_bert() && settings.approach() == Approach::FineTuning {
        text.push_str("library_name: transformers\n");
    }
    text.push_str(&base_model(settings));
    let _ = writeln!(text, "datasets:\n- {}\nmodel-index:", quoted(&dataset.id));
    let _ = writeln!(text, "- name: {}\n  results:", quoted(&title(record)));
    for split in splits(&record.scores) {
        let (task_id, task_name) = (quoted(&pipeline.id), quoted(&pipeline.name));
        let _ = writeln!(text, "  - task:\n      type: {task_id}\n      name: {task_name}");
        let (id, name, split_name) = (quoted(&dataset.id), quoted(&dataset.name), quoted(&hub_split(split)));
        let _ = writeln!(text, "    dataset:\n      type: {id}\n      name: {name}");
        let _ = writeln!(text, "      config: {}\n      split: {split_name}\n    metrics:", quoted(&task.name));
        for (score, value) in of_split(&record.scores, split) {
            let (id, name) = (quoted(hub_metric(&score.metric)), quoted(&score.metric));
            let _ = writeln!(text, "    - type: {id}\n      value: {value}\n      name: {name}");
        }
    }
    let _ = writeln!(text, "---\n\n# {}\n", plain(&title(record)));
    let _ = writeln!(text, "{}\n", plain(&task.title));
    if benchmark == MINI {
        text.push_str("Trained and scored on the mini benchmark of bertbench, which is generated: its scores are not GLUE scores.\n\n");
    }
    text.push_str("| split | score | value |\n|---|---|---:|\n");
    for split in splits(&record.scores) {
        for (score, value) in of_split(&record.scores, split) {
            let _ = writeln!(text, "| {split} | {} | {value:.4} |", score.metric);
        }
    }
    text.push_str(&how(record));
    text
}

/// The card of a model that was pretrained, by the run in `folder`, with its last `scores` on held-out text.
pub(super) fn pretraining_card(folder: &RunFolder, settings: &RunSettings, scores: &[Score]) -> String {
    let predicts_next = settings.architecture.causal;
    let (id, name) = if predicts_next { ("text-generation", "Text Generation") } else { ("fill-mask", "Fill-Mask") };
    let of = if settings.model.is_empty() { folder.experiment() } else { &settings.model };
    let mut text = format!("---\ntags:\n- bertbench\npipeline_tag: {id}\n");
    if settings.architecture.encoder.is_bert() {
        text.push_str("library_name: transformers\n");
    }
    text.push_str(&base_model(settings));
    let perplexity = scores.iter().find(|score| score.metric == "perplexity").and_then(|score| score.value);
    if let Some(value) = perplexity {
        let _ = writeln!(
            text,
            "model-index:\n- name: {}\n  results:\n  - task:\n      type: {id}\n      name: {name}\n    dataset:\n      \
             type: own-text\n      name: held-out text\n    metrics:\n    - type: perplexity\n      value: {value}\n      \
             name: perplexity",
            quoted(of)
        );
    }
    let steps = settings.pretraining().map_or(0, PretrainingObjective::steps);
    let Optimization { batch_size, learning_rate: rate, .. } = settings.optimization;
    let (title, run, experiment) = (plain(of), folder.id(), plain(folder.experiment()));
    let start = start(settings);
    let _ = writeln!(
        text,
        "---\n\n# {title}\n\nPretrained from {start}: {steps} steps of {batch_size} sequences, learning rate {rate:e}, seed \
         {}. Run {run} of the experiment {experiment}, by bertbench {}; `record.json` beside this folder has everything \
         else.",
        settings.seed,
        env!("CARGO_PKG_VERSION")
    );
    text
}

/// What training began with.
fn start(settings: &RunSettings) -> String {
    match &settings.initial_weights {
        InitialWeights::Random => "weights drawn at random".to_owned(),
        InitialWeights::Checkpoint { hub: Some(hub), .. } => plain(hub),
        InitialWeights::Checkpoint { sha256, .. } => format!("a checkpoint (SHA-256 {sha256})"),
        InitialWeights::Pretraining { experiment, model, run, .. } => {
            plain(&format!("the model {model} of the pretraining {experiment}, run {run}"))
        }
    }
}

/// How it was trained, and with what.
fn how(record: &Record) -> String {
    let (settings, of) = (&record.settings, &record.settings.optimization);
    let start = start(settings);
    let (batch_size, rate, epochs, seed) = (of.batch_size, of.learning_rate, settings.epochs(), settings.seed);
    let max_length = settings.max_length();
    format!(
        "\nTrained from {start}: batch size {batch_size}, learning rate {rate:e}, {epochs} epochs, sequences of up to \
         {max_length} tokens, seed {seed}. Run {} of the experiment {}, by bertbench {}; `record.json` beside this folder \
         has everything else.\n\n`bertbench predict FOLDER --task {} --input FILE --output FILE` uses it.\n",
        record.id,
        plain(&record.experiment),
        env!("CARGO_PKG_VERSION"),
        plain(settings.task_name()),
    )
}

fn title(record: &Record) -> String {
    format!("{} on {}", record.settings.model, record.settings.task_name())
}

/// The model of the hub that training began with.
fn base_model(settings: &RunSettings) -> String {
    let InitialWeights::Checkpoint { hub: Some(hub), .. } = &settings.initial_weights else { return String::new() };
    let name = hub.strip_prefix("hub:").unwrap_or(hub);
    format!("base_model: {}\n", quoted(name.split('@').next().unwrap_or(name)))
}

fn pipeline(head: Head) -> Named {
    let (id, name) = match head {
        Head::Classes | Head::Regression => ("text-classification", "Text Classification"),
        Head::Choices => ("multiple-choice", "Multiple Choice"),
        Head::Spans => ("question-answering", "Question Answering"),
        Head::Tags => ("token-classification", "Token Classification"),
    };
    Named { id: id.to_owned(), name: name.to_owned() }
}

/// The dataset as the hub has it; generated and own data have names that no published dataset has.
fn dataset(task: &Task, benchmark: &str) -> Named {
    let name = &*task.name;
    let id = match (benchmark, name) {
        (MINI, _) => "bertbench-mini",
        (OWN_DATA, _) => "own-data",
        ("GLUE", _) => "nyu-mll/glue",
        (_, "squad1") => "rajpurkar/squad",
        (_, "squad2") => "rajpurkar/squad_v2",
        (_, "swag") => "allenai/swag",
        (_, "conll2003") => "eriktks/conll2003",
        (_, other) => other,
    };
    Named { id: id.to_owned(), name: format!("{name} ({benchmark})") }
}

fn hub_split(split: &str) -> String {
    split.strip_prefix("dev").map_or_else(|| split.to_owned(), |rest| format!("validation{rest}"))
}

fn hub_metric(metric: &str) -> &str {
    match metric {
        "mcc" => "matthews_correlation",
        "pearson" => "pearsonr",
        "spearman" => "spearmanr",
        other => other,
    }
}

/// The splits with scores, each once, in order.
fn splits(scores: &[Score]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for score in scores {
        if !found.contains(&score.split.as_str()) {
            found.push(&score.split);
        }
    }
    found
}

/// The scores of a split that are numbers.
fn of_split<'a>(scores: &'a [Score], split: &'a str) -> impl Iterator<Item = (&'a Score, f64)> {
    scores.iter().filter(move |score| score.split == split).filter_map(|score| Some((score, score.value?)))
}

/// A YAML scalar: JSON's strings are some of YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Text without what Markdown or HTML reads as markup.
fn plain(text: &str) -> String {
    let is_markup = |c: char| "\\`*_[]<>|#&".contains(c) || c.is_control();
    text.chars().fold(String::new(), |mut plain, c| {
        if is_markup(c) && !c.is_control() {
            plain.push('\\');
        }
        plain.push(if c.is_control() { ' ' } else { c });
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::example;

    fn card(task: &str, benchmark: &str, change: impl FnOnce(&mut Record)) -> String {
        let settings = example::settings(task, 1);
        let mut record = example::record("mini", &settings, Some(0.6642));
        change(&mut record);
        task_card(&record, Task::find(task).unwrap(), benchmark)
    }

    #[test]
    fn the_metadata_is_yaml_with_every_score() {
        let text = card("rte", "GLUE", |record| {
            record.settings.model = "a: \"b\" <c>".to_owned();
            record.scores.push(Score { metric: "mcc".into(), value: None, ..record.scores[0].clone() });
        });
        let yaml = text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap().0;
        let read: serde_json::Value = serde_yaml::from_str(yaml).unwrap();
        let index = &read["model-index"][0];
        assert_eq!(index["name"], "a: \"b\" <c> on rte");
        let result = &index["results"][0];
        assert_eq!(result["dataset"]["type"], "nyu-mll/glue");
        assert_eq!((&result["dataset"]["config"], &result["dataset"]["split"]), (&"rte".into(), &"validation".into()));
        assert_eq!(result["metrics"].as_array().unwrap().len(), 1, "a score that is not a number is none");
        assert_eq!(
            (&result["metrics"][0]["type"], &result["metrics"][0]["value"]),
            (&"accuracy".into(), &0.6642.into())
        );
        assert_eq!(read["library_name"], "transformers");
        assert!(read.get("base_model").is_none());
        assert!(text.contains("| dev | accuracy | 0.6642 |") && text.contains("\\<c\\>"), "{text}");
    }

    #[test]
    fn a_pretrained_model_has_its_perplexity() {
        let settings = example::pretraining(1);
        let disk = tempfile::tempdir().unwrap();
        let folder = crate::store::RunsRoot::new(disk.path()).folder("pre", &settings).unwrap();
        let score = |metric: &str, value| Score {
            metric: metric.into(),
            split: "held_out".into(),
            value: Some(value),
            unit: metric.into(),
            higher_is_better: false,
        };
        let text = pretraining_card(&folder, &settings, &[score("mlm_loss", 2.0), score("perplexity", 7.5)]);
        let yaml = text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap().0;
        let read: serde_json::Value = serde_yaml::from_str(yaml).unwrap();
        assert_eq!(read["pipeline_tag"], "fill-mask");
        assert_eq!(read["model-index"][0]["results"][0]["metrics"][0]["value"], 7.5);
        assert!(text.contains("100 steps of 256 sequences"), "{text}");
    }

    #[test]
    fn a_model_of_the_hub_is_named_and_mini_is_no_glue() {
        let text = card("stsb", MINI, |record| {
            record.settings.initial_weights = InitialWeights::Checkpoint {
                folder: "/home/me/x".into(),
                sha256: "00".into(),
                hub: Some("hub:google-bert/bert-base-uncased@abc".into()),
                head: None,
            };
        });
        assert!(text.contains("base_model: \"google-bert/bert-base-uncased\"\n"), "{text}");
        assert!(text.contains("not GLUE scores") && !text.contains("nyu-mll") && !text.contains("/home/me"));
    }
}
