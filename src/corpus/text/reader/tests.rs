//! Files of text as documents.

use super::*;
use crate::corpus::examples::Step;

/// Documents as they are read, passages separated by `|`.
pub(in crate::corpus::text) fn documents_of(corpus: &mut Corpus) -> Result<Vec<String>, Diagnostic> {
    let (mut documents, mut open) = (Vec::new(), Vec::new());
    while let Some(block) = corpus.next_block()? {
        for step in block.steps() {
            match step {
                Step::Passage(text) => open.push(text.to_owned()),
                Step::DocumentEnd => documents.push(std::mem::take(&mut open).join("|")),
            }
        }
    }
    assert!(open.is_empty(), "the last document is ended");
    Ok(documents)
}

/// The documents of files, and the remarks.
fn read(files: &[&[u8]], options: CorpusOptions) -> Result<(Vec<String>, BTreeMap<String, u64>), String> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..files.len()).map(|at| folder.path().join(format!("{at}.txt"))).collect();
    for (path, bytes) in paths.iter().zip(files) {
        std::fs::write(path, bytes).unwrap();
    }
    let said = |found: Diagnostic| found.to_string().replace(&format!("{}/", folder.path().display()), "");
    let mut corpus = Corpus::open(&paths, options).map_err(said)?;
    let documents = documents_of(&mut corpus).map_err(said)?;
    Ok((documents, corpus.remarks()))
}

fn options(format: TextFormat) -> CorpusOptions {
    CorpusOptions { format: Some(format), ..CorpusOptions::default() }
}

fn documents(text: &str, options: CorpusOptions) -> Vec<String> {
    read(&[text.as_bytes()], options).unwrap().0
}

#[test]
fn a_sentence_a_line_and_blank_lines_between_documents() {
    let text = "\n\nA b.\r\nC.\n \t\n\nD.";
    assert_eq!(documents(text, options(TextFormat::Sentences)), ["A b.|C.", "D."]);
    // WikiText's blank lines are one space; a file ends a document.
    let files: [&[u8]; 3] = [b"A.\n \nB.\n", b" \n", b"C.\n"];
    let (found, remarks) = read(&files, options(TextFormat::Sentences)).unwrap();
    assert_eq!(found, ["A.", "B.", "C."]);
    assert_eq!(remarks, BTreeMap::from([("files without text".into(), 1)]));
}

#[test]
fn running_text_is_joined_into_paragraphs() {
    let text = "It rained\non us. We\nstayed.\n\n\nThe sun came.\n";
    let by = |documents| CorpusOptions { documents, ..options(TextFormat::Text) };
    let paragraphs = ["It rained on us. We stayed. ", "The sun came. "];
    assert_eq!(documents(text, by(DocumentEnds::File)), [paragraphs.join("|")]);
    assert_eq!(documents(text, by(DocumentEnds::BlankLine)), paragraphs);
    // No blank line for longer than a paragraph is held.
    let long = "It rained and rained.\n".repeat(120_000);
    let found = documents(&long, by(DocumentEnds::BlankLine));
    let passages: Vec<&str> = found[0].split('|').collect();
    assert_eq!((found.len(), passages.len()), (1, 3));
    assert_eq!(passages.concat(), "It rained and rained. ".repeat(120_000));
}

#[test]
fn titles_of_wikitext_begin_documents_and_headings_are_left_out() {
    let text = " \n = A = \n \n a a . b . \n = not a title = \n \n = = Part = = \n \n c . \n \n = B = \n \n d . \n";
    let (found, remarks) = read(&[text.as_bytes()], options(TextFormat::Wikitext)).unwrap();
    assert_eq!(found, ["a a . b .|= not a title =|c .", "d ."]);
    assert_eq!(remarks, BTreeMap::from([("headings, left out".into(), 3)]));
}

#[test]
fn a_row_of_json_lines_is_a_document() {
    let text = "{\"text\": \"A.\\n\\nB.\", \"id\": [1]}\n\n{\"text\": \" \"}\n{\"text\": \"C.\"}";
    assert_eq!(documents(text, options(TextFormat::Jsonl)), ["A.|B.", "", "C."]);
    let other = CorpusOptions { column: "body".into(), ..options(TextFormat::Jsonl) };
    assert_eq!(documents("{\"body\": \"A.\"}\n", other), ["A."]);
    let wrong = |text: &[u8]| read(&[text], options(TextFormat::Jsonl)).unwrap_err();
    assert_eq!(
        wrong(b"{\"text\": \"a\"}\n{\"texts\": \"a\"}\n"),
        "0.txt:2: the row has no column `text` (did you mean `texts`?)"
    );
    assert_eq!(
        wrong(b"{\"text\": 3}\n"),
        "0.txt:1: not a row of JSON lines with a text `text`: invalid type: integer `3`, expected a string at line 1 column 10"
    );
}

#[test]
fn formats_are_told_file_by_file() {
    let files: [&[u8]; 3] = [b"{\"text\": \"A. B.\"}\n", b" \n = T = \n \n c . d . \n", b"E.\nF.\n"];
    assert_eq!(read(&files, CorpusOptions::default()).unwrap().0, ["A. B.", "c . d .", "E.|F."]);
    let refused = read(&[b"PAR1"], CorpusOptions::default()).unwrap_err();
    assert!(refused.starts_with("0.txt: the Parquet file is damaged: "), "{refused}");
}

#[test]
fn bad_bytes_are_an_error_or_counted() {
    let files: [&[u8]; 2] = [b"A.\n", b"B.\n\n\xff\xfe C.\n"];
    let refused = read(&files, options(TextFormat::Sentences)).unwrap_err();
    assert!(refused.starts_with("1.txt:3: the line is not valid UTF-8"), "{refused}");
    let lossy = CorpusOptions { bad_bytes: BadBytes::Replace, ..options(TextFormat::Sentences) };
    let (found, remarks) = read(&files, lossy).unwrap();
    assert_eq!(found, ["A.", "B.", "\u{fffd}\u{fffd} C."]);
    assert_eq!(remarks["lines with bytes that are not UTF-8"], 1);
}

#[test]
fn blocks_are_small_whatever_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    std::fs::write(&path, "It rained and rained and rained.\n".repeat(100_000)).unwrap();
    let mut corpus = Corpus::open(&[path], options(TextFormat::Sentences)).unwrap();
    let (mut blocks, mut passages) = (0, 0);
    while let Some(block) = corpus.next_block().unwrap() {
        assert!(block.bytes() < BLOCK + 100);
        blocks += 1;
        passages += block.steps().filter(|step| matches!(step, Step::Passage(_))).count();
    }
    assert_eq!((blocks, passages), (13, 100_000));
}
