//! The input of BERT: word + position + segment embeddings, layer norm, dropout.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use super::cpu::embeddings::PerTable;
use super::fused::{self, EmbeddingCall, EmbeddingTensors, Fused};
use super::{Dropout, TokenRows, dropped, indices::indices, layer_norm::norm};

/// The tables and the norm that [`embeddings`] reads.
pub type EmbeddingTables = PerTable<Tensor<2>, Tensor<1>>;

/// Layer norm of the sum of three embeddings, then dropout → `[tokens, hidden]`.
#[must_use]
pub fn embeddings(
    tables: EmbeddingTables,
    rows: &TokenRows,
    dropout: Option<&Dropout>,
    dropout_site: u32,
) -> Tensor<2> {
    if !fused::runs_on(&tables.word.device()) {
        return composed(tables, rows, dropout, dropout_site);
    }
    let [hidden] = tables.gamma.dims();
    let mask = dropout.map(|dropout| dropout.mask().site(dropout_site, hidden));
    let tensors = EmbeddingTensors {
        word: tables.word.into_dispatch(),
        position: tables.position.into_dispatch(),
        segment: tables.segment.into_dispatch(),
        gamma: tables.gamma.into_dispatch(),
        beta: tables.beta.into_dispatch(),
    };
    let call = EmbeddingCall { rows: rows.clone(), mask };
    Tensor::from_dispatch(<Dispatch as Fused>::fused_embeddings(tensors, call))
}

/// [`embeddings`] of burn's own operations, on every backend.
pub(super) fn composed(
    tables: EmbeddingTables,
    rows: &TokenRows,
    dropout: Option<&Dropout>,
    dropout_site: u32,
) -> Tensor<2> {
    let device = tables.word.device();
    let sum = tables.word.select(0, indices(rows.ids.iter().copied(), &device))
        + tables.position.select(0, indices(rows.positions.iter().copied(), &device))
        + tables.segment.select(0, indices(rows.segments.iter().copied(), &device));
    dropped(norm(sum, tables.gamma, tables.beta), dropout, dropout_site)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::kernel::comparison::{assert_close, leaf, numbers, random_rows};
    use crate::kernel::cpu::isa::forced::with_every_isa;
    use crate::random::Stream;

    const SIZES: [usize; 3] = [50, 30, 2];

    /// The output and the gradients of the five tensors for one function.
    fn run(
        of: fn(EmbeddingTables, &TokenRows, Option<&Dropout>, u32) -> Tensor<2>,
        dropout: Option<&Dropout>,
    ) -> Vec<Vec<f32>> {
        let device = Device::flex().autodiff();
        let hidden = 48;
        let [word, position, segment] = [0, 1, 2].map(|table| leaf([SIZES[table], hidden], table as u64, &device));
        let [gamma, beta] = [3, 4].map(|seed| leaf([hidden], seed, &device));
        let [ids, positions, segments] = SIZES.map(|size| random_rows(75, size));
        let rows = TokenRows { ids, positions, segments };
        let tables = EmbeddingTables { word, position, segment, gamma, beta };
        let y = of(tables.clone(), &rows, dropout, 9);
        let weights = leaf([75, hidden], 5, &device);
        let mut gradients = (y.clone() * weights).sum().backward();
        let mut found = vec![numbers(y)];
        for table in [tables.word, tables.position, tables.segment] {
            found.push(numbers(table.grad_remove(&mut gradients).unwrap()));
        }
        found.extend([tables.gamma, tables.beta].map(|of| numbers(of.grad_remove(&mut gradients).unwrap())));
        found
    }

    #[test]
    fn fused_equals_composed() {
        with_every_isa(|_| {
            for dropout in [None, Dropout::new(0.3, Stream::new(1, "dropout"), 4)] {
                let (fused, composed) = (run(embeddings, dropout.as_ref()), run(composed, dropout.as_ref()));
                assert_close(&fused, &composed, 1e-5);
            }
        });
    }
}
