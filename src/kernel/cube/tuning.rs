//! Which of cubek's kernels multiplies, found out by timing them: for each product the fastest that multiplies right.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Cube, TensorMetadata};
use burn::tensor::{Int, Tensor};
use burn_cubecl::cubecl::future::block_on;
use burn_cubecl::kernel::cast;
use burn_cubecl::tensor::CubeTensor;
use cubek::matmul::strategy::Strategy;

use super::candidates::{DEFAULT, candidate, candidates};
use super::multiply::multiply_by;
use super::tensor::{precision_of, zeros};
use crate::kernel::{KeptKernels, Precision, TimedKernels};

/// How often a kernel is timed, of which the least counts, and how many products are timed at once.
const ROUNDS: usize = 3;
const AT_ONCE: u32 = 4;
/// How far a product may be from that of the default, as a part of its norm: what is lost where one of the two rounds its
/// operands to the 11 bits of TF32. One that computes something else is off by more.
const AGREES: f64 = 4e-3;

/// The tuner of this process, if it tunes. What is launched knows nothing of the run that it is for.
static TUNER: Mutex<Option<Arc<Tuner>>> = Mutex::new(None);

/// Which side of a product the tokens of a batch are: sizes of other sides are a model's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Varying {
    Rows,
    Depth,
}

/// A product, as far as its kernel is chosen by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Product {
    operands: &'static str,
    sizes: [usize; 3],
    varying: Varying,
    is_transposed: [bool; 2],
}

impl Product {
    fn of(a: &CubeTensor, b: &CubeTensor, varying: Varying) -> Self {
        let [rows, depth, columns] = [a.shape()[0], a.shape()[1], b.shape()[1]];
        // Batches have another number of tokens each: those up to the next power of two share a kernel.
        let sizes = match varying {
            Varying::Rows => [rows.next_power_of_two(), depth, columns],
            Varying::Depth => [rows, depth.next_power_of_two(), columns],
        };
        let operands = match precision_of(a) {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
            Precision::F16 => "f16",
        };
        Self { operands, sizes, varying, is_transposed: [a, b].map(is_transposed) }
    }
}

impl fmt::Display for Product {
    /// `f16 [≤2048, 768] × [768, 2304]`; a matrix that lies transposed in memory with a ᵀ behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, depth, columns] = self.sizes;
        let [of_rows, of_depth] = [Varying::Rows, Varying::Depth].map(|at| if at == self.varying { "≤" } else { "" });
        let [left, right] = self.is_transposed.map(|is| if is { "ᵀ" } else { "" });
        let operands = self.operands;
        write!(f, "{operands} [{of_rows}{rows}, {of_depth}{depth}]{left} × [{of_depth}{depth}, {columns}]{right}")
    }
}

fn is_transposed(tensor: &CubeTensor) -> bool {
    let strides = tensor.meta.strides();
    strides[0] < strides[1]
}

/// Chooses kernels, and remembers which.
pub(in crate::kernel) struct Tuner {
    kept: Arc<dyn KeptKernels>,
    chosen: Mutex<BTreeMap<Product, Chosen>>,
    problem: Mutex<Option<io::Error>>,
}

/// A kernel by its name; of the default, and of one that is not known, there is no more.
#[derive(Clone)]
struct Chosen {
    name: String,
    kernel: Option<Strategy>,
}

impl fmt::Debug for Tuner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tuner").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl Tuner {
    pub(in crate::kernel) fn start(kept: Arc<dyn KeptKernels>) -> Arc<Self> {
        let tuner = Arc::new(Self { kept, chosen: Mutex::default(), problem: Mutex::default() });
        *locked(&TUNER) = Some(tuner.clone());
        tuner
    }

    pub(in crate::kernel) fn stop(self: &Arc<Self>) {
        let mut current = locked(&TUNER);
        if current.as_ref().is_some_and(|tuner| Arc::ptr_eq(tuner, self)) {
            *current = None;
        }
    }

    /// Every product, with its kernel; what went wrong first, once.
    pub(in crate::kernel) fn chosen(&self) -> io::Result<Vec<(String, String)>> {
        if let Some(problem) = locked(&self.problem).take() {
            return Err(problem);
        }
        let chosen = locked(&self.chosen);
        Ok(chosen.iter().map(|(product, kernel)| (product.to_string(), kernel.name.clone())).collect())
    }

    /// The kernel of a product; the default where nothing can be read or kept.
    fn kernel(&self, product: Product, a: &CubeTensor, b: &CubeTensor) -> Option<Strategy> {
        if let Some(chosen) = locked(&self.chosen).get(&product) {
            return chosen.kernel.clone();
        }
        let of = product.to_string();
        let name = match self.kept.kept(&of) {
            Ok(Some(name)) => Ok(name),
            Ok(None) => self.kept.keep(&of, time_all(a, b)),
            Err(error) => Err(error),
        };
        let name = name.unwrap_or_else(|error| {
            locked(&self.problem).get_or_insert(error);
            DEFAULT.to_owned()
        });
        let kernel = candidate(&name);
        locked(&self.chosen).insert(product, Chosen { name, kernel: kernel.clone() });
        kernel
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// a b by the kernel that was chosen for it; nothing where none is chosen, or it is the default, or the kernel cannot
/// multiply these: it was chosen for others of about their size.
pub(super) fn tuned(a: &CubeTensor, b: &CubeTensor, varying: Varying) -> Option<CubeTensor> {
    let tuner = locked(&TUNER).clone()?;
    let kernel = tuner.kernel(Product::of(a, b, varying), a, b)?;
    multiply_by(&kernel, a, b).ok()
}

/// Times every kernel on operands like a and b.
fn time_all(a: &CubeTensor, b: &CubeTensor) -> TimedKernels {
    let (a, b) = (made_up(a), made_up(b));
    let expected = multiply_by(&Strategy::Auto, &a, &b).ok().map(Tensor::<2>::from_primitive::<Cube>);
    let mut seconds = BTreeMap::new();
    for (name, kernel) in candidates(&a) {
        let best = expected.as_ref().and_then(|expected| time(&kernel, &a, &b, expected));
        seconds.extend(best.map(|best| (name, best)));
    }
    let fastest = seconds.iter().min_by(|(_, one), (_, other)| one.total_cmp(other));
    TimedKernels { kernel: fastest.map_or(DEFAULT, |(name, _)| name).to_owned(), seconds }
}

/// Numbers of the shape, the type and the order in memory of `like`, whatever overflows in the run itself.
fn made_up(like: &CubeTensor) -> CubeTensor {
    let transposed = is_transposed(like);
    let [rows, columns] = [like.shape()[0], like.shape()[1]];
    let shape = if transposed { [columns, rows] } else { [rows, columns] };
    let device = Tensor::<1>::from_primitive::<Cube>(zeros(like, [1])).device();
    let numbers = Tensor::<1, Int>::arange(0..(rows * columns) as i64, &device).float().cos().reshape(shape);
    let numbers = match numbers.try_into_primitive::<Cube>() {
        Ok(numbers) => cast(numbers, like.dtype),
        Err(error) => unreachable!("it was made on this device: {error:?}"),
    };
    if transposed { Cube::float_transpose(numbers) } else { numbers }
}

/// Seconds of a product by `kernel`, if it gives what is expected.
fn time(kernel: &Strategy, a: &CubeTensor, b: &CubeTensor, expected: &Tensor<2>) -> Option<f64> {
    let found = Tensor::<2>::from_primitive::<Cube>(multiply_by(kernel, a, b).ok()?);
    let [error, size] =
        [found - expected.clone(), expected.clone()].map(|of| of.square().sum().try_into_scalar::<f32>());
    // What is not a number is not below it.
    let agrees = f64::from(error.ok()?) <= AGREES * AGREES * f64::from(size.ok()?);
    if !agrees {
        return None;
    }
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for _ in 0..AT_ONCE {
            drop(multiply_by(kernel, a, b).ok()?);
        }
        block_on(a.client.sync()).ok()?;
        best = best.min(begin.elapsed().as_secs_f64() / f64::from(AT_ONCE));
    }
    Some(best)
}

#[cfg(test)]
#[path = "tuning/tests.rs"]
mod tests;
