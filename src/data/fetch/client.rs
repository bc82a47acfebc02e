//! Requests for files: what is asked for, and what an answer means.

use std::io::{self, Read};
use std::time::Duration;

use ureq::Agent;
use ureq::http::Response;

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
    pub(super) fn wait(&self, failures: u32) {
        std::thread::sleep(self.pause * (1 << failures.saturating_sub(1).min(6)));
    }
}

/// A connection to any server; the environment's `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are heeded.
pub(super) struct Client {
    agent: Agent,
}

/// From where on a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From<'a> {
    /// All of it.
    Start,
    /// From this byte on, if the server still has the file that this validator (`If-Range`) stands for; without
    /// one, in any case.
    Byte(u64, Option<&'a str>),
}

/// The head of an answer, and its unread body.
pub(super) struct Answer {
    pub(super) status: u16,
    /// What `If-Range` may be asked with: a strong etag, else a date (RFC 9110, §13.1.5).
    pub(super) validator: Option<String>,
    /// The size of the whole file.
    pub(super) size: Option<u64>,
    /// The first byte of a part.
    pub(super) start: Option<u64>,
    pub(super) body: Box<dyn Read>,
}

impl Client {
    pub(super) fn new(patience: &RetryPolicy) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("bertbench/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .build();
        Self { agent: config.new_agent() }
    }

    /// Asks for `url`. Redirections are followed, but not from an encrypted address to a plain one.
    pub(super) fn get(&self, url: &str, from: From<'_>) -> Result<Answer, io::Error> {
        let mut request = self.agent.get(url);
        if let From::Byte(first, validator) = from {
            request = request.header("Range", format!("bytes={first}-"));
            if let Some(validator) = validator {
                request = request.header("If-Range", validator);
            }
        }
        let request = request.config().https_only(url.starts_with("https://")).build();
        Ok(Answer::of(request.call().map_err(ureq::Error::into_io)?))
    }
}

impl Answer {
    fn of(response: Response<ureq::Body>) -> Self {
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(|value| value.trim().to_owned());
        let status = response.status().as_u16();
        let part = header("content-range").as_deref().and_then(content_range);
        let whole = (status == 200).then(|| header("content-length")?.parse().ok()).flatten();
        let etag = header("etag").filter(|etag| etag.starts_with('"'));
        Self {
            status,
            validator: etag.or_else(|| header("last-modified")),
            size: part.and_then(|(_, total)| total).or(whole),
            start: part.map(|(start, _)| start),
            body: Box::new(response.into_body().into_reader()),
        }
    }
}

/// The first byte and the total of `bytes 5-9/10`; the total of a part may be unknown (`*`).
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// Whether another attempt may go better: a request that took too long, too many of them, or a fault of the
/// server.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

/// The cause of a failed connection in plain words.
pub(super) fn words(error: &io::Error) -> String {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        if let ureq::Error::Timeout(_) = error {
            return "no answer in time".to_owned();
        }
        return error.to_string();
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
    known.map_or_else(|| error.to_string(), |(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_from_their_header() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        assert_eq!(content_range("bytes */10"), None);
        assert_eq!(content_range("lines 1-2/3"), None);
    }

    #[test]
    fn only_faults_that_may_pass_are_tried_again() {
        assert!([408, 429, 500, 503, 599].into_iter().all(is_passing));
        assert!(![200, 206, 301, 400, 401, 403, 404, 410, 416, 451].into_iter().any(is_passing));
    }
}
