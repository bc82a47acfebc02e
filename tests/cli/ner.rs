//! `bertbench ner`: the flags of the walk-through, and what they leave behind.

use std::fs;
use std::path::Path;

use super::expected::assert_as_expected;
use super::program::Workplace;

const FLAGS: [&str; 5] = [
    "--data_dir=data/",
    "--bert_config_file=checkpoint/bert_config.json",
    "--init_checkpoint=checkpoint/bert_model.ckpt",
    "--vocab_file=vocab.txt",
    "--output_dir=./output/result_dir/",
];
/// Google's checkpoint of the golden files reads ten tokens.
const SHORT: &str = "--max_seq_length=10";

/// Google's tiny checkpoint, and sentences of which some are longer than it reads.
fn scene() -> Workplace {
    let place = Workplace::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tensorflow/google");
    fs::create_dir_all(place.path("checkpoint")).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), place.path("checkpoint").join(entry.file_name())).unwrap();
    }
    fs::rename(place.path("checkpoint/vocab.txt"), place.path("vocab.txt")).unwrap();
    let sentence = "中 B-LOC\n国 I-LOC\n人 O\n王 B-PER\n";
    let long = sentence.repeat(5) + "\n";
    place.write("data/train.txt", &format!("{sentence}\n{long}").repeat(4));
    place.write("data/dev.txt", &format!("{long}{sentence}"));
    place.write("data/test.txt", &format!("{sentence}\n{long}"));
    place
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["ner"], &FLAGS[..], &[SHORT], more].concat()
}

#[test]
fn the_walk_through_leaves_its_files_and_does_nothing_twice() {
    let place = scene();
    place.run(&with(&["--num_train_epochs=2.0", "--do_lower_case=True"])).ok();
    let results = place.read("output/result_dir/eval_results.txt");
    let pairs: Vec<(&str, f64)> = results
        .lines()
        .map(|line| line.split_once(" = ").unwrap())
        .map(|(key, value)| (key, value.parse().unwrap()))
        .collect();
    let keys: Vec<&str> = pairs.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["eval_f", "eval_precision", "eval_recall", "global_step", "loss"]);
    // Eight sentences, five parts of ten tokens among them; two steps at most of 32 each.
    assert!((pairs[3].1 - 2.0).abs() < f64::EPSILON, "{results}");
    assert!(pairs[..3].iter().all(|(_, share)| (0.0..=1.0).contains(share)) && pairs[4].1 > 0.0, "{results}");
    let columns = place.read("output/result_dir/test_predictions.txt");
    let sentences: Vec<Vec<&str>> = columns.trim_end().split("\n\n").map(|one| one.lines().collect()).collect();
    assert_eq!(sentences.iter().map(Vec::len).collect::<Vec<_>>(), [4, 20], "every character once, cut or not");
    assert!(sentences[0][0].starts_with("中 B-LOC "), "{}", sentences[0][0]);
    let lines =
        |name: &str| place.read(&format!("output/result_dir/{name}")).lines().map(str::to_owned).collect::<Vec<_>>();
    let flat: Vec<&str> = sentences.concat();
    let column = |at: usize| flat.iter().map(|line| line.split(' ').nth(at).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!((lines("token_test.txt"), lines("label_test.txt")), (column(0), column(2)));
    // The same flags again: nothing is trained, and the same is written. Without training: the same.
    fs::remove_file(place.path("output/result_dir/eval_results.txt")).unwrap();
    let again = place.run(&with(&["--num_train_epochs=2", "--do_lower_case"])).ok();
    assert!(again.out.contains("0 done now, 1 before"), "{}", again.out);
    assert_eq!(place.read("output/result_dir/eval_results.txt"), results);
    fs::remove_file(place.path("output/result_dir/eval_results.txt")).unwrap();
    place.run(&with(&["--num_train_epochs=2", "--do_train=false", "--do_predict", "false"])).ok();
    assert_eq!(place.read("output/result_dir/eval_results.txt"), results);
    // The other commands read the experiment that it wrote.
    let status = place.run(&["status", "output/result_dir/experiment.yaml", "--runs", "output/result_dir/runs"]).ok();
    assert!(status.out.contains("ner"), "{}", status.out);
}

#[test]
fn a_configuration_elsewhere_and_random_weights_do_as_well() {
    let place = scene();
    fs::rename(place.path("checkpoint/bert_config.json"), place.path("other.json")).unwrap();
    fs::remove_file(place.path("data/test.txt")).unwrap();
    let flags =
        ["--data_dir=data", "--bert_config_file=other.json", "--vocab_file=vocab.txt", SHORT, "--num_train_epochs=1"];
    let told =
        place.run(&[&["ner", "--init_checkpoint=checkpoint/bert_model.ckpt", "--output_dir=out"], &flags[..]].concat());
    let told = told.ok();
    assert!(told.err.contains("no data/test.txt: nothing is predicted"), "{}", told.err);
    place.run(&[&["ner", "--output_dir=random"], &flags[..]].concat()).ok();
    let (trained, random) = (place.read("out/eval_results.txt"), place.read("random/eval_results.txt"));
    assert_ne!(trained, random, "the checkpoint was read");
}

#[test]
fn wrong_flags_and_wrong_files_are_named() {
    let place = scene();
    let mut exchanges = String::new();
    for more in [
        &["--num_train_epochs=2.5"][..],
        &["--use_tpu=True"],
        &["--task_name=pos"],
        &["--do_train=maybe"],
        &["--do_train=false", "--do_eval=false", "--do_predict=false"],
        &["--do_train=false"],
    ] {
        exchanges += &format!("{}\n", place.run(&with(more)).ends_with(2).exchange());
    }
    let vocabulary = place.read("vocab.txt");
    place.write("vocab.txt", &format!("{vocabulary}one more\n"));
    exchanges += &format!("{}\n", place.run(&with(&[])).ends_with(2).exchange());
    place.write("vocab.txt", &vocabulary);
    fs::write(place.path("data/dev.txt"), b"\xd6\xd0 B-LOC\n").unwrap();
    exchanges += &format!("{}\n", place.run(&with(&[])).ends_with(2).exchange());
    place.run(&with(&["--lossy", "--num_train_epochs=1"])).ok();
    fs::remove_file(place.path("data/dev.txt")).unwrap();
    exchanges += &format!("{}\n", place.run(&with(&[])).ends_with(2).exchange());
    assert_as_expected("ner-refused", &exchanges);
}
