//! Addresses and ranges, as the headers of HTTP write them.

/// Scheme, host and port of an address, in lower case.
pub(super) fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}").to_ascii_lowercase()
}

/// The same text without the user and password that addresses in it may hold, `https://user:password@host/`: what is
/// shown, and what is kept.
pub(crate) fn without_password(text: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some((scheme, after)) = rest.split_once("://") {
        kept.push_str(scheme);
        kept.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#')).unwrap_or(after.len());
        let host = after[..end].rfind('@').map_or(0, |at| at + 1);
        rest = &after[host..];
    }
    kept + rest
}

/// The address that a `location` header means (RFC 3986 §5.2, the forms that servers send).
pub(super) fn join(url: &str, location: &str) -> String {
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

/// The first byte and the total of `bytes 5-9/10`; each may be unknown (`*`).
pub(super) fn content_range(text: &str) -> (Option<u64>, Option<u64>) {
    let Some((range, total)) = text.trim().strip_prefix("bytes ").and_then(|text| text.split_once('/')) else {
        return (None, None);
    };
    (range.split_once('-').and_then(|(start, _)| start.trim().parse().ok()), total.trim().parse().ok())
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
    fn no_password_is_shown() {
        for (address, shown) in [
            ("https://me:secret@host:80/a@b", "https://host:80/a@b"),
            ("https://host/a@b", "https://host/a@b"),
            ("http://a@b@host", "http://host"),
            ("no http://u:p@h, or https://t@i/x?u:p@v", "no http://h, or https://i/x?u:p@v"),
            ("me@host", "me@host"),
        ] {
            assert_eq!(without_password(address), shown);
        }
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
        assert_eq!(content_range("bytes 5-99/100"), (Some(5), Some(100)));
        assert_eq!(content_range("bytes 0-0/*"), (Some(0), None));
        assert_eq!(content_range("bytes */0"), (None, Some(0)));
        assert_eq!(content_range("items 1-2/3"), (None, None));
    }
}
