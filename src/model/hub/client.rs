//! Requests to the hub: who gets the token, how far redirections are followed, what an answer means.

use std::io::{self, Read};
use std::thread::sleep;
use std::time::Duration;

use hf_hub::api::RepoInfo;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};

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
            let response = request
                .config()
                .http_status_as_error(false)
                .max_redirects(0)
                .accept_encoding("identity")
                .timeout_connect(Some(CONNECT))
                .timeout_recv_response(Some(SILENCE))
                .timeout_per_read(Some(SILENCE))
                .build()
                .call()
                .map_err(|error| error.into_io())?;
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
            (404, _) if let Some(file) = file => self.nonsense(&format!("{file} is in its list, and not there")),
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

/// Scheme, host and port of an address, in lower case.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}").to_ascii_lowercase()
}

/// The address that a `location` header means (RFC 3986 §5.2, the forms that servers send).
fn join(url: &str, location: &str) -> String {
    if location.contains("://") {
        return location.to_owned();
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    if let Some(host) = location.strip_prefix("//") {
        return format!("{scheme}://{host}");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if location.starts_with('/') {
        return format!("{scheme}://{host}{location}");
    }
    let path = rest[host.len()..].split(['?', '#']).next().unwrap_or_default();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{scheme}://{host}{folder}/{location}")
}

/// The first byte and the total of `bytes 0-99/1234`; the total may be `*`, as may the bytes.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (part, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let start = part.split_once('-').map_or(Some(0), |(start, _)| start.parse().ok())?;
    Some((start, total.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin("http://Host:80/a?b"), "http://host:80");
        assert_eq!(origin("https://host?x"), "https://host");
        assert_ne!(origin("http://host:80"), origin("http://host:81"));
        assert_ne!(origin("https://host"), origin("http://host"));
        assert_ne!(origin("https://host.evil"), origin("https://host"));
        assert_ne!(origin("https://host@evil/"), origin("https://host/"));
    }

    #[test]
    fn locations_are_joined_to_the_address_that_sent_them() {
        let base = "http://h:1/a/b?c=/d";
        assert_eq!(join(base, "https://x/y"), "https://x/y");
        assert_eq!(join(base, "//x/y"), "http://x/y");
        assert_eq!(join(base, "/y?z"), "http://h:1/y?z");
        assert_eq!(join(base, "y"), "http://h:1/a/y");
        assert_eq!(join("http://h", "y"), "http://h/y");
    }

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(content_range("bytes 5-99/100"), Some((5, Some(100))));
        assert_eq!(content_range("bytes 0-0/*"), Some((0, None)));
        assert_eq!(content_range("bytes */0"), Some((0, Some(0))));
        assert_eq!(content_range("items 1-2/3"), None);
    }
}
