//! Experiments, models and runs against each other.

use bertbench::report::{self, Comparison, ExperimentInput};
use serde_json::Value;

use super::answers;
use super::synthetic::{complete, other_data_of};
use super::{input, text};

fn compared(experiments: &[&ExperimentInput]) -> Comparison {
    report::compare(&input(experiments.iter().map(|one| (*one).clone()).collect()), &[], 0).unwrap()
}

fn json(comparison: &Comparison) -> Value {
    serde_json::from_str(&comparison.to_json().unwrap()).unwrap()
}

fn only(name: &str, model: &str) -> ExperimentInput {
    let mut experiment = complete(name, "mini", ["base", "large"], &[1]);
    experiment.records.retain(|record| record.settings.model == model);
    experiment.planned.retain(|settings| settings.model == model);
    experiment
}

#[test]
fn runs_are_paired_by_point_and_a_shift_is_found() {
    let x = complete("x", "mini", ["base", "large"], &[1]);
    let mut y = x.clone();
    y.name = "y".into();
    for record in &mut y.records {
        record.scores[0].value = record.scores[0].value.map(|value| value + 0.05);
    }
    y.records.retain(|record| record.settings.task_name() != "wnli");
    y.planned.retain(|settings| settings.task_name() != "wnli");
    let comparison = compared(&[&x, &y]);
    let json = json(&comparison);
    let tasks = json["comparisons"][0]["tasks"].as_array().unwrap();
    assert_eq!((json["format"].as_u64(), json["comparisons"].as_array().unwrap().len(), tasks.len()), (Some(1), 2, 8));
    for task in tasks {
        assert_eq!(task["differences"].as_array().unwrap().len(), 12);
        assert!((task["test"]["mean_difference"].as_f64().unwrap() - 0.05).abs() < 1e-12);
        // All twelve signs alike: two of 2^12 sign vectors are as extreme.
        assert!((task["test"]["p_value"].as_f64().unwrap() - 2.0 / 4096.0).abs() < 1e-15);
        assert!(task["examples"].is_null() && task["verdict"] == "not_tested", "{task}");
    }
    let shown = comparison.to_text();
    assert!(
        shown.contains("+5.0") && shown.contains("base (y) has a better score than base (x) on 8 of 8 tasks"),
        "{shown}"
    );
    let remarks: Vec<String> = comparison.remarks().collect();
    assert!(remarks.iter().any(|remark| remark == "only base (x) has runs of wnli"), "{remarks:?}");
}

#[test]
fn models_of_other_names_meet_and_other_data_is_refused_by_its_file() {
    let (x, mut y) = (only("x", "base"), only("y", "large"));
    assert!(compared(&[&x, &y]).to_text().starts_with("large against base\n"));
    for settings in y.planned.iter_mut().chain(y.records.iter_mut().map(|record| &mut record.settings)) {
        other_data_of(settings);
    }
    for record in &mut y.records {
        record.id = record.settings.id();
    }
    let why = compared(&[&x, &y]).nothing().expect("nothing is left to compare");
    assert!(why.contains("rte: the two have other data: dev.tsv (only the second reads it)"), "{why}");
    assert!(!why.contains("only large has runs of rte"), "{why}");
    let page = report::render(&input(vec![x, y])).unwrap();
    assert!(!text(&page, "index.html").contains("Side by side"));
}

#[test]
fn base_and_large_are_one_table_and_one_sentence() {
    let (base, large) = (answers::experiment("bert-base", false), answers::experiment("bert-large", true));
    let comparison = compared(&[&base, &large]);
    let shown = comparison.to_text();
    assert!(shown.starts_with("bert-large against bert-base\n"), "cased and uncased models are one side:\n{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let sentence = shown.replace('\n', " ");
    assert!(sentence.contains("bert-large has a better score than bert-base on 5 of 5 tasks, by "), "{shown}");
    assert!(sentence.contains(" points on average, and cost ") && sentence.contains(" times the time."), "{shown}");
    let json = json(&comparison);
    let one = &json["comparisons"][0];
    assert_eq!(json["comparisons"].as_array().unwrap().len(), 1);
    let [wins, ties, losses] = ["wins", "ties", "losses"].map(|of| one["summary"][of].as_u64().unwrap());
    assert_eq!((wins + ties + losses, losses), (5, 0));
    for task in one["tasks"].as_array().unwrap() {
        let (examples, seeds) = (&task["examples"], &task["seeds"]);
        let test = if task["metric"] == "accuracy" { "mcnemar" } else { "approximate_randomization" };
        assert!(examples["test"][test].is_object(), "{task}");
        for found in [examples, seeds] {
            let [low, high, middle] = [&found["interval"]["low"], &found["interval"]["high"], &found["difference"]]
                .map(|number| number.as_f64().unwrap());
            assert!(low < middle && middle < high, "{task}");
            assert!(found["adjusted_p"].as_f64().unwrap() >= found["p_value"].as_f64().unwrap());
        }
        assert_eq!(seeds["seeds"], serde_json::json!([3, 3]));
    }
    assert_eq!(comparison.to_csv().unwrap().lines().count(), 6);
    assert!(comparison.to_latex().contains("\\toprule") && comparison.to_markdown().contains("| --- |"));
}

#[test]
fn a_report_shows_intervals_and_the_same_comparison() {
    let (base, large) = (answers::experiment("bert-base", false), answers::experiment("bert-large", true));
    let sentence = json(&compared(&[&base, &large]))["comparisons"][0]["sentence"].as_str().unwrap().to_owned();
    let files = report::render(&input(vec![base, large])).unwrap();
    let page = text(&files, "results.md");
    // Markdown writes `<` otherwise.
    let (sentence, _) = sentence.split_once(" Example by example").unwrap();
    assert!(page.contains(sentence), "{sentence}");
    assert!(page.contains("Best run of the best point, example by example") && page.contains("over 3 seeds"));
    let json: Value = serde_json::from_str(text(&files, "results.json")).unwrap();
    for result in json["results"].as_array().unwrap() {
        let best = &result["best"];
        let [low, high, score] = [&best["interval"]["low"], &best["interval"]["high"], &best["score"]]
            .map(|number| number.as_f64().unwrap());
        assert!(low < score && score < high, "{result}");
    }
    assert!(text(&files, "results.tex").matches("\\bottomrule").count() >= 3);
}

#[test]
fn answers_of_other_examples_are_not_paired() {
    let (base, mut large) = (answers::experiment("bert-base", false), answers::experiment("bert-large", true));
    for answers in large.answers.values_mut() {
        if let bertbench::store::Answers::Classes { gold, .. } = answers {
            gold[0] ^= 1;
        }
    }
    let json = json(&compared(&[&base, &large]));
    for task in json["comparisons"][0]["tasks"].as_array().unwrap() {
        assert_eq!(
            task["examples"].is_null(),
            matches!(task["task"].as_str(), Some("rte" | "sst2" | "mrpc")),
            "{task}"
        );
    }
}
