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
mod text_file;
mod verify;

pub use crate::checksum::sha256_of;
pub use columns::{Columns, Scheme, Sentence, Sentences, Separator, sentences_of};
pub use content::Content;
pub use dataset::{Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
pub use example::{BadRows, Example, Label, Split};
pub use finding::{Finding, Verdict};
pub use lone::LoneTable;
pub use manifest::{Counted, Manifest, ManifestSplit};
pub use squad::{Answer, Question, Questions, SquadVersion, questions_of};
pub use swag::{Choice, Choices, ENDINGS, choices_of};
pub use table::DATASETS;
pub use verify::verify;
