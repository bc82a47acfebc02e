//! Where a file is fetched from: its public address, or the same file on a mirror.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::part::RemoteFile;
use crate::diagnostic::Diagnostic;
use crate::download::{Address, without_password};

/// A place that has copies: `MIRROR/<dataset>/<name of the file>`, the name being the last part of the
/// public address. A folder in this layout is one, on this machine or served over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// The address of a folder, without a slash at its end.
    Server(String),
    /// A folder on this machine.
    Folder(PathBuf),
}

impl Mirror {
    /// Reads `https://…`, `http://…`, `file://…` or the path of a folder.
    ///
    /// # Errors
    /// When it is no address and no folder is there.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let is_server =
            ["http://", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
        if is_server && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Ok(Self::Server(text.trim_end_matches('/').to_owned()));
        }
        let folder = Path::new(text.strip_prefix("file://").unwrap_or(text));
        if folder.is_dir() {
            return Ok(Self::Folder(folder.to_path_buf()));
        }
        Err(Diagnostic::new(format!("`{}` is neither the address of a server nor a folder", without_password(text)))
            .hint("a mirror is for example `https://mirror.example.org/data` or a folder that holds `cola/CoLA.zip`"))
    }
}

/// Where `file` of `dataset` is, on the mirror if there is one.
pub(super) fn address_of(file: &RemoteFile, dataset: &str, mirror: Option<&Mirror>) -> Address {
    match mirror {
        Some(Mirror::Server(base)) => Address::Url(format!("{base}/{dataset}/{}", escaped(file.name()))),
        Some(Mirror::Folder(folder)) => Address::File(folder.join(dataset).join(file.name())),
        None => match file.url.strip_prefix("file://") {
            Some(path) => Address::File(PathBuf::from(path)),
            None => Address::Url(file.url.clone()),
        },
    }
}

/// A name as a part of an address: by its bytes, but for the unreserved characters of RFC 3986, §2.3, and
/// some that no server takes for anything else.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~+()".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str) -> RemoteFile {
        RemoteFile { url: url.to_owned(), size: None, sha256: None, stored_as: None, unpack: None }
    }

    #[test]
    fn a_mirror_has_a_folder_for_each_dataset() {
        let of = |url: &str, mirror: Option<&Mirror>| address_of(&file(url), "cola", mirror).to_string();
        let server = Mirror::parse("http://localhost:8000/data/").unwrap();
        assert_eq!(of("https://a.org/x/CoLA.zip?raw=1", Some(&server)), "http://localhost:8000/data/cola/CoLA.zip");
        assert_eq!(of("https://a.org/a é", Some(&server)), "http://localhost:8000/data/cola/a%20%C3%A9");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        for text in [path.to_owned(), format!("file://{path}")] {
            let mirror = Mirror::parse(&text).unwrap();
            assert_eq!(of("https://a.org/CoLA.zip", Some(&mirror)), format!("{path}/cola/CoLA.zip"));
        }
        assert_eq!(of("https://a.org/CoLA.zip?raw=1", None), "https://a.org/CoLA.zip?raw=1");
        assert_eq!(of("file:///data/CoLA.zip", None), "/data/CoLA.zip");
        let secret = Mirror::parse("https://me:secret@a.org").unwrap();
        assert_eq!(of("https://a.org/CoLA.zip", Some(&secret)), "https://a.org/cola/CoLA.zip");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["nowhere/at/all", "http://", "ftp://a.org", "", "http://a.org/a b", "file:///nowhere/at/all"] {
            assert!(Mirror::parse(text).is_err(), "{text}");
        }
    }
}
