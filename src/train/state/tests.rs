//! What is read is what was written, and training goes on from it as if nothing had been.

use burn::tensor::Int;

use super::*;
use crate::kernel::cross_entropy;
use crate::model::{Classifier, PackedInput, random_classifier};
use crate::store::{Architecture, Checkpoints, Optimization, RunId, example};
use crate::train::gradient_hook::GradientHook;
use crate::train::optimizer::FlatGradients;
use crate::train::pass::classifier_pass;
use crate::train::tape::Graph;

const SMALL: Architecture = Architecture { vocab_size: 50, max_positions: 8, ..example::bert(2, 16, 2, 24) };

fn device() -> Device {
    Device::flex().autodiff()
}

fn gradients(model: &Classifier, ids: &[u32]) -> FlatGradients {
    let positions: Vec<u32> = (0..ids.len() as u32).collect();
    let input = PackedInput::new(ids, &positions, &vec![0; ids.len()], &[0, ids.len() as u32], &device());
    let label = Tensor::<1, Int>::from_data(TensorData::new(vec![1i32], [1]), &device());
    let loss = |logits| cross_entropy(logits, label);
    classifier_pass(model, &input, None, &Graph::Whole.into(), &GradientHook::none(), loss).gradients.unwrap()
}

/// A step on each of `batches`; the word embeddings have gradients in the rows that these name alone.
fn train(mut model: Classifier, optimizer: &mut Optimizer, batches: &[[u32; 3]]) -> Classifier {
    let optimization = Optimization { weight_decay: 0.01, ..example::settings("rte", 1).optimization };
    for ids in batches {
        let mut gradients = gradients(&model, ids);
        // As if nothing flowed into the first bias.
        gradients[6] = None;
        (model, _) = optimizer.step(model, gradients, 1e-2, &optimization);
    }
    model
}

/// Every bit of the parameters and of the moments.
fn bits(model: &Classifier, optimizer: &Optimizer) -> Vec<Vec<u32>> {
    struct Collect(Vec<Vec<u32>>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            self.0.push(numbers(parameter.val()).unwrap().into_iter().map(f32::to_bits).collect());
        }
    }
    let of = |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let mut collect = Collect(Vec::new());
    model.visit(&mut collect);
    for moments in &optimizer.moments {
        collect.0.push(vec![u32::from(moments.is_some())]);
        if let Some(Moments { first, second, live_rows }) = moments {
            collect.0.extend([first, second].map(|moment| of(numbers(moment.clone()).unwrap())));
            collect.0.push(live_rows.iter().flatten().map(|live| u32::from(*live)).collect());
        }
    }
    collect.0
}

fn checkpoints(folder: &tempfile::TempDir) -> Checkpoints {
    Checkpoints::new(folder.path(), RunId("aa".into()), 1)
}

fn read(folder: &tempfile::TempDir, into: Classifier) -> io::Result<(Classifier, Optimizer)> {
    read_state(&checkpoints(folder).newest().unwrap().0.unwrap(), into)
}

fn random(seed: u64) -> Classifier {
    random_classifier(&SMALL, 3, seed, &device())
}

#[test]
fn training_goes_on_with_the_same_bits() {
    let (first, second) = ([[1, 2, 3], [7, 8, 9]], [[1, 7, 11], [12, 13, 1], [2, 3, 4]]);
    let mut optimizer = Optimizer::new();
    let model = train(random(1), &mut optimizer, &first);
    let live = optimizer.moments[0].as_ref().and_then(|moments| moments.live_rows.clone()).unwrap();
    assert_eq!(live.iter().filter(|live| **live).count(), 6, "rows that had a gradient");
    assert!(optimizer.moments[6].is_none() && optimizer.moments.len() > 20);
    let folder = tempfile::tempdir().unwrap();
    checkpoints(&folder).write(2, &(), |into| write_state(into, &model, &optimizer)).unwrap();
    let (read_model, mut read_optimizer) = read(&folder, random(2)).unwrap();
    assert_eq!(bits(&read_model, &read_optimizer), bits(&model, &optimizer));
    assert_eq!(read_optimizer.step, 2);
    let model = train(model, &mut optimizer, &second);
    let read_model = train(read_model, &mut read_optimizer, &second);
    assert_eq!(bits(&read_model, &read_optimizer), bits(&model, &optimizer));
}

#[test]
fn before_the_first_step_there_are_no_moments() {
    let folder = tempfile::tempdir().unwrap();
    checkpoints(&folder).write(0, &(), |into| write_state(into, &random(1), &Optimizer::new())).unwrap();
    let (model, optimizer) = read(&folder, random(2)).unwrap();
    assert_eq!(bits(&model, &optimizer), bits(&random(1), &Optimizer::new()));
}

#[test]
fn a_model_of_another_shape_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut optimizer = Optimizer::new();
    let model = train(random(1), &mut optimizer, &[[1, 2, 3]]);
    checkpoints(&folder).write(1, &(), |into| write_state(into, &model, &optimizer)).unwrap();
    for other in
        [Architecture { layers: 1, ..SMALL }, Architecture { layers: 3, ..SMALL }, Architecture { hidden: 8, ..SMALL }]
    {
        assert!(read(&folder, random_classifier(&other, 3, 1, &device())).is_err(), "{other:?}");
    }
}
