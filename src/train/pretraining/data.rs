//! The corpora that a pretraining run names.

use std::collections::BTreeMap;

use super::check::corpus_fits;
use crate::corpus::examples::ExampleSet;
use crate::diagnostic::Diagnostic;
use crate::store::{PretrainingObjective, RunSettings};
use crate::train::error::TrainError;
use crate::train::ready::PreparedCorpus;

/// What a model is pretrained and evaluated on.
#[derive(Debug)]
pub(super) struct PhaseCorpora {
    /// The corpus of each phase.
    pub(super) corpora: Vec<ExampleSet>,
    /// What it is evaluated on.
    pub(super) held_out: Option<ExampleSet>,
}

impl PhaseCorpora {
    /// Opens the prepared corpora of `objective`, which is that of `settings`; `known` says where they are. With
    /// `verified`, every file is read and held against its checksum.
    ///
    /// # Errors
    /// When one is not known on this machine, damaged, changed since the run was planned, or not what the model learns
    /// from.
    pub(super) fn open(
        known: &BTreeMap<String, PreparedCorpus>,
        settings: &RunSettings,
        objective: &PretrainingObjective,
        verified: bool,
    ) -> Result<Self, TrainError> {
        let open = |data: &String| open_corpus(known, settings, objective, data, verified);
        if objective.phases.is_empty() {
            return Err(Diagnostic::new("a pretraining without phases").hint("a phase has a corpus and steps").into());
        }
        Ok(Self {
            corpora: objective.phases.iter().map(|phase| open(&phase.data)).collect::<Result<_, _>>()?,
            held_out: objective.evaluation.as_ref().map(|evaluation| open(&evaluation.data)).transpose()?,
        })
    }
}

/// The prepared corpus whose checksum is `data`, as [`PhaseCorpora::open`] opens each.
pub(super) fn open_corpus(
    known: &BTreeMap<String, PreparedCorpus>,
    settings: &RunSettings,
    objective: &PretrainingObjective,
    data: &str,
    verified: bool,
) -> Result<ExampleSet, TrainError> {
    let PreparedCorpus { folder, checksum } = known.get(data).ok_or_else(|| {
        Diagnostic::new(format!("the corpus {data} is not known on this machine"))
            .hint("start again, so that it is prepared again")
    })?;
    let set = ExampleSet::open(folder)?;
    if set.checksum() != checksum {
        return Err(Diagnostic::changed(folder).into());
    }
    if verified {
        // Its tokens too, which are read piece by piece later.
        set.verify()?;
    }
    corpus_fits(&settings.architecture, &settings.vocabulary.sha256, objective.loss, &set)
        .map_err(|found| found.in_file(folder))?;
    Ok(set)
}
