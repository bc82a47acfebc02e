//! The files with a word and its tags on every line.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use super::folder;
use super::others::{FILES, read};

/// The sentences of a column file: lines between blank ones, split at spaces, without `-DOCSTART-`.
pub fn sentences(root: &Path, path: &str) -> Vec<Vec<Vec<String>>> {
    let text = read(root, path);
    text.split("\n\n")
        .map(|block| block.lines().map(|line| line.split(' ').map(String::from).collect()).collect())
        .filter(|block: &Vec<Vec<String>>| !block.is_empty() && block[0][0] != "-DOCSTART-")
        .collect()
}

/// Words and kind of each entity of a sentence, whose tags are in the last column.
fn entities(sentence: &[Vec<String>]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut last = "O";
    for line in sentence {
        let tag = line.last().unwrap().as_str();
        if let Some((start, kind)) = tag.split_once('-') {
            match found.last_mut() {
                Some((words, _)) if start == "I" && last.ends_with(&tag[1..]) => {
                    words.push(' ');
                    words.push_str(&line[0]);
                }
                _ => found.push((line[0].clone(), kind.to_string())),
            }
        }
        last = tag;
    }
    found
}

#[test]
fn conll_files_have_four_columns_in_iob1_and_names_of_their_own() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let (mut seen, mut known) = (HashSet::new(), HashSet::new());
    for (path, count) in FILES.iter().filter(|(path, _)| path.starts_with("CoNLL-2003/")) {
        assert!(read(&root, path).starts_with("-DOCSTART- -X- -X- O\n\n"), "{path}");
        let sentences = sentences(&root, path);
        assert_eq!(sentences.len(), *count, "{path}");
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let (mut touching, mut capitals, mut strange, mut people) = (0, 0, 0, 0);
        for sentence in &sentences {
            let words: Vec<&str> = sentence.iter().map(|line| line[0].as_str()).collect();
            assert!(seen.insert(words.join(" ").to_lowercase()), "{path}: {words:?} twice");
            capitals += usize::from(words.iter().all(|word| !word.chars().any(char::is_lowercase)));
            for column in 2..4 {
                let mut last = "O";
                for line in sentence {
                    assert_eq!(line.len(), 4, "{path}: {line:?}");
                    let tag = line[column].as_str();
                    if let Some(kind) = tag.strip_prefix("B-") {
                        assert!(last.ends_with(&format!("-{kind}")), "{path}: {tag} after {last} is not IOB1");
                        touching += column - 2;
                    } else {
                        assert!(tag == "O" || tag.starts_with("I-"), "{path}: {tag}");
                    }
                    last = tag;
                }
            }
            for (name, kind) in entities(sentence) {
                if kind == "PER" {
                    people += 1;
                    strange += usize::from(!known.contains(&name.to_lowercase()));
                }
                *kinds.entry(kind).or_default() += 1;
                if path.ends_with("train") {
                    known.insert(name.to_lowercase());
                }
            }
        }
        assert_eq!(kinds.keys().map(String::as_str).collect::<Vec<_>>(), ["LOC", "MISC", "ORG", "PER"], "{path}");
        assert!(kinds.values().all(|n| n * 4 > *count / 2), "{path}: {kinds:?}");
        assert!(touching > 0 && capitals > count / 20, "{path}: {touching} touch, {capitals} titles");
        assert!(path.ends_with("train") || strange * 5 > people * 2, "{path}: {strange} of {people} people are new");
    }
}

#[test]
fn chinese_files_have_a_character_and_a_bio_tag_a_line() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let mut seen = HashSet::new();
    for (path, count) in FILES.iter().filter(|(path, _)| path.starts_with("MSRA/")) {
        let sentences = sentences(&root, path);
        assert_eq!(sentences.len(), *count, "{path}");
        let mut kinds = BTreeSet::new();
        for sentence in &sentences {
            let text: String = sentence.iter().map(|line| line[0].as_str()).collect();
            assert!(seen.insert(text.clone()), "{path}: {text} twice");
            let mut last = "O";
            for line in sentence {
                assert_eq!((line.len(), line[0].chars().count()), (2, 1), "{path}: {line:?}");
                let tag = line[1].as_str();
                if let Some(kind) = tag.strip_prefix("I-") {
                    assert!(last.ends_with(&format!("-{kind}")), "{path}: {tag} after {last} is not BIO");
                }
                kinds.extend(tag.split_once('-').map(|(_, kind)| kind.to_string()));
                last = tag;
            }
        }
        assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), ["LOC", "ORG", "PER"], "{path}");
    }
}
