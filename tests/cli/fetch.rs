//! `data fetch` and `data verify`, from a server on this machine: what arrives, what is said, what a killed process
//! leaves, and what two of them do. The faults of networks and archives have their tests beside the code.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bertbench::checksum::sha256;

use super::super::realdata::real_data;
use super::expected::assert_as_expected;
use super::program::{Told, Workplace, wait_until};
use super::server::{Server, StaticSite};

/// Larger than any buffer on its way.
fn content() -> Vec<u8> {
    (0..300_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_be_bytes()).collect()
}

/// A workplace with a manifest of one file, `toy.yaml`, and the server that has the file.
struct Scene {
    place: Workplace,
    server: Server,
}

impl Scene {
    fn new() -> Self {
        let (place, server) = (Workplace::new(), Server::with(&[("/a.txt", &content())]));
        let scene = Self { place, server };
        scene.manifest("toy", "a.txt", Some(&sha256(&content())));
        scene
    }

    fn manifest(&self, name: &str, file: &str, sha256: Option<&str>) {
        let sha256 = sha256.map(|sha256| format!(", sha256: {sha256}")).unwrap_or_default();
        let text = format!(
            "name: {name}\ntitle: A toy\nfolder: {name}-files\nlicence: none\nhomepage: none\ncitation: none\n\
             splits: []\nfetch:\n  download:\n    files:\n      - {{url: '{}/{file}'{sha256}}}\n",
            self.server.address
        );
        self.place.write(&format!("{name}.yaml"), &text);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().to_lowercase().ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        command.env("BERTBENCH_DATA", "data");
        command
    }

    fn told(&self, arguments: &[&str], output: std::process::Output) -> Told {
        // The port is another one each time.
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&self.server.address, "http://server");
        Told {
            command: format!("bertbench {}", arguments.join(" ")).replace(&self.server.address, "http://server"),
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn run(&self, arguments: &[&str]) -> Told {
        let output = self.command(arguments).output().unwrap();
        self.told(arguments, output)
    }

    fn file(&self) -> PathBuf {
        self.place.path("data/toy-files/a.txt")
    }

    fn part(&self) -> PathBuf {
        self.place.path("data/.fetch/toy/a.txt.part")
    }

    #[track_caller]
    fn assert_fetched(&self) {
        assert!(fs::read(self.file()).unwrap() == content());
        assert!(!self.part().exists());
    }

    /// A process that waits for the rest of a file, of which so many bytes are there.
    fn stalled(&self, after: usize) -> std::process::Child {
        self.server.change(|server| (server.faults.stalls, server.faults.after) = (true, after));
        let mut command = self.command(&["data", "fetch", "toy.yaml"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("a part", || fs::metadata(self.part()).is_ok_and(|found| found.len() == after as u64));
        child
    }
}

#[test]
fn a_dataset_is_fetched_once() {
    let scene = Scene::new();
    let first = scene.run(&["data", "fetch", "toy.yaml"]).ok();
    scene.assert_fetched();
    let second = scene.run(&["data", "fetch", "toy.yaml"]).ok();
    assert_as_expected("fetch", &format!("{}{}", first.exchange(), second.exchange()));
    assert_eq!(scene.server.starts(), [0]);
}

#[test]
fn what_would_be_fetched_is_shown_and_nothing_is_asked() {
    let scene = Scene::new();
    let told = scene.run(&["data", "fetch", "squad", "conll2003", "toy.yaml", "--dry-run"]).ok();
    let mirrored = scene.run(&["data", "fetch", "mrpc", "--dry-run", "--mirror", &scene.server.address]).ok();
    assert_as_expected("fetch-dry-run", &format!("{}{}", told.exchange(), mirrored.exchange()));
    assert!(scene.server.requests().is_empty() && !scene.place.path("data").exists());
}

#[test]
fn wrong_names_and_places_are_wrong_usage() {
    let scene = Scene::new();
    scene
        .place
        .write("out.yaml", "name: out\ntitle: t\nfolder: ../out\nlicence: l\nhomepage: h\ncitation: c\nsplits: []\n");
    scene.place.write("no.yaml", "a manifest\n");
    let wrong: [&[&str]; 6] =
        [&[], &["sqaud"], &["rte", "--mirror", "nowhere"], &["none.yaml"], &["no.yaml"], &["out.yaml"]];
    let told = wrong.map(|more| scene.run(&[&["data", "fetch"], more].concat()).ends_with(2).exchange());
    assert_as_expected("fetch-refused", &told.join("\n"));
}

#[test]
fn what_fails_is_said_with_its_address_and_nothing_of_it_is_kept() {
    let scene = Scene::new();
    let mut exchanges = String::new();
    let mut tell = |what: &str, arguments: &[&str]| {
        let told = scene.run(&[&["data", "fetch"], arguments].concat()).ends_with(1);
        exchanges += &format!("# {what}\n{}\n", told.exchange());
    };
    scene.manifest("gone", "gone.txt", None);
    tell("not there", &["gone.yaml"]);
    scene.manifest("toy", "a.txt", Some(&"0".repeat(64)));
    tell("another content", &["toy.yaml"]);
    assert!(!scene.part().exists() && !scene.file().exists());
    for split in ["train", "dev", "test"] {
        scene.place.write(&format!("copies/resume/{split}.char.bmes"), "other");
    }
    tell("a mirror with another content", &["resume", "--mirror", "copies"]);
    tell("no network", &["wnli", "--mirror", "http://127.0.0.1:9"]);
    tell("by hand", &["conll2003"]);
    scene.place.write("data/toy-files/a.txt", "mine");
    tell("another file is there", &["toy.yaml"]);
    assert_eq!(scene.place.read("data/toy-files/a.txt"), "mine");
    assert_as_expected("fetch-failed", &exchanges);
}

#[test]
fn a_process_that_was_killed_in_the_middle_is_gone_on_from() {
    let scene = Scene::new();
    let mut child = scene.stalled(400_000);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!scene.file().exists());
    scene.server.change(|server| server.faults.stalls = false);
    let told = scene.run(&["data", "fetch", "toy.yaml"]).ok();
    assert_eq!(told.err, "note: toy/a.txt: resuming after 390.6 KiB\n");
    scene.assert_fetched();
    assert_eq!(scene.server.starts(), [0, 400_000]);
}

#[test]
fn of_two_processes_one_fetches_and_the_other_waits() {
    let scene = Scene::new();
    let mut first = scene.stalled(400_000);
    let arguments = ["data", "fetch", "toy.yaml"];
    let mut second = scene.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut errors, mut said) = (BufReader::new(second.stderr.take().unwrap()), String::new());
    errors.read_line(&mut said).unwrap();
    assert_eq!(said, "note: another process is fetching toy: waiting for it\n");
    scene.server.change(|server| server.faults.stalls = false);
    assert!(first.wait().unwrap().success());
    let told = scene.told(&arguments, second.wait_with_output().unwrap()).ok();
    assert!(told.out.contains("already there"), "{}", told.out);
    errors.read_to_string(&mut said).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    scene.assert_fetched();
    assert_eq!(scene.server.starts(), [0, 400_000], "the part went on when the connection broke; nothing came twice");
}

#[test]
fn a_published_dataset_is_fetched_from_a_mirror_and_verified() {
    let Some(copies) = real_data("resume_ner") else { return };
    let scene = Scene::new();
    let names = ["train", "dev", "test"].map(|split| format!("{split}.char.bmes"));
    let files = names.iter().map(|name| (format!("/data/resume/{name}"), fs::read(copies.join(name)).unwrap()));
    let server = Server::new(StaticSite { files: files.collect(), ..StaticSite::default() });
    let mirror = format!("{}/data", server.address);
    scene.run(&["data", "fetch", "resume", "--mirror", &mirror]).ok();
    for name in &names {
        assert!(
            fs::read(scene.place.path("data/ResumeNER").join(name)).unwrap() == fs::read(copies.join(name)).unwrap()
        );
    }
    let told = scene.run(&["data", "verify"]).ok();
    assert_eq!(told.out.matches("identical to the published file").count(), 3, "{}", told.out);
    let damaged = scene.place.path("data/ResumeNER/dev.char.bmes");
    let text = fs::read_to_string(&damaged).unwrap();
    fs::write(&damaged, text.replacen('B', "M", 1)).unwrap();
    assert!(
        scene
            .run(&["data", "verify"])
            .ends_with(1)
            .out
            .contains("the published number of examples, but different bytes")
    );
    fs::write(&damaged, text.replacen("\n\n", "\n", 1)).unwrap();
    assert!(scene.run(&["data", "verify", "data"]).ends_with(1).out.contains("462 examples"));
    scene.run(&["data", "fetch", "resume", "--mirror", &mirror]).ends_with(1);
    scene.run(&["data", "fetch", "resume", "--mirror", &mirror, "--replace"]).ok();
    scene.run(&["data", "verify"]).ok();
}
