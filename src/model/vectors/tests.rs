//! Files as the publishers write them, and damaged ones.

use std::path::PathBuf;

use super::*;

fn read(name: &str, bytes: &[u8]) -> Result<VectorTable, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let shown = |error: CheckpointError| error.to_string().replace(&*path.to_string_lossy(), name);
    read_vectors(&path, |_| true).map_err(shown)
}

fn table(bytes: &[u8]) -> (Vec<String>, Vec<f32>, usize) {
    let table = read("vectors", bytes).unwrap();
    (table.words, table.numbers, table.width)
}

fn refusal(bytes: &[u8]) -> String {
    match read("vectors", bytes) {
        Err(message) => message,
        Ok(table) => panic!("{:?}", table.words),
    }
}

/// As word2vec.c (`end` is a line's end) and gensim (it is empty) write it.
fn binary(header: &str, end: &str) -> Vec<u8> {
    let mut bytes = header.as_bytes().to_vec();
    for (word, numbers) in [("the", [0.5_f32, -1.0]), ("café", [2.0, 0.25])] {
        bytes.extend(word.as_bytes());
        bytes.push(b' ');
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend(end.as_bytes());
    }
    bytes
}

#[test]
fn every_format_gives_the_same_table() {
    let expected = (vec!["the".to_owned(), "café".to_owned()], vec![0.5, -1.0, 2.0, 0.25], 2);
    let word2vec = "2 2\nthe 0.5 -1.0 \ncafé 2 2.5e-1 \n";
    let glove = "the 0.5 -1.0\r\ncafé 2 0.25";
    assert_eq!(table(word2vec.as_bytes()), expected);
    assert_eq!(table(glove.as_bytes()), expected);
    assert_eq!(table(&binary("2 2\n", "\n")), expected);
    assert_eq!(table(&binary("2 2\n", "")), expected);
}

#[test]
fn words_with_spaces_and_words_that_stand_there_twice() {
    assert_eq!(table(b"at 1 2\n. . . 3 4\n").0, ["at", ". . ."]);
    let found = read("vectors", b"a 1 2\na 3 4\n\xff 5 6\n").unwrap();
    assert_eq!((found.words.len(), found.numbers.as_slice(), found.read, found.skipped), (1, &[1.0, 2.0][..], 3, 2));
}

#[test]
fn only_the_words_that_are_wanted_are_kept() {
    let path: PathBuf = tempfile::tempdir().unwrap().keep().join("vectors");
    std::fs::write(&path, "a 1 2\nb 3 4\n").unwrap();
    let found = read_vectors(&path, |word| word == "b").unwrap();
    assert_eq!((found.words, found.numbers, found.read), (vec!["b".to_owned()], vec![3.0, 4.0], 2));
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn what_is_no_table_of_vectors_is_refused_with_its_place() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "vectors: there are no vectors in it"),
        (b"word\n", "vectors: line 1: no word with its numbers"),
        (b"a 1 2\nb 3\n", "vectors: line 2: fewer than 2 numbers"),
        (b"a 1 2\nb 3 x\n", "vectors: line 2: expected a word and 2 finite numbers"),
        (b"a 1 2\nb 3 nan\n", "vectors: line 2: expected a word and 2 finite numbers"),
        (b"3 2\na 1 2\nb 3 4\n", "vectors: 2 vectors where its first line says 3: damaged, or not fully copied"),
        (b"1 2\na 1 2\nb 3 4\n", "vectors: 2 vectors where its first line says 1: damaged, or not fully copied"),
        (b"1 0\na\n", "vectors: its first line says 1 vectors of 0 numbers; at most 16777216 of 16384 are read"),
        (
            b"99999999999 300\na 1\n",
            "vectors: its first line says 99999999999 vectors of 300 numbers; at most 16777216 of 16384 are read",
        ),
        (b"\x1f\x8b\x08", "vectors: packed by gzip: unpack it first"),
        (
            b"\xba\x16\x4f\x2f\x0c\x00",
            "vectors: a model of fastText (.bin), which is not read: its table of words is the .vec file that is published \
             beside it",
        ),
        (b"a 1 2\n\nb 1e99 2\n", "vectors: line 3: expected a word and 2 finite numbers"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refusal(bytes), expected);
    }
    let whole = binary("2 2\n", "\n");
    let cut = "vectors: 1 vectors where its first line says 2: damaged, or not fully copied";
    assert_eq!(refusal(&whole[..whole.len() - 3]), cut);
    let longer = [&whole[..], b"more"].concat();
    assert_eq!(refusal(&longer), "vectors: it goes on after the 2 vectors that its first line says: damaged");
    let huge = binary("16777216 16384\n", "\n");
    assert!(refusal(&huge).starts_with("vectors: 0 vectors where its first line says 16777216"), "no such memory");
}
