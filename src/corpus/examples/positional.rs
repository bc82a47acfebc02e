//! Reading at a place in a file, from several threads at once.
//!
//! Memory maps would need `unsafe`, which only `kernel/` may write; a positional read costs about a microsecond
//! when the system has the page in memory, as its cache then serves both.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::ExamplesError;
use super::manifest::damaged;
use super::sealed::{Seal, about};

/// Files of up to so many bytes are held in memory, for then reading at a place is no call of the system.
const HELD: u64 = 4 << 20;
/// So many numbers are read in one call.
const NUMBERS_AT_ONCE: usize = 512;

/// A file that is read at places.
#[derive(Debug)]
pub(super) struct PositionalFile {
    file: Handle,
    path: PathBuf,
    bytes: u64,
    /// All of a small file.
    held: Option<Vec<u8>>,
}

#[cfg(unix)]
type Handle = File;
/// Systems without `pread` seek, one thread at a time.
#[cfg(not(unix))]
type Handle = std::sync::Mutex<File>;

impl PositionalFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let open = || {
            let mut file = File::open(path)?;
            let bytes = file.metadata()?.len();
            if bytes > HELD {
                return Ok((file, bytes, None));
            }
            let mut held = Vec::with_capacity(bytes as usize);
            file.read_to_end(&mut held)?;
            Ok((file, held.len() as u64, Some(held)))
        };
        let (file, bytes, held) = open().map_err(|error| about("read", path, &error))?;
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Ok(Self { file, path: path.to_path_buf(), bytes, held })
    }

    /// The file of `seal` in `folder`, which has as many bytes as were written, of records of so many each.
    pub(super) fn open_sealed(folder: &Path, seal: &Seal, record: u64) -> Result<Self, ExamplesError> {
        let file = Self::open(&folder.join(&seal.name))?;
        if file.bytes == seal.bytes && file.bytes.is_multiple_of(record) {
            return Ok(file);
        }
        let cause = format!("{} bytes, but {} were written", file.bytes, seal.bytes);
        Err(damaged(&file.path, &cause).into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Fills `buffer` with what stands from byte `at` on.
    pub(super) fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let filled = match &self.held {
            Some(held) => match usize::try_from(at).ok().and_then(|at| held.get(at..)?.get(..buffer.len())) {
                Some(bytes) => {
                    buffer.copy_from_slice(bytes);
                    Ok(())
                }
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            },
            None => self.fill(at, buffer),
        };
        filled.map_err(|error| about("read", &self.path, &error))
    }

    #[cfg(unix)]
    fn fill(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, at)
    }

    #[cfg(not(unix))]
    fn fill(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        use std::io::{Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(buffer)
    }

    /// The numbers of 32 bits from number `start` up to `end`.
    pub(super) fn numbers(&self, start: u64, end: u64) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        self.each_number(start, end, |number| numbers.push(number))?;
        Ok(numbers)
    }

    /// Hands the numbers of 32 bits from number `start` up to `end` to `take`.
    pub(super) fn each_number(&self, mut start: u64, end: u64, mut take: impl FnMut(u32)) -> io::Result<()> {
        // On the stack, for most are few.
        let mut bytes = [0; 4 * NUMBERS_AT_ONCE];
        while start < end {
            let count = (end - start).min(NUMBERS_AT_ONCE as u64);
            let bytes = &mut bytes[..4 * count as usize];
            self.read(start * 4, bytes)?;
            bytes.as_chunks().0.iter().for_each(|bytes| take(u32::from_le_bytes(*bytes)));
            start += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_read_each_its_own_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers");
        // One that is held in memory, and one that is not.
        for count in [10_000u32, 1_100_000] {
            let bytes: Vec<u8> = (0..count).flat_map(u32::to_le_bytes).collect();
            std::fs::write(&path, bytes).unwrap();
            let file = PositionalFile::open(&path).unwrap();
            assert_eq!((file.bytes(), file.held.is_some()), (4 * u64::from(count), count == 10_000));
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let file = &file;
                    scope.spawn(move || {
                        for start in (thread..9_990).step_by(37).chain([count - 10, count - 1000]) {
                            let expected: Vec<u32> = (start..start + 10).collect();
                            assert_eq!(file.numbers(start.into(), u64::from(start) + 10).unwrap(), expected);
                        }
                    });
                }
            });
            // More than are read in one call.
            assert_eq!(file.numbers(5, 2_005).unwrap(), (5..2_005).collect::<Vec<u32>>());
            for start in [count - 1, count + 1] {
                let beyond = file.numbers(start.into(), u64::from(start) + 2).unwrap_err().to_string();
                assert!(beyond.starts_with(&format!("cannot read {}: ", path.display())), "{beyond}");
            }
        }
    }
}
