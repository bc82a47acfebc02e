//! Requests for files: what is asked for, who gets a token, how far redirections are followed, what an answer means.

use std::io::{self, Read};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, Response};

use super::address::{content_range, join, origin, without_password};

/// How long a server is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// A connection that is not there after this time will not come.
    pub connect: Duration,
    /// A server that sends nothing for this long has gone.
    pub silence: Duration,
    /// How often in a row a transfer may fail without one more byte having come.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each, up to 64 times of it.
    pub pause: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts in about five seconds of pauses, where each may be silent for half a minute.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_millis(300),
        }
    }
}

impl RetryPolicy {
    /// Waits after so many failures in a row, at least one.
    pub(crate) fn wait(&self, failures: u32) {
        std::thread::sleep(self.pause * (1 << failures.saturating_sub(1).min(6)));
    }
}

/// Redirections in a row; more is a circle (as browsers count, RFC 9110, §15.4).
const REDIRECTIONS: usize = 10;

/// A connection to any server; the environment's `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are heeded.
pub(crate) struct Client {
    agent: Agent,
    /// How often, and after which pauses.
    pub(crate) retry: RetryPolicy,
    /// Who gets a token, and the token.
    token: Option<(String, String)>,
}

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range<'a> {
    /// All of it.
    Whole,
    /// Its first byte: enough for the headers.
    FirstByte,
    /// From this byte on, if the server still has the file that this validator (`If-Range`) stands for; without
    /// one, in any case.
    From(u64, Option<&'a str>),
}

/// Which redirections a request follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// Those that stay on the server that is asked.
    SameOrigin,
    /// All.
    Anywhere,
}

/// What was sent may or may not have arrived, for this reason; another attempt may go better.
#[derive(Debug)]
pub(crate) struct PostError(pub(crate) String);

/// The head of an answer, and its unread body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    /// The headers of the redirections that were followed, in order.
    redirections: Vec<HeaderMap>,
    pub(crate) body: Box<dyn Read>,
}

impl Client {
    pub(crate) fn new(retry: RetryPolicy) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("bertbench/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_redirects(0)
            .timeout_connect(Some(retry.connect))
            .timeout_recv_response(Some(retry.silence))
            .timeout_per_read(Some(retry.silence))
            .build();
        Self { agent: config.new_agent(), retry, token: None }
    }

    /// Sends a token to the server of the address `url`, and to no other.
    pub(crate) fn with_token(self, url: &str, token: Option<&str>) -> Self {
        Self { token: token.map(|token| (origin(url), token.to_owned())), ..self }
    }

    /// Asks for `url`. Redirections from an encrypted address to a plain one are refused.
    pub(super) fn get(&self, url: &str, range: Range<'_>, follow: Follow) -> io::Result<Answer> {
        let mut url = url.to_owned();
        let mut redirections = Vec::new();
        while redirections.len() <= REDIRECTIONS {
            let (head, body) = self.request(&url, range)?.into_parts();
            let status = head.status.as_u16();
            let location = head.headers.get("location").and_then(|to| to.to_str().ok());
            let next = location.filter(|_| (300..400).contains(&status)).map(|to| join(&url, to));
            let next = next.filter(|next| follow == Follow::Anywhere || origin(next) == origin(&url));
            let Some(next) = next else {
                let body = Box::new(body.into_reader());
                return Ok(Answer { status, headers: head.headers, redirections, body });
            };
            if origin(&url).starts_with("https:") && !origin(&next).starts_with("https:") {
                return Err(io::Error::other("redirected from an encrypted address to a plain one"));
            }
            redirections.push(head.headers);
            url = next;
        }
        Err(io::Error::other("redirected in a circle"))
    }

    fn request(&self, url: &str, range: Range<'_>) -> io::Result<Response<ureq::Body>> {
        let mut request = self.agent.get(url);
        match range {
            Range::Whole => {}
            Range::FirstByte => request = request.header("Range", "bytes=0-0"),
            Range::From(first, validator) => {
                request = request.header("Range", format!("bytes={first}-"));
                if let Some(validator) = validator {
                    request = request.header("If-Range", validator);
                }
            }
        }
        if let Some((server, token)) = &self.token
            && *server == origin(url)
        {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        request.call().map_err(ureq::Error::into_io)
    }

    /// Sends `json` to `url`. Redirections are not followed.
    pub(crate) fn post(&self, url: &str, json: &str) -> Result<Answer, PostError> {
        let mut request = self.agent.post(url).header("Content-Type", "application/json");
        if let Some((server, token)) = &self.token
            && *server == origin(url)
        {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = request.send(json).map_err(ureq::Error::into_io);
        let (head, body) = answer.map_err(|error| PostError(cause_of(&error)))?.into_parts();
        let status = head.status.as_u16();
        if is_transient(status) {
            return Err(PostError(format!("status {status}")));
        }
        Ok(Answer { status, headers: head.headers, redirections: Vec::new(), body: Box::new(body.into_reader()) })
    }

    /// As [`Self::get`] on the server that is asked, again after a pause while the network or the server fails; an
    /// error says how in words.
    pub(crate) fn get_with_retries(&self, url: &str, range: Range<'_>, attempts: u32) -> Result<Answer, String> {
        let mut failures = 0;
        loop {
            let cause = match self.get(url, range, Follow::SameOrigin) {
                Ok(answer) if !is_transient(answer.status) => return Ok(answer),
                Ok(answer) => format!("status {}", answer.status),
                Err(error) => cause_of(&error),
            };
            failures += 1;
            if failures >= attempts {
                return Err(cause);
            }
            self.retry.wait(failures);
        }
    }
}

impl Answer {
    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().ok()?.trim())
    }

    /// A header of the first redirection on the way here that has it, else of the answer.
    pub(crate) fn first_header(&self, name: &str) -> Option<&str> {
        let mut on_the_way = self.redirections.iter().chain([&self.headers]);
        Some(on_the_way.find_map(|headers| headers.get(name))?.to_str().ok()?.trim())
    }

    /// The size of the whole file.
    pub(crate) fn size(&self) -> Option<u64> {
        let whole = || self.header("content-length")?.parse().ok();
        let total = self.header("content-range").and_then(|range| content_range(range).1);
        total.or_else(|| if self.status == 200 { whole() } else { None })
    }

    /// The first byte of a part.
    pub(super) fn start(&self) -> Option<u64> {
        content_range(self.header("content-range")?).0
    }

    /// What `If-Range` may be asked with: a strong etag, else a date (RFC 9110, §13.1.5).
    pub(super) fn validator(&self) -> Option<&str> {
        self.header("etag").filter(|etag| etag.starts_with('"')).or_else(|| self.header("last-modified"))
    }
}

/// Whether another attempt may go better: a request that took too long, too many of them, or a fault of the
/// server.
pub(super) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

/// The cause of a failed connection in plain words.
pub(super) fn cause_of(error: &io::Error) -> String {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        if let ureq::Error::Timeout(_) = error {
            return "no answer in time".to_owned();
        }
        return without_password(&error.to_string());
    }
    let plain = [
        (io::ErrorKind::ConnectionRefused, "connection refused"),
        (io::ErrorKind::ConnectionReset, "the connection broke"),
        (io::ErrorKind::ConnectionAborted, "the connection broke"),
        (io::ErrorKind::BrokenPipe, "the connection broke"),
        (io::ErrorKind::UnexpectedEof, "the connection broke"),
        (io::ErrorKind::TimedOut, "no answer in time"),
    ];
    let known = plain.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or_else(|| without_password(&error.to_string()), |(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_transient_faults_are_tried_again() {
        assert!([408, 429, 500, 503, 599].into_iter().all(is_transient));
        assert!(![200, 206, 301, 400, 401, 403, 404, 410, 416, 451].into_iter().any(is_transient));
    }
}
