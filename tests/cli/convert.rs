//! `bertbench convert`: any checkpoint in, what transformers reads out; wrong input is named and writes nothing.

use std::fs;
use std::path::Path;

use super::expected::assert_as_expected;
use super::program::Workplace;

/// Copies a folder of golden weights into the workplace.
fn bring(place: &Workplace, golden: &str, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(golden);
    fs::create_dir_all(place.path(name)).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), place.path(name).join(entry.file_name())).unwrap();
    }
}

#[test]
fn googles_checkpoint_becomes_a_folder_of_transformers_and_a_safetensors_file() {
    let place = Workplace::new();
    bring(&place, "tensorflow/google", "google");
    bring(&place, "weights/pytorch", "pytorch");
    let told = place.run(&["convert", "google", "bert", "--to", "hf"]).ok();
    assert_as_expected("convert", &told.exchange());
    let names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];
    assert_eq!(place.files("bert"), names.map(|name| place.path("bert").join(name)));
    assert_eq!(place.read("bert/vocab.txt"), place.read("google/vocab.txt"));
    assert!(place.read("bert/tokenizer_config.json").contains("\"do_lower_case\": true"));
    // From PyTorch, from the folder just written, and as one file: the same weights, byte for byte.
    place.run(&["convert", "pytorch", "again", "--to", "hf", "--do-lower-case", "false"]).ok();
    place.run(&["convert", "google/bert_model.ckpt", "weights.safetensors", "--to", "safetensors"]).ok();
    place.run(&["convert", "bert", "third", "--to", "hf"]).ok();
    let bytes = |file: &str| fs::read(place.path(file)).unwrap();
    for other in ["again/model.safetensors", "weights.safetensors", "third/model.safetensors"] {
        assert!(bytes(other) == bytes("bert/model.safetensors"), "{other}");
    }
    assert_eq!(place.read("third/config.json"), place.read("bert/config.json"));
    assert!(place.read("again/tokenizer_config.json").contains("\"do_lower_case\": false"));
    assert_eq!(place.read("third/tokenizer.json"), place.read("bert/tokenizer.json"));
    // As transformers 5 saves a tokenizer: without vocab.txt.
    fs::remove_file(place.path("bert/vocab.txt")).unwrap();
    place.run(&["convert", "bert", "fourth", "--to", "hf"]).ok();
    assert_eq!(place.read("fourth/vocab.txt"), place.read("google/vocab.txt"));
}

#[test]
fn what_cannot_be_converted_is_named_and_nothing_is_written() {
    let place = Workplace::new();
    bring(&place, "tensorflow/google", "google");
    bring(&place, "tensorflow/objects", "objects");
    bring(&place, "weights/safetensors", "short");
    let weights = fs::File::options().write(true).open(place.path("short/model.safetensors")).unwrap();
    weights.set_len(5_000).unwrap();
    bring(&place, "weights/pytorch", "more-tokens");
    place.write("more-tokens/vocab.txt", &(place.read("more-tokens/vocab.txt") + "one\n"));
    bring(&place, "weights/pytorch", "no-vocabulary");
    fs::remove_file(place.path("no-vocabulary/vocab.txt")).unwrap();
    bring(&place, "tensorflow/google", "damaged");
    let mut data = fs::read(place.path("damaged/bert_model.ckpt.data-00000-of-00001")).unwrap();
    data[100] ^= 1;
    fs::write(place.path("damaged/bert_model.ckpt.data-00000-of-00001"), data).unwrap();
    let before = place.files("");
    let mut exchanges = String::new();
    for arguments in [
        ["nowhere", "out"],
        ["objects", "out"],
        ["short", "out"],
        ["more-tokens", "out"],
        ["no-vocabulary", "out"],
        ["damaged", "out"],
        ["google", "google"],
        ["google", "no/such/folder/out"],
    ] {
        let told = place.run(&[&["convert"], &arguments[..], &["--to", "hf"]].concat()).ends_with(2);
        exchanges += &format!("{}\n", told.exchange());
    }
    assert_as_expected("convert-refused", &exchanges);
    assert_eq!(place.files(""), before);
}

/// What a run leaves is what a conversion writes: the same weights, configuration and tokenizer.
#[test]
fn a_trained_model_is_converted_into_itself() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=rte,learning_rate=1e-3"]).ok();
    let trained = place.files("runs").into_iter().find(|path| path.ends_with("model/model.safetensors")).unwrap();
    let trained = trained.parent().unwrap().to_str().unwrap().to_owned();
    place.run(&["convert", &trained, "copy", "--to", "hf"]).ok();
    let bytes = |file: &Path| fs::read(file).unwrap();
    for name in ["config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json"] {
        assert!(bytes(&place.path("copy").join(name)) == bytes(&Path::new(&trained).join(name)), "{name}");
    }
}

#[test]
fn word_vectors_become_a_model_that_an_experiment_starts_from() {
    let place = Workplace::new();
    place.write("glove.txt", "the 0.5 -1.0\nfilm 2 0.25\nbad -1 1\nnew york 3 4\n");
    let told = place.run(&["convert", "glove.txt", "glove", "--to", "hf", "--word-vectors"]).ok();
    assert_eq!(told.out, "glove: 3 vectors of 2 numbers\n");
    assert!(told.err.contains("1 of the 4 vectors are of no token of the vocabulary"), "{}", told.err);
    assert_eq!(place.read("glove/vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nfilm\nbad\n");
    // With a vocabulary of one's own; tokens without a vector are counted.
    place.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nbad\ngood\n");
    let options = ["--to", "hf", "--word-vectors", "--vocab-file", "vocab.txt"];
    let told = place.run(&[&["convert", "glove.txt", "own"], &options[..]].concat()).ok();
    let tokens = "note: 6 of the 7 tokens have no vector, and got zeros: [PAD], [UNK], [CLS], [SEP], [MASK], good";
    assert!(told.err.contains(tokens), "{}", told.err);
    let weights = bertbench::model::Weights::open(&place.path("own")).unwrap();
    let rows = weights.numbers("word_embeddings.weight", &[7, 2]).unwrap();
    assert_eq!(rows, [vec![0.0; 10], vec![-1.0, 1.0], vec![0.0; 2]].concat());
    let config = bertbench::model::Config::read(&place.path("own")).unwrap();
    assert_eq!(config.architecture.encoder, bertbench::settings::EncoderType::WordVectors);
    place.write("cut.txt", "2 2\nthe 0.5 -1.0\n");
    let told = place.run(&["convert", "cut.txt", "cut", "--to", "hf", "--word-vectors"]);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("cut.txt: 1 vectors where its first line says 2"), "{}", told.err);
    assert!(!place.path("cut").exists());
}
