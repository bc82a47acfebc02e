//! 10,000 synthetic runs with 200 lines of log each: how long `runs list` and `report` take. Not run by `just test`;
//! `just bench-runs` builds it optimised and prints what it measures; `BERTBENCH_RUNS=1000` makes fewer.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::{Duration, Instant};

use bertbench::random::Stream;
use bertbench::store::{Event, RunIdentity, RunSettings, RunsRoot, StepEvent, StoredPlan, write_sealed};
use bertbench::{config, plan};

use super::program::Workplace;
use crate::report::synthetic::{TASKS, record, settings};

const MOST: usize = 10_000;
const LINES: u64 = 200;

const EXPERIMENT: &str = "\
experiment: many
mini: {seed: 1}
models:
  base: {architecture: {layers: 2, hidden: 64, heads: 2, max_positions: 128}}
tasks: [cola, mnli, mrpc, qnli, qqp, rte, sst2, stsb, wnli]
sweep: {batch_size: [16], learning_rate: [1e-3], epochs: [1]}
seeds: [1]
device: cpu
";

fn write_runs(place: &Workplace, runs: usize) {
    place.write("many.yaml", EXPERIMENT);
    let read = config::load(&place.path("many.yaml"), &plan::known_tasks(), &[]).unwrap();
    let root = RunsRoot::new(place.path("runs"));
    let mut draws = Stream::new(1, "many runs").at(0);
    let mut planned: Vec<RunSettings> = Vec::new();
    'all: for seed in 1.. {
        for (shape, batch, rate) in TASKS.iter().flat_map(|shape| {
            [16, 32].into_iter().flat_map(move |batch| [5e-4, 3e-4, 2e-4].map(move |rate| (shape, batch, rate)))
        }) {
            for epochs in [3, 4] {
                for (large, model) in [(false, "base"), (true, "large")] {
                    let settings = settings(model, large, shape.0, (batch, rate, epochs), seed);
                    let record = record("many", "mini", settings.clone(), shape, &mut draws);
                    let folder = root.folder("many", &settings).unwrap();
                    fs::create_dir_all(folder.path()).unwrap();
                    write_sealed(&folder.path().join("settings.json"), &settings).unwrap();
                    write_sealed(&folder.path().join("record.json"), &record).unwrap();
                    let mut log = Vec::new();
                    for step in 1..=LINES {
                        let loss = 0.7 - 0.002 * step as f64 + 0.02 * draws.normal();
                        let event =
                            StepEvent { step, epoch: Some(1), loss, learning_rate: rate, ..StepEvent::default() };
                        serde_json::to_writer(&mut log, &Event::Step(event)).unwrap();
                        log.push(b'\n');
                    }
                    let path = folder.path().join("metrics.jsonl");
                    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(&log).unwrap();
                    planned.push(settings);
                    if planned.len() == runs {
                        break 'all;
                    }
                }
            }
        }
    }
    let plan = StoredPlan {
        experiment_sha256: read.base().sha256(),
        overrides: Vec::new(),
        device: "cpu".into(),
        pretraining: Vec::new(),
        runs: planned.into_iter().map(|settings| RunIdentity { id: settings.id(), settings }).collect(),
    };
    root.add_plan("many", plan).unwrap();
}

/// The limits of what a person waits for: half a second for a list, ten for a report.
#[test]
#[ignore = "minutes, and its times count only in an optimised build: `just bench-runs`"]
fn ten_thousand_runs_are_listed_and_reported_while_one_waits() {
    let place = Workplace::new();
    let runs = std::env::var("BERTBENCH_RUNS").map_or(MOST, |runs| runs.parse().unwrap());
    write_runs(&place, runs);
    let timed = |arguments: &[&str]| {
        let start = Instant::now();
        let told = place.run(arguments).ok();
        println!("{:6.2} s  bertbench {}", start.elapsed().as_secs_f64(), arguments.join(" "));
        (start.elapsed(), told)
    };
    let condition = "task == \"rte\" and score > 0.5";
    let (listing, told) = timed(&["runs", "list", "many.yaml", "--where", condition, "--sort", "-score"]);
    assert!(told.out.lines().count() > runs / 100, "{}", told.out);
    timed(&["runs", "list", "many.yaml", "--where", "score > 0.8", "--sort", "-score"]);
    let (reporting, _) = timed(&["report", "many.yaml"]);
    for file in place.files("reports") {
        println!("{:9} bytes  {}", fs::metadata(place.path(file.to_str().unwrap())).unwrap().len(), file.display());
    }
    if let Some(file) = std::env::var_os("BERTBENCH_RUNS_JSON") {
        fs::write(file, place.run(&["runs", "list", "many", "--json"]).ok().out).unwrap();
    }
    let front = fs::metadata(place.path("reports/many/index.html")).unwrap().len();
    assert!(front < 2_000_000, "the front page has {front} bytes");
    assert!(listing < Duration::from_millis(500), "{listing:?}");
    assert!(reporting < Duration::from_secs(10), "{reporting:?}");
}
