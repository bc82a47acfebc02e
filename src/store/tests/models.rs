//! Of the weights of a task and model, the best run's remain.

use std::fs;

use super::super::example;
use super::super::{Outcome, Record, RunFolder, RunsRoot, StoreError, by_rank};
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
        let disk = tempfile::tempdir().unwrap();
        let root = RunsRoot::new(disk.path());
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
    let disk = tempfile::tempdir().unwrap();
    let root = RunsRoot::new(disk.path());
    finish(&root, 1, Dies::AfterModel);
    finish(&root, 4, Dies::Not);
    assert_eq!(kept(&root), [1, 4], "the better run may still finish, or never");
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
