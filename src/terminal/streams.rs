//! Lines on standard error, and input and output that a user names; `-` is the standard stream.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::table::print;
use crate::diagnostic::{Diagnostic, Error, visible};
use crate::store::output;

const STANDARD: &str = "-";

pub(crate) fn say(text: &impl std::fmt::Display) {
    eprintln!("{}", visible(&text.to_string()));
}

/// What of a model or its input is worth knowing, once.
pub(crate) fn note(text: &impl std::fmt::Display) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let text = text.to_string();
    if SAID.lock().is_ok_and(|mut said| said.insert(text.clone())) {
        say(&format_args!("note: {text}"));
    }
}

pub(crate) fn note_text(text: &str) {
    note(&text);
}

/// All of the input, and its name for messages.
pub(crate) fn read_input(path: &Path) -> Result<(Vec<u8>, PathBuf), Error> {
    if path == Path::new(STANDARD) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok((bytes, PathBuf::from("<stdin>")));
    }
    let unreadable = |error| Diagnostic::new(format!("the input cannot be read: {error}")).in_file(path);
    Ok((std::fs::read(path).map_err(unreadable)?, path.to_path_buf()))
}

/// Where results go.
#[derive(Debug)]
pub(crate) enum Output {
    Standard,
    File(PathBuf),
}

impl Output {
    /// The output called `path`, if it can be expected to be written at the end of the work.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        if path == Path::new(STANDARD) {
            return Ok(Self::Standard);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let problem = match folder {
            _ if path.is_dir() => "it is a folder",
            Some(folder) if !folder.is_dir() => "its folder does not exist",
            Some(_) | None => return Ok(Self::File(path.to_path_buf())),
        };
        Err(Error::System(format!("cannot write {}: {problem}", path.display())))
    }

    pub(crate) fn write(&self, content: impl AsRef<[u8]>) -> Result<(), Error> {
        let content = content.as_ref();
        match self {
            Self::Standard => match standard(|into| into.write_all(content)) {
                Err(error) if self.reader_is_gone(&error) => Ok(()),
                written => Ok(written?),
            },
            Self::File(path) => Ok(output::write(path, |file| file.write_all(content))?),
        }
    }

    /// Says what was done: on standard error when the results are on standard output.
    pub(crate) fn tell(&self, text: &str) -> Result<(), Error> {
        match self {
            Self::Standard => say(&text),
            Self::File(_) => print(&text)?,
        }
        Ok(())
    }

    /// Whether `error` says that the reader of standard output went away (`| head`), which is no error.
    pub(crate) fn reader_is_gone(&self, error: &io::Error) -> bool {
        matches!(self, Self::Standard) && error.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Standard output through a buffer, flushed.
pub(crate) fn standard<E: From<io::Error>>(
    fill: impl FnOnce(&mut io::BufWriter<io::StdoutLock<'_>>) -> Result<(), E>,
) -> Result<(), E> {
    let mut into = io::BufWriter::new(io::stdout().lock());
    fill(&mut into)?;
    Ok(into.flush()?)
}
