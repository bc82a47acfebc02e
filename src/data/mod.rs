//! Datasets: manifests, readers of the published formats, and the mini benchmark's generator.

mod dataset;
mod example;
pub mod fetch;
mod folder;
mod glue;
mod lone;
mod manifest;
pub mod mini;
mod msr;
mod rows;
mod table;
mod verify;

pub use crate::checksum::sha256_of;
pub use dataset::{Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
pub use example::{BadRows, Example, Label, Split};
pub use lone::LoneTable;
pub use manifest::{Counted, Manifest, ManifestSplit};
pub use table::DATASETS;
pub use verify::{Finding, Verdict, verify};
