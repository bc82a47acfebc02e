//! From records to the report's files. The records are invented; no model was trained.

mod ablations;
pub mod answers;
mod comparisons;
mod gather;
mod markup;
mod pretraining;
pub mod synthetic;
mod synthetic_pretraining;
mod understanding;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bertbench::random::Stream;
use bertbench::report::{self, ExperimentInput, Input, OutputFile};
use bertbench::store::Outcome;
use bertbench::units::{Bytes, Seconds};

use markup::assert_well_formed;
use synthetic::{TASKS, complete, damaged};

fn input(experiments: Vec<ExperimentInput>) -> Input {
    Input { title: "A <b>report</b> & \"its\" title".into(), experiments }
}

fn text<'a>(files: &'a [OutputFile], name: &str) -> &'a str {
    let file = files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no {name}"));
    std::str::from_utf8(&file.bytes).unwrap()
}

#[test]
fn no_control_character_of_a_record_reaches_a_file() {
    let mut experiment = damaged("mini", ["base", "lar\u{202e}ge"]);
    let hostile = "a\u{1b}[31m\u{9b}\u{7f}\u{2066}\u{61c}\rb";
    for record in &mut experiment.records {
        record.notes.push(hostile.into());
        record.host.name = hostile.into();
    }
    for (_, failure) in &mut experiment.failures {
        failure.cause = hostile.into();
    }
    let shown = |c: char| matches!(c, '\n' | '\t') || bertbench::diagnostic::visible_character(c) == c;
    for file in report::render(&input(vec![experiment])).unwrap() {
        let content = String::from_utf8(file.bytes).unwrap();
        assert!(content.chars().all(shown), "{}: {:?}", file.name, content.chars().find(|c| !shown(*c)));
    }
}

#[test]
fn every_file_is_there_well_formed_and_loads_nothing() {
    let files = report::render(&input(vec![damaged("mi<n>i & \"co\"", ["ba|se", "la<r>ge&\"'"])])).unwrap();
    let names: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names.len(), files.len(), "two files share a name");
    for name in ["index.html", "results.csv", "results.md", "results.json", "spread.svg", "pairs-1.svg"] {
        assert!(names.contains(name), "{name} is missing from {names:?}");
    }
    for (task, ..) in TASKS {
        for plot in [format!("dev-{task}.svg"), format!("loss-{task}.svg"), format!("grid-{task}-ba-se.svg")] {
            assert!(names.contains(plot.as_str()), "{plot} is missing from {names:?}");
        }
    }
    for file in &files {
        let extension = Path::new(&file.name).extension().unwrap().to_str().unwrap();
        let content = text(&files, &file.name);
        if matches!(extension, "html" | "svg") {
            assert_well_formed(&file.name, content);
            let addresses = content.replace("http://www.w3.org/2000/svg", "");
            assert!(!addresses.contains("http://") && !addresses.contains("https://"), "{} loads", file.name);
            assert!(!content.contains("src=") && !content.contains("@import") && !content.contains("url("));
        }
        if extension == "html" {
            assert!(
                !content.contains("<script>alert") && !content.contains("la<r>ge") && !content.contains("<b>report")
            );
            assert!(content.contains("la&lt;r&gt;ge&amp;"), "names are shown escaped");
        }
    }
    serde_json::from_str::<serde_json::Value>(text(&files, "results.json")).unwrap();
}

#[test]
fn every_link_on_the_page_leads_somewhere() {
    let files = report::render(&input(vec![damaged("mini", ["base", "large"])])).unwrap();
    let page = text(&files, "index.html");
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id is used twice");
    for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        match link.strip_prefix('#') {
            Some(anchor) => assert!(ids.contains(&anchor), "no place for #{anchor}"),
            None => assert!(files.iter().any(|file| file.name == link), "no file for {link}"),
        }
    }
}

#[test]
fn many_runs_have_pages_of_their_own_and_the_first_page_stays_small() {
    let many = complete("many", "mini", ["base", "large"], &[1, 2, 3, 4, 5]);
    let runs = many.records.len();
    assert!(runs > 1000);
    let files = report::render(&input(vec![many])).unwrap();
    let page = |name: &str| text(&files, name).replace("&#x2f;", "/");
    let index = page("index.html");
    assert!(index.len() < 2_000_000, "the first page has {} bytes", index.len());
    assert!(!index.contains("<details"));
    let mut links = 0;
    for link in index.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let (name, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if name.is_empty() { index.clone() } else { page(name) };
        let is_there = anchor.is_empty() || target.contains(&format!(" id=\"{anchor}\""));
        assert!(is_there, "{link} leads nowhere");
        links += usize::from(name.starts_with("runs/"));
    }
    assert!(links > 2 * TASKS.len(), "{links} links to pages of runs");
    let beside: Vec<String> =
        files.iter().filter(|file| file.name.starts_with("runs/")).map(|file| page(&file.name)).collect();
    assert_eq!(beside.len(), 2 * TASKS.len());
    assert_eq!(beside.iter().map(|page| page.matches("<details").count()).sum::<usize>(), runs);
    assert!(beside.iter().all(|page| page.contains("href=\"../index.html#runs\"")));
}

#[test]
fn the_same_input_gives_the_same_bytes_whatever_the_order_of_its_records() {
    let experiment = damaged("mini", ["base", "large"]);
    let mut shuffled = experiment.clone();
    let mut draws = Stream::new(1, "shuffle").at(0);
    draws.shuffle(&mut shuffled.records);
    draws.shuffle(&mut shuffled.failures);
    let first = report::render(&input(vec![experiment.clone()])).unwrap();
    assert_eq!(first, report::render(&input(vec![experiment])).unwrap());
    assert_eq!(first, report::render(&input(vec![shuffled])).unwrap());
}

#[test]
fn csv_has_timing_and_host_last_and_equal_sweeps_agree_before_them() {
    let first = complete("mini", "mini", ["base", "large"], &[1]);
    let mut second = first.clone();
    for record in &mut second.records {
        record.timings.wall = Seconds(99.0);
        record.timings.tokens_per_second = 1.0;
        record.peak_memory = Bytes(1);
        record.host.name = "elsewhere".into();
        record.provenance.started_unix += 5;
    }
    let [first, second] = [first, second].map(|experiment| {
        let files = report::render(&input(vec![experiment])).unwrap();
        text(&files, "results.csv").to_owned()
    });
    let head = "experiment,task,model,run,batch_size,learning_rate,epochs,seed,split,metric,value,unit,direction,steps,\
                tokens,wall_seconds,tokens_per_second,peak_memory_bytes,host,started,start,pretraining_experiment,\
                pretraining_model,pretraining_step,pretraining_perplexity,layers,hidden,heads,intermediate,vocab_size,parameters,\
                loss,masked_lm_prob,mask_prob,keep_prob,random_prob,whole_word,phases,weights_sha256";
    assert_eq!(first.lines().next().unwrap(), head);
    assert_ne!(first, second);
    let stable = |csv: &str| -> Vec<String> {
        csv.lines().map(|line| line.split(',').take(15).collect::<Vec<_>>().join(",")).collect()
    };
    assert_eq!(stable(&first), stable(&second));
    let scores: usize = TASKS.iter().map(|task| 2 * 12 * (1 + task.3.len())).sum();
    assert_eq!(first.lines().count(), scores + 1);
    assert!(first.contains(",16,0.0002,3,1,dev_matched,accuracy,0."), "{}", &first[..400]);
    assert!(first.lines().nth(1).unwrap().contains(",no-such-host,2026-01-01T00:00:00Z,random,,,,,2,"));
}

#[test]
fn a_score_that_is_not_a_number_says_so() {
    let files = report::render(&input(vec![damaged("mini", ["base", "large"])])).unwrap();
    assert!(text(&files, "results.csv").contains(",NaN,"));
    let page = text(&files, "index.html");
    assert!(page.contains("1 finished run of mini scored NaN"));
    assert!(page.contains("of 216 runs, 2 failed, 3 did not finish, and 0 did not run"));
    assert!(page.contains("211 of 216"));
}

/// Plain Rust over the same records: mean over seeds, then the best of the points that have the most
/// scored seeds.
fn picks(experiment: &ExperimentInput) -> BTreeMap<(String, String), (f64, f64, f64, f64)> {
    let mut points: BTreeMap<(String, String), BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for record in &experiment.records {
        let Some(value) = record.primary_score() else { continue };
        let settings = &record.settings;
        let point = format!(
            "{} {:e} {}",
            settings.optimization.batch_size,
            settings.optimization.learning_rate,
            settings.epochs()
        );
        let group = points.entry((settings.task_name().to_owned(), settings.model.clone())).or_default();
        group.entry(point).or_default().push(value);
    }
    points
        .into_iter()
        .map(|(key, points)| {
            let most = points.values().map(Vec::len).max().unwrap();
            let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
            let best = points.values().filter(|v| v.len() == most).map(mean).fold(f64::MIN, f64::max);
            let mut means: Vec<f64> = points.values().map(mean).collect();
            means.sort_by(f64::total_cmp);
            let (low, high) = (means[(means.len() - 1) / 2], means[means.len() / 2]);
            (key, (best, means[0], f64::midpoint(low, high), *means.last().unwrap()))
        })
        .collect()
}

#[test]
fn polars_picks_what_plain_rust_picks() {
    let mut uneven = complete("uneven", "mini", ["base", "large"], &[1, 2, 3]);
    let mut draws = Stream::new(9, "drop").at(0);
    uneven.records.retain(|_| !draws.chance(0.15));
    for experiment in [uneven, damaged("mini", ["base", "large"]), complete("glue", "GLUE", ["base", "large"], &[1])] {
        let files = report::render(&input(vec![experiment.clone()])).unwrap();
        let json: serde_json::Value = serde_json::from_str(text(&files, "results.json")).unwrap();
        let expected = picks(&experiment);
        let groups = json["results"].as_array().unwrap();
        assert_eq!(groups.len(), expected.len());
        for group in groups {
            let key = (group["task"].as_str().unwrap().to_owned(), group["model"].as_str().unwrap().to_owned());
            let (best, min, median, max) = expected[&key];
            let found =
                [&group["best"]["score"], &group["min"], &group["median"], &group["max"]].map(|v| v.as_f64().unwrap());
            for (found, expected) in found.into_iter().zip([best, min, median, max]) {
                assert!((found - expected).abs() < 1e-12, "{key:?}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn lower_is_better_is_respected() {
    let mut experiment = complete("lm", "mini", ["base", "large"], &[1]);
    experiment.records.retain(|record| record.settings.task_name() == "rte");
    experiment.planned.retain(|settings| settings.task_name() == "rte");
    for record in &mut experiment.records {
        for score in record.scores.iter_mut().chain(record.evaluations.iter_mut().flat_map(|e| &mut e.scores)) {
            (score.metric, score.unit, score.higher_is_better) = ("loss".into(), "nats".into(), false);
        }
        let Outcome::Task(task) = &mut record.outcome else { unreachable!() };
        task.primary_metric = "loss".into();
    }
    let files = report::render(&input(vec![experiment.clone()])).unwrap();
    let json: serde_json::Value = serde_json::from_str(text(&files, "results.json")).unwrap();
    for group in json["results"].as_array().unwrap() {
        assert_eq!(group["best"]["score"], group["min"]);
    }
}

#[test]
fn mini_says_so_first_and_shows_no_published_figure() {
    let mini = report::render(&input(vec![complete("mini", "mini", ["base", "large"], &[1])])).unwrap();
    let page = text(&mini, "index.html");
    let body = page.split_once("<body>").unwrap().1;
    assert!(
        body.trim_start()
            .starts_with("<aside class=\"notice\" aria-label=\"Notice\">Mini scores are not GLUE scores: ")
    );
    assert!(text(&mini, "results.md").starts_with("> **Mini scores are not GLUE scores: "));
    assert!(!page.contains("66.4") || !page.contains("Devlin"), "a published figure on a mini page");
    let glue = report::render(&input(vec![complete("glue", "GLUE", ["base", "large"], &[1])])).unwrap();
    let page = text(&glue, "index.html");
    assert!(!page.contains("Mini scores"));
    assert!(page.contains("66.4 &#x2f; 70.1") && page.contains("Devlin et al. 2018"));
}

#[test]
fn mini_and_glue_never_share_a_row() {
    let mini = complete("mini", "mini", ["base", "large"], &[1]);
    let glue = complete("glue", "GLUE", ["base", "large"], &[1]);
    let files = report::render(&input(vec![mini, glue])).unwrap();
    let page = text(&files, "index.html");
    assert!(page.contains("rte (GLUE)") && page.contains("rte (mini)"));
    let json: serde_json::Value = serde_json::from_str(text(&files, "results.json")).unwrap();
    for comparison in json["comparisons"].as_array().unwrap() {
        let side = |key: &str| comparison[key].as_str().unwrap().ends_with("(mini)");
        assert_eq!(side("reference"), side("model"), "{comparison}");
    }
}

#[test]
fn without_a_plan_the_page_says_that_it_cannot_know_what_is_missing() {
    let mut copied = damaged("copied", ["base", "large"]);
    copied.planned.clear();
    let files = report::render(&input(vec![copied])).unwrap();
    let page = text(&files, "index.html");
    assert!(page.contains("The plan of copied was not found"));
    assert!(page.contains("plan not known"));
}

#[test]
fn records_outside_the_plan_are_left_out_and_counted() {
    let mut experiment = complete("mini", "mini", ["base", "large"], &[1]);
    experiment.planned.retain(|settings| settings.optimization.batch_size == 16);
    let files = report::render(&input(vec![experiment])).unwrap();
    assert!(text(&files, "index.html").contains("Left out: 108 runs in the folder of mini"));
    assert!(!text(&files, "results.csv").contains("base,32,"));
}

#[test]
fn nothing_at_all_is_still_a_page() {
    let one_failed = {
        let mut experiment = damaged("mini", ["base", "large"]);
        experiment.records.clear();
        experiment
    };
    for experiments in [vec![], vec![ExperimentInput::default()], vec![one_failed]] {
        let files = report::render(&input(experiments)).unwrap();
        assert_well_formed("index.html", text(&files, "index.html"));
        assert_eq!(text(&files, "results.csv").lines().count(), 1);
    }
}

#[test]
fn seeds_become_means_with_their_spread() {
    let files = report::render(&input(vec![complete("seeds", "mini", ["base", "large"], &[1, 2, 3])])).unwrap();
    let page = text(&files, "index.html");
    assert!(page.contains("Each point over its seeds") && page.contains("over 3 seeds"));
    let single = report::render(&input(vec![complete("single", "mini", ["base", "large"], &[1])])).unwrap();
    assert!(!text(&single, "index.html").contains("Each point over its seeds"));
}

#[test]
fn a_report_on_disk_is_what_was_rendered() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("reports/mini");
    let input = input(vec![damaged("mini", ["base", "large"])]);
    let page = report::write(&input, &target, None).unwrap();
    assert_eq!(page, target.join("index.html"));
    let files = report::render(&input).unwrap();
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), files.len(), "a temporary file was left");
    for file in files {
        assert_eq!(std::fs::read(target.join(&file.name)).unwrap(), file.bytes);
    }
}

/// Writes the layout samples into the folder named by `BERTBENCH_REPORT_SAMPLES`, when it is set.
#[test]
fn layout_samples_on_request() {
    let Ok(folder) = std::env::var("BERTBENCH_REPORT_SAMPLES") else { return };
    let title = "SYNTHETIC LAYOUT SAMPLE: invented numbers, no model was trained";
    let samples = [
        (
            "sample",
            [("stand-in-base", false), ("stand-in-large", true)].map(|of| answers::experiment(of.0, of.1)).into(),
        ),
        ("full", vec![damaged("synthetic-mini", ["invented-base", "invented-large"])]),
        ("seeds", vec![complete("synthetic-seeds", "mini", ["invented-base", "invented-large"], &[1, 2, 3])]),
        ("glue", vec![complete("synthetic-glue", "GLUE", ["invented-base", "invented-large"], &[1])]),
        ("hostile-texts", vec![understanding::hostile()]),
        ("hostile", vec![damaged("mi<n>i & \"co\"", ["ba|se", "la<r>ge&\"'"])]),
    ];
    for (name, experiments) in samples {
        let input = Input { title: title.into(), experiments };
        report::write(&input, &Path::new(&folder).join(name), None).unwrap();
    }
    for (name, experiments) in pretraining::samples() {
        let input = Input { title: title.into(), experiments };
        report::write(&input, &Path::new(&folder).join(name), None).unwrap();
    }
}
