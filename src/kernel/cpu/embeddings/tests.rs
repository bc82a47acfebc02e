use super::*;
use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
use crate::kernel::cpu::mask::Mask;
use crate::random::Stream;

const TOKENS: usize = 75;
const HIDDEN: usize = 24;
const SIZES: [usize; 3] = [40, 20, 2];

struct Case {
    parameters: [Vec<f32>; 5],
    rows: [Vec<u32>; 3],
    dy: Vec<f32>,
}

impl Case {
    fn new() -> Self {
        let mut draws = Stream::new(3, "embeddings test").at(0);
        let mut normal = |n: usize| (0..n).map(|_| draws.normal() as f32).collect::<Vec<_>>();
        let parameters = [SIZES[0], SIZES[1], SIZES[2], 1, 1].map(|rows| normal(rows * HIDDEN));
        let dy = normal(TOKENS * HIDDEN);
        let rows = SIZES.map(|size| (0..TOKENS).map(|_| draws.below(size) as u32).collect());
        Self { parameters, rows, dy }
    }

    fn tables(&self) -> Tables<'_> {
        let [word, position, segment, gamma, beta] = &self.parameters;
        Tables { word, position, segment, gamma, beta }
    }

    fn rows(&self) -> Rows<'_> {
        Rows { word: &self.rows[0], position: &self.rows[1], segment: &self.rows[2] }
    }

    fn gradients(&self, mask: Option<Site>) -> [Vec<f32>; 5] {
        let mut into = self.parameters.each_ref().map(|parameter| vec![0.0; parameter.len()]);
        let [word, position, segment, gamma, beta] = into.each_mut().map(|gradient| &mut gradient[..]);
        backward(&self.tables(), &self.rows(), mask, &self.dy, PerTable { word, position, segment, gamma, beta });
        into
    }
}

fn mask() -> Option<Site> {
    Mask::new(0.3, Stream::new(5, "dropout"), 2).map(|mask| mask.site(7, HIDDEN))
}

#[test]
fn bits_do_not_depend_on_threads() {
    with_every_isa(|_| {
        let case = Case::new();
        let run = |threads| {
            pool(threads).install(|| {
                let mut y = vec![0.0; TOKENS * HIDDEN];
                forward(&case.tables(), &case.rows(), mask(), &mut y);
                (y, case.gradients(mask()))
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
    });
}

#[test]
fn rows_without_tokens_are_not_touched() {
    with_every_isa(|_| {
        let case = Case::new();
        let [word, ..] = case.gradients(None);
        let touched = distinct(&case.rows[0]);
        assert!(touched.len() < SIZES[0] && touched.is_sorted());
        for (row, gradient) in word.chunks_exact(HIDDEN).enumerate() {
            let is_touched = touched.contains(&(row as u32));
            assert_eq!(gradient.iter().any(|&g| g != 0.0), is_touched, "{row}");
        }
    });
}
