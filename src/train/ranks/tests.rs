//! Threads as ranks: the bits of one process.

use std::path::Path;
use std::sync::mpsc::Sender;

use burn::tensor::{Device, Tensor, TensorData};

use super::threads::Threads;
use super::{Alone, OrderedSum, Ranks};
use crate::model::{Classifier, random_classifier};
use crate::random::Stream;
use crate::settings::Precision;
use crate::store::{Checkpoints, Objective, Optimization, RunSettings, example};
use crate::task::Task;
use crate::text::{FeatureSet, SkippedRows};
use crate::train::checkpointer::{CheckpointPolicy, Checkpointer};
use crate::train::error::TrainError;
use crate::train::gradient_hook::{FoundGradients, GradientHook};
use crate::train::invariants::{SMALL, bits, device};
use crate::train::observer::Observer;
use crate::train::open_device;
use crate::train::optimizer::{FlatGradients, accumulate};
use crate::train::task::{TrainingData, new_fit};
use crate::units::Seconds;

/// Batches of 8 in 4 parts; the last one of an epoch has a single example.
const EXAMPLES: usize = 25;

fn model() -> Classifier {
    random_classifier(&SMALL, 2, 1, &device())
}

/// Gradients of pass `number`: numbers of all sizes, zeros of both signs, and parameters without any.
fn gradients(lengths: &[usize], number: u64) -> FlatGradients {
    let mut draws = Stream::new(number, "gradients").at(0);
    let mut numbers = |length: usize| -> Option<Tensor<1>> {
        let mut one = || match draws.below(5) {
            0 => -0.0,
            1 => 0.0,
            power => (draws.uniform() as f32 - 0.5) * 10f32.powi(3 * power as i32 - 8),
        };
        let numbers: Vec<f32> = (0..length).map(|_| one()).collect();
        let absent = draws.below(4) == 0;
        (!absent).then(|| Tensor::from_data(TensorData::new(numbers, [length]), &Device::flex()))
    };
    lengths.iter().map(|length| numbers(*length)).collect()
}

fn numbers(gradients: &FlatGradients) -> Vec<Option<Vec<u32>>> {
    let bits = |gradient: &Tensor<1>| gradient.clone().into_data().iter::<f32>().map(f32::to_bits).collect();
    gradients.iter().map(|gradient| gradient.as_ref().map(bits)).collect()
}

/// Sends what a pass finds in some pieces, in an order that is another one for each pass.
fn send(found: Sender<FoundGradients>, pass: Option<FlatGradients>, weight: f64, number: usize) {
    let hook = GradientHook::sending(found, weight);
    let mut pieces: Vec<_> = pass.into_iter().flatten().enumerate().collect();
    if number.is_multiple_of(2) {
        pieces.reverse();
    }
    let turn = (number % 3).min(pieces.len());
    pieces.rotate_left(turn);
    for (parameter, gradient) in pieces {
        assert!(hook.take(parameter, vec![gradient])[0].is_none(), "nothing is left");
    }
}

#[test]
fn gradients_are_added_in_the_order_of_passes() {
    let lengths: Vec<usize> = bits(&model()).iter().map(Vec::len).collect();
    for (passes, weight) in [(2, 0.5), (4, 0.25), (7, 1.0)] {
        let all = (0..passes).map(|number| gradients(&lengths, number));
        let expected = all.fold(None, |sum, more| Some(accumulate(sum, more, weight))).unwrap();
        for (size, large) in [(1, 1000), (2, 1 << 20), (3, 1), (4, 100), (40, 30)] {
            let sums = Threads::run(size, |ranks| {
                let model = model();
                let mut sum = OrderedSum::with_large(ranks, &model, large);
                let rounds = (passes as usize).div_ceil(size);
                for round in 0..rounds {
                    let number = round * size + ranks.rank();
                    let pass = (number < passes as usize).then(|| gradients(&lengths, number as u64));
                    sum.add_while(round + 1 == rounds, |found| send(found, pass, weight, number));
                }
                numbers(&sum.finish().unwrap())
            });
            for sum in sums {
                assert_eq!(sum, numbers(&expected), "{passes} passes on {size} ranks");
            }
        }
    }
}

#[test]
fn passes_without_gradients_have_no_sum() {
    let sums = Threads::run(2, |ranks| {
        let mut sum = OrderedSum::new(ranks, &model());
        sum.add_while(true, drop);
        sum.finish().is_none()
    });
    assert_eq!(sums, [true, true]);
}

#[test]
fn each_pass_is_one_ranks_but_a_single_one_is_everybodys() {
    let of = |size, passes| Threads::run(size, |ranks| ranks.share_of(passes).numbers().collect::<Vec<_>>());
    assert_eq!(of(3, 7), [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
    assert_eq!(of(3, 2), [vec![0], vec![1], vec![]]);
    assert_eq!(of(3, 1), [vec![0], vec![0], vec![0]]);
}

#[test]
fn a_failure_of_one_rank_is_one_of_all() {
    let said = Threads::run(3, |ranks| {
        let own = if ranks.rank() == 1 { Err(std::io::Error::other("no disk").into()) } else { Ok(()) };
        let after: Result<(), TrainError> = ranks.leader_first(|| Err(std::io::Error::other("no data").into()));
        [ranks.agree(own), after].map(|result| result.unwrap_err().to_string())
    });
    assert!(said[0][0].contains("rank 1 of the 3 processes"), "{said:?}");
    assert_eq!([&said[1][0], &said[0][1]], ["no disk", "no data"]);
    assert!(said[2][1].contains("rank 0 of the 3 processes"), "{said:?}");
}

fn features() -> FeatureSet {
    let mut draws = Stream::new(2, "examples").at(0);
    let ids: Vec<Vec<u32>> =
        (0..EXAMPLES).map(|_| (0..3 + draws.below(9)).map(|_| draws.below(50) as u32).collect()).collect();
    let segments: Vec<Vec<u8>> = ids.iter().map(|ids| vec![0; ids.len()]).collect();
    let labels = (0..EXAMPLES).map(|example| (example % 2) as f32).collect();
    FeatureSet::from_examples(&ids, &segments, labels, SkippedRows::default())
}

fn settings(precision: Precision) -> RunSettings {
    let base = example::settings("rte", 1);
    let Objective::Task(mut task) = base.objective.clone() else { unreachable!("a task") };
    task.epochs = 2;
    let optimization = Optimization {
        batch_size: 8,
        gradient_accumulation_steps: 4,
        learning_rate: 1e-3,
        max_grad_norm: 0.5,
        precision,
        ..base.optimization.clone()
    };
    RunSettings { optimization, objective: Objective::Task(task), architecture: SMALL, ..base }
}

/// Stops after a step.
struct StopAt {
    step: u64,
    at: u64,
}

impl Observer for StopAt {
    fn started(&mut self, step: u64, _: u64) {
        self.step = step;
    }

    fn stop(&mut self) -> bool {
        let stops = self.step == self.at;
        self.step += 1;
        stops
    }
}

/// What one of `ranks` does; the leader has the trained model unless it stopped after step `at`.
fn train(settings: &RunSettings, ranks: &dyn Ranks, checkpoints: &Path, at: u64) -> Option<Vec<Vec<u32>>> {
    let (features, device) = (features(), Device::flex());
    let data = TrainingData { task: Task::find("rte").unwrap(), train: &features, dev: &[], tags: &[] };
    let policy = CheckpointPolicy { at_stop_after: Seconds(0.0), ..CheckpointPolicy::TASK };
    let mut checkpointer = Checkpointer::new(Checkpoints::new(checkpoints, settings.id(), 1), policy);
    let mut model = model();
    model.encoder.set_precision(open_device("cpu").unwrap().precision(settings.optimization.precision).unwrap());
    let fit = new_fit(settings, data, &device, ranks);
    let stopped = |error| assert!(matches!(error, TrainError::Stopped { step } if step == at), "{error}");
    if ranks.rank() > 0 {
        let _ = fit.follow(model, &mut checkpointer).map_err(stopped);
        return None;
    }
    let fitted = fit.run(model, &mut StopAt { step: 0, at }, Some(&mut checkpointer));
    fitted.map_err(stopped).ok().map(|fitted| bits(&fitted.model))
}

#[test]
fn ranks_end_with_the_bits_of_one_process_and_go_on_with_another_number() {
    const ALL: u64 = 1000;
    for precision in [Precision::F32, Precision::Bf16] {
        if open_device("cpu").unwrap().precision(precision).is_err() {
            continue;
        }
        let settings = settings(precision);
        let place = tempfile::tempdir().unwrap();
        let expected = train(&settings, &Alone, &place.path().join("alone"), ALL);
        assert!(expected.is_some());
        for size in [2, 3, 4] {
            let folder = place.path().join(size.to_string());
            let trained = Threads::run(size, |ranks| train(&settings, ranks, &folder, ALL));
            assert_eq!(trained[0], expected, "{precision:?}, {size} ranks");
        }
        let folder = place.path().join("resumed");
        for (size, steps) in [(3, 2), (1, 3), (4, 5)] {
            let trained = Threads::run(size, |ranks| train(&settings, ranks, &folder, steps));
            assert_eq!(trained[0], None, "it goes on after a stop");
        }
        let trained = Threads::run(2, |ranks| train(&settings, ranks, &folder, ALL));
        assert_eq!(trained[0], expected, "{precision:?}, resumed by other numbers of ranks");
    }
}
