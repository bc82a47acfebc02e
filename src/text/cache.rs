//! Features on disk: built once per (data, vocabulary, maximal length), read by every run of a sweep.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::features::FeatureSet;
use super::format;
use crate::diagnostic::Diagnostic;
use crate::store::atomic;

/// Everything that decides the features of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureKey {
    /// The dataset's name: two datasets may read different columns of one file.
    pub dataset: String,
    /// The split's name.
    pub split: String,
    /// SHA-256 of the files that the split is read from, by name.
    pub data_sha256: BTreeMap<String, String>,
    /// SHA-256 of the vocabulary's file.
    pub vocabulary_sha256: String,
    /// Whether text is lower-cased and stripped of accents.
    pub lower_case: bool,
    /// Longest sequence in tokens.
    pub max_length: u32,
    /// Whether malformed rows are left out instead of refused.
    pub skip_bad_rows: bool,
    /// What else decides, such as the windows of long texts; empty when nothing does.
    pub options: String,
}

impl FeatureKey {
    /// BLAKE3 of the key and of the format's version.
    fn hash(&self) -> blake3::Hash {
        let Self { dataset, split, data_sha256, vocabulary_sha256, lower_case, max_length, skip_bad_rows, options } =
            self;
        let mut hash = blake3::Hasher::new();
        let mut field = |bytes: &[u8]| {
            // With its length, so that no two keys spell the same bytes.
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        field(&format::VERSION.to_le_bytes());
        field(dataset.as_bytes());
        field(split.as_bytes());
        field(vocabulary_sha256.as_bytes());
        field(&max_length.to_le_bytes());
        field(&[u8::from(*lower_case), u8::from(*skip_bad_rows)]);
        field(options.as_bytes());
        for (name, sha256) in data_sha256 {
            field(name.as_bytes());
            field(sha256.as_bytes());
        }
        hash.finalize()
    }
}

/// What the cache did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheOutcome {
    /// The features were on disk.
    Hit,
    /// They were built, and are on disk now.
    Built,
    /// A file was there but not to be trusted, for this reason; it was built anew.
    Rebuilt(String),
    /// They were built but could not be written, for this reason. The next run builds them again.
    NotStored(String),
    /// They were built, and the cache is only read.
    NotKept,
}

/// A folder of features.
#[derive(Clone, Debug)]
pub struct FeatureCache {
    folder: PathBuf,
    read_only: bool,
}

impl FeatureCache {
    /// The cache in `folder`, which is made when it is first written to.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), read_only: false }
    }

    /// The same cache, in which nothing that is built is stored.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// The features of `key`: from disk when they are there undamaged, else from `build`, whose result is stored.
    /// Of several processes that need the same, one builds it and the others wait.
    ///
    /// # Errors
    /// What `build` answers. A cache that cannot be read or written is no error but an outcome.
    pub fn get_or_build(
        &self,
        key: &FeatureKey,
        build: impl FnOnce() -> Result<FeatureSet, Diagnostic>,
    ) -> Result<(FeatureSet, CacheOutcome), Diagnostic> {
        let hash = key.hash();
        let path = self.path(key);
        if let Ok(Some(set)) = read(&path, hash.as_bytes()) {
            return Ok((set, CacheOutcome::Hit));
        }
        if self.read_only {
            return Ok((build()?, CacheOutcome::NotKept));
        }
        let _building = self.lock(&path);
        let damage = match read(&path, hash.as_bytes()) {
            Ok(Some(set)) => return Ok((set, CacheOutcome::Hit)),
            Ok(None) => None,
            Err(reason) => Some(reason),
        };
        let set = build()?;
        let bytes = format::to_bytes(&set, hash.as_bytes());
        let stored = std::fs::create_dir_all(&self.folder).and_then(|()| atomic::write(&path, &bytes));
        let outcome = match (stored, damage) {
            (Ok(()), None) => CacheOutcome::Built,
            (Ok(()), Some(reason)) => CacheOutcome::Rebuilt(reason),
            (Err(error), _) => CacheOutcome::NotStored(format!("{}: {error}", path.display())),
        };
        Ok((set, outcome))
    }

    /// Held while the file at `path` is made. Without one (a folder that cannot be written) processes do double work and
    /// nothing worse.
    fn lock(&self, path: &Path) -> Option<Building> {
        std::fs::create_dir_all(&self.folder).ok()?;
        let path = path.with_extension("lock");
        let file = atomic::lock(&path).ok()??;
        Some(Building { path, _file: file })
    }

    /// The file of a key: `<dataset>-<split>-<first 16 digits of the key>.features`.
    #[must_use]
    pub fn path(&self, key: &FeatureKey) -> PathBuf {
        let mut name = String::new();
        for part in [&key.dataset, &key.split] {
            // Names come from tables, but a file name must be one whatever they hold.
            name.extend(part.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }));
            name.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(name, "{}.features", &key.hash().to_hex()[..16]);
        self.folder.join(name)
    }
}

/// The lock of a file in the making.
struct Building {
    path: PathBuf,
    _file: std::fs::File,
}

impl Drop for Building {
    fn drop(&mut self) {
        // The features are there: who waits for this lock, or makes another of the name, finds them.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn read(path: &Path, key: &[u8; 32]) -> Result<Option<FeatureSet>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    format::from_bytes(&bytes, key).map(Some).map_err(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::pair::tests::three;

    fn key() -> FeatureKey {
        FeatureKey {
            dataset: "rte".into(),
            split: "dev".into(),
            data_sha256: BTreeMap::from([("RTE/dev.tsv".into(), "00".into())]),
            vocabulary_sha256: "11".into(),
            lower_case: true,
            max_length: 128,
            skip_bad_rows: false,
            options: String::new(),
        }
    }

    fn must_not_build() -> Result<FeatureSet, Diagnostic> {
        panic!("the features are on disk")
    }

    #[test]
    fn built_once_then_read() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FeatureCache::new(folder.path().join("new"));
        let (built, outcome) = cache.get_or_build(&key(), || Ok(three())).unwrap();
        assert_eq!(outcome, CacheOutcome::Built);
        let (read, outcome) = cache.get_or_build(&key(), must_not_build).unwrap();
        assert_eq!(outcome, CacheOutcome::Hit);
        assert_eq!(read.parts.ids, built.parts.ids);
        assert_eq!(std::fs::read_dir(folder.path().join("new")).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_damaged_file_is_built_anew_and_good_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FeatureCache::new(folder.path());
        let path = cache.path(&key());
        for damage in
            [&b""[..], b"bertbenchfs\n", b"nothing of ours, but longer than a checksum and a header: 0123456789"]
        {
            std::fs::write(&path, damage).unwrap();
            let (set, outcome) = cache.get_or_build(&key(), || Ok(three())).unwrap();
            assert!(matches!(outcome, CacheOutcome::Rebuilt(_)), "{outcome:?}");
            assert_eq!(set.len(), 3);
            assert_eq!(cache.get_or_build(&key(), must_not_build).unwrap().1, CacheOutcome::Hit);
        }
        // Another key's file under this key's name.
        let other = FeatureKey { max_length: 64, ..key() };
        cache.get_or_build(&other, || Ok(three())).unwrap();
        std::fs::copy(cache.path(&other), &path).unwrap();
        let (_, outcome) = cache.get_or_build(&key(), || Ok(three())).unwrap();
        assert_eq!(outcome, CacheOutcome::Rebuilt("it belongs to other inputs".into()));
    }

    #[test]
    fn every_field_of_the_key_counts() {
        let keys = [
            key(),
            FeatureKey { dataset: "rt".into(), split: "edev".into(), ..key() },
            FeatureKey { split: "test".into(), ..key() },
            FeatureKey { data_sha256: BTreeMap::from([("RTE/dev.tsv".into(), "01".into())]), ..key() },
            FeatureKey { data_sha256: BTreeMap::new(), ..key() },
            FeatureKey { vocabulary_sha256: "12".into(), ..key() },
            FeatureKey { lower_case: false, ..key() },
            FeatureKey { max_length: 127, ..key() },
            FeatureKey { skip_bad_rows: true, ..key() },
            FeatureKey { options: "doc_stride 128".into(), ..key() },
        ];
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[..i] {
                assert_ne!(a.hash(), b.hash(), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_the_cache_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "in the way").unwrap();
        let (set, outcome) = FeatureCache::new(&file).get_or_build(&key(), || Ok(three())).unwrap();
        assert_eq!(set.len(), 3);
        assert!(matches!(outcome, CacheOutcome::NotStored(_)), "{outcome:?}");
    }

    #[test]
    fn a_failed_build_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FeatureCache::new(folder.path());
        let failed = cache.get_or_build(&key(), || Err(Diagnostic::new("no data"))).unwrap_err();
        assert_eq!(failed.to_string(), "no data");
        assert!(!cache.path(&key()).exists());
    }

    #[test]
    fn builders_at_the_same_time_agree() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FeatureCache::new(folder.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(cache.get_or_build(&key(), || Ok(three())).unwrap().0.len(), 3));
            }
        });
        assert_eq!(cache.get_or_build(&key(), must_not_build).unwrap().1, CacheOutcome::Hit);
    }
}
