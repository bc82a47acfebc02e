//! The gradient of the whole model against the loss itself, with dropout on: the masks of a step are the
//! same in every forward pass and in the backward pass.

use bertbench::kernel::cross_entropy;
use bertbench::model::{Classifier, ForwardDropout};
use bertbench::random::Stream;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::golden::{Case, classes, packed};
use super::measured::{Of, hold, nan_or_max, norm};

/// Length of a step to each side, in the parameter's own units. The curvature's error grows with its
/// square; the rounding of the float32 loss, divided by it, shrinks.
const STEP: f64 = 2e-3;
/// Both errors together, as a part of the slope. A wrong mask anywhere changes slopes by tenths.
const TOLERANCE: f64 = 1e-2;

struct Collect(Gradients, Vec<Vec<f64>>);

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad_remove(&mut self.0).unwrap();
        self.1.push(gradient.into_data().iter::<f32>().map(f64::from).collect());
    }
}

/// Moves parameter `which` by `by`.
struct Move<'a> {
    which: usize,
    at: usize,
    by: &'a [f64],
}

impl ModuleMapper for Move<'_> {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.at += 1;
        if self.at - 1 != self.which {
            return parameter;
        }
        let value = parameter.val();
        let moved: Vec<f32> = self.by.iter().map(|&x| x as f32).collect();
        let by = Tensor::from_data(TensorData::new(moved, value.dims()), &value.device());
        Param::from_tensor(value + by)
    }
}

fn loss(model: &Classifier, case: &Case, step: u64, device: &Device) -> Tensor<1> {
    let dropout = ForwardDropout::new(0.2, Stream::new(3, "dropout"), step);
    let (input, labels) = packed(&case.ragged(), device);
    cross_entropy(model.forward(&input, dropout.as_ref()), classes(&labels, device))
}

/// The slope of the loss along `direction` of parameter `which`.
fn slope(model: &Classifier, case: &Case, which: usize, direction: &[f64]) -> f64 {
    let at = |length: f64| {
        let by: Vec<f64> = direction.iter().map(|x| x * length).collect();
        let moved = model.clone().map(&mut Move { which, at: 0, by: &by });
        f64::from(loss(&moved, case, 7, &Device::flex()).into_scalar::<f32>())
    };
    (at(STEP) - at(-STEP)) / (2.0 * STEP)
}

/// Along each parameter's own gradient, and along a random half of it.
#[test]
fn slopes_of_the_loss_with_dropout_are_the_gradient() {
    let (case, device) = (Case::small("bert_deep"), Device::flex().autodiff());
    let model = case.model(&device);
    let mut collect = Collect(loss(&model, &case, 7, &device).backward(), Vec::new());
    model.visit(&mut collect);
    let (gradients, plain) = (collect.1, model.valid());
    let whole = norm(gradients.iter().flatten().copied());
    let (mut largest, mut compared) = (0.0, 0);
    for (which, gradient) in gradients.iter().enumerate() {
        let mut draws = Stream::new(1, "halves").at(which as u64);
        for keep in [1.0, 0.5] {
            let part: Vec<f64> = gradient.iter().map(|g| if draws.chance(keep) { *g } else { 0.0 }).collect();
            let length = norm(part.iter().copied());
            if length < 1e-2 * whole {
                continue;
            }
            let direction: Vec<f64> = part.iter().map(|g| g / length).collect();
            let slope = slope(&plain, &case, which, &direction);
            largest = nan_or_max(largest, (slope - length).abs() / length);
            compared += 1;
        }
    }
    assert!(compared > gradients.len(), "only {compared} slopes of {} parameters", gradients.len());
    hold(&case.name, "slopes with dropout, by finite differences", Of::Relative, TOLERANCE, largest);
}
