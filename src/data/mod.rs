//! Datasets: manifests, readers of the published formats, and submissions.

mod columns;
mod content;
mod dataset;
mod example;
pub mod fetch;
mod finding;
mod folder;
mod glue;
mod layouts;
mod lone;
mod manifest;
mod msr;
pub mod probes;
mod published;
mod rfc4180;
mod rows;
mod squad;
pub mod submission;
mod swag;
pub mod table;
#[cfg(test)]
mod tests;
mod verify;

pub use crate::checksum::sha256_of;
pub use columns::{Columns, Scheme, Sentence, Sentences, Separator, read_sentences, sentences_of};
pub use content::Content;
pub use dataset::{Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
pub use example::{BadRows, Example, Label, Split};
pub use finding::{Finding, Verdict};
pub use lone::LoneTable;
pub use manifest::{Counted, Manifest, ManifestSplit};
pub use squad::{Answer, Question, Questions, SquadVersion, read_questions};
pub use swag::{Choice, Choices, ENDINGS, read_choices};
pub use table::DATASETS;
pub use verify::verify;
