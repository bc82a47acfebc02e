//! Writing the zip.

use std::fmt::Write as _;
use std::io::{self, Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::{FILES, HEADER, SubmissionFile};

/// Predictions for one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which file.
    pub file: &'static SubmissionFile,
    /// The predictions in the order of the test file, as [`SubmissionFile::labels`] has them.
    pub answers: Vec<String>,
}

/// What a file of the zip was filled with.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    /// Which file.
    pub file: &'static SubmissionFile,
    /// Its rows, without the header.
    pub rows: u64,
    /// The one prediction of all rows, where no [`Part`] answers the file.
    pub constant: Option<String>,
}

/// The zip as bytes, and what its files hold, in the order of [`FILES`]. A file without a part has
/// [`SubmissionFile::constant`] for every published example. The same parts give the same bytes: entries bear
/// the oldest time that a zip knows, not the present.
///
/// # Errors
/// When the zip cannot be put together.
pub fn pack(parts: &[Part]) -> io::Result<(Vec<u8>, Vec<Packed>)> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut packed = Vec::new();
    for file in FILES {
        zip.start_file(file.name, options)?;
        let constant = file.constant();
        let part = parts.iter().find(|part| part.file == file);
        let rows = part.map_or(file.examples(), |part| part.answers.len() as u64);
        let text = match part {
            Some(part) => table(part.answers.iter().map(String::as_str)),
            None => table((0..rows).map(|_| &*constant)),
        };
        zip.write_all(text.as_bytes())?;
        packed.push(Packed { file, rows, constant: part.is_none().then_some(constant) });
    }
    Ok((zip.finish()?.into_inner(), packed))
}

/// The content of a file.
fn table<'a>(answers: impl Iterator<Item = &'a str>) -> String {
    let mut text = HEADER.join("\t") + "\n";
    for (index, answer) in answers.enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{index}\t{answer}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::path::Path;

    use zip::ZipArchive;

    use super::*;
    use crate::data::submission::{Severity, check_archive};

    fn part(name: &str, answers: &[&str]) -> Part {
        let file = FILES.iter().find(|file| file.name == name).unwrap();
        Part { file, answers: answers.iter().map(|answer| (*answer).to_owned()).collect() }
    }

    #[test]
    fn files_have_the_servers_names_and_columns() {
        let (bytes, packed) = pack(&[part("RTE.tsv", &["entailment", "not_entailment"])]).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        // The names as the output contract lists them, not as our table does.
        let contract =
            "CoLA.tsv SST-2.tsv MRPC.tsv STS-B.tsv MNLI-m.tsv MNLI-mm.tsv QNLI.tsv QQP.tsv RTE.tsv WNLI.tsv AX.tsv";
        assert_eq!(names.join(" "), contract);
        let mut read = |name: &str| {
            let mut text = String::new();
            archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!(read("RTE.tsv"), "index\tprediction\n0\tentailment\n1\tnot_entailment\n");
        assert!(read("STS-B.tsv").starts_with("index\tprediction\n0\t0.0\n1\t0.0\n"));
        assert_eq!(read("AX.tsv").lines().last(), Some("1103\tcontradiction"));
        let of = |name: &str| packed.iter().find(|packed| packed.file.name == name).unwrap();
        assert_eq!((of("RTE.tsv").rows, &of("RTE.tsv").constant), (2, &None));
        assert_eq!((of("QQP.tsv").rows, of("QQP.tsv").constant.as_deref()), (390_965, Some("0")));
    }

    #[test]
    fn what_is_packed_passes_the_check_and_its_constants_are_seen() {
        let (bytes, packed) = pack(&[]).unwrap();
        let findings = check_archive(Cursor::new(&bytes), Path::new("x.zip")).unwrap();
        assert!(findings.iter().all(|finding| finding.severity == Severity::Suspicious), "{findings:?}");
        let constants = findings.iter().map(|finding| finding.file.clone().unwrap()).collect::<Vec<_>>();
        assert_eq!(constants, FILES.iter().map(|file| file.name).collect::<Vec<_>>());
        assert!(packed.iter().all(|packed| packed.constant.is_some()));
        // The two rows of another test set do not pass.
        let (bytes, _) = pack(&[part("RTE.tsv", &["entailment", "not_entailment"])]).unwrap();
        let findings = check_archive(Cursor::new(&bytes), Path::new("x.zip")).unwrap();
        let rejected: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Rejected).collect();
        assert_eq!(rejected[0].to_string(), "RTE.tsv: 2 rows where the test set has 3000");
    }

    #[test]
    fn the_same_predictions_give_the_same_bytes() {
        let parts = [part("WNLI.tsv", &["1", "0"]), part("CoLA.tsv", &["0"])];
        let (bytes, packed) = pack(&parts).unwrap();
        assert_eq!((bytes.clone(), packed), pack(&parts).unwrap());
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
        for place in 0..archive.len() {
            assert_eq!(archive.by_index(place).unwrap().last_modified(), Some(DateTime::DEFAULT), "no present time");
        }
    }
}
