//! Transfers that break, lie or go elsewhere.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bertbench::checksum::sha256;

use super::scene::{Scene, WEIGHTS, files, starts};
use super::site::{COMMIT, Hub};
use crate::cli::server::{Faults, Request, Server};

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
    let faults = Faults { cuts: 1, after: 30_000, without_ranges: true, outages: (2, 503), ..Faults::default() };
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
    assert!(told.err.contains("model.safetensors of ada/tiny-bert: the connection broke after "), "{}", told.err);
    assert!(told.err.contains("hint: the same command resumes from there"), "{}", told.err);
    scene.server.requests();
    scene.server.change(|behaviour| behaviour.faults = Faults::default());
    let told = scene.resolve().ok();
    assert!(told.err.contains("note: model.safetensors: resuming after 29.3 KiB"), "{}", told.err);
    assert_eq!(starts(&scene.server.requests()), [30_000]);
    scene.assert_fetched();
}

#[test]
fn a_process_that_was_killed_in_the_middle_is_gone_on_from() {
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { stalls: true, after: 30_000, ..Faults::default() });
    let part = scene.cached("blobs").join(format!("{}.incomplete", sha256(&files()[WEIGHTS])));
    let mut child =
        scene.command(&["plan", "hub.yaml"], &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
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
    assert_eq!(told.err, "note: model.safetensors arrived damaged: fetching it again\n");
    scene.assert_fetched();

    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { damages: 100, ..Faults::default() });
    let told = scene.resolve().ends_with(2);
    let expected = format!("but {} is published", sha256(&files()[WEIGHTS]));
    assert!(told.err.contains("model.safetensors of ada/tiny-bert arrived damaged: its SHA-256 is "), "{}", told.err);
    assert!(told.err.contains(&expected), "{}", told.err);
    assert!(!scene.snapshot(WEIGHTS).exists());
    assert!(!scene.blobs().iter().any(|name| name.contains(&sha256(&files()[WEIGHTS]))), "{:?}", scene.blobs());

    // A small file is held against git's hash.
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.etag = Some("0".repeat(40)));
    let told = scene.resolve().ends_with(2);
    assert!(told.err.contains("config.json of ada/tiny-bert arrived damaged: its git hash is "), "{}", told.err);
}

#[test]
fn the_token_goes_to_the_hub_and_to_no_other_host() {
    let storage = Server::new(Hub { files: files(), ..Hub::default() });
    let token = || Some("hf_secret".to_owned());
    let scene = Scene::with(Hub {
        files: files(),
        storage: Some(storage.address.clone()),
        private: token(),
        gated: token(),
        ..Hub::default()
    });
    scene.resolve().ends_with(2);
    scene.server.requests();
    scene.run_with(&["plan", "hub.yaml"], &[("HF_TOKEN", "hf_secret")]).ok();
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
    assert!(
        told.err.contains("the shard `../../../../stolen` of `a` is not the name of a file beside it"),
        "{}",
        told.err
    );
    let stolen = scene.place.files("").into_iter().filter(|path| path.to_string_lossy().contains("stolen"));
    assert_eq!(stolen.count(), 0);
}

#[test]
fn two_processes_fetch_a_file_once() {
    let scene = Scene::new();
    scene.server.change(|behaviour| behaviour.faults = Faults { stalls: true, after: 30_000, ..Faults::default() });
    let start =
        || scene.command(&["plan", "hub.yaml"], &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
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
    assert!(String::from_utf8_lossy(&ends[1].stderr).contains("another process is fetching the same file"));
    assert_eq!(starts(&scene.server.requests()), [30_000], "the first went on, the second fetched nothing");
    scene.assert_fetched();
}
