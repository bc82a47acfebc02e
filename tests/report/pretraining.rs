//! Pretraining in reports: alone, and beside what starts from it.

use bertbench::report::{self, ExperimentInput, Input, OutputFile, result_columns};
use bertbench::settings::LmLoss;
use bertbench::store::InitialWeights;

use super::ablations::variant;
use super::markup::assert_well_formed;
use super::synthetic::{TASKS, TaskShape, complete, other_data_of};
use super::synthetic_pretraining::{
    CONLL, Tuned, half_pretrained, masking, objective, pretrain_record, pretrain_settings, pretrained, tuned,
    tuned_with_seeds,
};
use super::text;

pub fn render(experiments: Vec<ExperimentInput>, pretraining: Vec<ExperimentInput>) -> Vec<OutputFile> {
    let experiments = [experiments, pretraining].concat();
    report::render(&Input { title: "pretraining".into(), experiments }).unwrap()
}

pub fn json(files: &[OutputFile]) -> serde_json::Value {
    serde_json::from_str(text(files, "results.json")).unwrap()
}

/// The part of the page between a section's start and the next one's.
pub fn section<'a>(files: &'a [OutputFile], id: &str) -> Option<&'a str> {
    let page = text(files, "index.html");
    let rest = page.split_once(&format!("<section id=\"{id}\""))?.1;
    Some(rest.split_once("</section>")?.0)
}

pub fn of(names: &[&str]) -> Vec<TaskShape> {
    TASKS.iter().copied().filter(|task| names.contains(&task.0)).collect()
}

pub fn check_page(files: &[OutputFile]) {
    let page = text(files, "index.html");
    assert_well_formed("index.html", page);
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[..at].contains(id), "the id {id} is used twice");
    }
    for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        match link.strip_prefix('#') {
            Some(anchor) => assert!(ids.contains(&anchor), "no place for #{anchor}"),
            None => assert!(files.iter().any(|file| file.name == link), "no file for {link}"),
        }
    }
}

#[test]
fn pretraining_alone_is_a_page_without_tasks() {
    let runs = [pretrain_settings("mini-base", false), pretrain_settings("mini-large", true)];
    let files = render(Vec::new(), vec![pretrained("mini-pretrain", &runs)]);
    check_page(&files);
    for absent in ["results", "gain", "published", "ablations", "versus", "seeds", "grid", "curves", "cost"] {
        assert!(section(&files, absent).is_none(), "a section about tasks: {absent}");
    }
    let shown = section(&files, "pretraining").unwrap();
    // exp(2.6 + 5 · exp(−2000 / 450)) = 14.27 and exp(3.1 + 4.5 · exp(−2000 / 450)) = 23.37, by hand.
    assert!(shown.contains(">14.3<") && shown.contains(">23.4<"), "{shown}");
    assert!(shown.contains("1800 × 48<small>then 200 × 64") && shown.contains("masked LM and next sentence"));
    assert!(!shown.contains("Mask&#x2f;same"), "the paper's masks need no column");
    assert!(text(&files, "index.html").contains("2 of 2") && text(&files, "results.md").contains("## Pretraining"));
    for plot in ["loss", "perplexity", "mlm", "nsp", "rate", "speed"] {
        assert!(files.iter().any(|file| file.name == format!("pretraining-{plot}-mini-pretrain.svg")), "{plot}");
    }
    assert_eq!(text(&files, "results.csv").lines().count(), 11);
    let code = section(&files, "provenance").unwrap();
    assert!(code.contains("bertbench run experiments&#x2f;mini-pretrain.yaml"), "{code}");
    assert!(code.contains("bertbench report experiments&#x2f;mini-pretrain.yaml"));
}

#[test]
fn long_logs_become_curves_of_a_few_hundred_points() {
    let mut run = pretrain_settings("long", false);
    objective(&mut run).phases[0].steps = 99_800;
    objective(&mut run).logging_steps = 20;
    let files = render(Vec::new(), vec![pretrained("long", &[run])]);
    let points = |name: &str| {
        let svg = text(&files, name);
        svg.split("<polyline").map(|line| line.split("points=\"").nth(1).map_or(0, |p| p.matches(',').count())).max()
    };
    let drawn = points("pretraining-loss-long.svg").unwrap();
    assert!((150..=300).contains(&drawn), "{drawn} points");
}

#[test]
fn failed_runs_and_runs_at_work_tell_how_far_they_came() {
    let files = render(Vec::new(), vec![half_pretrained("half")]);
    check_page(&files);
    let shown = section(&files, "pretraining").unwrap();
    for words in ["diverged: the loss was NaN &lt;script&gt;", "step 110 of", "step 1\u{202f}230 of", "not run"] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    assert!(shown.contains("after step 1\u{202f}200"), "the last evaluation of a run at work");
    let ran = section(&files, "coverage").unwrap();
    assert!(ran.contains("of 4 runs, 1 failed, 1 did not finish, and 1 did not run"), "{ran}");
    let states: Vec<String> =
        json(&files)["runs"].as_array().unwrap().iter().map(|run| run["state"].to_string()).collect();
    assert_eq!(states, ["\"done\"", "\"failed\"", "\"not finished\"", "\"not run\""]);
}

#[test]
fn results_have_rows_of_pretraining_with_columns_of_their_own() {
    let files = render(Vec::new(), vec![half_pretrained("half")]);
    let mut reader = csv::Reader::from_reader(text(&files, "results.csv").as_bytes());
    let columns = result_columns();
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of = |name: &str, row: usize| &rows[row][columns.iter().position(|column| *column == name).unwrap()];
    for (row, found) in rows.iter().enumerate() {
        assert_eq!(found.len(), columns.len());
        assert_eq!((of("task", row), of("model", row), of("epochs", row)), ("pretraining", "a-done", ""));
        assert_eq!((of("steps", row), of("phases", row)), ("2000", "1800x48+200x64"));
        assert_eq!((of("loss", row), of("masked_lm_prob", row)), ("masked LM and next sentence", "0.15"));
        assert_eq!(of("weights_sha256", row), format!("{:064x}", 2000));
    }
    let metrics: Vec<&str> = (0..rows.len()).map(|row| of("metric", row)).collect();
    assert!(metrics.contains(&"perplexity") && metrics.contains(&"nsp_accuracy"), "{metrics:?}");
    let states =
        json(&files)["runs"].as_array().unwrap().iter().map(|run| run["last_step"].as_u64()).collect::<Vec<_>>();
    assert_eq!(states, [Some(2000), Some(110), Some(1230), None]);
    let tuning = render(vec![complete("mini", "mini", ["base", "large"], &[1])], Vec::new());
    assert!(text(&tuning, "results.csv").lines().skip(1).all(|line| line.ends_with(",,,,,,,,")));
}

#[test]
fn nothing_at_all_about_pretraining_is_still_a_page() {
    let run = pretrain_settings("a", false);
    let without = |change: fn(&mut ExperimentInput)| {
        let mut input = pretrained("p", &[pretrain_settings("a", false)]);
        change(&mut input);
        input
    };
    let mut no_text = run;
    let of = objective(&mut no_text);
    (of.evaluation, of.masking, of.phases) = (None, None, Vec::new());
    for input in [
        ExperimentInput::default(),
        without(|input| input.planned.clear()),
        without(|input| input.events.clear()),
        without(|input| input.records.clear()),
        without(|input| {
            input.records.clear();
            input.events.clear();
        }),
        pretrained("p", &[no_text]),
    ] {
        check_page(&render(Vec::new(), vec![input.clone()]));
        check_page(&render(vec![ExperimentInput::default()], vec![input]));
    }
}

#[test]
fn order_of_pretraining_runs_does_not_show() {
    let runs = [pretrain_settings("b", false), pretrain_settings("a", false), pretrain_settings("l", true)];
    let first = pretrained("p", &runs);
    let mut second = first.clone();
    second.records.reverse();
    second.planned.reverse();
    assert_eq!(render(Vec::new(), vec![first]), render(Vec::new(), vec![second]));
}

/// Both sizes from random and pretrained weights: mini-base gains 10 points, mini-large loses 10.
fn with_gains() -> Vec<OutputFile> {
    let runs = [pretrain_settings("mini-base", false), pretrain_settings("mini-large", true)];
    let models = [
        Tuned::random("base-random", false),
        Tuned::from("mini-base", false, "mini-pretrain", &runs[0], 0.1),
        Tuned::random("large-random", true),
        Tuned::from("mini-large", true, "mini-pretrain", &runs[1], -0.1),
    ];
    let experiment = tuned("mini", "mini", &models, &of(&["rte", "sst2", "stsb"]));
    render(vec![experiment], vec![pretrained("mini-pretrain", &runs)])
}

#[test]
fn what_pretraining_effect_is_counted_and_told_from_the_error() {
    let files = with_gains();
    check_page(&files);
    let shown = section(&files, "gain").unwrap();
    assert!(shown.contains("Pretraining helps on 3 of 3 tasks with mini-base, clearly on "), "{shown}");
    assert!(shown.contains("Pretraining helps on 0 of 3 tasks with mini-large, clearly on none; it clearly hurts on "));
    let gains = json(&files)["pretraining_effect"].clone();
    assert_eq!(gains.as_array().unwrap().len(), 2);
    for (group, sign) in gains.as_array().unwrap().iter().zip([1.0, -1.0]) {
        for task in group["tasks"].as_array().unwrap() {
            let of = |key: &str| task[key].as_f64().unwrap();
            assert!((of("difference") - sign * 0.1).abs() < 1e-9, "{task}");
            // Normal approximation with one more right and one more wrong answer, 1.96 standard errors.
            let n = if task["task"] == "rte" { 277.0 } else { 300.0 };
            let variance = |p: f64| {
                let moved = (p * n + 1.0) / (n + 2.0);
                moved * (1.0 - moved) / (n + 2.0)
            };
            let correlation = |r: f64| (1.0 - r * r).powi(2) / (n - 1.0);
            let sum = if task["task"] == "stsb" {
                correlation(of("random")) + correlation(of("pretrained"))
            } else {
                variance(of("random")) + variance(of("pretrained"))
            };
            let half = 1.959_964 * sum.sqrt();
            let low = task["interval"]["low"].as_f64().unwrap();
            assert!((low - (of("difference") - half)).abs() < 1e-9, "{task}");
            let verdict = if half > 0.1 {
                "within_error"
            } else if sign > 0.0 {
                "better"
            } else {
                "worse"
            };
            assert_eq!(task["verdict"], verdict, "{task}");
        }
    }
    assert!(files.iter().any(|file| file.name == "gain-1.svg") && files.iter().any(|file| file.name == "gain-2.svg"));
}

#[test]
fn seeds_widen_the_error() {
    let run = pretrain_settings("mini-base", false);
    let models = [Tuned::random("random", false), Tuned::from("mini-base", false, "p", &run, 0.02)];
    let experiment = tuned_with_seeds("mini", "mini", &models, &of(&["sst2"]), &[1, 2, 3]);
    let json = json(&render(vec![experiment], Vec::new()));
    let variance = |group: &serde_json::Value| {
        let of = |key: &str| group["best"][key].as_f64().unwrap();
        let moved = (of("score") * 300.0 + 1.0) / 302.0;
        assert!(of("sd_over_seeds") > 1e-3);
        moved * (1.0 - moved) / 302.0 + of("sd_over_seeds").powi(2) / 3.0
    };
    let sum: f64 = json["results"].as_array().unwrap().iter().map(variance).sum();
    let row = &json["pretraining_effect"][0]["tasks"][0];
    let half = (row["interval"]["high"].as_f64().unwrap() - row["interval"]["low"].as_f64().unwrap()) / 2.0;
    assert!((half - 1.959_964 * sum.sqrt()).abs() < 1e-9, "{row}");
}

#[test]
fn other_data_other_sizes_and_one_start_are_not_compared() {
    let run = pretrain_settings("mini-base", false);
    let pretrained_base = || Tuned::from("mini-base", false, "p", &run, 0.1);
    let tasks = of(&["rte"]);
    let alone = tuned("mini", "mini", &[pretrained_base()], &tasks);
    assert!(section(&render(vec![alone], Vec::new()), "gain").is_none());
    let other_size = tuned("mini", "mini", &[Tuned::random("large", true), pretrained_base()], &tasks);
    assert!(section(&render(vec![other_size], Vec::new()), "gain").is_none());
    let mut other_data = tuned("mini", "mini", &[Tuned::random("random", false), pretrained_base()], &tasks);
    assert!(section(&render(vec![other_data.clone()], Vec::new()), "gain").is_some());
    for record in other_data.records.iter_mut().filter(|record| record.settings.model == "random") {
        other_data_of(&mut record.settings);
        record.id = record.settings.id();
    }
    other_data.planned.clear();
    assert!(section(&render(vec![other_data], Vec::new()), "gain").is_none());
}

#[test]
fn a_checkpoint_is_held_against_random_weights_too() {
    let mut experiment =
        tuned("mini", "mini", &[Tuned::random("random", false), Tuned::random("fetched", false)], &of(&["rte"]));
    for record in experiment.records.iter_mut().filter(|record| record.settings.model == "fetched") {
        record.settings.initial_weights =
            InitialWeights::Checkpoint { folder: "bert".into(), sha256: "00".into(), hub: None, head: None };
        record.id = record.settings.id();
    }
    experiment.planned.clear();
    let files = render(vec![experiment], Vec::new());
    assert!(
        section(&files, "gain").unwrap().contains("Pretraining helps on 0 of 1 task with fetched, clearly on none.")
    );
    assert!(
        !section(&files, "results").unwrap().contains("checkpoint: "),
        "columns of weights are for experiments' own"
    );
}

#[test]
fn tables_and_files_tell_pretrained_from_random() {
    let files = with_gains();
    let results = section(&files, "results").unwrap();
    assert!(results.contains("<small>random</small>"));
    assert!(results.contains("<small>pretrained: mini-pretrain&#x2f;mini-base</small>"), "{results}");
    let csv = text(&files, "results.csv");
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .contains("start,pretraining_experiment,pretraining_model,pretraining_step,pretraining_perplexity,")
    );
    let ending = |model: &str| {
        let line = csv.lines().find(|line| line.contains(&format!(",{model},"))).unwrap();
        line.split(',').skip(20).take(5).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ending("base-random"), ["random", "", "", "", ""]);
    let scores = pretrain_record("p", &pretrain_settings("mini-base", false)).primary_score().unwrap();
    let expected = ["pretraining", "mini-pretrain", "mini-base", "2000", &scores.to_string()];
    assert_eq!(ending("mini-base"), expected);
    let group = &json(&files)["results"][1];
    assert_eq!((&group["start"], &group["pretraining_step"]), (&"pretraining".into(), &2000.into()));
    assert!(!text(&files, "index.html").contains("bertbench report experiments&#x2f;mini.yaml experiments"));
}

/// Inputs for layout samples: pretraining alone, runs in trouble, and all that a report can say of pretraining.
pub fn samples() -> Vec<(&'static str, Vec<ExperimentInput>)> {
    let sizes = [pretrain_settings("mini-base", false), pretrain_settings("mini-large", true)];
    let alone = vec![pretrained("mini-pretrain", &sizes)];
    let mut runs = vec![
        variant("base", |run| objective(run).snapshots = vec![400, 800, 1200, 1600]),
        variant("no-nsp", |run| objective(run).loss = LmLoss::MaskedLm),
        variant("left-to-right", |run| {
            objective(run).loss = LmLoss::CausalLm;
            run.architecture.causal = true;
            objective(run).masking = None;
        }),
    ];
    for (name, mask, same, random) in
        [("mask-100", 1.0, 0.0, 0.0), ("mask-80-0-20", 0.8, 0.0, 0.2), ("any", 0.0, 0.0, 1.0)]
    {
        runs.push(variant(name, |run| {
            objective(run).masking = Some(masking(mask, same, random));
            objective(run).phases[0].data = name.into();
        }));
    }
    let mut large = pretrain_settings("large", true);
    let snapshots = objective(&mut runs[0]).snapshots.clone();
    objective(&mut large).snapshots.clone_from(&snapshots);
    runs.push(large);
    let large = runs.len() - 1;
    let mut models: Vec<Tuned<'_>> = vec![Tuned::random("base-random", false), Tuned::random("large-random", true)];
    for (at, run) in runs.iter().enumerate() {
        models.push(Tuned::from(&run.model, at == large, "ablate", run, 0.12 - 0.025 * at as f64));
    }
    models.push(Tuned { features: true, ..Tuned::from("base-features", false, "ablate", &runs[0], -0.05) });
    for (name, step) in [("base-400", 400), ("base-800", 800), ("base-1200", 1200), ("base-1600", 1600)] {
        let gain = 0.1 * step as f64 / 2000.0;
        models.push(Tuned {
            from: Some(("ablate", &runs[0], Some(step))),
            ..Tuned::from(name, false, "", &runs[0], gain)
        });
    }
    let mut tasks = of(&["mnli", "qnli", "sst2", "mrpc"]);
    tasks.push(CONLL);
    let ablations = tuned("ablations", "mini", &models, &tasks);
    let two = [
        Tuned::random("base-random", false),
        Tuned::from("mini-base", false, "mini-pretrain", &sizes[0], 0.08),
        Tuned::random("large-random", true),
        Tuned::from("mini-large", true, "mini-pretrain", &sizes[1], 0.04),
    ];
    vec![
        ("pretraining", alone.clone()),
        ("pretraining-half", vec![half_pretrained("half")]),
        ("gain", [vec![tuned("mini", "mini", &two, &TASKS)], alone].concat()),
        ("ablations", vec![ablations, pretrained("ablate", &runs)]),
    ]
}
