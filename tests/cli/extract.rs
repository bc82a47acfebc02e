//! `extract`: the hidden states of transformers (tests/golden/features.py) in both formats, what is refused, and
//! that no half file is left.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use safetensors::SafeTensors;
use serde_json::Value;

use super::expected::assert_as_expected;
use super::program::{Told, Workplace, parse, wait_until};

/// Hidden states are float32 sums of a few dozen terms of size one; the files keep six or more decimals.
const ABSOLUTE: f64 = 1e-4;

/// Layers as asked for, and their places among the golden hidden states.
const LAYERS: [(i64, usize); 3] = [(-1, 2), (0, 0), (1, 1)];

/// The texts go in batches of two, so that they are computed in another order than they are written in.
const OPTIONS: [&str; 4] = ["--layers=-1,0,1", "--do-lower-case", "false", "--batch-size=2"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn expected() -> Value {
    parse(&fs::read_to_string(golden().join("features.json")).unwrap())
}

/// A workplace with the golden model in `model` and the golden lines in `text.txt`.
fn with_model() -> Workplace {
    let (place, expected) = (Workplace::new(), expected());
    let lines = |key: &str| {
        expected[key].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
    };
    place.write("model/vocab.txt", &lines("vocabulary"));
    place.write("text.txt", &lines("lines"));
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden().join("bert").join(file), place.path("model").join(file)).unwrap();
    }
    place
}

fn extract(place: &Workplace, arguments: &[&[&str]]) -> Told {
    place.run(&[&["extract", "model"], &arguments.concat()[..]].concat())
}

/// The exchange of `extract` with these bytes on standard input.
fn extract_from(place: &Workplace, bytes: &[u8], arguments: &[&[&str]]) -> Told {
    let arguments = [&["extract", "model"], &arguments.concat()[..]].concat();
    let piped = |command: &mut std::process::Command| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = piped(&mut place.command(&arguments));
    // A program that refuses its arguments does not read what comes.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    Told { command: format!("bertbench {}", arguments.join(" ")), code: output.status.code(), out, err }
}

/// Largest difference of `numbers` from the golden hidden states of a token.
fn off(expected: &Value, [state, line, token]: [usize; 3], numbers: impl Iterator<Item = f64>) -> f64 {
    let golden = expected["hidden_states"][state][line][token].as_array().unwrap();
    let numbers: Vec<f64> = numbers.collect();
    assert_eq!(numbers.len(), golden.len());
    golden.iter().zip(numbers).map(|(a, b)| (a.as_f64().unwrap() - b).abs()).fold(0.0, f64::max)
}

#[test]
fn json_lines_hold_the_hidden_states_of_transformers_in_googles_form() {
    let (place, expected) = (with_model(), expected());
    let told = extract(&place, &[&OPTIONS, &["--input", "text.txt", "--output", "features.jsonl"]]).ok();
    assert_eq!(told.out, "features.jsonl: 7 lines, 55 tokens, layers -1,0,1 of width 32\n");
    assert!(told.err.contains("note: 2 of 7 examples were truncated to 16 tokens\n"), "{}", told.err);
    let written = place.read("features.jsonl");
    assert_eq!(written.lines().count(), 7);
    let mut worst = 0.0_f64;
    for (at, line) in written.lines().enumerate() {
        let object = parse(line);
        assert_eq!(object.as_object().unwrap().keys().collect::<Vec<_>>(), ["linex_index", "features"]);
        assert_eq!(object["linex_index"], at);
        let features = object["features"].as_array().unwrap();
        let tokens: Vec<&Value> = features.iter().map(|feature| &feature["token"]).collect();
        assert_eq!(tokens, expected["tokens"][at].as_array().unwrap().iter().collect::<Vec<_>>());
        for (token, feature) in features.iter().enumerate() {
            assert_eq!(feature.as_object().unwrap().keys().collect::<Vec<_>>(), ["token", "layers"]);
            let layers = feature["layers"].as_array().unwrap();
            assert_eq!(layers.len(), LAYERS.len());
            for (layer, (index, state)) in layers.iter().zip(LAYERS) {
                assert_eq!(layer["index"], index);
                let values = layer["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
                worst = worst.max(off(&expected, [state, at, token], values));
            }
        }
    }
    assert!(worst < ABSOLUTE, "{worst}");
    // As `json.dumps` spaces and rounds.
    assert!(written.starts_with(
        "{\"linex_index\": 0, \"features\": [{\"token\": \"[CLS]\", \"layers\": [{\"index\": -1, \"values\": ["
    ));
    let decimals = |number: &str| number.split('.').nth(1).is_none_or(|decimals| decimals.len() <= 6);
    assert!(written.split([' ', ',', '[', ']', '}']).filter(|word| !word.contains('e')).all(decimals));
}

#[test]
fn safetensors_hold_the_hidden_states_of_transformers() {
    let (place, expected) = (with_model(), expected());
    extract(&place, &[&OPTIONS, &["--input", "text.txt", "--output", "features.safetensors"]]).ok();
    let bytes = fs::read(place.path("features.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let whole = |name: &str| -> Vec<i64> {
        file.tensor(name).unwrap().data().as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
    };
    let (ids, segments, offsets) = (whole("ids"), whole("segments"), whole("offsets"));
    assert_eq!(offsets.len(), 8);
    let vocabulary = expected["vocabulary"].as_array().unwrap();
    let mut worst = 0.0_f64;
    for line in 0..7 {
        let rows = offsets[line] as usize..offsets[line + 1] as usize;
        let tokens: Vec<&Value> = ids[rows.clone()].iter().map(|id| &vocabulary[*id as usize]).collect();
        assert_eq!(tokens, expected["tokens"][line].as_array().unwrap().iter().collect::<Vec<_>>());
        assert_eq!(serde_json::json!(segments[rows.clone()]), expected["segments"][line]);
        for (index, state) in LAYERS {
            let layer = file.tensor(&format!("layer_{index}")).unwrap();
            assert_eq!(layer.shape(), [55, 32]);
            let numbers = layer.data().as_chunks().0;
            for (token, row) in rows.clone().enumerate() {
                let row = numbers[row * 32..(row + 1) * 32].iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes)));
                worst = worst.max(off(&expected, [state, line, token], row));
            }
        }
    }
    assert!(worst < ABSOLUTE, "{worst}");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let about = metadata.metadata().as_ref().unwrap();
    let about = ["model", "layers", "max_length", "version"].map(|key| about[key].as_str());
    assert_eq!(about, ["model", "-1,0,1", "16", "1"]);
}

#[test]
fn a_pipe_gives_the_same_bytes_as_files() {
    let place = with_model();
    extract(&place, &[&OPTIONS, &["--input", "text.txt", "--output", "features.jsonl"]]).ok();
    let text = fs::read(place.path("text.txt")).unwrap();
    let told = extract_from(&place, &text, &[&OPTIONS, &["--input", "-", "--output", "-"]]).ok();
    assert!(told.out == place.read("features.jsonl"));
    // The default layers are Google's; this model has two layers.
    let told = extract_from(&place, &text, &[&["--input", "-", "--output", "-"]]).ends_with(2);
    assert!(told.err.contains("error: the model has no layer -4\n"), "{}", told.err);
}

#[test]
fn wrong_input_is_refused_before_anything_is_written() {
    let place = with_model();
    let good = ["--layers=-1", "--input=text.txt", "--output=out.jsonl"];
    let cases: [&[&str]; 7] = [
        &["--layers=3", good[1], good[2]],
        &["--layers=1,-2", good[1], good[2]],
        &[good[0], "--input=nothing.txt", good[2]],
        &[good[0], good[1], "--output=out.npy"],
        &[good[0], good[1], good[2], "--max-length=17"],
        &[good[0], good[1], good[2], "--max-length=2"],
        &[good[0], good[1], good[2], "--device=tpu"],
    ];
    let mut told: Vec<Told> = cases.iter().map(|arguments| extract(&place, &[arguments]).ends_with(2)).collect();
    for bytes in [&b"w10\nw11 w\xff\n"[..], b""] {
        told.push(extract_from(&place, bytes, &[&[good[0], "--input=-", good[2]]]).ends_with(2));
    }
    told.push(place.run(&["extract", "no/such/model", good[1], good[2]]).ends_with(2));
    let config = place.read("model/config.json");
    place.write("model/config.json", &config.replace("\"type_vocab_size\": 2", "\"type_vocab_size\": 1"));
    told.push(extract(&place, &[&good]).ends_with(2));
    place.write("model/config.json", &config);
    fs::remove_file(place.path("model/model.safetensors")).unwrap();
    told.push(extract(&place, &[&good]).ends_with(2));
    let exchanges: Vec<String> = told.iter().map(Told::exchange).collect();
    assert_as_expected("extract-refused", &exchanges.join("\n"));
    assert_eq!(place.files("").len(), 3, "the text and two files of the model: {:?}", place.files(""));
}

/// Makes the word embedding of token `id` not a number.
fn spoil_token(place: &Workplace, id: usize) {
    let path = place.path("model/model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (name, _) = file.tensors().into_iter().find(|(name, _)| name.ends_with("word_embeddings.weight")).unwrap();
    let at = file.tensor(&name).unwrap().data().as_ptr() as usize - bytes.as_ptr() as usize + id * 32 * 4;
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_fails_on_the_way_leaves_the_output_as_it_was() {
    let place = with_model();
    // Token 44 is in the last line only.
    spoil_token(&place, 44);
    for output in ["out.jsonl", "out.safetensors"] {
        place.write(output, "as before");
        let told = extract(&place, &[&OPTIONS, &["--input=text.txt", "--output", output]]).ends_with(1);
        assert!(told.err.ends_with("error: a hidden state of line 7 is not a finite number\n"), "{}", told.err);
        assert_eq!(place.read(output), "as before");
    }
    let told = extract(&place, &[&OPTIONS, &["--input=text.txt", "--output=no/such/out.jsonl"]]).ends_with(1);
    assert_eq!(told.err, "error: cannot write no/such/out.jsonl: its folder does not exist\n");
    assert_eq!(place.files("").len(), 6, "{:?}", place.files(""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let place = with_model();
    std::os::unix::fs::symlink("/dev/full", place.path("full.jsonl")).unwrap();
    let told = extract(&place, &[&OPTIONS, &["--input=text.txt", "--output=full.jsonl"]]).ends_with(1);
    assert!(told.err.contains("No space left on device"), "{}", told.err);
}

#[test]
fn a_stop_leaves_nothing() {
    let place = with_model();
    place.write("long.txt", &"w10 w11 w12 w13 w14 w15 w16\n".repeat(300_000));
    let mut started = place.start(&["extract", "model", "--layers=0,1,2", "--input=long.txt", "--output=long.jsonl"]);
    let files = || place.files("").into_iter().filter(|path| !path.starts_with(place.path("model"))).count();
    wait_until("the output is begun", || files() == 3);
    started.signal("INT");
    assert_eq!(started.wait(), Some(130));
    assert_eq!(files(), 2, "{:?}", place.files(""));
}
