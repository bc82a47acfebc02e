//! The zip itself: which of the files are in it, and whether they can be unpacked.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::findings::{Finding, Severity};
use super::rows::check_rows;
use super::{FILES, SubmissionFile};
use crate::data::text_file::unreadable;
use crate::diagnostic::{Diagnostic, suggest};

use Severity::{Rejected, Suspicious};

/// A file that unpacks to more is not read. The largest one, QQP's 390,965 rows, has a third of it.
const MOST_BYTES: u64 = 16 << 20;

/// An entry of the zip, by its place in it.
struct Entry {
    place: usize,
    /// Folders and name, separated by `/`.
    path: String,
}

impl Entry {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn folder(&self) -> Option<&str> {
        self.path.rsplit_once('/').map(|(folder, _)| folder)
    }
}

/// All that is wrong with the submission at `path`, in the order of [`FILES`]; what concerns the zip comes last.
///
/// # Errors
/// When the file cannot be read, or is no zip.
pub fn check(path: &Path) -> Result<Vec<Finding>, Diagnostic> {
    let file = File::open(path).map_err(|error| unreadable(&error, path))?;
    check_archive(BufReader::new(file), path)
}

/// As [`check`], of a zip that is at hand; `path` is its name for messages.
///
/// # Errors
/// As [`check`].
pub fn check_archive(zip: impl Read + Seek, path: &Path) -> Result<Vec<Finding>, Diagnostic> {
    let mut archive = ZipArchive::new(zip).map_err(|error| no_zip(&error).in_file(path))?;
    let mut others = entries(&archive);
    let mut findings = Vec::new();
    let mut folders = Vec::new();
    for file in FILES {
        let Some(entry) = take(&mut others, file.name) else {
            findings.push(missing(file, &others));
            continue;
        };
        folders.extend(entry.folder().map(str::to_owned));
        match unpack(&mut archive, entry.place) {
            Ok(bytes) => findings.extend(check_rows(file, &bytes)),
            Err(message) => findings.push(Finding::of_file(Rejected, file.name, message)),
        }
    }
    if let Some(folder) = folders.first() {
        let message = format!("{} of the files are in a folder, `{folder}`", folders.len());
        findings.push(Finding::of_zip(Suspicious, message).hint("the server may look for them outside of any folder"));
    }
    if archive.has_duplicate_names() {
        let message = "a name is in the zip twice; the last file of that name was checked";
        findings.push(Finding::of_zip(Suspicious, message));
    }
    if let Some(first) = others.first() {
        let count = if others.len() == 1 { "1 other file".to_owned() } else { format!("{} other files", others.len()) };
        findings.push(Finding::of_zip(Suspicious, format!("{count} in the zip: `{}`", excerpt(&first.path))));
    }
    Ok(findings)
}

fn no_zip(error: &ZipError) -> Diagnostic {
    let message = if let ZipError::Io(error) = error {
        format!("the file cannot be read: {error}")
    } else {
        format!("the file is not a zip, or a damaged one: {error}")
    };
    Diagnostic::new(message).hint("a submission is a zip of the eleven files, CoLA.tsv to AX.tsv")
}

/// The files of the zip in its order, without folders.
fn entries<R: Read + Seek>(archive: &ZipArchive<R>) -> Vec<Entry> {
    let named = |(place, name): (usize, &[u8])| {
        // Some programs on Windows write `\`.
        let path = String::from_utf8_lossy(name).replace('\\', "/");
        (!path.ends_with('/')).then_some(Entry { place, path })
    };
    archive.file_names_raw().enumerate().filter_map(named).collect()
}

/// Takes the entry called `name` out of `entries`: of several the one in the fewest folders.
fn take(entries: &mut Vec<Entry>, name: &str) -> Option<Entry> {
    let named = entries.iter().enumerate().filter(|(_, entry)| entry.name() == name);
    let (at, _) = named.min_by_key(|(_, entry)| entry.path.matches('/').count())?;
    Some(entries.remove(at))
}

fn missing(file: &SubmissionFile, others: &[Entry]) -> Finding {
    let finding = Finding::of_file(Rejected, file.name, "the file is missing");
    // Another of the eleven is no misspelling of this one.
    let strangers = others.iter().map(Entry::name).filter(|name| FILES.iter().all(|file| file.name != *name));
    let hint = suggest(file.name, strangers);
    if hint.ends_with('?') {
        let meant = hint.trim_start_matches("did you mean ").trim_end_matches('?');
        return finding.hint(format!("there is {}", excerpt(meant)));
    }
    finding.hint(format!("a task that was not trained is answered with a constant, such as `{}`", file.constant()))
}

/// The content of the entry at `place`, or why it cannot be had.
fn unpack<R: Read + Seek>(archive: &mut ZipArchive<R>, place: usize) -> Result<Vec<u8>, String> {
    let damaged = |error: &dyn std::fmt::Display| format!("it cannot be unpacked: {error}");
    let entry = archive.by_index_data(place).map_err(|error| damaged(&error))?;
    if entry.encrypted() {
        return Err("it is encrypted".to_owned());
    }
    let too_large = || format!("it unpacks to more than {} MiB, and was not read", MOST_BYTES >> 20);
    if entry.size() > MOST_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // What an entry says of its size need not be true.
    let mut unpacked = archive.by_index(place).map_err(|error| damaged(&error))?.take(MOST_BYTES + 1);
    unpacked.read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
    if bytes.len() as u64 > MOST_BYTES { Err(too_large()) } else { Ok(bytes) }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::unstable::write::FileOptionsExt;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;
    use crate::data::Labels;
    use crate::data::submission::pack;

    /// The content of a right file.
    fn right(file: &SubmissionFile) -> String {
        let rows = (0..file.examples()).map(|index| match file.labels() {
            Labels::Classes(words) => format!("{index}\t{}\n", words[index as usize % words.len()]),
            Labels::Score { .. } | Labels::Hidden | Labels::Structured => format!("{index}\t{}\n", index % 6),
        });
        std::iter::once("index\tprediction\n".to_owned()).chain(rows).collect()
    }

    fn options() -> SimpleFileOptions {
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
    }

    /// A zip of all files, with names changed and further entries.
    fn zip(rename: impl Fn(&str) -> Option<String>, more: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for file in FILES {
            let Some(name) = rename(file.name) else { continue };
            zip.start_file(name, options()).unwrap();
            zip.write_all(right(file).as_bytes()).unwrap();
        }
        for (name, text) in more {
            zip.start_file(*name, options()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn said(zip: &[u8]) -> Vec<String> {
        let findings = check_archive(Cursor::new(zip), Path::new("x.zip")).unwrap();
        findings.iter().map(|finding| format!("{}: {finding}", finding.severity.name())).collect()
    }

    #[test]
    fn a_right_zip_is_right_wherever_its_entries_stand() {
        assert_eq!(said(&zip(|name| Some(name.to_owned()), &[])), [""; 0]);
        let folder = "suspicious: 11 of the files are in a folder, `my submission/2` (the server may look for them outside \
                      of any folder)";
        assert_eq!(said(&zip(|name| Some(format!("my submission/2/{name}")), &[])), [folder]);
        assert_eq!(said(&zip(|name| Some(format!("my submission\\2\\{name}")), &[])), [folder]);
    }

    #[test]
    fn missing_and_misspelt_files_are_named() {
        let found = said(&zip(
            |name| match name {
                "QQP.tsv" => None,
                "MNLI-m.tsv" => Some("MNLI_m.tsv".into()),
                "CoLA.tsv" => Some("cola.tsv".into()),
                other => Some(other.into()),
            },
            &[],
        ));
        assert_eq!(
            found,
            [
                "rejected: CoLA.tsv: the file is missing (there is `cola.tsv`)",
                "rejected: MNLI-m.tsv: the file is missing (there is `MNLI_m.tsv`)",
                "rejected: QQP.tsv: the file is missing (a task that was not trained is answered with a constant, such as \
                 `0`)",
                "suspicious: 2 other files in the zip: `cola.tsv`",
            ]
        );
    }

    #[test]
    fn the_file_outside_of_folders_is_read_and_others_are_mentioned() {
        let found = said(&zip(
            |name| Some(name.to_owned()),
            &[("__MACOSX/._WNLI.tsv", "\0"), ("old/WNLI.tsv", "x"), ("notes.txt", "")],
        ));
        assert_eq!(found, ["suspicious: 3 other files in the zip: `__MACOSX/._WNLI.tsv`"]);
    }

    #[test]
    fn what_cannot_be_unpacked_is_rejected_and_the_rest_is_read() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for file in FILES {
            match file.name {
                "WNLI.tsv" => {
                    zip.start_file(file.name, options().with_deprecated_encryption(b"secret").unwrap()).unwrap();
                    zip.write_all(right(file).as_bytes()).unwrap();
                }
                "AX.tsv" => {
                    zip.start_file(file.name, options()).unwrap();
                    let zeros = vec![b'0'; 1 << 20];
                    for _ in 0..=MOST_BYTES >> 20 {
                        zip.write_all(&zeros).unwrap();
                    }
                }
                "RTE.tsv" => {
                    zip.start_file(file.name, options().compression_method(CompressionMethod::Stored)).unwrap();
                    zip.write_all(right(file).as_bytes()).unwrap();
                }
                _ => {
                    zip.start_file(file.name, options()).unwrap();
                    zip.write_all(right(file).as_bytes()).unwrap();
                }
            }
        }
        let mut bytes = zip.finish().unwrap().into_inner();
        let word = b"1234\tentailment\n";
        let at = bytes.windows(word.len()).position(|window| window == word).unwrap();
        bytes[at + 5] = b'E';
        let found = said(&bytes);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("rejected: RTE.tsv: it cannot be unpacked: "), "{found:?}");
        assert_eq!(found[1], "rejected: WNLI.tsv: it is encrypted");
        assert_eq!(found[2], "rejected: AX.tsv: it unpacks to more than 16 MiB, and was not read");
    }

    #[test]
    fn no_zip_is_an_error() {
        let (small, _) = pack(&[]).unwrap();
        for bytes in [&b""[..], b"index\tprediction\n", &[0; 100], &small[..small.len() / 2]] {
            let error = check_archive(Cursor::new(bytes), Path::new("x.zip")).unwrap_err();
            assert!(error.message.starts_with("the file is not a zip, or a damaged one: "), "{error}");
        }
        assert!(check(Path::new("no/such.zip")).is_err());
    }

    proptest! {
        #[test]
        fn damage_is_found_or_harmless(changes in prop::collection::vec((0.0..1.0, any::<u8>()), 1..6)) {
            let mut bytes = zip(|name| name.starts_with("WNLI").then(|| name.to_owned()), &[]);
            let length = bytes.len() as f64;
            for (place, byte) in changes {
                bytes[(place * length) as usize] = byte;
            }
            let _ = check_archive(Cursor::new(&bytes), Path::new("x.zip"));
        }
    }
}
