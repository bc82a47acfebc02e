//! Transfers: whole, broken, lying, silent, elsewhere.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::super::{
    FetchError, FetchProgress, FetchSettings, Lock, Mirror, Outcome, RetryPolicy, Trust, fetch, preview,
};
use super::manifest;
use super::server::{Behaviour, Server};
use crate::checksum::sha256;
use crate::data::Manifest;
use crate::units::Bytes;

/// Notes, for a look afterwards.
#[derive(Default)]
pub(super) struct Notes(Mutex<Vec<String>>);

impl Notes {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl FetchProgress for Notes {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn file(&self, _: &str, _: Option<u64>, _: u64) {}
    fn advanced(&self, _: &str, _: u64) {}
    fn finished(&self, _: &str) {}
}

pub(super) fn settings(root: &Path) -> FetchSettings {
    let patience = RetryPolicy {
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(30),
        attempts: 3,
        pause: Duration::from_millis(1),
    };
    FetchSettings { root: root.to_path_buf(), mirror: None, replace: false, patience }
}

/// The same, for a server that says nothing: after so many milliseconds it is not waited for.
fn impatient(settings: &FetchSettings, milliseconds: u64) -> FetchSettings {
    let silence = Duration::from_millis(milliseconds);
    FetchSettings { patience: RetryPolicy { silence, ..settings.patience }, ..settings.clone() }
}

/// The same, but a transfer that breaks is not tried again.
fn once(settings: &FetchSettings) -> FetchSettings {
    FetchSettings { patience: RetryPolicy { attempts: 1, ..settings.patience }, ..settings.clone() }
}

/// Fetches one dataset; the first thing that is wrong with it.
pub(super) fn fetched(manifest: &Manifest, settings: &FetchSettings) -> Result<Outcome, FetchError> {
    let ended = fetch(std::slice::from_ref(manifest), settings, &Notes::default());
    ended.into_iter().next().unwrap().map_err(|errors| errors.into_iter().next().unwrap())
}

/// A body that is larger than any buffer on its way, other at every byte that a mistake in an offset could take.
fn content() -> Vec<u8> {
    (0..300_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_be_bytes()).collect()
}

/// A dataset of one file, `a.txt`, whose checksum is known.
fn toy(server: &Server, content: &[u8]) -> Manifest {
    let file = format!("url: '{}/a.txt', size: {}, sha256: {}", server.address, content.len(), sha256(content));
    manifest("toy", &format!("fetch: {{download: {{files: [{{{file}}}]}}}}"))
}

/// The same, without size and checksum.
fn unknown(server: &Server) -> Manifest {
    manifest("toy", &format!("fetch: {{download: {{files: [{{url: '{}/a.txt'}}]}}}}", server.address))
}

fn assert_whole(root: &Path, content: &[u8]) {
    assert!(std::fs::read(root.join("toy-files/a.txt")).unwrap() == content);
    assert!(!root.join(".fetch/toy").exists(), "parts are left");
}

#[test]
fn a_file_comes_whole_and_is_not_asked_for_again() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    let (manifest, settings) = (toy(&server, &content), settings(root.path()));
    let bytes = Bytes(content.len() as u64);
    assert_eq!(fetched(&manifest, &settings).unwrap(), Outcome::Fetched { files: 1, bytes, trusted: 0 });
    assert_whole(root.path(), &content);
    assert_eq!(server.starts(), [0]);
    assert_eq!(fetched(&manifest, &settings).unwrap(), Outcome::There { files: 1, unverified: 0 });
    assert!(server.starts().is_empty());
    let locked = &Lock::read(&root.path().join("toy-files")).files["a.txt"];
    assert_eq!((locked.trust, &locked.from), (Trust::Published, &format!("{}/a.txt", server.address)));
}

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let content = content();
    for (length, etag) in [(false, "\"one\""), (true, "\"one\""), (false, "")] {
        let root = tempfile::tempdir().unwrap();
        let server = Server::with(&[("/a.txt", &content)]);
        server.change(|server| {
            (server.cuts, server.after, server.without_length) = (2, 500_000, length);
            etag.clone_into(&mut server.etag);
        });
        fetched(&toy(&server, &content), &settings(root.path())).unwrap();
        assert_whole(root.path(), &content);
        assert_eq!(server.starts(), [0, 500_000, 1_000_000]);
    }
}

#[test]
fn what_came_is_kept_for_the_next_call() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    let (manifest, settings) = (toy(&server, &content), settings(root.path()));
    server.change(|server| (server.stalls, server.after) = (true, 400_000));
    let error = fetched(&manifest, &impatient(&once(&settings), 2000)).unwrap_err();
    assert!(error.to_string().ends_with("/a.txt: no answer in time, 390.6 KiB are there"), "{error}");
    assert!(!root.path().join("toy-files").exists());
    server.change(|server| server.stalls = false);
    fetched(&manifest, &settings).unwrap();
    assert_whole(root.path(), &content);
    assert_eq!(server.starts(), [0, 400_000]);
}

#[test]
fn another_file_of_the_same_name_is_fetched_from_its_start() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let mut newer = content.clone();
    newer[0] ^= 1;
    let server = Server::with(&[("/a.txt", &content)]);
    server.change(|server| (server.cuts, server.after) = (9, 400_000));
    let few = once(&settings(root.path()));
    assert!(matches!(fetched(&unknown(&server), &few), Err(FetchError::Interrupted { done: 400_000, .. })));
    server.change(|server| {
        server.files.insert("/a.txt".to_owned(), newer.clone());
        (server.cuts, server.etag) = (0, "\"two\"".to_owned());
    });
    fetched(&unknown(&server), &settings(root.path())).unwrap();
    assert_whole(root.path(), &newer);
    assert_eq!(server.starts(), [0, 400_000], "the etag is asked with, and all of the newer file comes");
}

#[test]
fn without_a_validator_and_a_checksum_nothing_is_gone_on_with() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    server.change(|server| (server.cuts, server.after, server.etag) = (9, 400_000, String::new()));
    let few = once(&settings(root.path()));
    fetched(&unknown(&server), &few).unwrap_err();
    server.change(|server| server.cuts = 0);
    fetched(&unknown(&server), &few).unwrap();
    assert_whole(root.path(), &content);
    assert_eq!(server.starts(), [0, 0]);
}

#[test]
fn a_server_without_ranges_or_out_of_order_is_borne() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    server.change(|server| {
        (server.cuts, server.after, server.without_ranges, server.outages) = (1, 400_000, true, (2, 500));
    });
    fetched(&toy(&server, &content), &settings(root.path())).unwrap();
    assert_whole(root.path(), &content);
}

#[test]
fn a_wrong_content_is_not_kept() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let mut other = content.clone();
    other[77] ^= 1;
    let server = Server::with(&[("/a.txt", &other)]);
    let error = fetched(&toy(&server, &content), &settings(root.path())).unwrap_err();
    assert!(
        matches!(&error, FetchError::Checksum { found, first_use: false, .. } if *found == sha256(&other)),
        "{error}"
    );
    assert_eq!(server.starts(), [0]);
    assert!(!root.path().join("toy-files").exists());
    assert_eq!(std::fs::read_dir(root.path().join(".fetch/toy")).unwrap().count(), 0);
}

#[test]
fn a_part_that_turns_out_damaged_is_fetched_once_more() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    let part = root.path().join(".fetch/toy");
    std::fs::create_dir_all(&part).unwrap();
    std::fs::write(part.join("a.txt.part"), vec![9; 100_000]).unwrap();
    let (manifest, notes) = (toy(&server, &content), Notes::default());
    let ended = fetch(std::slice::from_ref(&manifest), &settings(root.path()), &notes);
    assert!(ended[0].is_ok());
    assert_whole(root.path(), &content);
    assert_eq!(server.starts(), [100_000, 0]);
    assert_eq!(notes.all(), ["toy/a.txt came damaged: it is fetched again"]);
}

#[test]
fn sizes_that_are_not_those_of_the_manifest_are_refused_before_the_body() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    let manifest = toy(&server, &content[..content.len() - 1]);
    let error = fetched(&manifest, &settings(root.path())).unwrap_err();
    assert!(matches!(error, FetchError::Size { .. }), "{error}");
    // One that does not say its size, or never ends, is cut where it is too long.
    for endless in [false, true] {
        server.change(|server| (server.without_length, server.endless) = (true, endless));
        let error = fetched(&manifest, &settings(root.path())).unwrap_err();
        assert!(matches!(error, FetchError::Size { .. }), "{error}");
    }
    assert!(!root.path().join("toy-files").exists());
}

#[test]
fn what_the_server_says_no_to_is_not_asked_again() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::with(&[]);
    let error = fetched(&unknown(&server), &settings(root.path())).unwrap_err();
    assert!(matches!(error, FetchError::Refused { status: 404, .. }), "{error}");
    assert_eq!(server.starts(), [0]);
}

#[test]
fn a_server_that_is_away_or_silent_is_given_up() {
    let root = tempfile::tempdir().unwrap();
    let gone = Server::with(&[]).address.clone();
    let manifest = manifest("toy", &format!("fetch: {{download: {{files: [{{url: '{gone}/a.txt'}}]}}}}"));
    let error = fetched(&manifest, &settings(root.path())).unwrap_err();
    assert!(error.to_string().ends_with("cannot be reached: connection refused"), "{error}");
    let server = Server::new(Behaviour { mute: true, ..Behaviour::default() });
    let started = Instant::now();
    let error = fetched(&unknown(&server), &impatient(&settings(root.path()), 150)).unwrap_err();
    assert!(error.to_string().ends_with("cannot be reached: no answer in time"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
    let server = Server::new(Behaviour { outages: (9, 503), ..Behaviour::default() });
    let error = fetched(&unknown(&server), &settings(root.path())).unwrap_err();
    assert!(error.to_string().ends_with("cannot be reached: status 503"), "{error}");
    assert_eq!(server.starts().len(), 3);
}

#[test]
fn redirections_are_followed_and_circles_left() {
    let (root, content) = (tempfile::tempdir().unwrap(), content());
    let storage = Server::with(&[("/b", &content)]);
    let server = Server::with(&[]);
    server.change(|server| {
        server.redirections.insert("/a.txt".to_owned(), "/c?d".to_owned());
        server.redirections.insert("/c?d".to_owned(), format!("{}/b", storage.address));
    });
    storage.change(|server| (server.cuts, server.after) = (1, 400_000));
    fetched(&toy(&server, &content), &settings(root.path())).unwrap();
    assert_whole(root.path(), &content);
    assert_eq!(storage.starts(), [0, 400_000]);
    server.change(|server| drop(server.redirections.insert("/c?d".to_owned(), "/a.txt".to_owned())));
    let root = tempfile::tempdir().unwrap();
    assert!(matches!(fetched(&unknown(&server), &settings(root.path())), Err(FetchError::Unreachable { .. })));
}

#[test]
fn a_first_download_is_trusted_and_later_ones_are_held_against_it() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::with(&[("/a.txt", b"first")]);
    let (manifest, settings) = (unknown(&server), settings(root.path()));
    assert_eq!(fetched(&manifest, &settings).unwrap(), Outcome::Fetched { files: 1, bytes: Bytes(5), trusted: 1 });
    let path = root.path().join("toy-files/a.txt");
    std::fs::remove_file(&path).unwrap();
    server.change(|server| drop(server.files.insert("/a.txt".to_owned(), b"other".to_vec())));
    let error = fetched(&manifest, &settings).unwrap_err();
    assert!(matches!(error, FetchError::Checksum { first_use: true, .. }), "{error}");
    assert!(!path.exists());
    let anew = FetchSettings { replace: true, ..settings.clone() };
    fetched(&manifest, &anew).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"other");
    assert_eq!(fetched(&manifest, &settings).unwrap(), Outcome::There { files: 1, unverified: 0 });
}

#[test]
fn files_that_are_there_are_not_overwritten_unasked() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::with(&[("/a.txt", b"theirs")]);
    let path = root.path().join("toy-files/a.txt");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"mine!!").unwrap();
    let (manifest, settings) = (toy(&server, b"theirs"), settings(root.path()));
    assert!(matches!(fetched(&manifest, &settings), Err(FetchError::Differs { first_use: false, .. })));
    assert_eq!((std::fs::read(&path).unwrap(), server.starts().len()), (b"mine!!".to_vec(), 0));
    assert_eq!(fetched(&unknown(&server), &settings).unwrap(), Outcome::There { files: 1, unverified: 1 });
    fetched(&manifest, &FetchSettings { replace: true, ..settings }).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
}

#[test]
fn a_mirror_is_a_server_or_a_folder_with_a_folder_for_each_dataset() {
    let content = content();
    let copies = tempfile::tempdir().unwrap();
    std::fs::create_dir(copies.path().join("toy")).unwrap();
    std::fs::write(copies.path().join("toy/a.txt"), &content).unwrap();
    let server = Server::with(&[("/data/toy/a.txt", &content)]);
    let never = manifest(
        "toy",
        &format!(
            "fetch: {{download: {{files: [{{url: 'https://nowhere.invalid/x/a.txt?y', sha256: {}}}]}}}}",
            sha256(&content)
        ),
    );
    for mirror in [format!("{}/data/", server.address), copies.path().to_str().unwrap().to_owned()] {
        let root = tempfile::tempdir().unwrap();
        let settings = FetchSettings { mirror: Some(Mirror::parse(&mirror).unwrap()), ..settings(root.path()) };
        let rows = preview(std::slice::from_ref(&never), &settings).unwrap();
        assert!(rows[0].needed && rows[0].address.as_ref().unwrap().ends_with("/toy/a.txt"), "{rows:?}");
        fetched(&never, &settings).unwrap();
        assert_whole(root.path(), &content);
        assert!(!preview(std::slice::from_ref(&never), &settings).unwrap()[0].needed);
    }
    let root = tempfile::tempdir().unwrap();
    std::fs::write(copies.path().join("toy/a.txt"), b"damaged").unwrap();
    let settings = FetchSettings { mirror: Some(Mirror::Folder(copies.path().to_path_buf())), ..settings(root.path()) };
    assert!(matches!(fetched(&never, &settings), Err(FetchError::Checksum { .. })));
}

#[test]
fn one_dataset_that_fails_does_not_keep_the_others_from_coming() {
    let root = tempfile::tempdir().unwrap();
    let files: Vec<(String, Vec<u8>)> = (0..9).map(|n| (format!("/{n}"), vec![b'0' + n; 1000])).collect();
    let listed: Vec<(&str, &[u8])> = files.iter().map(|(path, content)| (path.as_str(), &content[..])).collect();
    let server = Server::with(&listed);
    let dataset = |name: &str, numbers: &[u32]| {
        let files: Vec<String> = numbers.iter().map(|n| format!("{{url: '{}/{n}'}}", server.address)).collect();
        manifest(name, &format!("fetch: {{download: {{files: [{}]}}}}", files.join(", ")))
    };
    let manifests = [dataset("one", &[0, 1, 2, 3]), dataset("bad", &[4, 10, 11]), dataset("two", &[5, 6, 7, 8])];
    let ended = fetch(&manifests, &settings(root.path()), &Notes::default());
    assert!(ended[0].is_ok() && ended[2].is_ok());
    assert_eq!(ended[1].as_ref().unwrap_err().len(), 2, "all that is wrong is told");
    for n in 0..9 {
        let folder = if n < 4 { "one-files" } else { "two-files" };
        let path = root.path().join(folder).join(n.to_string());
        assert_eq!(path.exists(), n != 4, "{}", path.display());
    }
    assert!(!root.path().join("bad-files").exists());
}

#[test]
fn a_dataset_without_addresses_says_how_it_is_had() {
    let root = tempfile::tempdir().unwrap();
    let text = "counted: lines\nfetch: {by_hand: 'Ask them.'}";
    let mut manifest = manifest("toy", text);
    manifest.splits = vec![crate::data::ManifestSplit {
        name: "train".to_owned(),
        file: "a.txt".to_owned(),
        examples: 2,
        sha256: None,
    }];
    let error = fetched(&manifest, &settings(root.path())).unwrap_err();
    assert!(
        matches!(&error, FetchError::ByHand { how, missing, .. } if how == "Ask them." && missing == &["no a.txt"])
    );
    let path = root.path().join("toy-files/a.txt");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "a\n").unwrap();
    let error = fetched(&manifest, &settings(root.path())).unwrap_err().to_string();
    assert!(error.contains("1 examples where 2 are in a.txt"), "{error}");
    std::fs::write(&path, "a\nb\n").unwrap();
    assert!(fetched(&manifest, &settings(root.path())).is_ok());
}
