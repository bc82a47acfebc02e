//! Pretraining's examples: a corpus is tokenised once into shards on disk, examples are planned as ranges of
//! their tokens, and made, masks and all, when training asks for them.

mod error;
mod example_set;
mod json_lines;
mod manifest;
mod masking;
mod order;
mod output_folder;
mod passages;
mod plan;
mod positional;
mod prepare;
mod sealed;
mod segments;
mod sentences;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod tokenise;
mod tokens;
mod words;

pub use error::ExamplesError;
pub use example_set::{ExampleSet, TrainingInstance};
pub use json_lines::{BatchOrder, ExportError, write_json_lines};
pub use manifest::{CorpusCounts, MANIFEST};
pub use order::{Cursor, ExampleOrder};
pub use output_folder::check_output_folder;
pub use passages::{PassageKind, Passages, Step};
pub use prepare::{PrepareProgress, PrepareSummary, TokenizedBy, prepare};
pub use sentences::split_sentences;
pub use settings::{Drawn, ExampleSettings, MaskingRules, Replacement, Segments, Targets};
pub use source::PassageSource;
