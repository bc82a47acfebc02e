use super::*;
use crate::kernel::cpu::isa::forced::pool;
use crate::random::Stream;

const WIDTH: usize = 21;
const WORDS: usize = 40;
const EACH: usize = 6;

struct Drawn {
    centres: Vec<u32>,
    others: Vec<u32>,
    vectors: Vec<f32>,
    context: Vec<f32>,
}

/// More pairs than are added up together, some words more often than others.
fn drawn() -> Drawn {
    let draws = &mut Stream::new(3, "skip-gram").at(0);
    let mut ids = |count: usize| -> Vec<u32> {
        (0..count).map(|_| draws.below(WORDS - 3).min(draws.below(WORDS - 3)) as u32).collect()
    };
    let (centres, others) = (ids(2 * RUN * RUNS + 9), ids((2 * RUN * RUNS + 9) * EACH));
    let mut table = || (0..WORDS * WIDTH).map(|_| 0.3 * draws.normal() as f32).collect();
    let (vectors, context) = (table(), table());
    Drawn { centres, others, vectors, context }
}

fn gradients(of: &Drawn, scale: f32) -> (SkipGramFound, [Vec<f32>; 2], [Vec<u32>; 2]) {
    let pairs = SkipGramPairs { centres: &of.centres, others: &of.others };
    let found = pairs.loss(&of.vectors, &of.context, WIDTH, Some(scale));
    let [mut first, mut second] = [vec![0.0; WORDS * WIDTH], vec![0.0; WORDS * WIDTH]];
    let touched = [
        pairs.vectors_gradient(&found.gradients, WIDTH, &mut first),
        pairs.context_gradient(&found.gradients, &of.vectors, WIDTH, &mut second),
    ];
    (found, [first, second], touched)
}

#[test]
fn the_rows_that_are_written_are_known() {
    let of = drawn();
    for (touched, ids) in gradients(&of, 1.0).2.iter().zip([&of.centres, &of.others]) {
        assert!(touched.is_sorted() && touched.len() < WORDS, "some rows are nobody's");
        assert!((0..WORDS as u32).all(|row| touched.contains(&row) == ids.contains(&row)));
    }
}

#[test]
fn no_bit_depends_on_the_number_of_threads() {
    let of = drawn();
    let on = |threads| {
        let (found, gradients, _) = pool(threads).install(|| gradients(&of, 0.1));
        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        (found.loss.to_bits(), found.right, gradients.map(|gradient| bits(&gradient)))
    };
    assert!(on(1) == on(2) && on(1) == on(5));
}
