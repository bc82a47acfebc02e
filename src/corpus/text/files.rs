//! Which files a user's inputs are.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

/// The files that `inputs` name, in that order: a file itself, a folder all files in it and below, by name.
/// Names that begin with a dot are passed over in folders.
///
/// # Errors
/// An input that is not there or cannot be listed; a folder without files.
pub fn input_files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Diagnostic> {
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            let before = files.len();
            list(input, &mut files)?;
            if files.len() == before {
                return Err(Diagnostic::new("the folder has no files").in_file(input).absence());
            }
        } else if input.is_file() {
            files.push(input.clone());
        } else {
            return Err(Diagnostic::new("no such file or folder").in_file(input).absence());
        }
    }
    Ok(files)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Diagnostic> {
    let failed = |error: std::io::Error| Diagnostic::new(format!("it cannot be listed: {error}")).in_file(folder);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    // The order of a folder's entries is the file system's; that of a corpus must not be.
    paths.sort();
    for path in paths {
        // A link to a folder might lead in a circle.
        if path.is_dir() && !path.is_symlink() {
            list(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_their_files_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("b/below")).unwrap();
        std::fs::create_dir(at("empty")).unwrap();
        for name in ["c.txt", "b/2.txt", "b/10.txt", "b/below/x.txt", "b/.hidden"] {
            std::fs::write(at(name), "text").unwrap();
        }
        let found = input_files(&[at("c.txt"), at("b")]).unwrap();
        assert_eq!(found, ["c.txt", "b/10.txt", "b/2.txt", "b/below/x.txt"].map(at));
        assert_eq!(input_files(&[at("empty")]).unwrap_err().message, "the folder has no files");
        assert_eq!(input_files(&[at("nowhere")]).unwrap_err().message, "no such file or folder");
    }
}
