//! What is shown while a sweep goes on, what is said when it ends, and that screens fit 80 columns.

use unicode_width::UnicodeWidthStr;

use super::program::{TINY, Workplace, wait_until};

/// Removes one of the runs of the swept `place`.
fn remove_one(place: &Workplace) {
    let id = place.run(&["runs", "list", "tiny", "--json"]).ok().json()[0]["id"].as_str().unwrap().to_owned();
    place.run(&["runs", "rm", &id]).ok();
}

#[test]
fn a_run_ends_with_its_best_scores_and_the_page() {
    let place = Workplace::with_tiny();
    let told = place.run(&["run", "--report", "tiny.yaml"]).ok();
    let best = place.run(&["runs", "list", "--where", "task == \"rte\"", "--sort", "-score", "--json"]).ok().json();
    let best = format!("{:.4}", best[0]["score"].as_f64().unwrap());
    let is_best = |line: &str| line.starts_with("rte ") && line.contains("small") && line.ends_with(&best);
    assert!(told.out.lines().any(is_best), "{best} is not in\n{}", told.out);
    assert!(told.out.ends_with("0 interrupted\nreport: reports/tiny/index.html\n"), "{}", told.out);
    assert!(!place.read("reports/tiny/index.html").contains("data-refresh"), "the sweep is over");
    let again = place.run(&["run", "tiny.yaml"]).ok();
    assert!(again.err.ends_with("next: `bertbench report tiny.yaml`\n"), "{}", again.err);
}

#[test]
fn a_watched_report_is_written_again_until_no_run_is_missing() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml"]).ok();
    remove_one(&place);
    let mut watching = place.start(&["report", "--watch", "tiny.yaml"]);
    let page = || std::fs::read_to_string(place.path("reports/tiny/index.html")).unwrap_or_default();
    wait_until("the page of a sweep that goes on", || page().contains("data-refresh=\"10\""));
    assert!(!watching.has_ended());
    place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(watching.wait(), Some(0));
    assert!(!page().contains("data-refresh") && page().contains("<h1>"));
}

#[test]
fn a_watched_status_ends_with_the_sweep_and_has_the_best_scores() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml"]).ok();
    remove_one(&place);
    let status = place.run(&["status", "--json", "tiny.yaml"]).ok().json();
    assert!(status["seconds_left"].as_f64().unwrap() > 0.0 && status["tasks"][0]["best"].is_number(), "{status}");
    let mut watching = place.start(&["status", "--watch", "tiny.yaml"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(!watching.has_ended());
    place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(watching.wait(), Some(0));
    let status = place.run(&["status", "--json", "tiny.yaml"]).ok().json();
    assert!(status["seconds_left"].is_null(), "{status}");
}

/// Every line of what a command shows in a terminal of 80 columns, and where its output is no terminal.
fn assert_narrow(place: &Workplace, arguments: &[&str]) {
    for columns in [Some("80"), None] {
        let mut command = place.command(arguments);
        match columns {
            Some(columns) => command.env("COLUMNS", columns),
            None => command.env_remove("COLUMNS"),
        };
        let told = place.told(&mut command, arguments).ok();
        for line in told.out.lines().chain(told.err.lines()).take_while(|line| *line != "settings") {
            assert!(line.width() <= 80, "{} columns in `{}`: {line}", line.width(), told.command);
        }
    }
}

#[test]
fn screens_fit_80_columns() {
    let place = Workplace::new();
    let other =
        "  a-model-of-a-long-name: {architecture: {layers: 1, hidden: 32, heads: 2, max_positions: 64}}\ntasks:";
    place.write("tiny.yaml", &TINY.replace("tasks:", other));
    place
        .write("experiments/tiny.yaml", &TINY.replace("[wnli, rte]", "[cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte]"));
    assert_narrow(&place, &["plan", "tiny.yaml"]);
    assert_narrow(&place, &["check", "tiny.yaml"]);
    assert_narrow(&place, &["run", "tiny.yaml"]);
    let id = place.run(&["runs", "list", "tiny", "--json"]).ok().json();
    let [a, b] = [0, 1].map(|at: usize| id[at]["id"].as_str().unwrap().to_owned());
    let commands: [&[&str]; 12] = [
        &["status", "tiny.yaml"],
        &["runs", "list"],
        &["runs", "show", &a],
        &["runs", "rm", "--dry-run", &a, &b],
        &["runs", "gc", "--keep", "best-per-task", "--dry-run"],
        &["compare", "tiny.yaml:small", "tiny.yaml:a-model-of-a-long-name"],
        &["report", "tiny.yaml"],
        &["list", "models"],
        &["list", "metrics"],
        &["list", "tasks"],
        &["list", "datasets"],
        &["list", "experiments"],
    ];
    commands.iter().for_each(|arguments| assert_narrow(&place, arguments));
    let mut planned = place.command(&["plan", "tiny.yaml"]);
    let planned = place.told(planned.env("COLUMNS", "60"), &["plan"]).ok();
    assert!(planned.out.contains(&a) && planned.out.contains(&b), "ids are never broken:\n{}", planned.out);
}

#[test]
fn a_plan_counts_runs_without_data_and_says_how_long_a_sweep_takes_with_it() {
    let place = Workplace::with_tiny();
    let absent = ["--set", "mini=null", "--set", "data=no/such/folder"];
    let told = place.run(&[&["plan", "tiny.yaml"], &absent[..]].concat()).ok();
    let end = "4 runs; sizes unknown: no data folder at no/such/folder\nhint: `bertbench data fetch` gets";
    assert!(told.out.contains(end) && told.out.contains("wnli  small     2\n"), "{}", told.out);
    assert!(told.out.contains("rte   accuracy           277"), "what the published dev sets show:\n{}", told.out);
    let json = place.run(&[&["plan", "--json", "tiny.yaml"], &absent[..]].concat()).ok().json();
    assert_eq!(json["totals"]["runs"], 4, "{json}");
    let totals = place.run(&["plan", "tiny.yaml", "--json", "--threads", "1"]).ok().json()["totals"].clone();
    let [wall, sum, slots] = ["wall_seconds", "missing_seconds", "slots"].map(|key| totals[key].as_f64().unwrap());
    assert!(
        slots >= 1.0 && totals["threads_per_slot"] == 1 && wall >= 0.99 * sum / slots && wall <= 1.01 * sum,
        "{totals}"
    );
    let planned = place.run(&["plan", "tiny.yaml", "--json"]).ok().json();
    let dev_set = planned["dev_sets"].as_array().unwrap().iter().find(|of| of["task"] == "rte").unwrap();
    let examples = dev_set["examples"].as_f64().unwrap();
    assert_eq!(dev_set["metric"], "accuracy");
    let found = &dev_set["smallest_differences"][1];
    // Connor 1987: so many examples show this difference in 8 of 10 experiments, where the models disagree on a fifth.
    let difference = found["difference"].as_f64().unwrap();
    let needed = ((1.959_964 * 0.2_f64.sqrt() + 0.841_621 * (0.2 - difference.powi(2)).sqrt()) / difference).powi(2);
    assert!(found["disagreeing"] == 0.2 && (needed / examples - 1.0).abs() < 1e-3, "{dev_set}");
    let told = place.run(&["plan", "tiny.yaml"]).ok();
    assert!(told.out.contains(&format!("rte   accuracy           {examples}")), "{}", told.out);
    let sums = told.out.split("\n\n").find(|part| part.contains("to do  ")).unwrap();
    assert!(sums.lines().count() == 3 && sums.contains("rte   small     2      2"), "{}", told.out);
}

#[test]
fn a_report_of_nothing_is_refused() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=wnli,learning_rate=1e-3"]).ok();
    remove_one(&place);
    let told = place.run(&["report", "tiny.yaml"]);
    assert_eq!(told.code, Some(2));
    assert!(
        told.err.starts_with("error: no run of `tiny` has ended: there is nothing to report\nhint: "),
        "{}",
        told.err
    );
    assert!(place.files("reports").is_empty());
}
