//! For tests: what training has to hold whatever is trained.

use std::ops::Range;
use std::sync::mpsc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::gradient_hook::GradientHook;
use super::optimizer::{FlatGradients, Optimizer};
use super::pass::{Pass, classifier_pass};
use super::state::{read_state, write_state};
use super::tape::Graph;
use crate::kernel::cross_entropy;
use crate::model::{Classifier, PackedInput};
use crate::random::Stream;
use crate::store::{Architecture, Checkpoints, RunId, example};
use crate::text::PackedBatch;

pub(super) const SMALL: Architecture = example::small_bert(2, 16);

pub(super) fn device() -> Device {
    Device::flex().autodiff()
}

/// The bits of every parameter.
pub(super) fn bits<M: Module>(module: &M) -> Vec<Vec<u32>> {
    struct Bits(Vec<Vec<u32>>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            self.0.push(parameter.val().into_data().iter::<f32>().map(f32::to_bits).collect());
        }
    }
    let mut bits = Bits(Vec::new());
    module.visit(&mut bits);
    bits.0
}

/// Losses, and the gradients of each parameter; nothing where there are none.
pub(super) fn numbers<L>(pass: Pass<L>) -> (L, Vec<Vec<f32>>) {
    let numbers = |gradient: Tensor<1>| gradient.into_data().try_to_vec().unwrap();
    let gradients = pass.gradients.unwrap().into_iter().map(|gradient| gradient.map(numbers).unwrap_or_default());
    (pass.losses.wait().unwrap(), gradients.collect())
}

/// Texts of so many words, and behind those of pairs second ones, in sequences `[2] first [between] (second [3])`.
pub(super) fn texts(stream: &str, words: &[(usize, usize)], between: u32) -> PackedBatch {
    let mut batch = PackedBatch { offsets: vec![0], ..PackedBatch::default() };
    let mut draws = Stream::new(5, stream).at(0);
    for (sequence, &(first, second)) in (0..).zip(words) {
        let mut words = |count: usize| -> Vec<u32> { (0..count).map(|_| 5 + draws.below(35) as u32).collect() };
        let mut ids = [vec![2], words(first), vec![between]].concat();
        if second > 0 {
            ids.extend([words(second), vec![3]].concat());
        }
        batch.segments.extend((0..ids.len()).map(|at| u32::from(at > first + 1)));
        batch.positions.extend(0..ids.len() as u32);
        batch.ids.extend(ids);
        batch.offsets.push(batch.ids.len() as u32);
        batch.sequences.push(sequence);
    }
    batch
}

/// The gradients of a classifier of one sequence, whose class is 1.
pub(super) fn gradients_of(model: &Classifier, ids: &[u32]) -> FlatGradients {
    let positions: Vec<u32> = (0..ids.len() as u32).collect();
    let input = PackedInput::new(ids, &positions, &vec![0; ids.len()], &[0, ids.len() as u32], &device());
    let label = Tensor::<1, Int>::from_data(TensorData::new(vec![1i32], [1]), &device());
    let loss = |logits| cross_entropy(logits, label);
    classifier_pass(model, &input, None, &Graph::Whole.into(), &GradientHook::none(), loss).gradients.unwrap()
}

/// What `pass` gives with the gradients that its hook found put back, each once, and how often it found some.
pub(super) fn with_hook<L>(pass: impl FnOnce(&GradientHook) -> Pass<L>) -> (Pass<L>, usize) {
    let (sender, found) = mpsc::channel();
    let hook = GradientHook::sending(sender, 1.0);
    let mut pass = pass(&hook);
    drop(hook);
    let found: Vec<_> = found.iter().collect();
    let times = found.len();
    let gradients = pass.gradients.as_mut().unwrap();
    for (parameter, gradient) in found.into_iter().flatten() {
        assert!(gradients[parameter].replace(gradient).is_none(), "parameter {parameter} is found once");
    }
    (pass, times)
}

/// `model` after these steps with `gradients`.
pub(super) fn train<M: Module>(
    mut model: M,
    optimizer: &mut Optimizer,
    (rate, steps): (f64, Range<u64>),
    gradients: impl Fn(&M, u64) -> FlatGradients,
) -> M {
    let optimization = example::settings("rte", 1).optimization;
    for step in steps {
        let gradients = gradients(&model, step);
        (model, _) = optimizer.step(model, gradients, rate, &optimization);
    }
    model
}

/// `model` and its optimizer from a checkpoint after some steps, read into `other`.
pub(super) fn read_again<M: Module>(model: &M, optimizer: &Optimizer, other: M) -> std::io::Result<(M, Optimizer)> {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path(), RunId("aa".into()), 1);
    checkpoints.write(3, &(), |into| write_state(into, model, optimizer)).unwrap();
    read_state(&checkpoints.newest().unwrap().0.unwrap(), other)
}

/// A training that is kept after three steps, and read into a model of another seed, goes on with the same bits. Gives the
/// model after the last step.
pub(super) fn resumes<M: Module>(
    random: impl Fn(u64) -> M,
    rate: f64,
    gradients: impl Fn(&M, u64) -> FlatGradients,
) -> M {
    let mut optimizer = Optimizer::new();
    let first = train(random(1), &mut optimizer, (rate, 0..3), &gradients);
    let (read, mut read_optimizer) = read_again(&first, &optimizer, random(2)).unwrap();
    assert_eq!(bits(&read), bits(&first));
    let last = train(first, &mut optimizer, (rate, 3..60), &gradients);
    assert_eq!(bits(&train(read, &mut read_optimizer, (rate, 3..60), &gradients)), bits(&last));
    last
}

/// Adds to one element of one parameter.
struct Move {
    parameter: usize,
    element: usize,
    by: f32,
    next: usize,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = parameter.consume();
        let mut value = value.inner();
        if self.next == self.parameter {
            let (shape, mut numbers) = (value.dims(), value.into_data().try_to_vec::<f32>().unwrap());
            numbers[self.element] += self.by;
            value = Tensor::from_data(TensorData::new(numbers, shape), &Device::flex());
        }
        self.next += 1;
        Param::from_mapped_value(id, Tensor::from_inner(value).require_grad(), mapper)
    }
}

/// How gradients are held against differences of the loss.
pub(super) struct Slopes {
    /// To each side.
    pub(super) step: f32,
    /// How many elements of a parameter, about.
    pub(super) elements: usize,
    pub(super) tolerance: f64,
    /// So many of the gradients are at least this steep.
    pub(super) steep: (usize, f64),
}

impl Slopes {
    /// Holds `gradients` of `loss` at `model` against it.
    pub(super) fn check<M: Module>(&self, what: &str, model: &M, gradients: Vec<Vec<f32>>, loss: impl Fn(&M) -> f64) {
        let mut steep = 0;
        for (parameter, gradient) in gradients.into_iter().enumerate() {
            for element in (0..gradient.len()).step_by(gradient.len() / self.elements + 1) {
                let moved = |by| loss(&model.clone().map(&mut Move { parameter, element, by, next: 0 }));
                let slope = (moved(self.step) - moved(-self.step)) / f64::from(2.0 * self.step);
                let expected = f64::from(gradient[element]);
                let is_near = (slope - expected).abs() < self.tolerance;
                assert!(is_near, "{what}, parameter {parameter}: {slope} {expected}");
                steep += usize::from(expected.abs() > self.steep.1);
            }
        }
        assert!(steep >= self.steep.0, "{what}: {steep}");
    }
}
