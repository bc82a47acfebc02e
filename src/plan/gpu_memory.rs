//! What a GPU holds besides what every device does: operands in 16 bits, and the decoder's logits.

use crate::settings::{Approach, EncoderType, Precision};
use crate::store::RunSettings;
use crate::units::Bytes;

/// A float32, and a float of 16 bits.
const FLOAT_BYTES: u64 = 4;
const HALF_BYTES: u64 = 2;
/// Logits that `kernel/cube/decoder.rs` holds at a time.
const HELD_LOGITS: u64 = 1 << 26;

/// What a step of a run with these settings, on `tokens` tokens, holds on a GPU besides its weights, gradients and moments
/// and what is kept of layers; nothing on the CPU, whose kernels round operands in the cache.
pub(super) fn held_on_gpu(settings: &RunSettings, tokens: u64) -> Bytes {
    if settings.device == "cpu" {
        return Bytes(0);
    }
    let halves = match settings.optimization.precision {
        Precision::F32 => 0,
        Precision::Bf16 | Precision::F16 => HALF_BYTES,
    };
    let logits = held_logits(settings, tokens);
    let table = if logits > 0 { decoder_table(settings) } else { 0 };
    // The logits are rounded once they are gradients.
    Bytes((FLOAT_BYTES + halves) * logits + halves * (table + rounded_by_layers(settings, tokens)))
}

/// Numbers of a layer's products that are rounded: its four weights; of a token its input, its context and its hidden
/// state, for the backward pass; and there the gradients of the narrow, the wide and the attention's output.
fn rounded_by_layers(settings: &RunSettings, tokens: u64) -> u64 {
    // Other encoders are composed of operations in f32.
    if !matches!(settings.architecture.encoder, EncoderType::Bert | EncoderType::Gpt) {
        return 0;
    }
    let of = settings.architecture.sizes();
    let weights = 4 * of.hidden * of.hidden + 2 * of.hidden * of.intermediate;
    let at_work = 4 * of.hidden + 2 * of.intermediate;
    let trains_layers = matches!(settings.approach(), Approach::FineTuning);
    let kept = if settings.optimization.gradient_checkpointing || !trains_layers { 1 } else { of.layers };
    kept * (weights + 3 * of.hidden * tokens) + at_work * tokens
}

/// Of the tokens that are predicted; those that are not held at a time come after one another.
fn held_logits(settings: &RunSettings, tokens: u64) -> u64 {
    let share = match settings.pretraining() {
        Some(of) => of.masking.map_or(1.0, |masking| masking.masked_lm_prob),
        None if settings.task().is_some_and(|of| of.lm_coef > 0.0) => 1.0,
        None => return 0,
    };
    let words = settings.architecture.sizes().vocab_size;
    let predictions = (share * tokens as f64).ceil() as u64;
    predictions.saturating_mul(words).min(HELD_LOGITS.max(words))
}

fn decoder_table(settings: &RunSettings) -> u64 {
    let of = settings.architecture.sizes();
    of.vocab_size * of.hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::example;

    /// On `device` in `precision`, of 1000 tokens.
    fn held(mut settings: RunSettings, device: &str, precision: Precision) -> u64 {
        settings.device = device.to_owned();
        settings.optimization.precision = precision;
        held_on_gpu(&settings, 1000).0
    }

    #[test]
    fn the_cpu_and_a_task_in_f32_hold_nothing_more() {
        for (settings, devices) in
            [(example::settings("rte", 1), &["cpu", "vulkan"][..]), (example::pretraining(1), &["cpu"])]
        {
            for device in devices {
                assert_eq!(held(settings.clone(), device, Precision::F32), 0);
            }
            assert_eq!(held(settings, "cpu", Precision::Bf16), 0);
        }
    }

    /// BERT-base by hand: 12 layers of 7,077,888 weights and 3 × 768 numbers a token, and 4 × 768 + 2 × 3072 a token at work,
    /// two bytes each.
    #[test]
    fn operands_in_16_bits_are_counted_by_hand() {
        let mut settings = example::settings("rte", 1);
        let of = &mut settings.architecture;
        (of.layers, of.hidden, of.heads, of.intermediate) = (12, 768, 12, 3072);
        let by_hand = 2 * (12 * (7_077_888 + 3 * 768 * 1000) + (4 * 768 + 2 * 3072) * 1000);
        for precision in [Precision::Bf16, Precision::F16] {
            assert_eq!(held(settings.clone(), "cuda", precision), by_hand);
        }
        settings.optimization.gradient_checkpointing = true;
        let one_layer = 2 * (7_077_888 + 3 * 768 * 1000 + (4 * 768 + 2 * 3072) * 1000);
        assert_eq!(held(settings.clone(), "cuda", Precision::F16), one_layer);
        settings.architecture.encoder = EncoderType::Lstm;
        assert_eq!(held(settings, "cuda", Precision::F16), 0);
    }

    #[test]
    fn the_decoders_logits_are_held_a_piece_at_a_time() {
        let mut settings = example::pretraining(1);
        settings.architecture.vocab_size = 30_000;
        let share = settings.pretraining().and_then(|of| of.masking).map_or(1.0, |masking| masking.masked_lm_prob);
        let predictions = (share * 1000.0).ceil() as u64;
        assert_eq!(held(settings.clone(), "vulkan", Precision::F32), 4 * predictions * 30_000);
        let more = held_on_gpu(&RunSettings { device: "vulkan".into(), ..settings.clone() }, 1_000_000).0;
        assert_eq!(more, 4 * HELD_LOGITS);
        let of = settings.architecture;
        let halves = held(settings.clone(), "vulkan", Precision::F16) - held(settings, "vulkan", Precision::F32);
        assert!(halves > 2 * (predictions * 30_000 + 30_000 * u64::from(of.hidden)), "{halves}");
    }
}
