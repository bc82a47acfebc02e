//! Requests to the hub: who gets the token, how far redirections are followed, what an answer means.

use std::io::{self, Read};
use std::thread::sleep;
use std::time::Duration;

use hf_hub::api::RepoInfo;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};

use super::address::{content_range, join, origin};
use super::error::HubError;
use super::settings::HubSettings;

/// A connection that is not there after this time will not come.
const CONNECT: Duration = Duration::from_secs(10);
/// A server that sends nothing for this long has gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Redirections in a row; more is a circle (as browsers count, RFC 9110 §15.4).
const REDIRECTIONS: usize = 10;
/// How often the hub is asked before it counts as away; a second in all.
const ATTEMPTS: u32 = 3;
/// The list of a repository's files is far smaller.
const LONGEST_LIST: u64 = 64 << 20;
/// What is read of an answer that says no.
const LONGEST_REFUSAL: u64 = 4 << 10;

/// One repository at one revision, on one hub.
pub(super) struct Client {
    endpoint: String,
    pub(super) repository: String,
    revision: String,
    /// Sends the token.
    own: Api,
    /// Does not.
    foreign: Api,
    has_token: bool,
}

/// Which redirections a request follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// Those that stay on the hub.
    OnHub,
    /// All.
    Anywhere,
}

/// The head of an answer, with the headers that the hub's protocol has, and its unread body.
pub(super) struct Answer {
    pub(super) status: u16,
    /// `x-linked-etag` of the file that a redirection stands for, else `etag`.
    pub(super) etag: Option<String>,
    /// `x-linked-size`, else the total of `content-range`, else the length of a whole body.
    pub(super) size: Option<u64>,
    /// The first byte of a part, from `content-range`.
    pub(super) start: Option<u64>,
    /// `x-error-code`, the hub's name for what is wrong.
    code: Option<String>,
    pub(super) body: Box<dyn Read>,
}

impl Client {
    pub(super) fn new(settings: &HubSettings, repository: &str, revision: &str) -> Result<Self, HubError> {
        let endpoint = settings.endpoint.clone();
        let build = |token: Option<String>| {
            ApiBuilder::from_cache(Cache::new(settings.cache.clone()))
                .with_endpoint(endpoint.clone())
                .with_token(token)
                .with_user_agent("bertbench", env!("CARGO_PKG_VERSION"))
                .build()
        };
        let wrong = |error: ApiError| HubError::Answer { endpoint: endpoint.clone(), problem: error.to_string() };
        let (own, foreign) = (build(settings.token.clone()).map_err(wrong)?, build(None).map_err(wrong)?);
        let (repository, revision) = (repository.to_owned(), revision.to_owned());
        Ok(Self { endpoint, repository, revision, own, foreign, has_token: settings.token.is_some() })
    }

    fn repo(&self, revision: &str) -> Repo {
        Repo::with_revision(self.repository.clone(), RepoType::Model, revision.to_owned())
    }

    /// The commit of the revision and the names of its files.
    pub(super) fn info(&self) -> Result<RepoInfo, HubError> {
        let url = format!("{}/api/{}", self.endpoint, self.repo(&self.revision).api_url());
        let answer = self.insist(&url, Some("application/json"), ATTEMPTS).map_err(|cause| self.away(cause))?;
        if answer.status != 200 {
            return Err(self.refusal(answer, None));
        }
        let mut text = Vec::new();
        answer.body.take(LONGEST_LIST).read_to_end(&mut text).map_err(|error| self.away(words(&error)))?;
        serde_json::from_slice(&text).map_err(|error| self.nonsense(&format!("the list of files: {error}")))
    }

    /// The address of a file of a commit.
    pub(super) fn address(&self, commit: &str, file: &str) -> String {
        self.own.repo(self.repo(commit)).url(file)
    }

    /// As [`Self::get`] without a range on the hub, again after a moment when the network or the hub
    /// fails; an error says how in words.
    fn insist(&self, url: &str, accept: Option<&str>, attempts: u32) -> Result<Answer, String> {
        let mut attempt = 0;
        loop {
            let cause = match self.get(url, None, accept, Follow::OnHub) {
                Ok(answer) if !is_passing(answer.status) => return Ok(answer),
                Ok(answer) => format!("status {}", answer.status),
                Err(error) => words(&error),
            };
            attempt += 1;
            if attempt >= attempts {
                return Err(cause);
            }
            pause(attempt);
        }
    }

    /// Asks for `url`, from byte `range` or the bytes `range` on. The token goes to the hub's own
    /// address only.
    pub(super) fn get(
        &self,
        url: &str,
        range: Option<&str>,
        accept: Option<&str>,
        follow: Follow,
    ) -> io::Result<Answer> {
        let mut url = url.to_owned();
        let mut linked: Option<(Option<String>, Option<u64>)> = None;
        for _ in 0..=REDIRECTIONS {
            let api = if origin(&url) == origin(&self.endpoint) { &self.own } else { &self.foreign };
            // `info_request` is the way to a request of hf-hub's client; the address is replaced.
            let mut request = api.repo(self.repo(&self.revision)).info_request().uri(&url);
            if let Some(range) = range {
                request = request.header("Range", format!("bytes={range}"));
            }
            if let Some(accept) = accept {
                request = request.header("Accept", accept);
            }
            let sent = request
                .config()
                .http_status_as_error(false)
                .max_redirects(0)
                .accept_encoding("identity")
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .build()
                .call();
            // ureq is no direct dependency, so its error has no name here.
            let response = match sent {
                Ok(response) => response,
                Err(error) => return Err(error.into_io()),
            };
            let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
            let number = |name: &str| header(name)?.trim().parse::<u64>().ok();
            let status = response.status().as_u16();
            let (linked_etag, linked_size) =
                linked.take().unwrap_or((header("x-linked-etag"), number("x-linked-size")));
            let next = header("location").filter(|_| (300..400).contains(&status)).map(|to| join(&url, &to));
            match next {
                Some(next) if follow == Follow::Anywhere || origin(&next) == origin(&self.endpoint) => {
                    linked = (linked_etag.is_some() || linked_size.is_some()).then_some((linked_etag, linked_size));
                    url = next;
                    continue;
                }
                _ => {}
            }
            let part = header("content-range").as_deref().and_then(content_range);
            let whole = (status == 200).then(|| number("content-length")).flatten();
            return Ok(Answer {
                status,
                etag: linked_etag.or_else(|| header("etag")),
                size: linked_size.or(part.and_then(|(_, total)| total)).or(whole),
                start: part.map(|(start, _)| start),
                code: header("x-error-code"),
                body: Box::new(response.into_body().into_reader()),
            });
        }
        Err(io::Error::other("redirected in a circle"))
    }

    /// What an answer with a status of refusal means, for a file or for the repository.
    pub(super) fn refusal(&self, answer: Answer, file: Option<&str>) -> HubError {
        let Answer { status, code, body, .. } = answer;
        let (repository, endpoint) = (self.repository.clone(), self.endpoint.clone());
        let mut text = Vec::new();
        let _ = body.take(LONGEST_REFUSAL).read_to_end(&mut text);
        let says = |words: &str| String::from_utf8_lossy(&text).to_lowercase().contains(words);
        match (status, code.as_deref()) {
            (_, Some("RevisionNotFound")) => HubError::NoRevision { repository, revision: self.revision.clone() },
            (_, Some("RepoNotFound")) => HubError::NoRepository { repository, endpoint },
            (401 | 403, _) => HubError::Denied { repository, endpoint, status, with_token: self.has_token },
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
        HubError::Answer { endpoint: self.endpoint.clone(), problem: problem.to_owned() }
    }

    fn away(&self, cause: String) -> HubError {
        let (repository, endpoint) = (self.repository.clone(), self.endpoint.clone());
        HubError::Unreachable { repository, endpoint, cause, missing: Vec::new() }
    }
}

/// Whether another attempt may go better: too many requests, or a fault of the server.
pub(super) fn is_passing(status: u16) -> bool {
    status == 429 || status >= 500
}

/// Waits 0.3, 0.6, 1.2, … seconds after the first, second, third failure.
pub(super) fn pause(failures: u32) {
    sleep(Duration::from_millis(150 << failures.min(6)));
}

/// The cause of a failed connection in plain words.
pub(super) fn words(error: &io::Error) -> String {
    let kind = error.kind();
    let plain = [
        (io::ErrorKind::ConnectionRefused, "connection refused"),
        (io::ErrorKind::ConnectionReset, "the connection broke"),
        (io::ErrorKind::ConnectionAborted, "the connection broke"),
        (io::ErrorKind::BrokenPipe, "the connection broke"),
        (io::ErrorKind::UnexpectedEof, "the connection broke"),
        (io::ErrorKind::TimedOut, "no answer in time"),
    ];
    plain.iter().find(|(known, _)| *known == kind).map_or_else(|| error.to_string(), |(_, text)| (*text).to_owned())
}
