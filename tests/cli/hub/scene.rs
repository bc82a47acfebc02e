//! A workplace with an experiment on a model of the hub, an empty cache, and a server.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::site::{COMMIT, Hub};
use crate::cli::program::{Told, Workplace};
use crate::cli::server::{Request, Server};

pub(super) const EXPERIMENT: &str = "\
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

pub(super) const WEIGHTS: &str = "model.safetensors";

/// The files of a repository: the golden BERT of `tests/golden/bert`, whose 60 tokens become letters.
pub(super) fn files() -> BTreeMap<String, Vec<u8>> {
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
pub(super) struct Scene {
    pub(super) place: Workplace,
    pub(super) server: Server<Hub>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with(Hub { files: files(), ..Hub::default() })
    }

    pub(super) fn with(hub: Hub) -> Self {
        let place = Workplace::new();
        place.write("hub.yaml", EXPERIMENT);
        Self { place, server: Server::new(hub) }
    }

    pub(super) fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> std::process::Command {
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

    pub(super) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Told {
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

    pub(super) fn run(&self, arguments: &[&str]) -> Told {
        self.run_with(arguments, &[])
    }

    /// The quickest command that resolves the experiment.
    pub(super) fn resolve(&self) -> Told {
        self.run(&["plan", "hub.yaml"])
    }

    pub(super) fn cached(&self, name: &str) -> PathBuf {
        self.place.path("cache/hub/models--ada--tiny-bert").join(name)
    }

    pub(super) fn snapshot(&self, name: &str) -> PathBuf {
        self.cached("snapshots").join(COMMIT).join(name)
    }

    /// Names in the folder of blobs.
    pub(super) fn blobs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.cached("blobs")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[track_caller]
    pub(super) fn assert_fetched(&self) {
        for name in ["config.json", WEIGHTS, "tokenizer_config.json", "vocab.txt"] {
            assert_eq!(fs::read(self.snapshot(name)).unwrap(), files()[name], "{name}");
        }
        assert!(self.blobs().iter().all(|name| !name.contains('.')), "parts were left: {:?}", self.blobs());
    }
}

/// The first bytes that transfers of the weights asked for, in order; one that asks for all has 0.
pub(super) fn starts(requests: &[Request]) -> Vec<u64> {
    let of_weights = |request: &&Request| request.path.starts_with("/storage/model.safetensors");
    // The first byte alone is asked for to see the headers.
    let transfers = requests.iter().filter(of_weights).filter(|request| request.range() != Some((0, Some(0))));
    transfers.map(Request::start).collect()
}
