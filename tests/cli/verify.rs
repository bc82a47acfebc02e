//! `verify`: the weights that a run kept give the scores that it recorded. And the card that lies beside them.

use std::fs;

use bertbench::store::RunsRoot;

use super::program::Workplace;

#[test]
fn kept_weights_give_the_recorded_scores_and_whatever_stands_in_the_way_is_said() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=rte,learning_rate=1e-3"]).ok();
    let folder = RunsRoot::new(place.path("runs")).folders("tiny").unwrap().remove(0);
    let id = folder.id().0.clone();
    let told = place.run(&["verify", &id, "--file", "tiny.yaml"]).ok();
    assert!(told.out.contains("accuracy") && told.out.contains("recorded scores come out"), "{}", told.out);
    assert!(!told.out.contains("different"), "{}", told.out);

    let card = fs::read_to_string(folder.model_folder().join("README.md")).unwrap();
    assert!(card.starts_with("---\ntags:\n- bertbench\n") && card.contains("model-index:"), "{card}");
    let mut record = folder.record().unwrap().unwrap();
    assert!(record.files.keys().any(|name| name == "model/README.md"));

    let code = |args: &[&str]| {
        let told = place.run(args);
        (told.code, told.err)
    };
    let (found, why) = code(&["verify", &id]);
    assert!(found == Some(2) && why.contains("there is no experiments/tiny.yaml"), "{why}");
    // Another score than the weights give.
    record.scores[0].value = record.scores[0].value.map(|value| value - 0.125);
    fs::remove_file(folder.path().join("record.json")).unwrap();
    folder.write_record(&record).unwrap();
    let told = place.run(&["verify", &id, "--file", "tiny.yaml"]);
    assert_eq!(told.code, Some(1), "{}", told.err);
    assert!(told.out.contains("1 of ") && told.out.contains("different"), "{}", told.out);
    // Other weights than the recorded ones.
    let weights = folder.model_folder().join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let (found, why) = code(&["verify", &id, "--file", "tiny.yaml"]);
    assert!(found == Some(2) && why.contains("its checksum does not match"), "{why}");
    fs::remove_dir_all(folder.model_folder()).unwrap();
    let (found, why) = code(&["verify", &id, "--file", "tiny.yaml"]);
    assert!(found == Some(2) && why.contains("kept no weights"), "{why}");
}

#[test]
fn a_pretrained_model_gives_the_held_out_scores_again() {
    let place = super::pretraining::place();
    place.run(&["run", "first.yaml"]).ok();
    let folder = RunsRoot::new(place.path("runs")).folders("first").unwrap().remove(0);
    let id = folder.id().0.clone();
    let told = place.run(&["verify", &id, "--file", "first.yaml"]).ok();
    assert!(told.out.contains("held_out  perplexity") && told.out.contains("recorded scores come out"), "{}", told.out);
    let mut record = folder.record().unwrap().unwrap();
    record.scores[0].value = record.scores[0].value.map(|value| value + 0.01);
    fs::remove_file(folder.path().join("record.json")).unwrap();
    folder.write_record(&record).unwrap();
    let told = place.run(&["verify", &id, "--file", "first.yaml"]);
    assert!(told.code == Some(1) && told.out.contains("1 of "), "{}", told.out);
}
