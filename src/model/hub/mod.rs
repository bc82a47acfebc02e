//! Models of the Hugging Face hub, fetched into the hub's cache, whose snapshots are checkpoint folders.
//!
//! ```text
//! repository + revision ─info─▶ commit, file names ─choose─▶ what a BERT needs
//!     ─(each file) head─▶ etag, size ─transfer─▶ blobs/ETAG ─verify, link─▶ snapshots/COMMIT/FILE
//! ```
//!
//! The layout of the cache is that of Python's `huggingface_hub`: what one of them fetched, the other finds.

mod cache;
mod choice;
mod client;
mod error;
mod settings;
mod transfer;

use std::path::PathBuf;

pub use error::HubError;
pub use settings::HubSettings;

use self::cache::RepositoryCache;
use self::choice::Weights;
use self::client::Hub;
use self::transfer::Commit;
use super::config::Config;
use crate::download::Progress;

/// A model that is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// A checkpoint folder: `config.json`, weights, vocabulary.
    pub folder: PathBuf,
    /// The hash of the commit that it is a snapshot of.
    pub commit: String,
}

/// Fetches what a BERT needs of `repository` (`ORG/NAME`) at `revision` (a branch, a tag or a commit
/// hash), as far as it is not in the cache.
///
/// A commit hash whose files are all there needs no network. For a branch or a tag the hub is asked for
/// the commit; when it cannot be reached, the commit that the cache has for that name is used and
/// `progress` gets a note. A transfer that broke, in this process or in one that died, goes on where it
/// stopped. Every file that comes is compared with the checksum that the hub has for it.
///
/// # Errors
/// See [`HubError`]; nothing that is incomplete or wrong is left where a later call would take it for a
/// file of the model.
pub fn fetch(
    settings: &HubSettings,
    repository: &str,
    revision: &str,
    progress: &dyn Progress,
) -> Result<Snapshot, HubError> {
    if !is_safe(repository) || !is_safe(revision) {
        return Err(HubError::Name { repository: repository.to_owned(), revision: revision.to_owned() });
    }
    let cache = RepositoryCache::new(&settings.cache, repository);
    if is_commit(revision)
        && let Some(folder) = cache.complete(revision)
    {
        return Ok(Snapshot { folder, commit: revision.to_owned() });
    }
    if settings.offline {
        let (snapshot, unknown) = cache.usable(revision).map_err(|missing| HubError::Offline {
            repository: repository.to_owned(),
            revision: revision.to_owned(),
            cache: settings.cache.clone(),
            missing,
        })?;
        note_unknown(repository, &unknown, progress);
        return Ok(snapshot);
    }
    match (Fetch { settings, repository, revision, cache: &cache }).run(progress) {
        Err(HubError::Unreachable { endpoint, cause, .. }) => match cache.usable(revision) {
            Ok((snapshot, unknown)) => {
                let commit = &snapshot.commit;
                let text = format!("{endpoint} cannot be reached ({cause}): {repository} is used as cached, {commit}");
                progress.note(&text);
                note_unknown(repository, &unknown, progress);
                Ok(snapshot)
            }
            Err(missing) => Err(HubError::Unreachable { repository: repository.to_owned(), endpoint, cause, missing }),
        },
        other => other,
    }
}

/// Files that decide how text is read, and that another program did not fetch into the cache.
fn note_unknown(repository: &str, unknown: &[&str], progress: &dyn Progress) {
    if !unknown.is_empty() {
        progress.note(&format!("{repository} is used without {}: not in the cache", unknown.join(", ")));
    }
}

/// The full hash of a git commit.
fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether a name can be a part of an address and of a path, and stays below its folder: whoever asks
/// has held it against the hub's own rules.
fn is_safe(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./@+=,!$&'();".contains(c);
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.');
    name.chars().all(allowed) && name.split('/').all(is_part)
}

/// One fetch over the network.
struct Fetch<'a> {
    settings: &'a HubSettings,
    repository: &'a str,
    revision: &'a str,
    cache: &'a RepositoryCache,
}

impl Fetch<'_> {
    fn run(&self, progress: &dyn Progress) -> Result<Snapshot, HubError> {
        let hub = Hub::new(self.settings, self.repository, self.revision);
        let info = hub.info()?;
        let commit = info.sha;
        if !is_commit(&commit) {
            return Err(hub.nonsense(&format!("`{commit}` is not the hash of a commit")));
        }
        let names: Vec<String> = info.siblings.into_iter().map(|file| file.rfilename).collect();
        let chosen = choice::choose(&names)
            .map_err(|reason| HubError::NotBert { repository: self.repository.to_owned(), reason })?;
        let files = Commit { hub: &hub, cache: self.cache, sha: &commit };
        // Small files first: once the weights are there, so is all the rest.
        for name in &chosen.small {
            files.file(name, progress)?;
        }
        let folder = self.cache.snapshot(&commit);
        if chosen.small.iter().any(|name| name == choice::CONFIG) {
            // Another kind of model is refused before its weights come.
            Config::read(&folder)?;
        }
        for name in choice::SETTINGS.into_iter().filter(|name| !names.iter().any(|known| known == name)) {
            self.cache.mark_absent(&commit, name)?;
        }
        for name in self.weights(&files, &chosen.weights, &names, progress)? {
            files.file(&name, progress)?;
        }
        if self.revision != commit {
            self.cache.write_ref(self.revision, &commit)?;
        }
        Ok(Snapshot { folder, commit })
    }

    /// The files that hold the weights; an index is fetched to learn them.
    fn weights(
        &self,
        files: &Commit<'_>,
        weights: &Weights,
        names: &[String],
        progress: &dyn Progress,
    ) -> Result<Vec<String>, HubError> {
        let index = match weights {
            Weights::Files(names) => return Ok(names.clone()),
            Weights::Index(index) => index,
        };
        let path = files.file(index, progress)?;
        let refused = |reason: String| HubError::NotBert { repository: self.repository.to_owned(), reason };
        let shards = choice::shards(&path).map_err(refused)?;
        match shards.iter().find(|shard| !names.contains(shard)) {
            Some(shard) => Err(refused(format!("{index} names `{shard}`, which the repository does not have"))),
            None => Ok(shards),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_their_folder() {
        for name in ["google-bert/bert-base-uncased", "main", "refs/pr/1", "v1.0", "a@b"] {
            assert!(is_safe(name), "{name}");
        }
        for name in ["", "..", "a/../b", "/a", "a//b", "a/", ".a", "a b", "a?b", "a#b", "a%2e", "a\\b", "a\n"] {
            assert!(!is_safe(name), "{name}");
        }
    }

    #[test]
    fn a_commit_is_forty_hexadecimal_digits() {
        assert!(is_commit("86b5e0934494bd15c9632b12f734a8a67f723594"));
        assert!(!is_commit("86b5e0934494bd15c9632b12f734a8a67f72359"));
        assert!(!is_commit("main"));
        assert!(!is_commit("gggggggggggggggggggggggggggggggggggggggg"));
    }
}
