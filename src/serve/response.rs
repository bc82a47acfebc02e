//! What is answered.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in a path (RFC 3986, §2.3).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a page may do: show itself and ask this server whether it changed. Its styles and its script are in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `text` as it stands in a path.
#[must_use]
pub(super) fn in_path(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// A file in memory with what HTTP says of it.
#[derive(Clone, Debug)]
pub struct Content {
    bytes: Arc<[u8]>,
    media_type: &'static str,
    /// The `ETag`, in quotes.
    tag: String,
}

impl Content {
    /// The content of a file of this name, whose ending says what it is.
    #[must_use]
    pub fn of(name: &str, bytes: Vec<u8>) -> Self {
        let media_type = match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "html" => "text/html; charset=utf-8",
            "svg" => "image/svg+xml",
            "json" => "application/json",
            "csv" => "text/csv; charset=utf-8",
            "md" => "text/markdown; charset=utf-8",
            _ => "text/plain; charset=utf-8",
        };
        let tag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..24]);
        Self { bytes: bytes.into(), media_type, tag }
    }
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    content: Content,
    headers: Vec<(&'static str, String)>,
}

impl Response {
    /// A file.
    #[must_use]
    pub fn content(content: Content) -> Self {
        Self { status: 200, content, headers: Vec::new() }
    }

    /// A line of text that says why there is nothing else.
    #[must_use]
    pub fn text(status: u16, text: &str) -> Self {
        Self { status, content: Content::of("", format!("{text}\n").into_bytes()), headers: Vec::new() }
    }

    /// Nothing has this path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::text(404, "There is no such page.")
    }

    /// There is something, and nothing to show.
    #[must_use]
    pub fn nothing() -> Self {
        Self { status: 204, content: Content::of("", Vec::new()), headers: Vec::new() }
    }

    /// What is asked for is at `path` of this server.
    #[must_use]
    pub fn moved(path: &str) -> Self {
        Self::text(308, "It is elsewhere.").with("Location", &in_path(path))
    }

    /// The same with a header more.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The status.
    #[cfg(test)]
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Nothing but the head, where the browser has this very content already.
    pub(super) fn unless_known(self, known: Option<&str>) -> Self {
        let is_known = |known: &str| known.split(',').any(|tag| tag.trim() == self.content.tag);
        if self.status == 200 && known.is_some_and(is_known) { Self { status: 304, ..self } } else { self }
    }

    /// Head and body as they are sent.
    pub(super) fn bytes(&self, with_body: bool) -> Vec<u8> {
        let Self { status, content, headers } = self;
        let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(*status));
        for (name, value) in [
            ("Content-Type", content.media_type),
            ("ETag", content.tag.as_str()),
            ("Cache-Control", "no-cache"),
            ("Content-Security-Policy", POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ] {
            head.extend([name, ": ", value, "\r\n"]);
        }
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let has_body = !matches!(*status, 204 | 304);
        if has_body {
            head.extend(["Content-Length: ", &content.bytes.len().to_string(), "\r\n"]);
        }
        let mut bytes = (head + "\r\n").into_bytes();
        if with_body && has_body {
            bytes.extend_from_slice(&content.bytes);
        }
        bytes
    }
}

/// The words for a status (RFC 9110, §15).
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        304 => "Not Modified",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_length_and_no_body_for_head_or_what_is_known() {
        let response = Response::content(Content::of("index.html", b"<p>".to_vec()));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let whole = text(response.bytes(true));
        assert!(whole.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"), "{whole}");
        assert!(whole.contains("\r\nContent-Length: 3\r\n") && whole.ends_with("\r\n\r\n<p>"), "{whole}");
        assert_eq!(text(response.bytes(false)), whole.strip_suffix("<p>").unwrap());
        let tag = whole.split("ETag: ").nth(1).unwrap().split('\r').next().unwrap().to_owned();
        let known = text(response.clone().unless_known(Some(&format!("\"x\", {tag}"))).bytes(true));
        assert!(known.starts_with("HTTP/1.1 304 ") && known.ends_with("\r\n\r\n"), "{known}");
        assert!(text(response.unless_known(Some("\"x\"")).bytes(true)).ends_with("<p>"));
        let other = Content::of("index.html", b"<b>".to_vec());
        assert!(!text(Response::content(other).bytes(true)).contains(&tag), "other bytes, another tag");
    }
}
