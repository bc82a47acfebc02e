//! Models of the hub, from a server on this machine: fetched, resumed, verified, cached, refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bertbench::checksum::sha256;

use crate::expected::assert_as_expected;
use crate::hub_server::{Behaviour, COMMIT, Faults, REPOSITORY, Request, Server, git_hash};
use crate::program::{Told, Workplace};

const EXPERIMENT: &str = "\
experiment: hub
mini: {seed: 1}
models:
  tiny:
    checkpoint:
      hub: ada/tiny-bert
tasks: [wnli]
sweep: {batch_size: [16], learning_rate: [1e-3], epochs: [1]}
seeds: [1]
training: {max_length: 16}
device: cpu
";

const WEIGHTS: &str = "model.safetensors";

/// The files of a repository: the golden BERT of `tests/golden/bert`, whose 60 tokens become letters.
fn files() -> BTreeMap<String, Vec<u8>> {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bert");
    let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let vocabulary: Vec<String> =
        special.into_iter().chain(letters).chain([".", ",", "?"].map(str::to_owned)).collect();
    assert_eq!(vocabulary.len(), 60);
    BTreeMap::from([
        ("README.md".to_owned(), b"# a model".to_vec()),
        ("config.json".to_owned(), fs::read(golden.join("config.json")).unwrap()),
        (WEIGHTS.to_owned(), fs::read(golden.join(WEIGHTS)).unwrap()),
        ("pytorch_model.bin".to_owned(), b"never asked for".to_vec()),
        ("tf_model.h5".to_owned(), b"never asked for".to_vec()),
        ("tokenizer_config.json".to_owned(), b"{\"do_lower_case\": true}".to_vec()),
        ("vocab.txt".to_owned(), (vocabulary.join("\n") + "\n").into_bytes()),
    ])
}

/// A workplace with an experiment and an empty cache, and a server.
struct Scene {
    place: Workplace,
    server: Server,
}

impl Scene {
    fn new() -> Self {
        Self::with(Behaviour { files: files(), ..Behaviour::default() })
    }

    fn with(behaviour: Behaviour) -> Self {
        let place = Workplace::new();
        place.write("hub.yaml", EXPERIMENT);
        Self { place, server: Server::new(behaviour) }
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> std::process::Command {
        let mut command = self.place.command(arguments);
        let inherited = std::env::vars_os().map(|(name, _)| name).filter(|name| {
            let name = name.to_string_lossy().to_lowercase();
            name.starts_with("hf_") || name.starts_with("hugging") || name.ends_with("_proxy")
        });
        for name in inherited {
            command.env_remove(name);
        }
        command.env("HF_HOME", "cache").env("HF_ENDPOINT", &self.server.address);
        command.envs(variables.iter().copied());
        command
    }

    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Told {
        let output = self.command(arguments, variables).output().unwrap();
        // The folder and the port are other ones each time.
        let folder = self.place.path("").canonicalize().unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&self.server.address, "http://hub").replace(folder.to_str().unwrap(), "FOLDER")
        };
        Told {
            command: format!("bertbench {}", arguments.join(" ")),
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn run(&self, arguments: &[&str]) -> Told {
        self.run_with(arguments, &[])
    }

    /// The quickest command that resolves the experiment.
    fn resolve(&self) -> Told {
        self.run(&["status", "hub.yaml"])
    }

    fn cached(&self, name: &str) -> PathBuf {
        self.place.path("cache/hub/models--ada--tiny-bert").join(name)
    }

    fn snapshot(&self, name: &str) -> PathBuf {
        self.cached("snapshots").join(COMMIT).join(name)
    }

    /// Names in the folder of blobs.
    fn blobs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.cached("blobs")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[track_caller]
    fn assert_fetched(&self) {
        for name in ["config.json", WEIGHTS, "tokenizer_config.json", "vocab.txt"] {
            assert_eq!(fs::read(self.snapshot(name)).unwrap(), files()[name], "{name}");
        }
        assert!(self.blobs().iter().all(|name| !name.contains('.')), "parts were left: {:?}", self.blobs());
    }
}

/// The first bytes that transfers of the weights asked for, in order; one that asks for all has 0.
fn starts(requests: &[Request]) -> Vec<u64> {
    let of_weights = |request: &&Request| request.path.starts_with("/storage/model.safetensors");
    let start = |request: &Request| match request.headers.get("range").map(String::as_str) {
        None => Some(0),
        // Metadata: not a transfer.
        Some("bytes=0-0") => None,
        Some(range) => Some(range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()),
    };
    requests.iter().filter(of_weights).filter_map(start).collect()
}

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
    scene.run(&["status", "hub.yaml", "--set", &pinned]).ok();
    assert!(scene.server.requests().is_empty(), "all of the commit is known");

    let nowhere = [("HF_ENDPOINT", "http://127.0.0.1:9")];
    let told = scene.run_with(&["status", "hub.yaml", "--set", &pinned], &nowhere).ok();
    assert_eq!(told.err, "");
    let told = scene.run_with(&["status", "hub.yaml"], &nowhere).ok();
    assert!(told.err.starts_with("note: http://127.0.0.1:9 cannot be reached (connection refused): "), "{}", told.err);
    assert!(told.err.contains(COMMIT), "{}", told.err);

    let offline = [("HF_HUB_OFFLINE", "1")];
    let told = scene.run_with(&["status", "hub.yaml"], &offline).ok();
    assert_eq!((told.err.as_str(), scene.server.requests().len()), ("", 0));
}

#[test]
fn what_is_not_there_is_said_plainly() {
    let scene = Scene::new();
    let mut exchanges = String::new();
    let mut tell = |name: &str, variables: &[(&str, &str)], set: &[&str]| {
        let arguments: Vec<&str> = ["status", "hub.yaml"].into_iter().chain(set.iter().copied()).collect();
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

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { cuts: 2, after: 30_000, ..Faults::default() });
    scene.resolve().ok();
    scene.assert_fetched();
    assert_eq!(starts(&scene.server.requests()), [0, 30_000, 60_000]);
}

#[test]
fn a_server_without_ranges_or_out_of_order_is_borne() {
    let scene = Scene::new();
    let faults = Faults { cuts: 1, after: 30_000, without_ranges: true, outages: 2, ..Faults::default() };
    scene.server.change(|behaviour| behaviour.faults = faults);
    scene.resolve().ok();
    scene.assert_fetched();
}

#[test]
fn a_transfer_that_breaks_for_good_is_kept_for_the_next_command() {
    let scene = Scene::new();
    scene.server.change(|behaviour| {
        behaviour.faults = Faults { cuts: 100, after: 30_000, without_ranges: true, ..Faults::default() };
    });
    let told = scene.resolve().ends_with(2);
    assert!(told.err.contains("model.safetensors of ada/tiny-bert: the connection broke, "), "{}", told.err);
    assert!(told.err.contains("hint: the same command goes on from there"), "{}", told.err);
    scene.server.requests();
    scene.server.change(|behaviour| behaviour.faults = Faults::default());
    let told = scene.resolve().ok();
    assert!(told.err.contains("note: model.safetensors goes on after 29.3 KiB"), "{}", told.err);
    assert_eq!(starts(&scene.server.requests()), [30_000]);
    scene.assert_fetched();
}

#[test]
fn a_process_that_was_killed_in_the_middle_is_gone_on_from() {
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { stalls: true, after: 30_000, ..Faults::default() });
    let part = scene.cached("blobs").join(format!("{}.incomplete", sha256(&files()[WEIGHTS])));
    let mut child =
        scene.command(&["status", "hub.yaml"], &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::metadata(&part).map_or(0, |found| found.len()) < 30_000 {
        assert!(Instant::now() < deadline, "no part came");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!scene.snapshot(WEIGHTS).exists());
    scene.server.requests();
    scene.server.change(|behaviour| behaviour.faults = Faults::default());
    scene.resolve().ok();
    assert_eq!(starts(&scene.server.requests()), [30_000]);
    scene.assert_fetched();

    // Killed after the last byte, before the file had its name: nothing is fetched again.
    fs::rename(part.with_extension(""), &part).unwrap();
    scene.resolve().ok();
    assert_eq!(starts(&scene.server.requests()), Vec::<u64>::new());
    scene.assert_fetched();
}

#[test]
fn a_damaged_file_is_fetched_once_more_and_then_refused() {
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { damages: 1, ..Faults::default() });
    let told = scene.resolve().ok();
    assert_eq!(told.err, "note: model.safetensors came damaged: it is fetched again\n");
    scene.assert_fetched();

    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { damages: 100, ..Faults::default() });
    let told = scene.resolve().ends_with(2);
    let expected = format!("where the hub has {}", sha256(&files()[WEIGHTS]));
    assert!(
        told.err.contains("model.safetensors of ada/tiny-bert came damaged twice: its SHA-256 is "),
        "{}",
        told.err
    );
    assert!(told.err.contains(&expected), "{}", told.err);
    assert!(!scene.snapshot(WEIGHTS).exists());
    assert!(!scene.blobs().iter().any(|name| name.contains(&sha256(&files()[WEIGHTS]))), "{:?}", scene.blobs());

    // A small file is held against git's hash.
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.etag = Some("0".repeat(40)));
    let told = scene.resolve().ends_with(2);
    assert!(told.err.contains("config.json of ada/tiny-bert came damaged twice: its git hash is "), "{}", told.err);
}

#[test]
fn the_token_goes_to_the_hub_and_to_no_other_host() {
    let storage = Server::new(Behaviour { files: files(), ..Behaviour::default() });
    let token = || Some("hf_secret".to_owned());
    let scene = Scene::with(Behaviour {
        files: files(),
        storage: Some(storage.address.clone()),
        private: token(),
        gated: token(),
        ..Behaviour::default()
    });
    scene.resolve().ends_with(2);
    scene.server.requests();
    scene.run_with(&["status", "hub.yaml"], &[("HF_TOKEN", "hf_secret")]).ok();
    scene.assert_fetched();
    let sent = |request: &Request| request.headers.get("authorization").cloned();
    let (to_hub, to_storage) = (scene.server.requests(), storage.requests());
    assert!(to_hub.len() > 4 && to_hub.iter().all(|request| sent(request).as_deref() == Some("Bearer hf_secret")));
    assert_eq!(starts(&to_storage), [0]);
    assert!(to_storage.iter().all(|request| sent(request).is_none()), "{to_storage:?}");

    // The file that `hf auth login` writes does as well.
    fs::remove_dir_all(scene.place.path("cache")).unwrap();
    scene.place.write("cache/token", "hf_secret\n");
    scene.resolve().ok();
}

#[test]
fn a_server_that_means_ill_writes_nothing_outside_the_cache() {
    let scene = Scene::new();
    for etag in ["../../../../stolen", "/stolen", "", "a/b"] {
        scene.server.change(|behaviour| behaviour.etag = Some(etag.to_owned()));
        let told = scene.resolve().ends_with(2);
        assert!(told.err.contains("comes without a usable etag"), "{}", told.err);
    }
    scene.server.change(|behaviour| {
        behaviour.etag = None;
        behaviour.files.remove(WEIGHTS);
        let index = br#"{"weight_map": {"a": "../../../../stolen"}}"#.to_vec();
        behaviour.files.insert("model.safetensors.index.json".to_owned(), index);
        behaviour.files.insert("../../../../stolen".to_owned(), b"x".to_vec());
    });
    let told = scene.resolve().ends_with(2);
    assert!(told.err.contains("which is not a file beside it"), "{}", told.err);
    let stolen = scene.place.files("").into_iter().filter(|path| path.to_string_lossy().contains("stolen"));
    assert_eq!(stolen.count(), 0);
}

#[test]
fn two_processes_fetch_a_file_once() {
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { stalls: true, after: 30_000, ..Faults::default() });
    let start =
        || scene.command(&["status", "hub.yaml"], &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let first = start();
    let part = scene.cached("blobs").join(format!("{}.incomplete", sha256(&files()[WEIGHTS])));
    while fs::metadata(&part).map_or(0, |found| found.len()) < 30_000 {
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.server.requests();
    let second = start();
    // The second has asked for the weights' etag, and so comes to the lock next.
    let asked = |path: &str| scene.server.requests().iter().any(|request| request.path.contains(path));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !asked(&format!("resolve/{COMMIT}/{WEIGHTS}")) {
        assert!(Instant::now() < deadline, "the second process asked for nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    scene.server.change(|behaviour| behaviour.faults = Faults::default());
    let ends = [first, second].map(|process| process.wait_with_output().unwrap());
    assert!(ends.iter().all(|end| end.status.success()), "{ends:?}");
    assert!(String::from_utf8_lossy(&ends[1].stderr).contains("another process fetches the same file"));
    assert_eq!(starts(&scene.server.requests()), [30_000], "the first went on, the second fetched nothing");
    scene.assert_fetched();
}
