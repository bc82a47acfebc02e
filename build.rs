//! Tells the crate which code it is: versions and, in a git checkout, the commit.
//!
//! Runs again only when the code or the checked-out commit changes, and works without git.

use std::path::Path;
use std::process::Command;

/// What enters the binary: a change elsewhere in the checkout does not make it dirty.
const SOURCES: [&str; 4] = ["src", "build.rs", "Cargo.toml", "Cargo.lock"];

fn main() {
    for source in SOURCES {
        watch(source);
    }
    println!("cargo:rerun-if-env-changed=RUSTC");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let rustc = output(&rustc, &["--version"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=BERTBENCH_RUSTC={rustc}");
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    println!("cargo:rustc-env=BERTBENCH_BURN={}", locked_version(&lock, "burn").unwrap_or("unknown"));
    if let Some(commit) = commit() {
        println!("cargo:rustc-env=BERTBENCH_GIT_COMMIT={commit}");
        let mut status = vec!["status", "--porcelain", "--untracked-files=all", "--"];
        status.extend(SOURCES);
        if git(&status).is_none_or(|changes| !changes.is_empty()) {
            println!("cargo:rustc-env=BERTBENCH_GIT_DIRTY=1");
        }
    }
}

/// The commit that is checked out, if this crate is part of a checkout. A copy of the crate inside
/// somebody else's checkout is not: there its manifest is not tracked.
fn commit() -> Option<String> {
    git(&["ls-files", "--error-unmatch", "Cargo.toml"])?;
    let commit = git(&["rev-parse", "HEAD"])?;
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        if let Some(path) = git(&["rev-parse", "--git-path", name]) {
            watch(&path);
        }
    }
    Some(commit)
}

/// Cargo runs a script that watches a missing file at every build, so only files that exist count.
fn watch(path: &str) {
    if Path::new(path).exists() {
        println!("cargo:rerun-if-changed={path}");
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    output("git", arguments)
}

/// What a program says, without the last newline; `None` when it is missing or fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim_end().to_owned())
}

/// The version of a package in `Cargo.lock`.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let heading = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != heading);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}
