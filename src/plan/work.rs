//! What a run computes, trains and keeps, by the way in which it uses the encoder.

use super::PlannedRun;
use super::features::Features;
use crate::settings::EncoderType;
use crate::store::{Architecture, Objective, RunSettings};
use crate::task::Task;

/// A backward pass costs twice the forward pass: one product for the inputs' gradient, one for the weights'.
const TRAINING_TO_FORWARD: f64 = 3.0;

/// Parameters of the model of a run, without its head.
#[must_use]
pub fn model_parameters(settings: &RunSettings) -> u64 {
    settings.architecture.parameters() + Features::of(settings).map_or(0, |features| features.parameters())
}

/// Those of them that are trained.
#[must_use]
pub fn trained_parameters(settings: &RunSettings) -> u64 {
    Features::of(settings).map_or_else(|| settings.architecture.parameters(), |features| features.parameters())
}

/// Floating-point operations of a whole run, evaluations included, counted as [`forward_flops`].
#[must_use]
pub fn flops(run: &PlannedRun) -> f64 {
    let of = &run.evaluations;
    training_flops(&run.settings, run.tokens.0, run.examples)
        + of.count as f64 * evaluation_flops(&run.settings, of.tokens.0, of.examples)
}

/// Floating-point operations of a forward pass over `examples` sequences of `tokens` tokens in all: two
/// for every weight of the layers and token, and 4 × length × hidden per token for the two products of
/// attention. With the mean length, which is a little less than the true mean over tokens.
#[must_use]
pub fn forward_flops(architecture: &Architecture, tokens: u64, examples: u64) -> f64 {
    let (tokens, examples) = (tokens as f64, examples as f64);
    let [layers, hidden] = [architecture.layers, architecture.hidden].map(f64::from);
    let mean_length = if examples > 0.0 { tokens / examples } else { 0.0 };
    let layer = (architecture.encoder.facts().costs.layer_flops)(&architecture.sizes(), mean_length);
    let pooler = if architecture.encoder.facts().has_pooler { 2.0 * hidden * hidden } else { 0.0 };
    layers * tokens * layer + examples * pooler
}

/// For which tokens the last layer is computed after its attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastLayer {
    /// All of them.
    Whole,
    /// Those that a head reads.
    ReadTokens,
}

impl LastLayer {
    /// As it is done on `device`, `cpu` or a GPU's kind, whose kernels are for layers of BERT's form.
    #[must_use]
    pub fn of(architecture: &Architecture, device: &str) -> Self {
        let is_fused = device == "cpu" || architecture.encoder != EncoderType::OpenaiGpt;
        if is_fused { Self::ReadTokens } else { Self::Whole }
    }
}

/// As [`forward_flops`], of a model that reads one token of each sequence.
#[must_use]
pub fn classifier_flops(architecture: &Architecture, tokens: u64, examples: u64, last: LastLayer) -> f64 {
    let left_out = match last {
        LastLayer::Whole => 0.0,
        LastLayer::ReadTokens => left_out_flops(architecture, tokens.saturating_sub(examples) as f64),
    };
    forward_flops(architecture, tokens, examples) - left_out
}

/// Operations after the last layer's attention for so many tokens that nothing reads.
fn left_out_flops(architecture: &Architecture, tokens: f64) -> f64 {
    if !architecture.encoder.facts().is_transformer || architecture.layers == 0 {
        return 0.0;
    }
    let [hidden, intermediate] = [architecture.hidden, architecture.intermediate].map(f64::from);
    2.0 * tokens.max(0.0) * hidden * (hidden + 2.0 * intermediate)
}

/// The tokens whose last state is read, but for a next token: one of a sequence, those that are predicted, or all.
fn tokens_read(settings: &RunSettings, tokens: u64, examples: u64) -> f64 {
    let (tokens, examples) = (tokens as f64, examples as f64);
    match &settings.objective {
        Objective::Task(of) if Task::find(&of.task).is_ok_and(Task::reads_one_vector) => examples,
        Objective::Task(_) => tokens,
        Objective::Pretraining(of) => match of.masking {
            Some(masking) if 2.0 * (masking.masked_lm_prob * tokens + examples) <= tokens => {
                masking.masked_lm_prob * tokens + examples
            }
            Some(_) | None => tokens,
        },
    }
}

/// Floating-point operations of training on `examples` sequences of `tokens` tokens in all. A frozen encoder has no
/// backward pass.
#[must_use]
pub fn training_flops(settings: &RunSettings, tokens: u64, examples: u64) -> f64 {
    let next_token = settings.task().is_some_and(|of| of.lm_coef > 0.0);
    let last = if next_token { LastLayer::Whole } else { LastLayer::of(&settings.architecture, &settings.device) };
    let encoder = encoder_flops(settings, tokens, examples, last);
    match Features::of(settings) {
        None => TRAINING_TO_FORWARD * (encoder + next_token_flops(settings, tokens)),
        Some(features) => encoder + TRAINING_TO_FORWARD * features.flops(tokens, examples),
    }
}

/// As [`training_flops`], of a forward pass alone.
#[must_use]
pub fn evaluation_flops(settings: &RunSettings, tokens: u64, examples: u64) -> f64 {
    let features = Features::of(settings).map_or(0.0, |features| features.flops(tokens, examples));
    let last = LastLayer::of(&settings.architecture, &settings.device);
    encoder_flops(settings, tokens, examples, last) + features
}

/// Numbers that a token adds to what a step holds.
///
/// Of an encoder that is trained they are those of Korthikanti et al. 2022 (arXiv 2205.05198), §4.1, in float32: per
/// token 8 × hidden + 2 × intermediate, two dropout masks of hidden, and for every head and other token of the
/// sequence the probability, its mask and the product of both. That is what the composed operations keep; on the
/// CPU the fused ones keep less, so there it is an upper bound.
pub(super) fn kept_numbers(settings: &RunSettings) -> u64 {
    let architecture = &settings.architecture;
    let (max_length, gradient_checkpointing) = (settings.max_length(), settings.optimization.gradient_checkpointing);
    match Features::of(settings) {
        None => kept_by_encoder(architecture, max_length, gradient_checkpointing),
        Some(features) => {
            let at_work = kept_by_layer(architecture, max_length).max(kept_by_embeddings(architecture));
            at_work + features.kept_numbers(max_length)
        }
    }
}

/// Numbers that a token adds to what a step of training the whole encoder holds, in sequences of `length` tokens.
fn kept_by_encoder(architecture: &Architecture, length: u32, gradient_checkpointing: bool) -> u64 {
    let [layers, hidden] = [architecture.layers, architecture.hidden].map(u64::from);
    let (layer, embeddings) = (kept_by_layer(architecture, length), kept_by_embeddings(architecture));
    if gradient_checkpointing {
        // Every layer's input, and one layer or the embeddings at a time.
        layers * hidden + layer.max(embeddings)
    } else {
        layers * layer + embeddings
    }
}

fn kept_by_layer(architecture: &Architecture, length: u32) -> u64 {
    (architecture.encoder.facts().costs.kept_by_layer)(&architecture.sizes(), length.into())
}

/// The sum of the embeddings, their norm and its dropout mask.
fn kept_by_embeddings(architecture: &Architecture) -> u64 {
    3 * u64::from(architecture.hidden)
}

/// The forward pass of the encoder; of a frozen one, up to the last layer that is read, and without the pooler; in
/// pretraining, with the decoder over the tokens that are predicted.
fn encoder_flops(settings: &RunSettings, tokens: u64, examples: u64, last: LastLayer) -> f64 {
    let architecture = &settings.architecture;
    let Some(features) = Features::of(settings) else {
        let sequences = examples * settings.orders();
        let read = match last {
            LastLayer::Whole => tokens as f64,
            LastLayer::ReadTokens => tokens_read(settings, tokens, sequences),
        };
        let left_out = left_out_flops(architecture, tokens as f64 - read);
        return forward_flops(architecture, tokens, sequences) - left_out + decoder_flops(settings, tokens);
    };
    let (layers, sequences) = (features.encoder_layers(), examples * features.sequences());
    let pooler = forward_flops(&Architecture { layers: 0, ..*architecture }, tokens, sequences);
    forward_flops(&Architecture { layers, ..*architecture }, tokens, sequences) - pooler
}

fn decoder_flops(settings: &RunSettings, tokens: u64) -> f64 {
    let Some(pretraining) = settings.pretraining() else { return 0.0 };
    let share = pretraining.masking.map_or(1.0, |masking| masking.masked_lm_prob);
    let [hidden, words] = [settings.architecture.hidden, settings.architecture.vocab_size].map(f64::from);
    2.0 * share * tokens as f64 * hidden * (hidden + words)
}

/// The decoder over all tokens, where the next one is learnt besides a task.
fn next_token_flops(settings: &RunSettings, tokens: u64) -> f64 {
    if settings.task().is_none_or(|of| of.lm_coef <= 0.0) {
        return 0.0;
    }
    let [hidden, words] = [settings.architecture.hidden, settings.architecture.vocab_size].map(f64::from);
    2.0 * tokens as f64 * hidden * words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Approach, FeatureBased, Layers};
    use crate::store::{Objective, example};

    /// BERT-base, and the LSTM of the paper on it.
    fn settings(layers: Layers) -> RunSettings {
        on("conll2003", FeatureBased { layers, hidden: 768, lstm_layers: 2, attention: false })
    }

    fn on(task: &str, of: FeatureBased) -> RunSettings {
        let architecture = Architecture { vocab_size: 28_996, ..example::bert(12, 768, 12, 3072) };
        let mut settings = RunSettings { architecture, ..example::settings(task, 1) };
        let Objective::Task(task) = &mut settings.objective else { unreachable!() };
        task.approach = Approach::FeatureBased(of);
        settings
    }

    /// `sum(p.numel() for p in nn.LSTM(inputs, 768, 2, bidirectional=True).parameters())` less its second biases.
    #[test]
    fn the_lstm_has_pytorchs_parameters_with_one_bias() {
        for (layers, pytorch) in [(Layers::Last, 23_617_536), (Layers::ConcatLastFour, 37_773_312)] {
            let second_biases = 2 * 2 * 4 * 768;
            assert_eq!(trained_parameters(&settings(layers)), pytorch - second_biases, "{layers:?}");
        }
        let (sum, last) = (settings(Layers::SumAll), settings(Layers::Last));
        assert_eq!(trained_parameters(&sum), trained_parameters(&last) + 13, "twelve weights and γ");
        assert_eq!(model_parameters(&last), 108_310_272 + trained_parameters(&last));
    }

    #[test]
    fn a_frozen_encoder_is_run_forward_as_far_as_it_is_read() {
        let of = |layers| training_flops(&settings(layers), 1000, 50);
        let encoder = 2.0 * 12.0 * 1000.0 * f64::from(4 * 768 * 768 + 2 * 768 * 3072 + 2 * 20 * 768);
        let lstm = 3.0 * 2.0 * 1000.0 * f64::from(6144 * (768 + 768) + 6144 * (1536 + 768));
        assert!((of(Layers::Last) / (encoder + lstm) - 1.0).abs() < 1e-12);
        assert!((of(Layers::SecondToLast) / (encoder * 11.0 / 12.0 + lstm) - 1.0).abs() < 1e-12);
        assert!((of(Layers::Embeddings) / lstm - 1.0).abs() < 1e-12);
        let evaluation = evaluation_flops(&settings(Layers::Last), 1000, 50);
        assert!((evaluation / (encoder + lstm / 3.0) - 1.0).abs() < 1e-12);
    }
    /// The LSTM, the second one over 2 × its outputs and their attended sums, and the tanh layer: PyTorch's counts less second
    /// biases.
    #[test]
    fn whole_texts_have_a_tanh_layer_and_pairs_with_attention_a_second_lstm() {
        let of = FeatureBased { layers: Layers::Last, hidden: 768, lstm_layers: 2, attention: true };
        let lstm = trained_parameters(&settings(Layers::Last));
        // `nn.LSTM(3072, 768, 1, bidirectional=True)`, one bias of two; `nn.Linear(1536, 512)`, `nn.Linear(6144, 512)`.
        let (second, one, pair) = (23_605_248 - 2 * 4 * 768, 786_944, 3_146_240);
        assert_eq!(trained_parameters(&on("sst2", of)), lstm + one);
        assert_eq!(trained_parameters(&on("rte", of)), lstm + second + pair);
        let plain = FeatureBased { attention: false, ..of };
        assert_eq!(trained_parameters(&on("rte", plain)), lstm + pair);
        assert_eq!(trained_parameters(&on("swag", plain)), lstm + pair);

        let flops = |task: &str, of| evaluation_flops(&on(task, of), 1000, 25);
        // 50 texts of 20 tokens.
        let encoder = 2.0 * 12.0 * 1000.0 * f64::from(4 * 768 * 768 + 2 * 768 * 3072 + 2 * 20 * 768);
        let lstm = 2.0 * 1000.0 * f64::from(6144 * (768 + 768) + 6144 * (1536 + 768));
        let pair = encoder + lstm + 2.0 * 25.0 * f64::from(6144 * 512);
        assert!((flops("rte", plain) / pair - 1.0).abs() < 1e-12);
        let attention = 2.0 * 1000.0 * f64::from(6144 * (3072 + 768)) + 2.0 * 2.0 * 1000.0 * 20.0 * 1536.0;
        assert!((flops("rte", of) / (pair + attention) - 1.0).abs() < 1e-12);
        let kept = |task: &str, of| kept_numbers(&on(task, of));
        assert!(kept("sst2", of) > kept("conll2003", of) && kept("rte", of) > kept("rte", plain));
        assert_eq!(kept("sst2", of), kept("sst2", plain), "a single text has none to attend to");
    }
}
