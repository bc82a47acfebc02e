//! The models that a report compares: one per experiment and model name.

use std::collections::BTreeMap;

use super::input::Input;
use crate::settings::Approach;
use crate::store::{Architecture, InitialWeights, RunSettings};

/// A model of one experiment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct System {
    /// Index into [`Input::experiments`].
    pub(crate) experiment: usize,
    /// The model's name in that experiment.
    pub(crate) model: String,
    /// What the page calls it: the model's name, with the experiment's where two experiments share it.
    pub(crate) label: String,
    pub(crate) architecture: Architecture,
    pub(crate) initial_weights: InitialWeights,
    pub(crate) approach: Approach,
}

/// The systems of these (experiment, settings) pairs, by experiment, size and name.
pub(crate) fn collect<'a>(input: &Input, runs: impl Iterator<Item = (usize, &'a RunSettings)>) -> Vec<System> {
    let mut found: BTreeMap<(usize, &str), &RunSettings> = BTreeMap::new();
    for (experiment, settings) in runs {
        let first = found.entry((experiment, &settings.model)).or_insert(settings);
        // Records arrive in no fixed order; should one name stand for two sizes, the larger is shown.
        if settings.architecture.parameters() > first.architecture.parameters() {
            *first = settings;
        }
    }
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, model) in found.keys() {
        *uses.entry(model).or_default() += 1;
    }
    let mut systems: Vec<System> = found
        .iter()
        .map(|((experiment, model), settings)| System {
            experiment: *experiment,
            model: (*model).to_owned(),
            label: if uses.get(model).is_some_and(|count| *count > 1) {
                format!("{model} ({})", input.experiments[*experiment].name)
            } else {
                (*model).to_owned()
            },
            architecture: settings.architecture,
            initial_weights: settings.initial_weights.clone(),
            approach: settings.approach(),
        })
        .collect();
    systems.sort_by_key(|system| (system.experiment, system.architecture.parameters()));
    systems
}
