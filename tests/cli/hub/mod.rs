//! Models of the hub, from a server on this machine: fetched, cached, refused; `transfers` has the faults
//! of the network.

mod scene;
mod site;
mod transfers;

use std::fs;
use std::path::PathBuf;

use bertbench::checksum::sha256;

use self::scene::{EXPERIMENT, Scene, WEIGHTS, files};
use self::site::{COMMIT, REPOSITORY, git_hash};
use crate::cli::expected::assert_as_expected;

#[test]
fn a_model_of_the_hub_is_checked_run_and_known_by_its_weights() {
    let scene = Scene::new();
    scene.run(&["check", "hub.yaml"]).ok();
    scene.assert_fetched();
    let asked: Vec<String> = scene.server.requests().into_iter().map(|request| request.path).collect();
    for never in ["README.md", "pytorch_model.bin", "tf_model.h5"] {
        assert!(!asked.iter().any(|path| path.contains(never)), "{never} is not needed: {asked:?}");
    }
    // The layout of huggingface_hub: relative links from the snapshot to blobs named by etag.
    let link = fs::read_link(scene.snapshot(WEIGHTS)).unwrap();
    assert_eq!(link, PathBuf::from("../../blobs").join(sha256(&files()[WEIGHTS])));
    let link = fs::read_link(scene.snapshot("vocab.txt")).unwrap();
    assert_eq!(link, PathBuf::from("../../blobs").join(git_hash(&files()["vocab.txt"])));
    assert_eq!(fs::read_to_string(scene.cached("refs/main")).unwrap(), COMMIT);

    let told = scene.run(&["run", "hub.yaml"]).ok();
    assert!(told.out.contains("1 done now"), "{}", told.out);
    let list = scene.run(&["runs", "list", "hub", "--json"]).ok().json();
    let id = list[0]["id"].as_str().unwrap();
    let shown: serde_json::Value = scene.run(&["runs", "show", id, "--json"]).ok().json();
    assert!(shown.to_string().contains(&format!("hub:{REPOSITORY}@{COMMIT}")), "{shown}");

    // The same weights from a folder are the same run.
    let folder = scene.snapshot("");
    let plain =
        EXPERIMENT.replace("checkpoint:\n      hub: ada/tiny-bert", &format!("checkpoint: {}", folder.display()));
    scene.place.write("folder.yaml", &plain);
    let told = scene.run(&["run", "folder.yaml"]).ok();
    assert!(told.out.contains("0 done now, 1 before"), "{}", told.out);
}

#[test]
fn a_commit_that_is_cached_needs_no_network_and_a_branch_is_taken_as_cached() {
    let scene = Scene::new();
    scene.resolve().ok();
    scene.server.requests();
    scene.resolve().ok();
    let asked: Vec<String> = scene.server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, [format!("/api/models/{REPOSITORY}/revision/main")], "a branch is asked for, files are not");

    let pinned = format!("models.tiny.checkpoint.revision={COMMIT}");
    scene.run(&["plan", "hub.yaml", "--set", &pinned]).ok();
    assert!(scene.server.requests().is_empty(), "all of the commit is known");

    let nowhere = [("HF_ENDPOINT", "http://127.0.0.1:9")];
    let told = scene.run_with(&["plan", "hub.yaml", "--set", &pinned], &nowhere).ok();
    assert!(!told.err.contains("127.0.0.1"), "{}", told.err);
    let told = scene.run_with(&["plan", "hub.yaml"], &nowhere).ok();
    assert!(told.err.starts_with("note: http://127.0.0.1:9 cannot be reached (connection refused): "), "{}", told.err);
    assert!(told.err.contains(COMMIT), "{}", told.err);

    let offline = [("HF_HUB_OFFLINE", "1")];
    let told = scene.run_with(&["plan", "hub.yaml"], &offline).ok();
    assert!(!told.err.contains("cannot be reached") && scene.server.requests().is_empty(), "{}", told.err);
}

#[test]
fn a_status_asks_no_hub() {
    let scene = Scene::new();
    let told = scene.run(&["status", "hub.yaml"]).ends_with(2);
    assert!(told.err.contains("ada/tiny-bert at revision main was not fetched from the hub yet"), "{}", told.err);
    assert!(told.err.contains("hub.yaml:") && told.err.contains("`bertbench check` fetches it"), "{}", told.err);
    scene.resolve().ok();
    assert!(!scene.server.requests().is_empty());
    let told = scene.run(&["status", "hub.yaml"]).ok();
    assert!(told.out.contains("0 done, 0 running, 0 failed, 1 missing"), "{}", told.out);
    let told = scene.run_with(&["status", "hub.yaml"], &[("HF_ENDPOINT", "http://127.0.0.1:9")]).ok();
    assert_eq!((told.err.as_str(), scene.server.requests().len()), ("", 0));
}

#[test]
fn what_is_not_there_is_said_plainly() {
    let scene = Scene::new();
    let mut exchanges = String::new();
    let mut tell = |name: &str, variables: &[(&str, &str)], set: &[&str]| {
        let arguments: Vec<&str> = ["check", "hub.yaml"].into_iter().chain(set.iter().copied()).collect();
        let told = scene.run_with(&arguments, variables).ends_with(2);
        exchanges += &format!("# {name}\n{}\n", told.exchange());
    };
    tell("offline", &[("HF_HUB_OFFLINE", "yes")], &[]);
    assert!(scene.server.requests().is_empty(), "no connection is opened");
    tell("no network", &[("HF_ENDPOINT", "http://127.0.0.1:9")], &[]);
    tell("not an address", &[("HF_ENDPOINT", "huggingface.co")], &[]);
    tell("no such repository", &[], &["--set", "models.tiny.checkpoint={hub: ada/tiny-brt}"]);
    tell("no such revision", &[], &["--set", "models.tiny.checkpoint.revision=v9"]);
    tell("a folder that looks like a repository", &[], &["--set", "models.tiny.checkpoint=ada/tiny-bert"]);
    let token = || Some("hf_right".to_owned());
    scene.server.change(|behaviour| behaviour.private = token());
    tell("private", &[], &[]);
    scene.server.change(|behaviour| (behaviour.private, behaviour.gated) = (None, token()));
    tell("gated", &[], &[]);
    tell("gated, with another's token", &[("HF_TOKEN", "hf_wrong")], &[]);
    scene.server.change(|behaviour| (behaviour.gated, behaviour.size) = (None, Some(1 << 60)));
    tell("no room", &[], &[]);
    scene.server.change(|behaviour| {
        behaviour.size = None;
        behaviour.files.retain(|name, _| !name.ends_with(".bin") && !name.ends_with(".safetensors"));
    });
    tell("weights for other programs", &[], &[]);
    scene.server.change(|behaviour| drop(behaviour.files.remove("config.json")));
    tell("no config.json", &[], &[]);
    assert_as_expected("hub-refused", &without_room(&exchanges));
    let weights = scene.blobs().into_iter().filter(|name| name.contains(&sha256(&files()[WEIGHTS])));
    assert!(weights.map(|name| fs::metadata(scene.cached("blobs").join(name)).unwrap().len()).all(|size| size == 0));
}

/// What this machine's disk has left is not a part of the message.
fn without_room(text: &str) -> String {
    text.lines()
        .map(|line| match (line.find(" has "), line.strip_suffix(" left")) {
            (Some(at), Some(_)) => format!("{} has … left\n", &line[..at]),
            _ => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn another_kind_of_model_is_refused_before_its_weights_come() {
    let scene = Scene::new();
    scene.server.change(|behaviour| {
        let config = String::from_utf8(behaviour.files["config.json"].clone()).unwrap();
        let config = config.replace("\"model_type\": \"bert\"", "\"model_type\": \"roberta\"");
        behaviour.files.insert("config.json".to_owned(), config.into_bytes());
    });
    let told = scene.resolve().ends_with(2);
    assert!(told.err.contains("`model_type` "), "{}", told.err);
    assert!(!scene.server.requests().iter().any(|request| request.path.contains(WEIGHTS)));
}

#[test]
fn sharded_weights_come_with_every_shard() {
    let scene = Scene::new();
    let index = r#"{"metadata": {}, "weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#;
    scene.server.change(|behaviour| {
        behaviour.files.remove(WEIGHTS);
        behaviour.files.insert("model.safetensors.index.json".to_owned(), index.as_bytes().to_vec());
        behaviour.files.insert("model-1.safetensors".to_owned(), b"one".to_vec());
    });
    let told = scene.resolve().ends_with(2);
    assert!(told.err.contains("`model-2.safetensors`, which the repository does not have"), "{}", told.err);
    scene.server.change(|behaviour| drop(behaviour.files.insert("model-2.safetensors".to_owned(), b"two".to_vec())));
    scene.resolve();
    for (name, content) in [("model-1.safetensors", "one"), ("model-2.safetensors", "two")] {
        assert_eq!(fs::read_to_string(scene.snapshot(name)).unwrap(), content);
    }
    assert_eq!(fs::read_to_string(scene.cached("refs/main")).unwrap(), COMMIT);
}
