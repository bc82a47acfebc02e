//! Checkpoints in every format that PyTorch and TensorFlow write (`tests/golden/weights.py` and
//! `tests/golden/tf_checkpoints.py`): the same numbers come out of all, and damage is named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, unreachable_pub, reason = "a test says what it skipped; its modules are its own")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bertbench::model::{Conversion, Weights, check_weights, load_encoder};
use burn::tensor::Device;

type Numbers = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Read by the `safetensors` crate, not by the code under test; names without `bert.`.
fn expected(file: &str) -> Numbers {
    let bytes = fs::read(golden(file)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap().tensors();
    let numbers = |data: &[u8]| data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let entry = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        (name.trim_start_matches("bert.").to_owned(), (view.shape().to_vec(), numbers(view.data())))
    };
    tensors.into_iter().map(entry).collect()
}

const REFERENCE: &str = "weights/reference/model.safetensors";

/// Folders with the numbers of [`REFERENCE`].
const EXACT: [&str; 10] = [
    "weights/reference",
    "weights/safetensors",
    "weights/gamma-beta",
    "weights/pytorch",
    "weights/pytorch-legacy",
    "weights/pytorch-strided",
    "weights/sharded-safetensors",
    "weights/sharded-pytorch",
    "tensorflow/google",
    "tensorflow/two-files",
];

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
            let input = bertbench::model::PackedInput::new(
                &[2, 5, 6, 3, 2, 3],
                &[0, 1, 2, 3, 0, 1],
                &[0; 6],
                &[0, 4, 6],
                &device,
            );
            let state = loaded.model.forward(&input, None);
            let pooled = loaded.model.pool(state.clone(), &input.packing);
            (state.into_data().try_to_vec::<f32>().unwrap(), pooled.into_data().try_to_vec::<f32>().unwrap())
        });
    assert!(states.iter().all(|state| *state == states[0]));
}

/// Copies a folder of golden weights to where it may be damaged.
fn copy(from: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden(from)).unwrap().flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

/// Every number, as a model and a conversion read them; the error's text with the folder called `model`.
fn read(folder: &Path) -> Result<Vec<u32>, String> {
    let read = || {
        let weights = Conversion::open(folder).and_then(|_| Weights::open(folder))?;
        let numbers = weights.names().map(|name| weights.numbers(name, &weights.shape(name).unwrap()));
        let bits = numbers.map(|numbers| Ok(numbers?.into_iter().map(f32::to_bits).collect::<Vec<_>>()));
        Ok(bits.collect::<Result<Vec<_>, bertbench::model::CheckpointError>>()?.concat())
    };
    read().map_err(|error: bertbench::model::CheckpointError| {
        error.to_string().replace(&folder.display().to_string(), "model")
    })
}

#[test]
fn files_cut_anywhere_are_refused() {
    for (from, file) in [
        ("weights/safetensors", "model.safetensors"),
        ("weights/pytorch", "pytorch_model.bin"),
        ("weights/pytorch-legacy", "pytorch_model.bin"),
        ("weights/sharded-safetensors", "model-00002-of-00002.safetensors"),
        ("weights/sharded-pytorch", "pytorch_model-00001-of-00002.bin"),
        ("tensorflow/google", "bert_model.ckpt.index"),
        ("tensorflow/two-files", "bert_model.ckpt.data-00001-of-00002"),
    ] {
        let folder = copy(from);
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
            fs::write(&path, &whole[..length]).unwrap();
            let told = read(folder.path()).expect_err(&format!("{from}: {length} of {} bytes", whole.len()));
            assert!(told.contains(file) || told.contains("bert_model.ckpt"), "{told}");
        }
        fs::remove_file(&path).unwrap();
        assert!(read(folder.path()).is_err());
    }
}

/// TensorFlow's and PyTorch's files carry checksums of every tensor; safetensors has none, but must not
/// make the reader panic.
#[test]
fn flipped_bits_are_noticed_where_the_format_has_checksums() {
    for (from, file) in [
        ("tensorflow/google", "bert_model.ckpt.index"),
        ("tensorflow/google", "bert_model.ckpt.data-00000-of-00001"),
        ("weights/pytorch", "pytorch_model.bin"),
        ("weights/pytorch-legacy", "pytorch_model.bin"),
        ("weights/safetensors", "model.safetensors"),
    ] {
        let folder = copy(from);
        let path = folder.path().join(file);
        let (whole, intact) = (fs::read(&path).unwrap(), read(folder.path()).unwrap());
        for bit in (0..whole.len() * 8).step_by(131) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &damaged).unwrap();
            let unnoticed = read(folder.path()).is_ok_and(|numbers| numbers != intact);
            let checked = from.starts_with("tensorflow") || from == "weights/pytorch";
            assert!(!(unnoticed && checked), "{from}: bit {bit} changed numbers unnoticed");
        }
    }
}

/// What is done to a folder's file.
enum Damage {
    Removed(&'static str),
    Is(&'static str, &'static str),
    /// The first such text becomes another.
    Has(&'static str, &'static str, &'static str),
    None,
}
use Damage::{Has, Is, Removed};

/// A name, the golden folder, what is done to it and what is said.
const DAMAGED: [(&str, &str, Damage, &str); 14] = [
    (
        "no weights",
        "weights/safetensors",
        Removed("model.safetensors"),
        "model: no weights: none of model.safetensors, model.safetensors.index.json, pytorch_model.bin, \
      pytorch_model.bin.index.json, bert_model.ckpt.index",
    ),
    (
        "Git LFS",
        "weights/pytorch",
        Is("pytorch_model.bin", "version https://git-lfs.github.com/spec/v1\n"),
        "model/pytorch_model.bin: a pointer of Git LFS, not the weights: run `git lfs pull`",
    ),
    (
        "a shard is missing",
        "weights/sharded-safetensors",
        Removed("model-00001-of-00002.safetensors"),
        "model/model-00001-of-00002.safetensors: No such file or directory (os error 2)",
    ),
    (
        "a shard elsewhere",
        "weights/sharded-pytorch",
        Has("pytorch_model.bin.index.json", "pytorch_model-00001", "../model-00001"),
        "model/pytorch_model.bin.index.json: the shard `../model-00001-of-00002.bin` of `bert.embeddings.LayerNorm.bias` \
      is not the name of a file beside it",
    ),
    (
        "a tensor in the wrong shard",
        "weights/sharded-safetensors",
        Has("model.safetensors.index.json", "00001-of", "00002-of"),
        "model/model-00002-of-00002.safetensors: missing bert.embeddings.LayerNorm.bias",
    ),
    (
        "an index that is no index",
        "weights/sharded-pytorch",
        Is("pytorch_model.bin.index.json", "{}"),
        "model/pytorch_model.bin.index.json: not an index of shards: missing field `weight_map` at line 1 column 2",
    ),
    (
        "more layers than there are",
        "tensorflow/google",
        Has("bert_config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"),
        "model/bert_model.ckpt.index: missing encoder.layer.2.attention.self.query.weight, \
      encoder.layer.2.attention.self.query.bias, encoder.layer.2.attention.self.key.weight and 13 more tensors",
    ),
    (
        "another shape, transposed",
        "tensorflow/google",
        Has("bert_config.json", "\"intermediate_size\": 12", "\"intermediate_size\": 16"),
        "model/bert_model.ckpt.data-00000-of-00001: tensor `bert/encoder/layer_0/intermediate/dense/kernel` has shape \
      [8, 12] where the configuration asks for [8, 16]",
    ),
    (
        "another vocabulary",
        "weights/pytorch",
        Has("config.json", "\"vocab_size\": 14", "\"vocab_size\": 15"),
        "model/pytorch_model.bin: tensor `bert.embeddings.word_embeddings.weight` has shape [14, 8] where the \
      configuration asks for [15, 8]",
    ),
    (
        "RoBERTa",
        "weights/pytorch",
        Has("config.json", "\"model_type\": \"bert\"", "\"model_type\": \"roberta\""),
        "model/config.json: `model_type` is `roberta`; bertbench runs `bert` only",
    ),
    (
        "DistilBERT without a model type",
        "weights/pytorch",
        Is("config.json", "{\"architectures\": [\"DistilBertForMaskedLM\"], \"dim\": 8}"),
        "model/config.json: `architectures` names `DistilBertForMaskedLM`; bertbench runs BERT only",
    ),
    (
        "a decoder",
        "weights/pytorch",
        Has("config.json", "\"is_decoder\": false", "\"is_decoder\": true"),
        "model/config.json: `is_decoder` is `true`; bertbench runs encoders only",
    ),
    (
        "TensorFlow 2's saver",
        "tensorflow/objects",
        Damage::None,
        "model/bert_model.ckpt.index: an object-based checkpoint of TensorFlow 2; bertbench reads checkpoints by \
      variable names, as google-research/bert writes them",
    ),
    (
        "a data file is missing",
        "tensorflow/two-files",
        Removed("bert_model.ckpt.data-00000-of-00002"),
        "model/bert_model.ckpt.data-00000-of-00002: No such file or directory (os error 2)",
    ),
];

impl Damage {
    fn apply(&self, folder: &Path) {
        match self {
            Removed(file) => fs::remove_file(folder.join(file)).unwrap(),
            Is(file, text) => fs::write(folder.join(file), text).unwrap(),
            Has(file, from, to) => {
                let text = fs::read_to_string(folder.join(file)).unwrap();
                assert!(text.contains(from), "{file} has no {from}");
                fs::write(folder.join(file), text.replacen(from, to, 1)).unwrap();
            }
            Self::None => {}
        }
    }
}

#[test]
fn what_is_wrong_with_a_checkpoint_is_named() {
    for (name, from, damage, expected) in &DAMAGED {
        let folder = copy(from);
        damage.apply(folder.path());
        assert_eq!(read(folder.path()).expect_err(name), *expected, "{name}");
    }
}

#[test]
fn of_several_tensorflow_checkpoints_one_must_be_named() {
    let folder = copy("tensorflow/google");
    for file in ["index", "data-00000-of-00001"] {
        let from = folder.path().join(format!("bert_model.ckpt.{file}"));
        fs::copy(&from, folder.path().join(format!("model.ckpt-20.{file}"))).unwrap();
        fs::rename(from, folder.path().join(format!("model.ckpt-10.{file}"))).unwrap();
    }
    let told = read(folder.path()).unwrap_err();
    assert_eq!(told, "model: 2 TensorFlow checkpoints: name one by its prefix, such as model/model.ckpt-20");
    let conversion = Conversion::open(&folder.path().join("model.ckpt-10")).unwrap();
    assert_eq!((conversion.class(), conversion.parameters()), ("BertForPreTraining", 1_480));
}

/// All formats of one model are converted into the same bytes, which are PyTorch's own.
#[test]
fn conversions_are_what_transformers_would_have_saved() {
    let folder = tempfile::tempdir().unwrap();
    let reference = fs::read(golden(REFERENCE)).unwrap();
    let tensors = |bytes: &[u8]| {
        let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let views = file.tensors().into_iter();
        views.map(|(name, view)| (name, (view.shape().to_vec(), view.data().to_vec()))).collect::<BTreeMap<_, _>>()
    };
    for from in EXACT {
        let conversion = Conversion::open(&golden(from)).unwrap();
        let into = folder.path().join(from.replace('/', "-"));
        conversion.write_folder(&into, &[("vocab.txt", b"[PAD]\n".to_vec())]).unwrap();
        assert_eq!(tensors(&fs::read(into.join("model.safetensors")).unwrap()), tensors(&reference), "{from}");
        let written: serde_json::Value = serde_json::from_slice(&fs::read(into.join("config.json")).unwrap()).unwrap();
        assert_eq!(written["architectures"], serde_json::json!(["BertForPreTraining"]), "{from}");
        let config = bertbench::model::Config::read(&into).unwrap();
        assert_eq!(config, *conversion.config());
        check_weights(&into, &config).unwrap();
    }
}
