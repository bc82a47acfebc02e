use burn::tensor::{Device, Tensor};

use super::*;
use crate::kernel::comparison::{assert_close, leaf};
use crate::kernel::cube::tensor::primitive;
use crate::kernel::cube::tests::gpu;
use crate::kernel::{EmbeddingTables, TokenRows, embeddings, global_norm};

const WIDTH: usize = 77;

/// The gradient of the words that `ids` read, flattened.
fn gradient_of_words(ids: &[u32], device: &Device) -> Tensor<1> {
    let [word, position, segment] =
        [(50, 0), (9, 1), (2, 2)].map(|(rows, seed)| leaf::<2>([rows, WIDTH], seed, device));
    let [gamma, beta] = [3, 4].map(|seed| leaf::<1>([WIDTH], seed, device));
    let tables = EmbeddingTables { word: word.clone(), position, segment, gamma, beta };
    let rows =
        TokenRows { ids: ids.into(), positions: (0..ids.len() as u32).collect(), segments: vec![0; ids.len()].into() };
    let y = embeddings(tables, &rows, None, 0);
    let mut gradients = (y * leaf([ids.len(), WIDTH], 5, device)).sum().backward();
    word.grad_remove(&mut gradients).unwrap().reshape([50 * WIDTH])
}

/// Memory is used again, and what an earlier step wrote there is gone; the norm is that of all rows.
#[test]
fn gradients_of_words_are_zero_but_for_the_rows_of_their_step() {
    let (on_gpu, on_cpu) = (gpu().autodiff(), Device::flex().autodiff());
    for ids in [&[3, 3, 7, 49, 0][..], &[1, 2], &[3, 3, 3, 3, 3, 8, 9], &[49]] {
        let [found, expected] = [&on_gpu, &on_cpu].map(|device| gradient_of_words(ids, device));
        let rows = rows_of(&primitive(found.clone())).expect("its rows are known");
        let mut distinct = ids.to_vec();
        distinct.dedup();
        assert_eq!(rows.count, distinct.len());
        let norms = [global_norm(std::slice::from_ref(&found)), global_norm(std::slice::from_ref(&expected))];
        assert!((norms[0] / norms[1] - 1.0).abs() < 1e-5, "{norms:?}");
        let numbers = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
        assert_close(&[numbers(found)], &[numbers(expected)], 2e-5);
    }
}

/// Who adds to a gradient gets other memory, of which nothing is known.
#[test]
fn a_sum_of_gradients_is_not_taken_for_a_sparse_one() {
    let device = gpu().autodiff();
    let first = gradient_of_words(&[1, 2], &device);
    let second = gradient_of_words(&[30], &device);
    let of_each = [&first, &second].map(|gradient| global_norm(std::slice::from_ref(gradient)));
    let sum = first + second;
    assert!(rows_of(&primitive(sum.clone())).is_none());
    // They have no row in common.
    let expected = of_each.iter().map(|norm| norm * norm).sum::<f64>().sqrt();
    assert!((global_norm(&[sum]) / expected - 1.0).abs() < 1e-5);
}
