//! Reading at a place in a file, from several threads at once.
//!
//! Memory maps would need `unsafe`, which only `kernel/` may write; a positional read costs about a microsecond
//! when the system has the page in memory, as its cache then serves both.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A file that is read at places.
#[derive(Debug)]
pub(super) struct PositionalFile {
    file: Handle,
    path: PathBuf,
    bytes: u64,
}

#[cfg(unix)]
type Handle = File;
/// Systems without `pread` seek, one thread at a time.
#[cfg(not(unix))]
type Handle = std::sync::Mutex<File>;

impl PositionalFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let open = || {
            let file = File::open(path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|error| about(path, &error))?;
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Ok(Self { file, path: path.to_path_buf(), bytes })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Fills `buffer` with what stands from byte `at` on.
    pub(super) fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.fill(at, buffer).map_err(|error| about(&self.path, &error))
    }

    #[cfg(unix)]
    fn fill(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, at)
    }

    #[cfg(not(unix))]
    fn fill(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(buffer)
    }

    /// The numbers of 32 bits from number `start` up to `end`.
    pub(super) fn numbers(&self, start: u64, end: u64) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; (end.saturating_sub(start) * 4) as usize];
        self.read(start * 4, &mut bytes)?;
        Ok(bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_read_each_its_own_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers");
        let bytes: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();
        let file = PositionalFile::open(&path).unwrap();
        assert_eq!(file.bytes(), 40_000);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for start in (thread..9_990).step_by(37) {
                        let expected: Vec<u32> = (start..start + 10).collect();
                        assert_eq!(file.numbers(start.into(), u64::from(start) + 10).unwrap(), expected);
                    }
                });
            }
        });
        let beyond = file.numbers(9_999, 10_001).unwrap_err().to_string();
        assert!(beyond.starts_with(&format!("cannot read {}: ", path.display())), "{beyond}");
    }
}
