//! Where tests find published data, which is no part of the project; for unit tests and integration tests alike.

use std::path::PathBuf;

/// `part` of the folder that `BERTBENCH_REALDATA` names (`docs/development.md` has its layout). Where it is not there,
/// says that the test was skipped.
///
/// # Panics
/// When the variable is set and names no folder.
pub(crate) fn real_data(part: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("BERTBENCH_REALDATA").map(PathBuf::from) else {
        println!("skipped: BERTBENCH_REALDATA names no folder with {part}");
        return None;
    };
    assert!(root.is_dir(), "BERTBENCH_REALDATA: no folder {}", root.display());
    let found = Some(root.join(part)).filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: no {part} in {}", root.display());
    }
    found
}
