use super::*;
use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
use crate::random::Stream;

const SCALARS: Scalars = Scalars {
    gradient_scale: 0.7,
    first: [0.9, 0.1],
    second: [0.999, 0.001],
    rate: 1e-2,
    root_scale: 20.0,
    epsilon: 1e-6,
};
const WIDTH: usize = 48;
const ROWS: usize = 1500;

/// Parameter and moments of a table and of a vector after three steps, the table's gradients as `dense`
/// says, and the norms.
fn train(dense: bool) -> (Vec<Vec<f32>>, Vec<f64>) {
    let mut draws = Stream::new(1, "adam test").at(0);
    let mut normal = |n: usize| (0..n).map(|_| draws.normal() as f32).collect::<Vec<_>>();
    let (mut table, mut vector) = (normal(ROWS * WIDTH), normal(40_001));
    let (mut m, mut v) = (vec![0.0; table.len()], vec![0.0; table.len()]);
    let (mut m2, mut v2) = (vec![f32::NAN; vector.len()], vec![f32::NAN; vector.len()]);
    let mut live = vec![false; ROWS];
    let mut norms = Vec::new();
    for at in 0..3 {
        let touched: Vec<u32> = (0..ROWS as u32).filter(|row| row % 7 == at || row % 11 == 3).collect();
        let mut values = vec![0.0; table.len()];
        for &row in &touched {
            live[row as usize] = true;
            values[row as usize * WIDTH..][..WIDTH].copy_from_slice(&normal(WIDTH));
        }
        let small = normal(vector.len());
        let sparse = Gradient::Rows { values: &values, width: WIDTH, touched: &touched, live: &live };
        let gradients = [if dense { Gradient::Dense(&values) } else { sparse }, Gradient::Dense(&small)];
        norms.push(norm(&gradients));
        let tables = Piece {
            parameter: &mut table,
            first: &mut m,
            second: &mut v,
            gradient: gradients[0],
            kept: 0.999,
            begins: false,
        };
        let vectors = Piece {
            parameter: &mut vector,
            first: &mut m2,
            second: &mut v2,
            gradient: gradients[1],
            kept: 1.0,
            begins: at == 0,
        };
        step(vec![tables, vectors], &SCALARS);
    }
    (vec![table, m, v, vector, m2, v2], norms)
}

#[test]
fn rows_without_gradient_get_what_a_gradient_of_zero_gives() {
    with_every_isa(|_| {
        let (sparse, norms) = train(false);
        let (dense, dense_norms) = train(true);
        assert_eq!(sparse, dense);
        for (sparse, dense) in norms.iter().zip(dense_norms) {
            assert!((sparse / dense - 1.0).abs() < 1e-7, "{sparse} {dense}");
        }
    });
}

#[test]
fn bits_do_not_depend_on_threads() {
    with_every_isa(|_| {
        let run = |threads| pool(threads).install(|| train(false));
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
    });
}

#[test]
fn bits_do_not_depend_on_the_instructions() {
    let first = std::sync::OnceLock::new();
    with_every_isa(|isa| assert_eq!(*first.get_or_init(|| train(false)), train(false), "{isa:?}"));
}

#[test]
fn the_norm_is_that_of_all_numbers() {
    with_every_isa(|_| {
        let mut draws = Stream::new(2, "adam test").at(0);
        let values: Vec<f32> = (0..100_003).map(|_| draws.normal() as f32 * 1e-3).collect();
        let exact = values.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
        assert!(
            (norm(&[Gradient::Dense(&values[..70_000]), Gradient::Dense(&values[70_000..])]) / exact - 1.0).abs()
                < 1e-7
        );
        assert!(norm(&[]).abs() < f64::EPSILON);
    });
}
