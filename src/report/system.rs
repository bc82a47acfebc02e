//! The models that a report compares: one per experiment and model name.

use std::collections::BTreeMap;

use super::input::Input;
use crate::settings::{Approach, EncoderType};
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
    /// Its dimensions.
    pub(crate) architecture: Architecture,
    /// Where its weights come from.
    pub(crate) initial_weights: InitialWeights,
    /// How the encoder is used.
    pub(crate) approach: Approach,
}

/// The systems of these (experiment, settings) pairs, by experiment, size and name.
pub(crate) fn collect<'a>(input: &Input, runs: impl Iterator<Item = (usize, &'a RunSettings)>) -> Vec<System> {
    let mut found: BTreeMap<(usize, &str), &RunSettings> = BTreeMap::new();
    for (experiment, settings) in runs {
        let first = found.entry((experiment, &settings.model)).or_insert(settings);
        // Records arrive in no fixed order; should one name stand for two sizes, the larger is shown.
        if parameters(&settings.architecture) > parameters(&first.architecture) {
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
    systems.sort_by_key(|system| (system.experiment, parameters(&system.architecture)));
    systems
}

/// Parameters of the encoder with its pooler (Devlin et al. 2018 give 110 M and 340 M, rounded).
pub(crate) fn parameters(architecture: &Architecture) -> u64 {
    if !architecture.encoder.is_transformer() {
        return parameters_without_attention(architecture);
    }
    let [layers, hidden, intermediate] =
        [architecture.layers, architecture.hidden, architecture.intermediate].map(u64::from);
    let rows = [architecture.vocab_size, architecture.max_positions, architecture.type_vocab_size];
    let norm = 2 * hidden;
    let embeddings = rows.map(u64::from).iter().sum::<u64>() * hidden + norm;
    let attention = 4 * (hidden * hidden + hidden) + norm;
    let feed_forward = 2 * hidden * intermediate + intermediate + hidden + norm;
    embeddings + layers * (attention + feed_forward) + hidden * hidden + hidden
}

/// Word embeddings; for each layer and direction, an LSTM's two matrices and a bias; and ELMo's learnt sum.
fn parameters_without_attention(architecture: &Architecture) -> u64 {
    let [layers, hidden, words] = [architecture.layers, architecture.hidden, architecture.vocab_size].map(u64::from);
    let directions = if architecture.encoder == EncoderType::Elmo { 2 } else { 1 };
    let width = hidden / directions;
    let scalars = if directions == 2 { layers + 2 } else { 0 };
    words * width + layers * directions * 4 * width * (2 * width + 1) + scalars
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hugging Face's `BertModel.num_parameters()` for `bert-base-uncased` and `bert-large-uncased`.
    #[test]
    fn parameter_counts_are_those_of_bert() {
        let bert = |layers, hidden, heads| Architecture {
            layers,
            hidden,
            heads,
            intermediate: 4 * hidden,
            vocab_size: 30522,
            max_positions: 512,
            type_vocab_size: 2,
            causal: false,
            encoder: crate::settings::EncoderType::Bert,
            pooling: None,
        };
        assert_eq!(parameters(&bert(12, 768, 12)), 109_482_240);
        assert_eq!(parameters(&bert(24, 1024, 16)), 335_141_888);
    }
}
