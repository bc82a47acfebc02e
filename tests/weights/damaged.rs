//! Damage is noticed, and named.

use std::fs;
use std::path::Path;

use bertbench::model::{CheckpointError, Conversion, Weights};

use super::copy;

/// Every number, as a model and a conversion read them; the error's text with the folder called `model`.
fn read(folder: &Path) -> Result<Vec<u32>, String> {
    let read = || {
        let weights = Conversion::open(folder).and_then(|_| Weights::open(folder))?;
        let numbers = weights.names().map(|name| weights.numbers(name, &weights.shape(name).unwrap()));
        let bits = numbers.map(|numbers| Ok(numbers?.into_iter().map(f32::to_bits).collect::<Vec<_>>()));
        Ok(bits.collect::<Result<Vec<_>, CheckpointError>>()?.concat())
    };
    read().map_err(|error: CheckpointError| error.to_string().replace(&folder.display().to_string(), "model"))
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

/// As much of a tar archive as says that it is one: 257 bytes, and the magic number.
const TAR: &str = concat!(
    "sys_info                                                                                  ",
    "                                                                                          ",
    "                                                                             ustar",
);

/// A name, the golden folder, what is done to it and what is said.
const DAMAGED: [(&str, &str, Damage, &str); 16] = [
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
        "more layers than memory",
        "weights/safetensors",
        Has("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 4000000000"),
        "model/config.json: `num_hidden_layers` is 4000000000; at most 1024 is read",
    ),
    (
        "a tar archive",
        "weights/pytorch",
        Is("pytorch_model.bin", TAR),
        "model/pytorch_model.bin: a tar archive, as PyTorch wrote before 0.1.10; save it again",
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
        "model/config.json: `model_type` is `roberta`; bertbench runs `bert`, `openai-gpt`, `lstm`, `elmo`, `word_vectors` only",
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
        Has("config.json", "\"is_decoder\": false", "\"is_decoder\": \"yes\""),
        "model/config.json: `is_decoder` must be true or false, not \"yes\"",
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

/// A tensor whose stride is 0 shows one number as often as its shape says.
#[test]
fn a_tensor_that_unpacks_to_far_more_than_its_file_is_refused() {
    let folder = copy("weights/pytorch");
    let pickle = b"\x80\x02}X\x01\0\0\0xctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n\
                   X\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0J\0\0\0\x40\x85K\0\x85\x89ccollections\nOrderedDict\n)RtRs.";
    let mut zip = zip::ZipWriter::new(fs::File::create(folder.path().join("pytorch_model.bin")).unwrap());
    for (name, bytes) in [("archive/data.pkl", &pickle[..]), ("archive/data/0", &[0; 4])] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap();
    let told = read(folder.path()).unwrap_err();
    assert!(told.contains("its tensors unpack to 4294967296 bytes, the file has "), "{told}");
}

/// A pickle is a program; this one would make a file.
#[test]
fn no_pickle_is_executed() {
    let folder = copy("weights/pytorch");
    let trap = folder.path().join("trap");
    let program = format!("cposix\nsystem\n(S'touch {}'\ntR.", trap.display());
    fs::write(folder.path().join("pytorch_model.bin"), program).unwrap();
    let told = read(folder.path()).unwrap_err();
    assert!(told.starts_with("model/pytorch_model.bin: "), "{told}");
    assert!(!trap.exists());
}
