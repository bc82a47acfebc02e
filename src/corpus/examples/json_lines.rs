//! Examples as JSON lines, masked, for other programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{Cursor, ExampleSet, ExamplesError, TrainingInstance};

/// Examples that are made at a time when all are written.
const AT_ONCE: u64 = 1024;

/// The order in which training reads examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOrder {
    /// Optimisation steps.
    pub steps: u64,
    /// Examples of each.
    pub batch_size: u32,
    /// The seed of training.
    pub seed: u64,
}

/// Why not all was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The user stopped it.
    #[error("stopped")]
    Stopped,
    /// The corpus cannot be read, or the lines cannot be written.
    #[error(transparent)]
    Corpus(ExamplesError),
}

impl<E: Into<ExamplesError>> From<E> for ExportError {
    fn from(error: E) -> Self {
        Self::Corpus(error.into())
    }
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    /// Counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    #[serde(flatten)]
    example: &'a TrainingInstance,
}

/// Writes the examples of `order`, with the masks that training draws; without an order every example once, as the corpus
/// has them, with the masks of the first epoch. `stop` is asked now and then; `written` counts them.
///
/// # Errors
/// A corpus that cannot be read; what `into` answers; a stop.
pub fn write_json_lines(
    set: &ExampleSet,
    order: Option<BatchOrder>,
    into: &mut dyn Write,
    stop: &dyn Fn() -> bool,
    written: &mut u64,
) -> Result<(), ExportError> {
    let mut cursor = Cursor::default();
    let parts = order.map_or_else(|| set.len().div_ceil(AT_ONCE), |order| order.steps);
    for part in 0..parts {
        if stop() {
            return Err(ExportError::Stopped);
        }
        let examples;
        (examples, cursor) = match order {
            Some(BatchOrder { batch_size, seed, .. }) => set.batch(seed, cursor, batch_size as usize)?,
            None => (set.in_order(part * AT_ONCE..(part + 1) * AT_ONCE)?, cursor),
        };
        for example in &examples {
            write_line(into, order.map(|_| part + 1), example)?;
        }
        *written += examples.len() as u64;
    }
    Ok(())
}

fn write_line(into: &mut dyn Write, step: Option<u64>, example: &TrainingInstance) -> io::Result<()> {
    serde_json::to_writer(&mut *into, &Line { step, example })?;
    into.write_all(b"\n")
}
