//! Datasets: manifests, readers of the published formats, and the mini benchmark's generator.

pub mod mini;
