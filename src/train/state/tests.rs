//! What is read is what was written, and training goes on from it as if nothing had been.

use super::*;
use crate::model::{Classifier, random_classifier};
use crate::store::Architecture;
use crate::train::invariants::{self, SMALL, device, gradients_of, read_again, train};

/// A step on each of `batches`; the word embeddings have gradients in the rows that these name alone.
fn train_on(model: Classifier, optimizer: &mut Optimizer, batches: &[[u32; 3]]) -> Classifier {
    train(model, optimizer, (1e-2, 0..batches.len() as u64), |model, step| {
        let mut gradients = gradients_of(model, &batches[step as usize]);
        // As if nothing flowed into the first bias.
        gradients[6] = None;
        gradients
    })
}

/// Every bit of the parameters and of the moments.
fn bits(model: &Classifier, optimizer: &Optimizer) -> Vec<Vec<u32>> {
    let of = |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let mut bits = invariants::bits(model);
    for moments in &optimizer.moments {
        bits.push(vec![u32::from(moments.is_some())]);
        if let Some(Moments { first, second, live_rows }) = moments {
            bits.extend([first, second].map(|moment| of(numbers(moment.clone()).unwrap())));
            bits.push(live_rows.iter().flatten().map(|live| u32::from(*live)).collect());
        }
    }
    bits
}

fn random(seed: u64) -> Classifier {
    random_classifier(&SMALL, 3, seed, &device())
}

#[test]
fn training_goes_on_with_the_same_bits() {
    let (first, second) = ([[1, 2, 3], [7, 8, 9]], [[1, 7, 11], [12, 13, 1], [2, 3, 4]]);
    let mut optimizer = Optimizer::new();
    let model = train_on(random(1), &mut optimizer, &first);
    let live = optimizer.moments[0].as_ref().and_then(|moments| moments.live_rows.clone()).unwrap();
    assert_eq!(live.iter().filter(|live| **live).count(), 6, "rows that had a gradient");
    assert!(optimizer.moments[6].is_none() && optimizer.moments.len() > 20);
    let (read_model, mut read_optimizer) = read_again(&model, &optimizer, random(2)).unwrap();
    assert_eq!(bits(&read_model, &read_optimizer), bits(&model, &optimizer));
    assert_eq!(read_optimizer.step, 2);
    let model = train_on(model, &mut optimizer, &second);
    let read_model = train_on(read_model, &mut read_optimizer, &second);
    assert_eq!(bits(&read_model, &read_optimizer), bits(&model, &optimizer));
}

#[test]
fn before_the_first_step_there_are_no_moments() {
    let (model, optimizer) = read_again(&random(1), &Optimizer::new(), random(2)).unwrap();
    assert_eq!(bits(&model, &optimizer), bits(&random(1), &Optimizer::new()));
}

#[test]
fn a_model_of_another_shape_is_refused() {
    let mut optimizer = Optimizer::new();
    let model = train_on(random(1), &mut optimizer, &[[1, 2, 3]]);
    for (layers, hidden) in [(1, 16), (3, 16), (2, 8)] {
        let other = random_classifier(&Architecture { layers, hidden, ..SMALL }, 3, 1, &device());
        assert!(read_again(&model, &optimizer, other).is_err(), "{layers} {hidden}");
    }
}
