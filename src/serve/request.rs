//! What a browser asks for.

use std::io::{self, Read};

use percent_encoding::percent_decode_str;

use super::response::Response;

/// Longer heads are refused; browsers send about 1 KiB.
const LARGEST: usize = 16 << 10;
/// More headers than any browser sends.
const HEADERS: usize = 64;
/// The names of this machine that a page of this server may have been asked for by.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// A request that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The path without its query, decoded; begins with `/` and leads nowhere up.
    pub(super) path: String,
    /// Whether the body is wanted: not by HEAD.
    wants_body: bool,
    /// What the browser has already (`If-None-Match`).
    has: Option<String>,
}

impl Request {
    /// Reads the head of a request; the inner error is the answer to one that is refused.
    pub(super) fn read(mut stream: impl Read) -> io::Result<Result<Self, Response>> {
        let mut head = Vec::new();
        let mut piece = [0; 2048];
        loop {
            if let Some(request) = Self::parse(&head) {
                return Ok(request);
            }
            if head.len() > LARGEST {
                return Ok(Err(Response::text(431, "The request is too long.")));
            }
            match stream.read(&mut piece) {
                Ok(0) => return Ok(Err(Response::text(400, "The request ends before its end."))),
                Ok(read) => head.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The request whose head `bytes` is; none while it is not whole.
    fn parse(bytes: &[u8]) -> Option<Result<Self, Response>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => Some(Self::of(&parsed)),
            Ok(httparse::Status::Partial) => None,
            Err(_) => Some(Err(Response::text(400, "This is no request of HTTP/1."))),
        }
    }

    fn of(parsed: &httparse::Request<'_, '_>) -> Result<Self, Response> {
        let header = |name: &str| {
            let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(str::trim)
        };
        let host = header("host").map(|host| host.rsplit_once(':').filter(is_port).map_or(host, |(name, _)| name));
        if !host.is_some_and(|host| HOSTS.iter().any(|own| own.eq_ignore_ascii_case(host))) {
            return Err(Response::text(421, "This server answers to 127.0.0.1 and localhost."));
        }
        let wants_body = match parsed.method {
            Some("GET") => true,
            Some("HEAD") => false,
            _ => return Err(Response::text(405, "This server only shows: GET and HEAD.").with("Allow", "GET, HEAD")),
        };
        let path = parsed.path.and_then(decoded).ok_or_else(|| Response::text(400, "The path leads nowhere."))?;
        Ok(Self { path, wants_body, has: header("if-none-match").map(str::to_owned) })
    }

    /// The bytes of `response` as the answer to this request.
    pub(super) fn answered(&self, response: Response) -> Vec<u8> {
        response.unless_known(self.has.as_deref()).bytes(self.wants_body)
    }
}

/// What follows the last colon of a host, `127.0.0.1:80`, and not of an address, `[::1]`.
fn is_port((_, port): &(&str, &str)) -> bool {
    port.bytes().all(|digit| digit.is_ascii_digit())
}

/// The path of a request's target, if it leads nowhere up and has only characters that are seen.
fn decoded(target: &str) -> Option<String> {
    let path = target.split(['?', '#']).next().filter(|path| path.starts_with('/'))?;
    let path = percent_decode_str(path).decode_utf8().ok()?.into_owned();
    let is_hostile = |part: &str| matches!(part, "." | "..");
    let is_odd = path.chars().any(|c| c.is_control() || c == '\\') || path.contains("//");
    (!is_odd && !path.split('/').any(is_hostile)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, u16> {
        Request::read(text.as_bytes()).unwrap().map_err(|refused| refused.status())
    }

    #[test]
    fn a_request_has_a_path_whether_it_comes_whole_or_in_pieces() {
        let text = "GET /a%20b/%C3%A4.html?q=1 HTTP/1.1\r\nHost: localhost:80\r\nIf-None-Match: \"x\"\r\n\r\n";
        let request = Request { path: "/a b/ä.html".into(), wants_body: true, has: Some("\"x\"".into()) };
        assert_eq!(read(text), Ok(request));
        for cut in 0..text.len() - 1 {
            assert!(Request::parse(&text.as_bytes()[..cut]).is_none(), "{cut} bytes are no whole request");
        }
        assert!(!read("HEAD / HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n").unwrap().wants_body);
    }

    #[test]
    fn what_is_no_business_of_a_page_is_refused() {
        for (path, expected) in [
            ("/../etc/passwd", 400),
            ("/a/%2e%2e/b", 400),
            ("/%2E%2E%2Fb", 400),
            ("/..%5cb", 400),
            ("//etc/passwd", 400),
            ("/./x", 400),
            ("/%00", 400),
            ("/%ff", 400),
            ("http://127.0.0.1/", 400),
            ("*", 400),
        ] {
            assert_eq!(read(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")), Err(expected), "{path}");
        }
        let host = |host: &str| read(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).map(|_| ());
        assert_eq!(["127.0.0.1:1", "LOCALHOST", "[::1]", "[::1]:80"].map(host), [Ok(()); 4]);
        assert_eq!(["evil.example", "127.0.0.1.evil.example:80", "", "localhost:x"].map(host), [Err(421); 4]);
        assert_eq!(read("GET / HTTP/1.0\r\n\r\n"), Err(421));
        assert_eq!(read("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"), Err(405));
        assert_eq!(read("nonsense\r\n\r\n"), Err(400));
        assert_eq!(read("GET / HTTP/1.1\r\nHost: local"), Err(400));
        assert_eq!(read(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(LARGEST))), Err(431));
    }
}
