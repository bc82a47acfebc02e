//! What a manifest says of its files, and why they must not be fetched by it.

use super::super::manifest::Manifest;
use super::lock::LOCK;
use super::part::{Fetch, RemoteFile};

impl Manifest {
    /// The published checksum of a file of the folder, where the manifest has it.
    #[must_use]
    pub fn sha256_of(&self, file: &str) -> Option<&str> {
        let split = self.splits.iter().find(|split| split.file == file).and_then(|split| split.sha256.as_deref());
        split.or_else(|| {
            let Some(Fetch::Download(download)) = &self.fetch else { return None };
            let whole = download.files.iter().find(|one| one.unpack.is_none() && one.targets() == [file]);
            whole.and_then(|one| one.sha256.as_deref())
        })
    }

    /// Why files must not be fetched by this manifest; `None` when they may. It may come from anywhere:
    /// no name in it leads out of the dataset's folder.
    pub(super) fn fault(&self) -> Option<String> {
        if let Some(name) = [&self.name, &self.folder].into_iter().find(|name| !is_plain(name)) {
            return Some(format!("`{name}` is not a plain name"));
        }
        let Some(Fetch::Download(download)) = &self.fetch else { return None };
        let mut seen: Vec<String> = Vec::new();
        for file in &download.files {
            let known = ["https://", "http://", "file://"].iter().any(|scheme| file.url.starts_with(scheme));
            if !known || file.url.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Some(format!("`{}` is not the address of a file", file.url));
            }
            if !is_plain(file.name()) {
                return Some(format!("`{}` does not end with the name of a file", file.url));
            }
            if file.sha256.as_deref().is_some_and(|sha256| !is_sha256(sha256)) {
                return Some(format!("the SHA-256 of {} is not valid", file.name()));
            }
            if file.unpack.is_some() && file.stored_as.is_some() {
                return Some(format!("{} is unpacked, so `as` cannot name it", file.name()));
            }
        }
        for target in download.targets() {
            // File systems that do not tell case apart would let one overwrite the other.
            let lowered = target.to_lowercase();
            if !is_plain(target) || lowered == LOCK {
                return Some(format!("`{target}` cannot be the name of a file of the dataset"));
            }
            if seen.contains(&lowered) {
                return Some(format!("two files are called `{target}`"));
            }
            seen.push(lowered);
        }
        let names: Vec<&str> = download.files.iter().map(RemoteFile::name).collect();
        let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        twice.map(|(_, name)| format!("two addresses end with `{name}`"))
    }
}

/// One part of a path, visible, and the same on every system.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "-_.+ ()".contains(c);
    let ends = name.starts_with(['.', ' ']) || name.ends_with(['.', ' ']);
    !name.is_empty() && name.len() <= 200 && name.chars().all(allowed) && !ends
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use crate::data::fetch::tests::downloads;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let fault = |files: &str| downloads("toy", files).fault();
        assert_eq!(fault("{url: 'https://a.org/a.txt'}, {url: 'http://a.org/b.zip', unpack: {x/y: y}}"), None);
        for target in ["../a", "a/b", "/a", "C:a", "a\\b", ".hidden", "..", "", "FETCHED.json", "a\u{0}", "a "] {
            let quoted = serde_json::to_string(target).unwrap();
            assert!(fault(&format!("{{url: 'https://a.org/a.txt', as: {quoted}}}")).is_some(), "{target:?}");
            let archive = format!("{{url: 'https://a.org/a.zip', unpack: {{m: {quoted}}}}}");
            assert!(fault(&archive).is_some(), "{target:?}");
        }
        for url in ["ftp://a.org/a", "a.txt", "https://a.org/", "https://a.org/..", "https://a.org/a b/\u{7}c"] {
            assert!(fault(&format!("{{url: {}}}", serde_json::to_string(url).unwrap())).is_some(), "{url}");
        }
        for files in [
            "{url: 'https://a.org/a'}, {url: 'https://b.org/A', as: a}",
            "{url: 'https://a.org/a', as: x}, {url: 'https://b.org/a', as: y}",
            "{url: 'https://a.org/a', sha256: 12}",
            "{url: 'https://a.org/a', as: x, unpack: {b: c}}",
        ] {
            assert!(fault(files).is_some(), "{files}");
        }
    }
}
