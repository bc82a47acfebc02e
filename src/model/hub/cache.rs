//! One repository in the hub's cache on disk, as `huggingface_hub` keeps it:
//!
//! ```text
//! models--ORG--NAME/blobs/ETAG                 the files' contents
//! models--ORG--NAME/snapshots/COMMIT/FILE      links to them
//! models--ORG--NAME/refs/REVISION              the commit of a branch or a tag
//! models--ORG--NAME/.no_exist/COMMIT/FILE      a file that the commit is known not to have
//! .locks/models--ORG--NAME/ETAG.lock           held by who fetches the blob
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::choice::{self, SETTINGS, Weights};
use super::error::HubError;
use super::{Snapshot, is_commit};
use crate::download::{Progress, lock};
use crate::store::atomic;

/// A repository's folder in the cache.
pub(super) struct RepositoryCache {
    folder: PathBuf,
    locks: PathBuf,
}

impl RepositoryCache {
    /// `repository` is `ORG/NAME`, `cache` the folder of all repositories.
    pub(super) fn new(cache: &Path, repository: &str) -> Self {
        let name = format!("models--{}", repository.replace('/', "--"));
        Self { folder: cache.join(&name), locks: cache.join(".locks").join(name) }
    }

    /// The folder of a commit's files.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The content of this etag, and where its parts gather until it is whole.
    pub(super) fn blob(&self, etag: &str) -> (PathBuf, PathBuf) {
        let blobs = self.folder.join("blobs");
        (blobs.join(etag), blobs.join(format!("{etag}.incomplete")))
    }

    /// The snapshot of `commit`, if it is known to hold all that a fetch would bring.
    pub(super) fn complete(&self, commit: &str) -> Option<PathBuf> {
        let unknown = self.gaps(commit).ok()?;
        unknown.is_empty().then(|| self.snapshot(commit))
    }

    /// The snapshot that `revision` stands for without asking the hub, if it has configuration and
    /// weights; with the names of files that are not there and may or may not exist. Else what is
    /// missing of it.
    pub(super) fn usable(&self, revision: &str) -> Result<(Snapshot, Vec<&'static str>), Vec<String>> {
        let commit = if is_commit(revision) { Some(revision.to_owned()) } else { self.read_ref(revision) };
        let commit = commit.ok_or_else(Vec::new)?;
        let unknown = self.gaps(&commit)?;
        Ok((Snapshot { folder: self.snapshot(&commit), commit }, unknown))
    }

    /// The optional files of a snapshot that nothing is known about; an error names what must be there
    /// and is not, and nothing when there is no snapshot.
    fn gaps(&self, commit: &str) -> Result<Vec<&'static str>, Vec<String>> {
        let folder = self.snapshot(commit);
        let Ok(entries) = fs::read_dir(&folder) else { return Err(Vec::new()) };
        // `exists` follows the link: a blob that was removed is not there.
        let names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().exists())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        if names.is_empty() {
            return Err(Vec::new());
        }
        let chosen = choice::choose(&names).map_err(|_| vec![absent(&names)])?;
        if let Weights::Index(index) = &chosen.weights {
            let shards = choice::shards(&folder.join(index)).map_err(|reason| vec![reason])?;
            let missing: Vec<String> = shards.into_iter().filter(|shard| !names.contains(shard)).collect();
            if !missing.is_empty() {
                return Err(missing);
            }
        }
        let unknown = |name: &&str| !chosen.small.iter().any(|known| known == name) && !self.is_absent(commit, name);
        Ok(SETTINGS.into_iter().filter(unknown).collect())
    }

    fn read_ref(&self, revision: &str) -> Option<String> {
        let commit = fs::read_to_string(self.folder.join("refs").join(revision)).ok()?;
        Some(commit.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Notes the commit that a branch or a tag stands for.
    pub(super) fn write_ref(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        let path = self.folder.join("refs").join(revision);
        if self.read_ref(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        parent(&path).and_then(|()| atomic::write(&path, commit.as_bytes())).map_err(HubError::disk(&path))
    }

    fn absence(&self, commit: &str, name: &str) -> PathBuf {
        self.folder.join(".no_exist").join(commit).join(name)
    }

    fn is_absent(&self, commit: &str, name: &str) -> bool {
        self.absence(commit, name).exists()
    }

    /// Notes that a commit does not have a file.
    pub(super) fn mark_absent(&self, commit: &str, name: &str) -> Result<(), HubError> {
        let path = self.absence(commit, name);
        if path.exists() {
            return Ok(());
        }
        parent(&path).and_then(|()| File::create(&path)).map(drop).map_err(HubError::disk(&path))
    }

    /// Locks a blob until the value is dropped; waits for another process that has it.
    pub(super) fn lock(&self, etag: &str, progress: &dyn Progress) -> Result<File, HubError> {
        let path = self.locks.join(format!("{etag}.lock"));
        Ok(lock(&path, "another process is fetching the same file: waiting for it", progress)?)
    }

    /// Gives a blob its name in a commit's snapshot.
    pub(super) fn link(&self, blob: &Path, commit: &str, name: &str) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(name);
        if path.exists() {
            return Ok(());
        }
        let linked = parent(&path).and_then(|()| {
            // A link to a blob that is gone.
            if path.is_symlink() {
                fs::remove_file(&path)?;
            }
            match symlink(blob, &path) {
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                // A file system without links: the file itself goes there, as huggingface_hub does it.
                Err(_) => fs::rename(blob, &path),
                Ok(()) => Ok(()),
            }
        });
        linked.map_err(HubError::disk(&path))
    }
}

/// What the files of a snapshot lack: its configuration or its weights.
fn absent(names: &[String]) -> String {
    let has_config = names.iter().any(|name| name == choice::CONFIG);
    if has_config { "weights".to_owned() } else { choice::CONFIG.to_owned() }
}

fn parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// A relative link, so that the cache can be moved: from `snapshots/COMMIT/` to `blobs/`.
#[cfg(unix)]
fn symlink(blob: &Path, path: &Path) -> io::Result<()> {
    let name = blob.file_name().unwrap_or_default();
    std::os::unix::fs::symlink(Path::new("../../blobs").join(name), path)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "86b5e0934494bd15c9632b12f734a8a67f723594";

    fn cache_with(names: &[&str]) -> (tempfile::TempDir, RepositoryCache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = RepositoryCache::new(folder.path(), "a/b");
        for name in names {
            let (blob, _) = cache.blob(name);
            parent(&blob).unwrap();
            fs::write(&blob, "{}").unwrap();
            cache.link(&blob, COMMIT, name).unwrap();
        }
        (folder, cache)
    }

    #[test]
    fn a_snapshot_is_complete_when_nothing_of_it_is_unknown() {
        let (folder, cache) = cache_with(&["config.json", "model.safetensors", "vocab.txt"]);
        let snapshot = folder.path().join("models--a--b/snapshots").join(COMMIT);
        assert_eq!(cache.complete(COMMIT), None);
        let unknown = [
            "vocab.json",
            "merges.txt",
            "tokenizer_config.json",
            "tokenizer.json",
            "special_tokens_map.json",
            "added_tokens.json",
        ];
        assert_eq!(cache.usable(COMMIT).unwrap().1, unknown);
        for name in unknown {
            cache.mark_absent(COMMIT, name).unwrap();
        }
        assert_eq!(cache.complete(COMMIT), Some(snapshot));
        fs::remove_file(folder.path().join("models--a--b/blobs/model.safetensors")).unwrap();
        assert_eq!(cache.usable(COMMIT).unwrap_err(), ["weights"]);
    }

    #[test]
    fn a_branch_is_what_its_ref_says() {
        let (_folder, cache) = cache_with(&["config.json", "model.safetensors"]);
        assert_eq!(cache.usable("main").unwrap_err(), Vec::<String>::new());
        cache.write_ref("refs/pr/1", COMMIT).unwrap();
        assert_eq!(cache.usable("refs/pr/1").unwrap().0.commit, COMMIT);
        cache.write_ref("main", "../../../elsewhere").unwrap();
        assert!(cache.usable("main").is_err(), "only a commit's hash is followed");
    }

    #[test]
    fn a_snapshot_needs_every_part_of_its_index() {
        let (folder, cache) = cache_with(&["config.json", "model.safetensors.index.json", "1.safetensors"]);
        let index = folder.path().join("models--a--b/blobs/model.safetensors.index.json");
        fs::write(&index, r#"{"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}"#).unwrap();
        assert_eq!(cache.usable(COMMIT).unwrap_err(), ["2.safetensors"]);
        fs::write(&index, r#"{"weight_map": {"a": "1.safetensors"}}"#).unwrap();
        assert!(cache.usable(COMMIT).is_ok());
    }
}
