//! The optimizer's step on burn tensors.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::memory::{numbers, primitive, tensor};
use super::sparse::{Table, touched_rows};
use crate::kernel::cpu::Buffer;
use crate::kernel::cpu::adam::{self, Gradient, Piece, Scalars};
use crate::kernel::{Adam, AdamRule, Moments, Trained};

/// √Σ‖g‖², of tensors on `flex`.
pub(in crate::kernel) fn global_norm(gradients: &[Tensor<1>]) -> f64 {
    let gradients: Vec<Known> = gradients.iter().map(|gradient| Known::new(gradient.clone())).collect();
    let views: Vec<Gradient<'_>> = gradients.iter().map(|gradient| gradient.view(&[])).collect();
    adam::norm(&views)
}

/// One step on every parameter, of tensors on `flex`.
pub(in crate::kernel) fn adam_step(all: Vec<Trained>, rule: AdamRule, with: &Adam) -> Vec<(Tensor<1>, Moments<1>)> {
    let mut all: Vec<State> = all.into_iter().map(State::new).collect();
    let pieces = all.iter_mut().map(|state| state.piece(with)).collect();
    adam::step(pieces, &scalars(rule, with));
    all.into_iter().map(State::into_tensors).collect()
}

fn scalars(rule: AdamRule, with: &Adam) -> Scalars {
    let [first, second] = rule.corrections(with);
    Scalars {
        gradient_scale: with.gradient_scale.min(1.0) as f32,
        first: [with.beta1 as f32, (1.0 - with.beta1) as f32],
        second: [with.beta2 as f32, (1.0 - with.beta2) as f32],
        rate: (with.learning_rate / first) as f32,
        root_scale: (1.0 / second.sqrt()) as f32,
        epsilon: with.epsilon as f32,
    }
}

/// As [`primitive`], all of its memory, to be overwritten; copied only when someone else holds it.
fn writable(tensor: Tensor<1>) -> FlexTensor {
    let tensor = primitive(tensor);
    let whole = tensor.layout().contiguous_offsets() == Some((0, tensor.storage::<f32>().len()));
    if whole { tensor } else { tensor.to_contiguous() }
}

/// A gradient and what is known about its rows.
struct Known {
    gradient: FlexTensor,
    table: Option<Table>,
}

impl Known {
    fn new(gradient: Tensor<1>) -> Self {
        let gradient = primitive(gradient);
        Self { table: touched_rows(&gradient), gradient }
    }

    /// With `live` of the parameter's moments.
    fn view<'a>(&'a self, live: &'a [bool]) -> Gradient<'a> {
        let values = numbers(&self.gradient);
        match &self.table {
            Some(Table { touched, width }) => Gradient::Rows { values, width: *width, touched, live },
            None => Gradient::Dense(values),
        }
    }
}

/// A parameter in the middle of a step.
struct State {
    parameter: FlexTensor,
    first: FlexTensor,
    second: FlexTensor,
    live_rows: Option<Vec<bool>>,
    gradient: Known,
    decays: bool,
    begins: bool,
}

impl State {
    fn new(trained: Trained) -> Self {
        let Trained { parameter, gradient, moments, decays } = trained;
        let mut gradient = Known::new(gradient);
        let length = numbers(&gradient.gradient).len();
        let begins = moments.is_none();
        let (first, second, mut live_rows) = if let Some(Moments { first, second, live_rows }) = moments {
            (writable(first), writable(second), live_rows)
        } else {
            let new = || match gradient.table {
                // Rows that never have a gradient take no memory.
                Some(_) => tensor(Buffer::zeroed_on_demand(length), [length]),
                None => tensor(Buffer::take(length), [length]),
            };
            let rows = gradient.table.as_ref().map(|table| vec![false; length / table.width.max(1)]);
            (new(), new(), rows)
        };
        match (&mut live_rows, &gradient.table) {
            (Some(live), Some(table)) => table.touched.iter().for_each(|&row| live[row as usize] = true),
            (None, Some(table)) => {
                // Any row may have moments.
                live_rows = Some(vec![true; length / table.width.max(1)]);
            }
            (live, None) => *live = None,
        }
        if live_rows.is_none() {
            gradient.table = None;
        }
        Self { parameter: writable(parameter), first, second, live_rows, gradient, decays, begins }
    }

    fn piece(&mut self, with: &Adam) -> Piece<'_> {
        let weight_decay = if self.decays { with.weight_decay } else { 0.0 };
        Piece {
            parameter: self.parameter.storage_mut(),
            first: self.first.storage_mut(),
            second: self.second.storage_mut(),
            gradient: self.gradient.view(self.live_rows.as_deref().unwrap_or(&[])),
            kept: (1.0 - with.learning_rate * weight_decay) as f32,
            begins: self.begins,
        }
    }

    fn into_tensors(self) -> (Tensor<1>, Moments<1>) {
        let [parameter, first, second] = [self.parameter, self.first, self.second].map(Tensor::from_primitive::<Flex>);
        (parameter, Moments { first, second, live_rows: self.live_rows })
    }
}
