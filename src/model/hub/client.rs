//! What the hub is asked, and what its answers mean.

use std::io::Read;

use serde::Deserialize;

use super::error::HubError;
use super::settings::HubSettings;
use crate::download::{Answer, Client, DownloadError, Range, RetryPolicy, without_password};

/// How often the hub is asked for a list before it counts as away; a second in all.
const ATTEMPTS: u32 = 3;
/// The list of a repository's files is far smaller.
const LONGEST_LIST: u64 = 64 << 20;
/// What is read of an answer that says no.
const LONGEST_REFUSAL: u64 = 4 << 10;

/// One repository at one revision, on one hub.
pub(super) struct Hub {
    endpoint: String,
    pub(super) repository: String,
    revision: String,
    token: Option<String>,
    pub(super) client: Client,
}

/// The commit of a revision and its files, as the hub tells them.
#[derive(Deserialize)]
pub(super) struct RepositoryInfo {
    pub(super) sha: String,
    pub(super) siblings: Vec<Sibling>,
}

/// A file of a commit.
#[derive(Deserialize)]
pub(super) struct Sibling {
    pub(super) rfilename: String,
}

/// What the hub says of a file.
pub(super) struct FileInfo {
    /// `x-linked-etag` of the file that a redirection stands for, else `etag`.
    pub(super) etag: String,
    /// `x-linked-size`, else as the answer says.
    pub(super) size: Option<u64>,
}

impl Hub {
    pub(super) fn new(settings: &HubSettings, repository: &str, revision: &str) -> Self {
        let (endpoint, token) = (settings.endpoint.clone(), settings.token.clone());
        let client = Client::new(RetryPolicy::default()).with_token(&endpoint, token.as_deref());
        Self { endpoint, repository: repository.to_owned(), revision: revision.to_owned(), token, client }
    }

    /// The commit of the revision and the names of its files.
    pub(super) fn info(&self) -> Result<RepositoryInfo, HubError> {
        let revision = self.revision.replace('/', "%2F");
        let url = format!("{}/api/models/{}/revision/{revision}", self.endpoint, self.repository);
        let answer = self.client.get_with_retries(&url, Range::Whole, ATTEMPTS).map_err(|cause| self.away(cause))?;
        if answer.status != 200 {
            return Err(self.refusal(answer, None));
        }
        let mut text = Vec::new();
        answer.body.take(LONGEST_LIST).read_to_end(&mut text).map_err(|error| self.away(error.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| self.nonsense(&format!("the list of files: {error}")))
    }

    /// The address of a file of a commit.
    pub(super) fn address(&self, commit: &str, file: &str) -> String {
        format!("{}/{}/resolve/{commit}/{file}", self.endpoint, self.repository)
    }

    /// What errors call a file.
    pub(super) fn subject(&self, file: &str) -> String {
        format!("{file} of {}", self.repository)
    }

    /// The etag and the size of a file, whose address is `url`.
    pub(super) fn file_info(&self, name: &str, url: &str) -> Result<FileInfo, HubError> {
        let answer = self.client.get_with_retries(url, Range::FirstByte, RetryPolicy::default().attempts);
        let answer = answer.map_err(|cause| DownloadError::Unreachable { file: self.subject(name), cause })?;
        // 416: an empty file has no byte 0.
        if !matches!(answer.status, 200 | 206 | 300..400 | 416) {
            return Err(self.refusal(answer, Some(name)));
        }
        let etag = answer.first_header("x-linked-etag").or_else(|| answer.header("etag")).unwrap_or_default();
        let etag = etag.trim_start_matches("W/").trim_matches('"').to_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if etag.is_empty() || etag.len() > 128 || !etag.chars().all(is_plain) {
            return Err(self.nonsense(&format!("{name} comes without a usable etag")));
        }
        let linked = answer.first_header("x-linked-size").and_then(|size| size.parse().ok());
        Ok(FileInfo { etag, size: linked.or_else(|| answer.size()) })
    }

    /// What an answer with a status of refusal means, for a file or for the repository.
    fn refusal(&self, answer: Answer, file: Option<&str>) -> HubError {
        let (status, code) = (answer.status, answer.header("x-error-code").map(str::to_owned));
        let (repository, endpoint) = (self.repository.clone(), without_password(&self.endpoint));
        let mut text = Vec::new();
        let _ = answer.body.take(LONGEST_REFUSAL).read_to_end(&mut text);
        let says = |words: &str| String::from_utf8_lossy(&text).to_lowercase().contains(words);
        match (status, code.as_deref()) {
            (_, Some("RevisionNotFound")) => HubError::NoRevision { repository, revision: self.revision.clone() },
            (_, Some("RepoNotFound")) => HubError::NoRepository { repository, endpoint },
            (401 | 403, _) => HubError::Denied { repository, endpoint, status, with_token: self.token.is_some() },
            (404, _) if let Some(file) = file => {
                self.nonsense(&format!("{file} is in its list of files, but does not exist"))
            }
            (404, None) if says("rev") => HubError::NoRevision { repository, revision: self.revision.clone() },
            (404, _) => HubError::NoRepository { repository, endpoint },
            _ => self.nonsense(&format!("status {status}")),
        }
    }

    /// The server is there and does not keep to the hub's protocol.
    pub(super) fn nonsense(&self, problem: &str) -> HubError {
        HubError::Answer { endpoint: without_password(&self.endpoint), problem: problem.to_owned() }
    }

    fn away(&self, cause: String) -> HubError {
        let (repository, endpoint) = (self.repository.clone(), without_password(&self.endpoint));
        HubError::Unreachable { repository, endpoint, cause, missing: Vec::new() }
    }
}
