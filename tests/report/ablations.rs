//! The paper's ablations, found among models that start from pretraining.

use bertbench::report::OutputFile;
use bertbench::settings::{LmLoss, Masking};
use bertbench::store::{RunSettings, Warmup};

use super::pretraining::{check_page, json, of, render, section};
use super::synthetic_pretraining::{
    CONLL, Tuned, masking, objective, pretrain_settings, pretrained, tuned, tuned_with_seeds,
};

/// A run of mini-base's size with something changed.
pub fn variant(model: &str, change: impl FnOnce(&mut RunSettings)) -> RunSettings {
    let mut run = pretrain_settings(model, false);
    change(&mut run);
    run
}

/// The rows of an ablation: models, and the score of a task by name.
fn rows(files: &[OutputFile], differs: &str) -> Option<Vec<(Vec<String>, serde_json::Value)>> {
    let found = json(files)["ablations"].as_array()?.iter().find(|one| one["differs"] == differs)?.clone();
    let models = |row: &serde_json::Value| {
        row["models"].as_array().unwrap().iter().map(|model| model.as_str().unwrap().to_owned()).collect()
    };
    Some(found["rows"].as_array().unwrap().iter().map(|row| (models(row), row["scores"].clone())).collect())
}

#[test]
fn objectives_are_table_5() {
    let runs = [
        variant("full", |_| ()),
        variant("no-nsp", |run| {
            objective(run).loss = LmLoss::MaskedLm;
            objective(run).phases[0].data = "other".into();
        }),
        variant("ltr", |run| {
            objective(run).loss = LmLoss::CausalLm;
            run.architecture.causal = true;
            objective(run).masking = None;
            objective(run).phases[0].data = "left to right".into();
        }),
        // Takes no part: its masks differ as well, and models without masks belong to the paper's.
        variant("always", |run| objective(run).masking = Some(masking(1.0, 0.0, 0.0))),
        // Takes no part: its rate differs as well.
        variant("slower", |run| {
            objective(run).loss = LmLoss::MaskedLm;
            run.optimization.learning_rate = 1e-4;
        }),
    ];
    let mut models: Vec<Tuned<'_>> = runs.iter().map(|run| Tuned::from(&run.model, false, "p", run, 0.0)).collect();
    models.push(Tuned { features: true, ..Tuned::from("features", false, "p", &runs[0], 0.0) });
    let files =
        render(vec![tuned("abl", "GLUE", &models, &of(&["mnli", "mrpc", "rte"]))], vec![pretrained("p", &runs)]);
    check_page(&files);
    let rows = rows(&files, "objective").unwrap();
    assert_eq!(rows.iter().map(|row| row.0.join("+")).collect::<Vec<_>>(), ["features+full", "no-nsp", "ltr"]);
    let tables = json(&files)["ablations"].as_array().unwrap().len();
    assert_eq!(tables, 2, "the objectives, and the masks of the full model");
    let metrics: Vec<&str> = rows[0].1.as_array().unwrap().iter().map(|s| s["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["accuracy", "accuracy", "accuracy"], "MRPC's accuracy, as in the paper, though F1 judges it");
    let shown = section(&files, "ablations").unwrap();
    for words in
        ["paper 84.4", "paper 86.7", "paper 83.9", "paper 77.5", "LTR &amp; No NSP, + BiLSTM", ">75.7<", "table 5"]
    {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    assert!(!shown.contains("Mini scores") && shown.contains("3.3 billion words"));
}

#[test]
fn masks_are_table_8_with_features_beside() {
    let runs = [
        variant("usual", |_| ()),
        variant("always", |run| {
            objective(run).masking = Some(masking(1.0, 0.0, 0.0));
            objective(run).phases[0].data = "other".into();
        }),
        // Takes no part: words are masked whole as well.
        variant("words", |run| {
            objective(run).masking = Some(Masking { whole_word: true, ..masking(0.0, 0.2, 0.8) });
        }),
    ];
    let mut models: Vec<Tuned<'_>> = runs.iter().map(|run| Tuned::from(&run.model, false, "p", run, 0.0)).collect();
    models.push(Tuned { features: true, ..Tuned::from("usual-features", false, "p", &runs[0], 0.05) });
    let mut tasks = of(&["mnli"]);
    tasks.push(CONLL);
    let files =
        render(vec![tuned_with_seeds("abl", "mini", &models, &tasks, &[1, 2, 3])], vec![pretrained("p", &runs)]);
    check_page(&files);
    let rows = rows(&files, "masking").unwrap();
    assert_eq!(rows.iter().map(|row| row.0.join("+")).collect::<Vec<_>>(), ["usual+usual-features", "always"]);
    let columns: Vec<(String, bool)> = rows[0]
        .1
        .as_array()
        .unwrap()
        .iter()
        .map(|score| (score["task"].as_str().unwrap().to_owned(), score["features"].as_bool().unwrap()))
        .collect();
    // MNLI has features of one model only, and none in the paper.
    let expected = [("mnli", false), ("conll2003", false), ("conll2003", true)];
    assert_eq!(columns, expected.map(|(task, features)| (task.to_owned(), features)));
    assert!(rows[1].1[2]["value"].is_null() && rows[0].1[2]["value"].as_f64() > rows[0].1[1]["value"].as_f64());
    let shown = section(&files, "ablations").unwrap();
    for words in ["paper 84.2", "paper 95.4", "paper 94.9", "paper 94.0", "100&#x2f;0&#x2f;0", "table 8"] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    assert!(
        shown.trim_start().contains("Mini scores are not GLUE scores; compare the order of the rows, not the numbers.")
    );
    assert!(shown.contains(" ± "), "a mean over seeds has its spread");
    assert!(section(&files, "pretraining").unwrap().contains("Mask&#x2f;same&#x2f;random"));
}

#[test]
fn sizes_of_one_recipe_are_table_6() {
    let runs = [pretrain_settings("small", false), pretrain_settings("big", true)];
    let models = [Tuned::from("big", true, "p", &runs[1], 0.0), Tuned::from("small", false, "p", &runs[0], 0.0)];
    let experiment = tuned("abl", "mini", &models, &of(&["mnli", "sst2", "rte"]));
    let files = render(vec![experiment.clone()], vec![pretrained("p", &runs)]);
    check_page(&files);
    let rows = rows(&files, "size").unwrap();
    assert_eq!(rows.iter().map(|row| row.0.join("+")).collect::<Vec<_>>(), ["small", "big"]);
    let shown = section(&files, "ablations").unwrap();
    for words in ["2 × 64, 2", "4 × 96, 4", ">23.4<", ">14.3<", "24 × 1024, 16", ">3.23<", ">86.6<", "table 6"] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    // Another recipe for the larger one is no ablation.
    let mut other = experiment;
    for record in &mut other.records {
        let pretraining = record.pretraining.as_mut().unwrap();
        let big = pretraining.settings.model == "big";
        pretraining.settings.optimization.warmup = Warmup::Steps(200 + u64::from(big));
    }
    assert!(section(&render(vec![other], Vec::new()), "ablations").is_none());
}

#[test]
fn steps_of_one_run_are_figure_5() {
    let run = variant("mini-base", |run| objective(run).snapshots = vec![500, 1000]);
    let step =
        |model, step, gain| Tuned { from: Some(("p", &run, step)), ..Tuned::from(model, false, "p", &run, gain) };
    let models = [step("last", None, 0.1), step("early", Some(500), 0.0), step("middle", Some(1000), 0.05)];
    let files = render(
        vec![tuned("abl", "mini", &models, &of(&["mnli", "rte"]))],
        vec![pretrained("p", std::slice::from_ref(&run))],
    );
    check_page(&files);
    let rows = rows(&files, "steps").unwrap();
    assert_eq!(rows.iter().map(|row| row.0.join("+")).collect::<Vec<_>>(), ["early", "middle", "last"]);
    let shown = section(&files, "ablations").unwrap();
    assert!(shown.contains("almost 1.0 % more on MNLI") && shown.contains("84.4 on MNLI-m"), "{shown}");
    assert!(files.iter().any(|file| file.name == "ablation-steps-abl-1.svg"));
    // Two steps of one run are one objective, one size and one way of masking.
    assert_eq!(json(&files)["ablations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_left_to_right_run_shares_figure_5() {
    let ltr = |run: &mut RunSettings| {
        objective(run).loss = LmLoss::CausalLm;
        run.architecture.causal = true;
        objective(run).masking = None;
        objective(run).phases[0].data = "left to right".into();
        objective(run).snapshots = vec![500];
    };
    let runs = [
        variant("mlm", |run| objective(run).snapshots = vec![500]),
        variant("ltr", ltr),
        variant("no-nsp", |run| {
            objective(run).loss = LmLoss::MaskedLm;
        }),
    ];
    let of_step = |model, run, step| Tuned { from: Some(("p", run, step)), ..Tuned::from(model, false, "p", run, 0.0) };
    let models = [
        of_step("ltr-500", &runs[1], Some(500)),
        of_step("ltr-all", &runs[1], None),
        of_step("mlm-500", &runs[0], Some(500)),
        of_step("mlm-all", &runs[0], None),
        of_step("no-nsp-all", &runs[2], None),
    ];
    let files = render(vec![tuned("abl", "mini", &models, &of(&["mnli"]))], vec![pretrained("p", &runs)]);
    check_page(&files);
    let found = rows(&files, "steps").unwrap();
    let expected = ["mlm-500", "mlm-all", "ltr-500", "ltr-all"];
    assert_eq!(found.iter().map(|row| row.0.join("+")).collect::<Vec<_>>(), expected, "one step is no line");
    let shown = section(&files, "ablations").unwrap();
    // A line for each run, and a row for each step of it.
    for words in ["mnli, mlm", "mnli, ltr", "mlm, 500", "ltr, 500"] {
        assert!(shown.contains(words), "no {words:?} in {shown}");
    }
    // Snapshots decide no weights, so the last steps are the objectives' rows.
    let found = rows(&files, "objective").unwrap();
    assert_eq!(found.iter().map(|row| row.0.join("+")).collect::<Vec<_>>(), ["mlm-all", "no-nsp-all", "ltr-all"]);
}

#[test]
fn two_texts_of_one_objective_are_two_rows() {
    let runs = [
        variant("full", |_| ()),
        variant("other-text", |run| objective(run).phases[0].data = "other".into()),
        variant("no-nsp", |run| objective(run).loss = LmLoss::MaskedLm),
    ];
    let models: Vec<Tuned<'_>> = runs.iter().map(|run| Tuned::from(&run.model, false, "p", run, 0.0)).collect();
    let files = render(vec![tuned("abl", "mini", &models, &of(&["mnli"]))], vec![pretrained("p", &runs)]);
    assert_eq!(rows(&files, "objective").unwrap().len(), 3);
    let files = render(vec![tuned("abl", "mini", &models[..2], &of(&["mnli"]))], vec![pretrained("p", &runs)]);
    assert!(rows(&files, "objective").is_none(), "two texts are no ablation");
}

#[test]
fn models_that_differ_in_two_things_are_no_ablation() {
    let runs = [
        variant("full", |_| ()),
        variant("other", |run| {
            objective(run).loss = LmLoss::MaskedLm;
            objective(run).masking = Some(masking(1.0, 0.0, 0.0));
        }),
        pretrain_settings("big", true),
    ];
    let models = [Tuned::from("full", false, "p", &runs[0], 0.0), Tuned::from("other", false, "p", &runs[1], 0.0)];
    let files = render(vec![tuned("abl", "mini", &models, &of(&["mnli"]))], vec![pretrained("p", &runs)]);
    assert!(section(&files, "ablations").is_none());
}
