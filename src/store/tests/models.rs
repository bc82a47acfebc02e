//! Of the weights of a task and model, the best run's remain.

use std::fs;

use super::super::example;
use super::super::{Objective, Outcome, Record, RunFolder, RunIdentity, RunsRoot, StoreError, StoredPlan, by_rank};
use crate::random::Stream;

/// Scores by seed; two are equal, one is unknown.
const SCORES: [Option<f64>; 6] = [Some(0.7), Some(0.9), None, Some(0.9), Some(0.5), Some(0.8)];

fn run(root: &RunsRoot, seed: usize) -> (RunFolder, Record) {
    let settings = example::settings("rte", seed as u64);
    (root.folder("mini", &settings).unwrap(), example::record("mini", &settings, SCORES[seed]))
}

/// The stages at which a finishing run can die.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Dies {
    AfterModel,
    AfterRecord,
    Not,
}

fn finish(root: &RunsRoot, seed: usize, dies: Dies) {
    let (folder, record) = run(root, seed);
    folder.begin(&record.settings).unwrap();
    if folder.wants_model(&record).unwrap() {
        let fill = |path: &std::path::Path| fs::write(path.join("model.safetensors"), seed.to_string());
        folder.write_model::<StoreError>(|path| Ok(fill(path)?)).unwrap();
    }
    if dies > Dies::AfterModel {
        folder.write_record(&record).unwrap();
    }
    if dies == Dies::Not {
        folder.prune_models().unwrap();
    }
}

fn kept(root: &RunsRoot) -> Vec<usize> {
    (0..SCORES.len()).filter(|seed| run(root, *seed).0.model_folder().exists()).collect()
}

#[test]
fn the_best_remains_whatever_the_order_and_the_deaths() {
    let best = if run(&RunsRoot::new("runs"), 1).1.id < run(&RunsRoot::new("runs"), 3).1.id { 1 } else { 3 };
    for round in 0..60 {
        let mut draws = Stream::new(1, "test").at(round);
        let (_disk, root) = example::runs();
        let mut order: Vec<usize> = (0..SCORES.len()).collect();
        draws.shuffle(&mut order);
        for seed in order {
            let dies = *draws.pick(&[Dies::AfterModel, Dies::AfterRecord, Dies::Not]);
            finish(&root, seed, dies);
            if dies == Dies::AfterModel {
                finish(&root, seed, *draws.pick(&[Dies::AfterRecord, Dies::Not]));
            }
        }
        root.clean("mini").unwrap();
        assert_eq!(kept(&root), [best], "round {round}");
        let weights = fs::read_to_string(run(&root, best).0.model_folder().join("model.safetensors")).unwrap();
        assert_eq!(weights, best.to_string());
    }
}

#[test]
fn weights_of_a_run_without_a_record_neither_count_nor_go() {
    let (_disk, root) = example::runs();
    finish(&root, 1, Dies::AfterModel);
    finish(&root, 4, Dies::Not);
    assert_eq!(kept(&root), [1, 4], "the better run may still finish, or never");
}

/// Seeds 0 and 4 are asked for by a plan, 2 by another; 1 is better than all, and 5 is of other data.
#[test]
fn the_best_of_each_plan_and_of_each_data_stays_whatever_else_is_run() {
    let (disk, root) = example::runs();
    let id = |seed: usize| RunIdentity::of(run(&root, seed).1.settings);
    for (sha256, seeds) in [("a", vec![0, 4]), ("b", vec![2])] {
        let runs = seeds.into_iter().map(id).collect();
        let (overrides, pretraining) = (Vec::new(), Vec::new());
        let plan = StoredPlan { experiment_sha256: sha256.into(), overrides, device: "cpu".into(), pretraining, runs };
        root.add_plan("mini", plan).unwrap();
    }
    for seed in [0, 4, 2, 1, 3] {
        finish(&root, seed, Dies::Not);
    }
    let best = if run(&root, 1).1.id < run(&root, 3).1.id { 1 } else { 3 };
    let mut expected = vec![0, best, 2];
    expected.sort_unstable();
    assert_eq!(kept(&root), expected);

    let mut settings = example::settings("rte", 7);
    let Objective::Task(of) = &mut settings.objective else { unreachable!() };
    of.data_sha256.insert("train.tsv".into(), "01".into());
    let (folder, record) = (root.folder("mini", &settings).unwrap(), example::record("mini", &settings, Some(0.1)));
    folder.begin(&settings).unwrap();
    assert!(folder.wants_model(&record).unwrap(), "the first of its data");
    folder.write_model::<StoreError>(|_| Ok(())).unwrap();
    folder.write_record(&record).unwrap();
    root.clean("mini").unwrap();
    assert!(folder.model_folder().exists() && kept(&root) == expected);

    // Without knowing what is planned, nothing is removed.
    fs::write(disk.path().join("mini/plan.json"), "{").unwrap();
    finish(&root, 5, Dies::Not);
    assert!(kept(&root).contains(&5) && kept(&root).len() == 4);
}

#[test]
fn a_lower_loss_ranks_first_when_lower_is_better() {
    let loss = |seed, value| {
        let mut record = example::record("mini", &example::settings("rte", seed), Some(value));
        let Outcome::Task(task) = &mut record.outcome else { unreachable!() };
        task.primary_metric = "loss".to_owned();
        record.scores[0].metric = "loss".to_owned();
        record.scores[0].higher_is_better = false;
        record
    };
    assert!(by_rank(&loss(1, 0.2), &loss(2, 0.4)).is_lt());
    assert!(by_rank(&loss(1, 0.4), &loss(2, 0.2)).is_gt());
}
