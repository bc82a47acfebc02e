//! Files that a user names for results: whole or as they were before.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use super::atomic::{about, parent, persist, temporary_file};
use super::flush::sync_folder;

/// Lets `fill` write the file that becomes `path` in one step when `fill` is done; when it fails, `path` stays as
/// it was. A device or a pipe, such as `/dev/null`, cannot be replaced and is written as it stands. A
/// link stays a link: what it leads to is replaced.
///
/// # Errors
/// What `fill` answers; when the folder does not exist or cannot be written, or `path` is a folder.
pub fn write<E: From<io::Error>>(path: &Path, fill: impl FnOnce(&mut File) -> Result<(), E>) -> Result<(), E> {
    let named = |error| about("cannot write", path, &error);
    if is_special(path) {
        return fill(&mut OpenOptions::new().write(true).open(path).map_err(named)?);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut temporary = temporary_file(parent(&target)).map_err(named)?;
    fill(temporary.as_file_mut())?;
    temporary.as_file().sync_all().map_err(named)?;
    persist(temporary, &target)?;
    Ok(sync_folder(parent(&target))?)
}

/// Whether something other than a file or a folder is there.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn write_text(path: &Path, text: &str) -> io::Result<()> {
        write(path, |file| file.write_all(text.as_bytes()))
    }

    #[test]
    fn a_file_is_replaced_whole_or_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.tsv");
        write_text(&path, "one").unwrap();
        let failed = write(&path, |file| {
            file.write_all(b"tw")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(
            (failed.unwrap_err().to_string(), fs::read_to_string(&path).unwrap()),
            ("no more".into(), "one".into())
        );
        write_text(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_path_buf(), folder.path().join("no/such/folder/out.tsv")] {
            let said = write_text(&path, "x").unwrap_err().to_string();
            assert!(said.starts_with(&format!("cannot write {}: ", path.display())), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_stays_a_device_and_a_link_a_link() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        write_text(Path::new("/dev/null"), "x").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_text(&file, "one").unwrap();
        symlink(&file, &link).unwrap();
        write_text(&link, "two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
    }
}
