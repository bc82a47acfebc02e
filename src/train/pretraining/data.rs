//! The corpora that a pretraining run names by checksum.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Diagnostic;
use crate::store::PretrainingObjective;
use crate::train::error::TrainError;

/// What a model is pretrained and evaluated on.
#[derive(Debug)]
pub(super) struct PhaseCorpora {
    /// The corpus of each phase.
    pub(super) corpora: Vec<ExampleSet>,
    /// What it is evaluated on.
    pub(super) held_out: Option<ExampleSet>,
}

impl PhaseCorpora {
    /// Opens the prepared corpora of `objective`, whose folders `known` gives by checksum.
    ///
    /// # Errors
    /// When one is not known on this machine, or damaged.
    pub(super) fn open(
        known: &BTreeMap<String, PathBuf>,
        objective: &PretrainingObjective,
    ) -> Result<Self, TrainError> {
        let open = |checksum: &String| -> Result<ExampleSet, TrainError> {
            let folder = known.get(checksum).ok_or_else(|| {
                Diagnostic::new(format!("the corpus {checksum} is not known on this machine"))
                    .hint("start again, so that it is prepared again")
            })?;
            Ok(ExampleSet::open(folder)?)
        };
        Ok(Self {
            corpora: objective.phases.iter().map(|phase| open(&phase.data)).collect::<Result<_, _>>()?,
            held_out: objective.evaluation.as_ref().map(|evaluation| open(&evaluation.data)).transpose()?,
        })
    }
}
