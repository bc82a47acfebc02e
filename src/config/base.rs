//! What an experiment says besides what its runs learn.

use super::document::Document;
use super::written::Written;
use super::written_training::Training;
use crate::diagnostic::{Diagnostic, Place};
use crate::settings::{Cluster, Device};

/// What every experiment has, whatever its runs learn. Every list is non-empty and without duplicates, every number in
/// its range.
#[derive(Clone, Debug)]
pub struct ExperimentBase {
    /// Its name; safe as a folder's.
    pub name: String,
    /// The seeds, in file order.
    pub seeds: Vec<u64>,
    /// What all runs have in common.
    pub training: Training,
    /// Where to compute.
    pub device: Device,
    /// All places where to compute, of one kind; the first is `device`. Each is a slot when there are several.
    pub devices: Vec<Device>,
    /// How many runs go at the same time, when the file says so.
    pub slots: Option<u32>,
    /// What belongs to a cluster.
    pub cluster: Cluster,
    pub(super) document: Document,
}

impl ExperimentBase {
    /// That of a file that was checked.
    pub(super) fn of(written: &Written, document: Document) -> Self {
        Self {
            name: written.experiment.clone(),
            seeds: written.seeds.clone(),
            training: written.training.clone(),
            device: written.device,
            devices: written.devices.clone().unwrap_or_else(|| vec![written.device]),
            slots: written.slots,
            cluster: written.cluster.clone(),
            document,
        }
    }

    /// SHA-256 of what the file says, with `--set` over it: comments, layout and the order of keys do not count.
    #[must_use]
    pub fn sha256(&self) -> String {
        self.document.sha256()
    }

    /// The `--set` arguments.
    #[must_use]
    pub fn overrides(&self) -> &[String] {
        &self.document.overrides
    }

    /// Where the value at a key path is written, such as `models.minilm-l6.checkpoint`, `data` or
    /// `tasks.rte` (an element of a list by its text or its index). For a list or a mapping, its key's
    /// place. `None` when neither the file nor `--set` has it.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Option<Place> {
        self.document.spot(key).map(|spot| self.document.place(spot))
    }

    /// A finding about the value at a key path, placed at the nearest key that is written: at
    /// `models.base` when `models.base.vocab_file` is not, at the whole file when nothing is.
    #[must_use]
    pub fn finding(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        self.document.at_nearest(key, message)
    }
    /// What was found elsewhere, as a finding about the value at a key path.
    #[must_use]
    pub fn placed(&self, key: &str, found: Diagnostic) -> Diagnostic {
        Diagnostic { hint: found.hint, ..self.finding(key, found.message) }
    }
}
