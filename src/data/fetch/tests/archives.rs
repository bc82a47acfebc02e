//! Archives: unpacked as the manifest says, and refused when they are hostile or damaged.

use std::io::{Cursor, Write};
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::downloads;
use super::network::{fetched, settings};
use crate::checksum::sha256;
use crate::data::Manifest;
use crate::data::fetch::{FetchError, FetchSettings, Lock, Outcome, Trust};
use crate::download::server::Server;

/// An archive of these members.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Every place of `old` in `bytes` becomes `new`, of the same length.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    let mut places = 0;
    for at in 0..=bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
            places += 1;
        }
    }
    assert!(places > 0);
    bytes
}

/// A dataset of the archive's members `in/a.txt` and `in/b.txt`.
fn toy(server: &Server, archive: &[u8], published: bool) -> Manifest {
    let sha256 = if published { format!(", sha256: {}", sha256(archive)) } else { String::new() };
    let unpack = "unpack: {in/a.txt: a.txt, in/b.txt: two.txt}";
    downloads("toy", &format!("{{url: '{}/a.zip'{sha256}, {unpack}}}", server.address))
}

/// Fetches an archive as `toy`.
fn fetch_archive(root: &Path, archive: &[u8]) -> Result<Outcome, FetchError> {
    let server = Server::with(&[("/a.zip", archive)]);
    fetched(&toy(&server, archive, true), &settings(root))
}

#[track_caller]
fn assert_refused(archive: &[u8], why: &str) {
    let around = tempfile::tempdir().unwrap();
    let root = around.path().join("data");
    let error = fetch_archive(&root, archive).unwrap_err();
    assert!(matches!(error, FetchError::Archive { .. }), "{error}");
    assert!(error.to_string().contains(why), "{error}");
    assert!(!root.join("toy-files").exists());
    // Nothing lies beside the data root, and in it only what the next call cleans.
    assert_eq!(std::fs::read_dir(around.path()).unwrap().count(), 1);
    assert!(!root.join(".fetch/toy/a.zip.part").exists());
}

#[test]
fn members_become_the_files_of_the_folder_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let archive = archive(&[("in/a.txt", b"A"), ("in/original/", b""), ("in/c.txt", b"C"), ("in/b.txt", b"B")]);
    fetch_archive(root.path(), &archive).unwrap();
    let folder = root.path().join("toy-files");
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["a.txt", "fetched.json", "two.txt"]);
    assert_eq!(std::fs::read(folder.join("two.txt")).unwrap(), b"B");
    let lock = Lock::read(&folder);
    assert_eq!(lock.archives["a.zip"].sha256, sha256(&archive));
    assert_eq!((lock.files["two.txt"].trust, &lock.files["two.txt"].sha256), (Trust::Published, &sha256(b"B")));
    assert!(!root.path().join(".fetch/toy").exists());
}

#[test]
fn a_missing_or_changed_member_brings_the_archive_again_and_keeps_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let archive = archive(&[("in/a.txt", b"A"), ("in/b.txt", b"B")]);
    let server = Server::with(&[("/a.zip", &archive)]);
    let (manifest, settings) = (toy(&server, &archive, false), settings(root.path()));
    let folder = root.path().join("toy-files");
    // One's own file of which nothing is known is compared with what comes.
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), b"mine").unwrap();
    assert!(matches!(fetched(&manifest, &settings), Err(FetchError::Differs { first_use: true, .. })));
    assert_eq!(std::fs::read(folder.join("a.txt")).unwrap(), b"mine");
    assert!(!folder.join("two.txt").exists());
    std::fs::write(folder.join("a.txt"), b"A").unwrap();
    let Outcome::Fetched { files, trusted, .. } = fetched(&manifest, &settings).unwrap() else { panic!("not fetched") };
    assert_eq!((files, trusted), (1, 1), "only two.txt was lacking");
    assert_eq!(Lock::read(&folder).files["a.txt"].trust, Trust::FirstUse);
    std::fs::write(folder.join("a.txt"), b"X").unwrap();
    assert!(matches!(fetched(&manifest, &settings), Err(FetchError::Differs { first_use: true, .. })));
    fetched(&manifest, &FetchSettings { replace: true, ..settings }).unwrap();
    assert_eq!(std::fs::read(folder.join("a.txt")).unwrap(), b"A");
}

#[test]
fn members_that_lead_out_of_the_folder_are_refused() {
    for name in
        ["../evil.txt", "in/../../evil.txt", "/evil.txt", "C:\\evil.txt", "in\\..\\..\\evil", "c:evil", "\\evil"]
    {
        let archive = archive(&[("in/a.txt", b"A"), ("in/b.txt", b"B"), (name, b"evil")]);
        assert_refused(&archive, "would lead out of the folder");
    }
}

#[test]
fn links_are_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("in/b.txt", SimpleFileOptions::default()).unwrap();
    writer.add_symlink("in/a.txt", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert_refused(&writer.finish().unwrap().into_inner(), "is a link");
}

#[test]
fn two_members_of_one_name_are_refused() {
    let archive = archive(&[("in/a.txt", b"A"), ("in/b.txt", b"B"), ("in/c.txt", b"C")]);
    assert_refused(&replaced(&archive, b"in/c.txt", b"in/a.txt"), "the same name");
}

#[test]
fn bombs_are_refused_also_when_they_lie_about_their_size() {
    let zeros = vec![0; 20 << 20];
    let bomb = archive(&[("in/a.txt", &zeros), ("in/b.txt", b"B")]);
    assert!(bomb.len() < 40_000, "{}", bomb.len());
    assert_refused(&bomb, "100 times its own size");
    let lying = replaced(&bomb, &(zeros.len() as u32).to_le_bytes(), &9_u32.to_le_bytes());
    assert_refused(&lying, "larger than its declared");
    let small = archive(&[("in/a.txt", b"A"), ("in/b.txt", b"B"), ("in/d.txt", &zeros[..900 << 10])]);
    assert!(fetch_archive(tempfile::tempdir().unwrap().path(), &small).is_ok(), "a small archive may hold that");
}

#[test]
fn damaged_and_other_archives_are_refused() {
    let whole = archive(&[("in/a.txt", b"a text that is long enough to be damaged"), ("in/b.txt", b"B")]);
    assert_refused(b"<html>not an archive</html>", "not a zip archive");
    assert_refused(b"", "not a zip archive");
    assert_refused(&whole[..whole.len() - 30], "not a zip archive");
    let stored = {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for name in ["in/a.txt", "in/b.txt"] {
            writer.start_file(name, options).unwrap();
            writer.write_all(b"what the checksum is of").unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    assert_refused(&replaced(&stored, b"checksum", b"checkers"), "damaged");
    assert_refused(&archive(&[("in/a.txt", b"A")]), "it has no member `in/b.txt`");
    assert_refused(&archive(&[("in/a.txt", b"A"), ("in/b.txt/", b"")]), "no member `in/b.txt`");
}
