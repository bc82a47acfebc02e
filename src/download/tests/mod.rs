//! Transfers: whole, broken, lying, silent, elsewhere.

pub(crate) mod server;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use self::server::{Faults, Server, StaticSite};
use super::{Address, Checksum, Client, DownloadError, Expected, Progress, Received, RetryPolicy, Transfer};
use crate::checksum::sha256;

/// Notes, for a look afterwards.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn file(&self, _: &str, _: Option<u64>, _: u64) {}
    fn advanced(&self, _: &str, _: u64) {}
    fn finished(&self, _: &str) {}
}

/// Three attempts, one after the other.
pub(crate) fn retry() -> RetryPolicy {
    let (connect, silence) = (Duration::from_secs(5), Duration::from_secs(30));
    RetryPolicy { connect, silence, attempts: 3, pause: Duration::from_millis(1) }
}

/// One attempt.
fn once() -> RetryPolicy {
    RetryPolicy { attempts: 1, ..retry() }
}

/// A body that is larger than any buffer on its way, other at every byte that a mistake in an offset could take.
pub(crate) fn content() -> Vec<u8> {
    (0..300_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_be_bytes()).collect()
}

/// A folder where `a.txt` of a server gathers.
struct Scene {
    folder: tempfile::TempDir,
    notes: Notes,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), notes: Notes::default() }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("a.txt.part")
    }

    fn fetch(&self, address: &str, expected: &Expected, retry: RetryPolicy) -> Result<Received, DownloadError> {
        let (url, client) = (format!("{address}/a.txt"), Client::new(retry));
        let transfer = Transfer {
            client: &client,
            label: "a.txt",
            subject: &url,
            address: &Address::Url(url.clone()),
            part: &self.part(),
            expected,
        };
        transfer.run(&self.notes)
    }

    #[track_caller]
    fn assert_whole(&self, content: &[u8]) {
        assert!(std::fs::read(self.part()).unwrap() == content);
    }

    /// Nothing of a file was kept.
    #[track_caller]
    fn assert_empty(&self) {
        let names: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(names, Vec::<PathBuf>::new());
    }
}

/// A file whose size and checksum are known.
fn known(content: &[u8]) -> Expected {
    let checksum = Some(Checksum::Sha256(sha256(content)));
    Expected { size: Some(content.len() as u64), checksum, retry_damaged: false }
}

const UNKNOWN: Expected = Expected { size: None, checksum: None, retry_damaged: false };

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let content = content();
    for (without_length, etag) in [(false, "\"one\""), (true, "\"one\""), (false, "")] {
        let (scene, server) = (Scene::new(), Server::with(&[("/a.txt", &content)]));
        server.change(|server| {
            server.faults = Faults { cuts: 2, after: 500_000, without_length, ..Faults::default() };
            etag.clone_into(&mut server.etag);
        });
        scene.fetch(&server.address, &known(&content), retry()).unwrap();
        scene.assert_whole(&content);
        assert_eq!(server.starts(), [0, 500_000, 1_000_000]);
    }
}

#[test]
fn what_came_is_kept_for_the_next_call() {
    let content = content();
    for expected in [known(&content), Expected { size: None, ..known(&content) }, UNKNOWN] {
        let (scene, server) = (Scene::new(), Server::with(&[("/a.txt", &content)]));
        server.change(|server| (server.faults.stalls, server.faults.after) = (true, 400_000));
        let silence = Duration::from_secs(2);
        let error = scene.fetch(&server.address, &expected, RetryPolicy { silence, ..once() }).unwrap_err();
        assert!(error.to_string().ends_with("/a.txt: no answer in time after 390.6 KiB"), "{error}");
        server.change(|server| server.faults.stalls = false);
        scene.fetch(&server.address, &expected, retry()).unwrap();
        scene.assert_whole(&content);
        assert_eq!(server.starts(), [0, 400_000]);
        // All of it is there, and known to be.
        scene.fetch(&server.address, &expected, retry()).unwrap();
        assert!(server.starts().is_empty());
    }
}

#[test]
fn another_file_of_the_same_name_is_fetched_from_its_start() {
    let (scene, content) = (Scene::new(), content());
    let mut newer = content.clone();
    newer[0] ^= 1;
    let server = Server::with(&[("/a.txt", &content)]);
    server.change(|server| (server.faults.cuts, server.faults.after) = (9, 400_000));
    let broken = scene.fetch(&server.address, &UNKNOWN, once());
    assert!(matches!(broken, Err(DownloadError::Interrupted { done: 400_000, .. })));
    server.change(|server| {
        server.files.insert("/a.txt".to_owned(), newer.clone());
        (server.faults.cuts, server.etag) = (0, "\"two\"".to_owned());
    });
    scene.fetch(&server.address, &UNKNOWN, retry()).unwrap();
    scene.assert_whole(&newer);
    assert_eq!(server.starts(), [0, 400_000], "the etag is asked with, and all of the newer file comes");
}

#[test]
fn without_a_validator_and_a_checksum_nothing_is_gone_on_with() {
    let (scene, content) = (Scene::new(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    server.change(|server| {
        (server.faults.cuts, server.faults.after, server.etag) = (9, 400_000, String::new());
    });
    assert!(scene.fetch(&server.address, &UNKNOWN, once()).is_err());
    server.change(|server| server.faults.cuts = 0);
    scene.fetch(&server.address, &UNKNOWN, once()).unwrap();
    scene.assert_whole(&content);
    assert_eq!(server.starts(), [0, 0]);
}

#[test]
fn a_server_without_ranges_or_out_of_order_is_borne() {
    let (scene, content) = (Scene::new(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    let faults = Faults { cuts: 1, after: 400_000, without_ranges: true, outages: (2, 500), ..Faults::default() };
    server.change(|server| server.faults = faults);
    scene.fetch(&server.address, &known(&content), retry()).unwrap();
    scene.assert_whole(&content);
}

#[test]
fn a_wrong_content_is_not_kept() {
    let (scene, content) = (Scene::new(), content());
    let mut other = content.clone();
    other[77] ^= 1;
    let server = Server::with(&[("/a.txt", &other)]);
    for (retry_damaged, starts) in [(false, &[0][..]), (true, &[0, 0])] {
        let expected = Expected { retry_damaged, ..known(&content) };
        let error = scene.fetch(&server.address, &expected, retry()).unwrap_err();
        assert!(matches!(&error, DownloadError::Checksum { found, .. } if *found == sha256(&other)), "{error}");
        assert_eq!(server.starts(), starts);
        scene.assert_empty();
    }
}

#[test]
fn a_part_that_turns_out_damaged_is_fetched_once_more() {
    let (scene, content) = (Scene::new(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    std::fs::write(scene.part(), vec![9; 100_000]).unwrap();
    scene.fetch(&server.address, &known(&content), retry()).unwrap();
    scene.assert_whole(&content);
    assert_eq!(server.starts(), [100_000, 0]);
    assert_eq!(*scene.notes.0.lock().unwrap(), ["a.txt arrived damaged: fetching it again"]);
}

#[test]
fn sizes_that_are_not_the_published_ones_are_refused_before_the_body() {
    let (scene, content) = (Scene::new(), content());
    let server = Server::with(&[("/a.txt", &content)]);
    let expected = known(&content[..content.len() - 1]);
    let error = scene.fetch(&server.address, &expected, retry()).unwrap_err();
    assert!(matches!(error, DownloadError::Size { .. }), "{error}");
    // One that does not say its size, or never ends, is cut where it is too long.
    for endless in [false, true] {
        server.change(|server| (server.faults.without_length, server.faults.endless) = (true, endless));
        let error = scene.fetch(&server.address, &expected, retry()).unwrap_err();
        assert!(matches!(error, DownloadError::Size { .. }), "{error}");
    }
    scene.assert_empty();
}

#[test]
fn what_the_server_says_no_to_is_not_asked_again() {
    let (scene, server) = (Scene::new(), Server::with(&[]));
    let error = scene.fetch(&server.address, &UNKNOWN, retry()).unwrap_err();
    assert!(matches!(error, DownloadError::Refused { status: 404, .. }), "{error}");
    assert_eq!(server.starts(), [0]);
}

#[test]
fn a_server_that_is_away_or_silent_is_given_up() {
    let scene = Scene::new();
    let gone = Server::with(&[]).address.clone();
    let error = scene.fetch(&gone, &UNKNOWN, retry()).unwrap_err();
    assert!(error.to_string().ends_with("cannot be reached: connection refused"), "{error}");
    let server = Server::new(StaticSite::default());
    server.change(|server| server.faults.mute = true);
    let started = Instant::now();
    let silence = Duration::from_millis(150);
    let error = scene.fetch(&server.address, &UNKNOWN, RetryPolicy { silence, ..retry() }).unwrap_err();
    assert!(error.to_string().ends_with("cannot be reached: no answer in time"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
    let server = Server::new(StaticSite::default());
    server.change(|server| server.faults.outages = (9, 503));
    let error = scene.fetch(&server.address, &UNKNOWN, retry()).unwrap_err();
    assert!(error.to_string().ends_with("cannot be reached: status 503"), "{error}");
    assert_eq!(server.starts().len(), 3);
}

#[test]
fn redirections_are_followed_and_circles_left() {
    let (scene, content) = (Scene::new(), content());
    let storage = Server::with(&[("/b", &content)]);
    let server = Server::with(&[]);
    server.change(|server| {
        server.redirections.insert("/a.txt".to_owned(), "/c?d".to_owned());
        server.redirections.insert("/c?d".to_owned(), format!("{}/b", storage.address));
    });
    storage.change(|server| (server.faults.cuts, server.faults.after) = (1, 400_000));
    scene.fetch(&server.address, &known(&content), retry()).unwrap();
    scene.assert_whole(&content);
    assert_eq!(storage.starts(), [0, 400_000]);
    server.change(|server| drop(server.redirections.insert("/c?d".to_owned(), "/a.txt".to_owned())));
    let error = Scene::new().fetch(&server.address, &UNKNOWN, retry()).unwrap_err();
    assert!(error.to_string().ends_with("cannot be reached: redirected in a circle"), "{error}");
}

#[test]
fn a_file_of_this_machine_is_copied() {
    let (scene, client) = (Scene::new(), Client::new(retry()));
    let source = scene.folder.path().join("source");
    let copy = |path: &Path| {
        let (part, address) = (scene.part(), Address::File(path.to_path_buf()));
        let (label, subject) = ("a.txt", "a.txt");
        Transfer { client: &client, label, subject, address: &address, part: &part, expected: &known(b"text") }
            .run(&scene.notes)
    };
    let error = copy(&source).unwrap_err();
    assert_eq!(error.to_string(), "a.txt cannot be reached: there is no such file");
    std::fs::write(&source, "text").unwrap();
    assert_eq!(copy(&source).unwrap(), Received { checksum: sha256(b"text"), size: 4 });
    scene.assert_whole(b"text");
    std::fs::write(&source, "texts").unwrap();
    assert!(matches!(copy(&source), Err(DownloadError::Size { expected: 4, found: 5, .. })));
}
