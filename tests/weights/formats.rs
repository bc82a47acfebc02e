//! The same numbers come out of every format.

use bertbench::model::{PackedInput, Weights, load_encoder};
use burn::tensor::Device;

use super::{EXACT, Numbers, REFERENCE, expected, golden};

fn assert_same(weights: &Weights, expected: &Numbers, from: &str) {
    for (name, (shape, numbers)) in expected {
        assert_eq!(weights.numbers(name, shape).unwrap(), *numbers, "{from}: {name}");
        assert_eq!(weights.shape(name), Some(shape.clone()), "{from}: {name}");
    }
}

#[test]
fn every_format_holds_the_same_numbers_bit_for_bit() {
    let reference = expected(REFERENCE);
    assert_eq!(reference.len(), 46);
    for from in EXACT {
        let weights = Weights::open(&golden(from)).unwrap();
        assert_same(&weights, &reference, from);
        // PyTorch's own state holds the tied decoder as well.
        let more = weights.names().filter(|name| !reference.contains_key(*name)).collect::<Vec<_>>();
        assert!(more.iter().all(|name| name.starts_with("cls.predictions.decoder.")), "{from}: {more:?}");
    }
    let encoder = Weights::open(&golden("weights/no-prefix")).unwrap();
    let in_encoder = |name: &str| !name.starts_with("cls.");
    let encoder_only: Numbers = reference.into_iter().filter(|(name, _)| in_encoder(name)).collect();
    assert_same(&encoder, &encoder_only, "no-prefix");
    assert_eq!((encoder.names().count(), encoder.skipped()), (encoder_only.len(), 1));
}

#[test]
fn half_precision_is_widened_exactly() {
    for kind in ["float16", "bfloat16"] {
        let rounded = expected(&format!("weights/rounded/{kind}.safetensors"));
        assert_ne!(rounded, expected(REFERENCE));
        for format in ["safetensors", "pytorch"] {
            let from = format!("weights/{format}-{kind}");
            assert_same(&Weights::open(&golden(&from)).unwrap(), &rounded, &from);
        }
    }
}

#[test]
fn a_tensorflow_checkpoint_is_named_by_folder_prefix_or_index_and_its_optimizer_is_left_out() {
    let names = ["google", "google/bert_model.ckpt", "google/bert_model.ckpt.index"];
    let opened = names.map(|name| Weights::open(&golden("tensorflow").join(name)).unwrap());
    let reference = expected(REFERENCE);
    for weights in &opened {
        // Two slots for each variable, and the step.
        assert_eq!((weights.names().count(), weights.skipped()), (reference.len(), 2 * reference.len() + 1));
    }
    let checksums: Vec<String> = opened.iter().map(|weights| weights.sha256().unwrap()).collect();
    assert!(checksums.iter().all(|checksum| *checksum == checksums[0]), "{checksums:?}");
}

#[test]
fn a_model_from_tensorflow_computes_what_the_same_model_from_pytorch_does() {
    let device = Device::flex();
    let states =
        ["weights/reference", "tensorflow/google", "tensorflow/two-files", "weights/sharded-pytorch"].map(|from| {
            let loaded = load_encoder(&golden(from), 1, &device).unwrap();
            let input = PackedInput::new(&[2, 5, 6, 3, 2, 3], &[0, 1, 2, 3, 0, 1], &[0; 6], &[0, 4, 6], &device);
            let state = loaded.model.forward(&input, None);
            let pooled = loaded.model.pool(state.clone(), &input.packing);
            (state.into_data().try_to_vec::<f32>().unwrap(), pooled.into_data().try_to_vec::<f32>().unwrap())
        });
    assert!(states.iter().all(|state| *state == states[0]));
}
