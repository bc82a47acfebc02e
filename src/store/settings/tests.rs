//! What enters a run's id, and that settings come back as they were written.

use super::super::example;
use super::*;
use crate::settings::{FeatureBased, Layers, LmLoss, Optimizer, Precision, SaveStrategy, SpanOptions};

fn read_back(settings: &RunSettings) {
    let json = serde_json::to_string(settings).unwrap();
    assert_eq!(serde_json::from_str::<RunSettings>(&json).unwrap(), *settings, "{json}");
}

fn with_task(change: impl FnOnce(&mut TaskObjective)) -> RunSettings {
    let mut settings = example::settings("squad1", 1);
    let Objective::Task(of) = &mut settings.objective else { unreachable!() };
    change(of);
    settings
}

fn with_pretraining(change: impl FnOnce(&mut PretrainingObjective)) -> RunSettings {
    let mut settings = example::pretraining(1);
    let Objective::Pretraining(of) = &mut settings.objective else { unreachable!() };
    change(of);
    settings
}

#[test]
fn a_causal_model_is_another_one_and_the_key_is_left_out_of_others() {
    let settings = example::settings("rte", 1);
    let json = serde_json::to_string(&settings).unwrap();
    assert!(!json.contains("causal"), "{json}");
    let mut causal = settings.clone();
    causal.architecture.causal = true;
    assert_ne!(causal.id(), settings.id());
    read_back(&causal);
}

#[test]
fn the_tasks_options_and_the_approach_decide_a_result() {
    let settings = example::settings("squad1", 1);
    let spans = with_task(|of| of.options = Some(TaskOptions::Spans(SpanOptions::default())));
    let layers = FeatureBased { layers: Layers::ConcatLastFour, hidden: 768, lstm_layers: 2, attention: false };
    let frozen = with_task(|of| of.approach = Approach::FeatureBased(layers));
    let (next_token, orders) = (with_task(|of| of.lm_coef = 0.5), with_task(|of| of.both_orders = true));
    let others = [&spans, &frozen, &with_task(|of| of.epochs += 1), &with_task(|of| of.skip_bad_rows = true)];
    let others = others.into_iter().chain([&next_token, &orders]);
    for other in others {
        assert_ne!(other.id(), settings.id());
        read_back(other);
    }
    // Settings from before these keys have the ids that they had.
    assert!(["lm_coef", "both_orders"].iter().all(|key| !serde_json::to_string(&spans).unwrap().contains(key)));
    assert!(serde_json::to_string(&spans).unwrap().contains(r#""options":{"spans":{"doc_stride":128"#));
}

#[test]
fn optimizer_precision_and_warmup_decide_a_result_and_recomputation_does_not() {
    for settings in [example::settings("rte", 1), example::pretraining(1)] {
        let with = |change: fn(&mut Optimization)| {
            let mut other = settings.clone();
            change(&mut other.optimization);
            read_back(&other);
            other.id()
        };
        assert_eq!(with(|of| of.gradient_checkpointing = true), settings.id());
        let changes: [fn(&mut Optimization); 6] = [
            |of| {
                of.optimizer =
                    if of.optimizer == (Optimizer::AdamW {}) { Optimizer::BertAdam {} } else { Optimizer::AdamW {} }
            },
            |of| of.precision = Precision::Bf16,
            |of| of.autotune = true,
            |of| of.warmup = Warmup::Steps(11),
            |of| of.batch_size += 1,
            |of| of.learning_rate *= 2.0,
        ];
        for change in changes {
            assert_ne!(with(change), settings.id());
        }
    }
}

#[test]
fn names_and_places_do_not_enter_the_id_and_checksums_do() {
    let start = |folder: &str, sha256: &str| InitialWeights::Checkpoint {
        folder: folder.into(),
        sha256: sha256.into(),
        hub: None,
        head: None,
    };
    for settings in [example::settings("rte", 1), example::pretraining(1)] {
        let one = RunSettings { initial_weights: start("a", "00"), ..settings };
        assert_eq!(RunSettings { model: "other".into(), ..one.clone() }.id(), one.id());
        assert_eq!(RunSettings { initial_weights: start("b", "00"), ..one.clone() }.id(), one.id());
        assert_ne!(RunSettings { initial_weights: start("a", "01"), ..one.clone() }.id(), one.id());
        assert_ne!(RunSettings { seed: 2, ..one.clone() }.id(), one.id());
        read_back(&one);
    }
}

#[test]
fn what_a_pretraining_tells_does_not_enter_its_id_and_what_it_learns_does() {
    let one = example::pretraining(1);
    assert_eq!(one.pretraining().unwrap().steps(), 100);
    let same = [
        with_pretraining(|of| of.evaluation = None),
        with_pretraining(|of| of.logging_steps = 1),
        with_pretraining(|of| {
            of.saving = Some(SaveStrategy { save_steps: Some(3), save_minutes: None, save_total_limit: 1 });
        }),
    ];
    assert!(same.iter().all(|other| other.id() == one.id()));
    let others = [
        with_pretraining(|of| of.loss = LmLoss::MaskedLm),
        with_pretraining(|of| of.loss = LmLoss::CausalLm),
        with_pretraining(|of| of.snapshots = vec![50]),
        with_pretraining(|of| of.phases[1].steps -= 1),
    ];
    assert!(others.iter().all(|other| other.id() != one.id()));
    same.iter().chain(&others).for_each(read_back);
}
