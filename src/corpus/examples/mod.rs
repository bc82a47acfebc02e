//! Pretraining's examples: a corpus is tokenised once into shards on disk, examples are planned as ranges of
//! their tokens, and made, masks and all, when training asks for them.

mod error;
mod example_set;
mod json_lines;
mod manifest;
mod masking;
mod order;
mod passages;
mod plan;
mod positional;
mod prepare;
mod sealed;
mod segments;
mod sentences;
mod settings;
#[cfg(test)]
pub(super) mod tests;
mod tokenise;
mod tokens;
mod words;

pub use error::ExamplesError;
pub use example_set::{ExampleSet, TrainingInstance};
pub use json_lines::{BatchOrder, ExportError, write_json_lines};
pub use manifest::{CorpusCounts, MANIFEST};
pub use order::{Cursor, ExampleOrder};
pub use passages::{PassageKind, PassageSource, Passages, Step};
pub use prepare::{PrepareProgress, PrepareSummary, TokenizedBy, check_output_folder, prepare};
pub use sentences::split_sentences;
pub use settings::{Drawn, ExampleSettings, MaskingRules, Replacement, Segments, Targets};
