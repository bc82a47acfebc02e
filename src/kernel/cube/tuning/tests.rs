//! On whatever GPU there is.

use std::collections::BTreeSet;

use super::super::product::{product, product_of_transposed, product_with_transposed};
use super::super::tensor::{operand, primitive};
use super::super::tests::gpu;
use super::*;
use crate::kernel::ProductTuning;
use crate::kernel::comparison::{assert_close, leaf, numbers};

/// What was kept, and what was asked for.
#[derive(Debug, Default)]
struct Memory {
    kept: Mutex<BTreeMap<String, String>>,
    timed: Mutex<Vec<TimedKernels>>,
    is_full: bool,
}

impl KeptKernels for Memory {
    fn kept(&self, product: &str) -> io::Result<Option<String>> {
        Ok(locked(&self.kept).get(product).cloned())
    }

    fn keep(&self, product: &str, timed: TimedKernels) -> io::Result<String> {
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let kernel = locked(&self.kept).entry(product.to_owned()).or_insert(timed.kernel.clone()).clone();
        locked(&self.timed).push(timed);
        Ok(kernel)
    }
}

/// The three kinds of product, of matrices of so many rows.
fn products(rows: usize) -> Vec<Vec<f32>> {
    let device = gpu().autodiff();
    let of = |shape, seed| operand(&primitive(leaf::<2>(shape, seed, &device).inner()), Precision::F32);
    let (x, w, arriving) = (of([rows, 24], 1), of([24, 40], 2), of([rows, 40], 3));
    let all = [product(&x, &w), product_with_transposed(&arriving, &w), product_of_transposed(&x, &arriving)];
    all.map(|found| numbers(Tensor::<2>::from_primitive::<Cube>(found))).into()
}

/// One test: there is one tuner in a process. Other tests may multiply meanwhile, and have their products timed as well.
#[test]
fn the_fastest_kernel_is_found_once_and_kept() {
    let expected = products(19);
    let memory = Arc::new(Memory::default());
    let tuning = ProductTuning::start(memory.clone());
    assert_close(&products(19), &expected, 2e-5);
    let ours = ["f32 [≤32, 24] × [24, 40]", "f32 [≤32, 40] × [40, 24]ᵀ", "f32 [24, ≤32]ᵀ × [≤32, 40]"];
    let known = |tuning: &ProductTuning| {
        let chosen = tuning.chosen().unwrap();
        chosen.into_iter().filter(|(product, _)| ours.contains(&product.as_str())).collect::<BTreeMap<_, _>>()
    };
    let first = known(&tuning);
    println!("{first:#?}");
    assert_eq!(first.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(ours));
    for timed in &*locked(&memory.timed) {
        println!("{timed:?}");
        let least = timed.seconds.values().copied().fold(f64::INFINITY, f64::min);
        assert!(timed.seconds.len() > 1 && least.to_bits() == timed.seconds[&timed.kernel].to_bits(), "{timed:?}");
    }
    // Another number of tokens of about the size, and the same again: nothing is timed.
    let timed = locked(&memory.timed).len();
    assert_eq!(products(19), products(19), "the same bits");
    products(30);
    assert_eq!(known(&tuning), first);
    drop(tuning);
    assert_eq!(products(19), expected, "without a tuner all is as before");

    // Another process, where another choice was kept.
    let chosen = "matmul_double_unit_min_tile_size";
    locked(&memory.kept).values_mut().for_each(|kernel| chosen.clone_into(kernel));
    let tuning = ProductTuning::start(memory.clone());
    assert_close(&products(19), &expected, 2e-5);
    assert!(known(&tuning).values().all(|kernel| kernel == chosen), "{:?}", tuning.chosen());
    assert!(locked(&memory.timed).len() < timed + ours.len(), "they were not timed again");
    drop(tuning);

    let tuning = ProductTuning::start(Arc::new(Memory { is_full: true, ..Memory::default() }));
    assert_eq!(products(19), expected, "what cannot be kept is not used");
    assert_eq!(tuning.chosen().unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn kernels_have_names_of_their_own() {
    let on = primitive(Tensor::<2>::zeros([2, 2], &gpu()));
    let names: Vec<String> = candidates(&on).into_iter().map(|(name, _)| name).collect();
    println!("{names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    assert_eq!(names[0], DEFAULT);
    assert!(names[1..].iter().all(|name| candidate(name).is_some()));
    assert!(candidate(DEFAULT).is_none() && candidate("another").is_none());
}

/// Numbers that mean nothing agree with nothing.
#[test]
fn a_product_that_is_not_the_expected_one_is_not_timed() {
    let a = made_up(&primitive(Tensor::<2>::zeros([20, 24], &gpu())));
    let b = made_up(&primitive(Tensor::<2>::zeros([24, 12], &gpu())));
    let right = Tensor::<2>::from_primitive::<Cube>(multiply_by(&Strategy::Auto, &a, &b).unwrap());
    assert!(time(&Strategy::Auto, &a, &b, &right).is_some_and(|seconds| seconds > 0.0));
    for wrong in [right.clone() * 1.1, right * f32::NAN] {
        assert_eq!(time(&Strategy::Auto, &a, &b, &wrong), None);
    }
}

#[test]
fn the_version_is_that_of_the_dependency() {
    let version = super::super::CUBEK.strip_prefix("cubek ").unwrap();
    assert!(include_str!("../../../../Cargo.toml").contains(&format!("cubek = {{ version = \"={version}\"")));
}
