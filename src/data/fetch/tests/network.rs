//! Datasets: fetched once, trusted once, from mirrors, side by side.

use std::path::Path;

use super::super::{FetchError, FetchSettings, Lock, Mirror, Outcome, Trust, fetch, preview};
use super::{downloads, manifest};
use crate::checksum::sha256;
use crate::data::Manifest;
use crate::download::server::Server;
use crate::download::tests::{Notes, content, retry};
use crate::units::Bytes;

pub(super) fn settings(root: &Path) -> FetchSettings {
    FetchSettings { root: root.to_path_buf(), mirror: None, replace: false, retry: retry() }
}

/// Fetches one dataset; the first thing that is wrong with it.
pub(super) fn fetched(manifest: &Manifest, settings: &FetchSettings) -> Result<Outcome, FetchError> {
    let ended = fetch(std::slice::from_ref(manifest), settings, &Notes::default());
    ended.into_iter().next().unwrap().map_err(|errors| errors.into_iter().next().unwrap())
}

/// A dataset of one file, `a.txt`, whose checksum is known.
fn toy(server: &Server, content: &[u8]) -> Manifest {
    let file = format!("url: '{}/a.txt', size: {}, sha256: {}", server.address, content.len(), sha256(content));
    downloads("toy", &format!("{{{file}}}"))
}

/// The same, without size and checksum.
fn unknown(server: &Server) -> Manifest {
    downloads("toy", &format!("{{url: '{}/a.txt'}}", server.address))
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
    let file = format!("{{url: 'https://nowhere.invalid/x/a.txt?y', sha256: {}}}", sha256(&content));
    let never = downloads("toy", &file);
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
        downloads(name, &files.join(", "))
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
    assert!(error.contains("1 examples instead of 2 in a.txt"), "{error}");
    std::fs::write(&path, "a\nb\n").unwrap();
    assert!(fetched(&manifest, &settings(root.path())).is_ok());
}
