//! The part of the Hugging Face hub's protocol that a download needs.

use std::collections::BTreeMap;

use bertbench::checksum::{hexadecimal, sha256};
use sha1::{Digest, Sha1};

use crate::cli::server::{Reply, Request, Site};

/// The repository that a hub has.
pub(crate) const REPOSITORY: &str = "ada/tiny-bert";
/// The commit that its branch `main` and its tag `refs/pr/1` stand for.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub, or the storage that a hub's large files are sent from.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The address of the server that large files are sent from; else the same.
    pub(crate) storage: Option<String>,
    /// The token without which the repository is hidden.
    pub(crate) private: Option<String>,
    /// The token without which its files are refused.
    pub(crate) gated: Option<String>,
    /// Said in place of a file's etag, and of a large file's size.
    pub(crate) etag: Option<String>,
    pub(crate) size: Option<u64>,
}

/// The name that git gives a content.
pub(crate) fn git_hash(content: &[u8]) -> String {
    let digest = Sha1::new().chain_update(format!("blob {}\0", content.len())).chain_update(content).finalize();
    hexadecimal(&digest)
}

fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".bin")
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::new(status, vec![("X-Error-Code", code.to_owned())], b"{\"error\": \"no\"}")
}

impl Site for Hub {
    fn reply(&self, request: &Request) -> Reply {
        let sent = request.headers.get("authorization").map(|value| value.trim_start_matches("Bearer "));
        let lacks = |token: &Option<String>| token.as_deref().is_some_and(|token| sent != Some(token));
        let path = request.path.split('?').next().unwrap();
        if let Some(bytes) = path.strip_prefix("/storage/").and_then(|name| self.files.get(name)) {
            return Reply::file(vec![("ETag", "\"of-the-storage\"".to_owned())], bytes);
        }
        if lacks(&self.private) {
            return refusal(401, "RepoNotFound");
        }
        if let Some(rest) = path.strip_prefix("/api/models/") {
            return self.list(rest);
        }
        if lacks(&self.gated) {
            return refusal(403, "GatedRepo");
        }
        let commit = ("X-Repo-Commit", COMMIT.to_owned());
        if let Some(bytes) = path.strip_prefix(&format!("/cached/{COMMIT}/")).and_then(|name| self.files.get(name)) {
            let etag = self.etag.clone().unwrap_or_else(|| git_hash(bytes));
            return Reply::new(200, vec![commit, ("ETag", format!("\"{etag}\""))], bytes);
        }
        let name = path.strip_prefix(&format!("/{REPOSITORY}/resolve/{COMMIT}/"));
        let Some((name, bytes)) = name.and_then(|name| self.files.get_key_value(name)) else {
            return refusal(404, "EntryNotFound");
        };
        if !is_large(name) {
            // As the hub sends small files: to a relative address.
            return Reply::new(307, vec![commit, ("Location", format!("/cached/{COMMIT}/{name}"))], b"");
        }
        let storage = self.storage.as_deref().unwrap_or_default();
        let etag = self.etag.clone().unwrap_or_else(|| sha256(bytes));
        let headers = vec![
            commit,
            ("Location", format!("{storage}/storage/{name}?signature=1")),
            ("ETag", "\"of-the-pointer\"".to_owned()),
            ("X-Linked-ETag", format!("\"{etag}\"")),
            ("X-Linked-Size", self.size.unwrap_or(bytes.len() as u64).to_string()),
        ];
        Reply::new(302, headers, b"")
    }
}

impl Hub {
    /// The commit and the files of `REPOSITORY/revision/REVISION`.
    fn list(&self, path: &str) -> Reply {
        let Some(revision) = path.strip_prefix(&format!("{REPOSITORY}/revision/")) else {
            return refusal(404, "RepoNotFound");
        };
        if !["main", "refs%2Fpr%2F1", COMMIT].contains(&revision) {
            return refusal(404, "RevisionNotFound");
        }
        let names = self.files.keys().map(|name| serde_json::json!({"rfilename": name}));
        let body = serde_json::json!({"sha": COMMIT, "siblings": names.collect::<Vec<_>>()});
        Reply::new(200, Vec::new(), body.to_string().as_bytes())
    }
}
