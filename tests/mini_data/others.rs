//! The tasks that are no rows of texts, and the corpus, each read as its format's own readers would.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use bertbench::mini::bounds;
use serde_json::Value;

use super::tagged::sentences;
use super::{LAYOUTS, folder, pieces, rows};

/// Every other file and its examples; 0 stands for a number that the seed decides.
pub const FILES: [(&str, usize); 45] = [
    ("SQuAD/train-v1.1.json", 700),
    ("SQuAD/dev-v1.1.json", 200),
    ("SQuAD2/train-v2.0.json", 700),
    ("SQuAD2/dev-v2.0.json", 200),
    ("SWAG/train.csv", 600),
    ("SWAG/val.csv", 200),
    ("SWAG/test.csv", 60),
    ("CoNLL-2003/eng.train", 600),
    ("CoNLL-2003/eng.testa", 150),
    ("CoNLL-2003/eng.testb", 100),
    ("MSRA/msra_train_bio.txt", 400),
    ("MSRA/msra_test_bio.txt", 120),
    ("REACH/train.txt", 1800),
    ("REACH/dev_2.txt", 100),
    ("REACH/dev_4.txt", 100),
    ("REACH/dev_8.txt", 100),
    ("REACH/dev_16.txt", 100),
    ("REACH/dev_32.txt", 100),
    ("REACH/dev_64.txt", 100),
    ("REACH/dev_128.txt", 100),
    ("REACH/dev_256.txt", 100),
    ("LOOKUP/train.txt", 1200),
    ("LOOKUP/dev_2.txt", 100),
    ("LOOKUP/dev_4.txt", 100),
    ("LOOKUP/dev_8.txt", 100),
    ("LOOKUP/dev_16.txt", 100),
    ("LOOKUP/dev_32.txt", 100),
    ("LOOKUP/dev_64.txt", 100),
    ("LOOKUP/dev_128.txt", 100),
    ("LOOKUP/dev_256.txt", 100),
    ("AGREEMENT/train.txt", 1600),
    ("AGREEMENT/dev_2.txt", 100),
    ("AGREEMENT/dev_4.txt", 100),
    ("AGREEMENT/dev_8.txt", 100),
    ("AGREEMENT/dev_16.txt", 100),
    ("AGREEMENT/dev_32.txt", 100),
    ("AGREEMENT/dev_64.txt", 100),
    ("AGREEMENT/dev_128.txt", 100),
    ("AGREEMENT/dev_256.txt", 100),
    ("SIDES/train.txt", 6000),
    ("SIDES/dev_left.txt", 200),
    ("SIDES/dev_right.txt", 200),
    ("SIDES/dev_both.txt", 200),
    ("corpus/train.txt", 0),
    ("corpus/heldout.txt", 0),
];

pub fn read(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

/// A question with its context, as the published files nest them.
struct Asked {
    id: String,
    context: String,
    question: String,
    answers: Vec<(String, usize)>,
    impossible: Option<bool>,
}

fn asked(root: &Path, path: &str) -> Vec<Asked> {
    let file: Value = serde_json::from_str(&read(root, path)).unwrap();
    let list = |value: &Value, key: &str| value[key].as_array().unwrap().clone();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_string();
    let mut found = Vec::new();
    for article in list(&file, "data") {
        assert!(!text(&article, "title").is_empty());
        for paragraph in list(&article, "paragraphs") {
            for question in list(&paragraph, "qas") {
                let answer = |answer: &Value| {
                    (text(answer, "text"), usize::try_from(answer["answer_start"].as_u64().unwrap()).unwrap())
                };
                found.push(Asked {
                    id: text(&question, "id"),
                    context: text(&paragraph, "context"),
                    question: text(&question, "question"),
                    answers: list(&question, "answers").iter().map(answer).collect(),
                    impossible: question.get("is_impossible").and_then(Value::as_bool),
                });
            }
        }
    }
    found
}

#[test]
fn squad_answers_stand_at_their_character_in_the_context() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let mut ids = HashSet::new();
    for (edition, version) in [("SQuAD", "1.1"), ("SQuAD2", "v2.0")] {
        let mut contexts: [HashSet<String>; 2] = Default::default();
        let files = FILES.iter().filter(|(path, _)| path.split('/').next() == Some(edition));
        for (contexts, (path, questions)) in contexts.iter_mut().zip(files) {
            let file: Value = serde_json::from_str(&read(&root, path)).unwrap();
            assert_eq!(file["version"], version);
            let asked = asked(&root, path);
            assert_eq!(asked.len(), *questions, "{path}");
            let (mut shifted, mut repeated, mut seen) = (0, 0, HashSet::new());
            for one in asked {
                assert_eq!(one.impossible.is_some(), edition == "SQuAD2");
                let references = if one.impossible == Some(true) { 0..=0 } else { 1..=3 };
                assert!(references.contains(&one.answers.len()), "{path}: {}", one.id);
                assert!(path.contains("dev") || one.answers.len() < 2, "training questions have one answer");
                let characters: Vec<char> = one.context.chars().collect();
                for (answer, start) in &one.answers {
                    let stands: String = characters[*start..*start + answer.chars().count()].iter().collect();
                    assert_eq!(stands, *answer, "{path}: {}", one.context);
                    let bytes: usize = characters[..*start].iter().map(|c| c.len_utf8()).sum();
                    shifted += usize::from(bytes != *start);
                    repeated += usize::from(one.context.find(answer.as_str()) != Some(bytes));
                }
                assert!(one.question.ends_with('?') && one.id.len() == 24 && ids.insert(one.id));
                assert!(seen.insert((one.context.clone(), one.question)), "{path}: asked twice");
                contexts.insert(one.context);
            }
            assert!(shifted > questions / 10, "{path}: {shifted} answers after letters of several bytes");
            assert!(repeated > questions / 20, "{path}: {repeated} answers that stand earlier as well");
        }
        assert!(contexts[0].is_disjoint(&contexts[1]), "{edition}: a context in both files");
    }
}

#[test]
fn a_third_of_the_later_questions_has_no_answer() {
    let folder = folder(1);
    for path in ["SQuAD2/train-v2.0.json", "SQuAD2/dev-v2.0.json"] {
        let asked = asked(&folder.path().join("mini"), path);
        let open = asked.iter().filter(|one| one.impossible == Some(true)).count() as f64 / asked.len() as f64;
        // Four standard deviations of a share.
        assert!((open - 1.0 / 3.0).abs() < 4.0 * (0.23 / asked.len() as f64).sqrt(), "{path}: {open}");
    }
}

fn swag(root: &Path, path: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(root.join(path)).unwrap();
    let header = "|video-id|fold-ind|startphrase|sent1|sent2|gold-source|ending0|ending1|ending2|ending3";
    let header = if path.ends_with("test.csv") { header.to_string() } else { format!("{header}|label") };
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>().join("|"), header, "{path}");
    reader.records().map(|row| row.unwrap().iter().map(String::from).collect()).collect()
}

#[test]
fn swag_rows_have_a_start_and_four_endings() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let mut seen = HashSet::new();
    for (path, count) in FILES.iter().filter(|(path, _)| path.starts_with("SWAG/")) {
        assert!(read(&root, path).contains("\"\"What a day!\"\""), "{path}: no quoted quote");
        let rows = swag(&root, path);
        assert_eq!(rows.len(), *count, "{path}");
        let mut labels = [0; 4];
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(row[0], at.to_string());
            assert_eq!(row[3], format!("{} {}", row[4], row[5]), "{path}");
            assert_eq!(row[7..11].iter().collect::<HashSet<_>>().len(), 4, "{path}: {row:?}");
            let mut texts = row[3..11].to_vec();
            texts.sort_unstable();
            assert!(seen.insert(texts), "{path}: {row:?}");
            if let Some(label) = row.get(11) {
                labels[label.parse::<usize>().unwrap()] += 1;
            }
        }
        if !path.ends_with("test.csv") {
            // Four standard deviations of a quarter.
            let tolerance = 4.0 * (0.1875 / *count as f64).sqrt();
            assert!(labels.iter().all(|n| (f64::from(*n) / *count as f64 - 0.25).abs() < tolerance), "{labels:?}");
        }
    }
}

/// A text without capitals, spaces before marks and final marks: two such texts are the same sentence.
fn plain(text: &str) -> String {
    let letters: String = text.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    letters.trim_end_matches(['.', '?', '!']).to_string()
}

/// The sentences of a line that has several.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    line.split_inclusive(['.', '?', '!']).map(str::trim).filter(|part| part.len() > 3)
}

/// Every text of the dev and test files, and every sentence of `SQuAD`'s contexts.
fn held_out(root: &Path) -> HashSet<String> {
    let mut texts: Vec<String> = Vec::new();
    for layout in LAYOUTS.iter().filter(|layout| !layout.path.contains("train")) {
        texts.extend(rows(root, layout).iter().flat_map(|row| layout.texts.iter().map(|text| row[*text].clone())));
    }
    for path in ["SQuAD/dev-v1.1.json", "SQuAD2/dev-v2.0.json"] {
        for one in asked(root, path) {
            texts.extend(parts(&one.context).map(String::from));
            texts.extend([one.question, one.context]);
        }
    }
    for path in ["SWAG/val.csv", "SWAG/test.csv"] {
        let ending = |row: &Vec<String>, at: usize| format!("{} {}", row[5], row[at]);
        texts.extend(
            swag(root, path).iter().flat_map(|row| {
                [row[4].clone()].into_iter().chain((7..11).map(|at| ending(row, at))).collect::<Vec<_>>()
            }),
        );
    }
    for path in ["CoNLL-2003/eng.testa", "CoNLL-2003/eng.testb"] {
        let words =
            |sentence: &Vec<Vec<String>>| sentence.iter().map(|line| line[0].clone()).collect::<Vec<_>>().join(" ");
        texts.extend(sentences(root, path).iter().map(words));
    }
    texts.extend(sentences(root, "MSRA/msra_test_bio.txt").iter().map(|sentence| characters(sentence)));
    texts.iter().map(|text| plain(text)).collect()
}

/// The first column of a sentence's lines, joined.
fn characters(sentence: &[Vec<String>]) -> String {
    sentence.iter().map(|line| line[0].as_str()).collect()
}

#[test]
fn the_corpus_is_documents_of_sentences_that_no_task_is_judged_by() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let held_out = held_out(&root);
    let mut read_before = HashSet::new();
    for (path, documents, sentences) in
        [("corpus/train.txt", 3000, 35_000..45_000), ("corpus/heldout.txt", 120, 900..2000)]
    {
        let text = read(&root, path);
        let blocks: Vec<Vec<&str>> = text.split("\n\n").map(|block| block.lines().collect()).collect();
        assert_eq!(blocks.len(), documents, "{path}");
        assert!(blocks.iter().all(|block| (5..=25).contains(&block.len())), "{path}");
        let lines: Vec<&str> = blocks.concat();
        assert!(sentences.contains(&lines.len()), "{path}: {} sentences", lines.len());
        let mut different = HashSet::new();
        for line in &lines {
            // Chinese sentences have no spaces.
            assert!(line.contains('。') || line.split_whitespace().count() >= 2, "{path}: `{line}`");
            assert!(line.trim() == *line, "{path}: `{line}`");
            let judged = |text: &str| held_out.contains(&plain(text));
            assert!(!judged(line) && !parts(line).any(judged), "{path}: `{line}` is in a dev or test file");
            different.insert(plain(line));
        }
        assert!(different.len() * 10 > lines.len() * 6, "{path}: {} of {} differ", different.len(), lines.len());
        assert!(different.is_disjoint(&read_before), "{path}: a sentence of the first file");
        read_before = different;
    }
}

/// Words of a text as BERT's uncased tokenizer parts them; Chinese characters and marks are alone.
fn words(text: &str) -> Vec<String> {
    let plain = |c: char| match c {
        'é' | 'ë' => 'e',
        'ö' => 'o',
        'ü' => 'u',
        'ñ' => 'n',
        other => other,
    };
    let text: String = text.to_lowercase().chars().map(plain).collect();
    let mut words: Vec<String> = Vec::new();
    let mut inside = false;
    for c in text.chars() {
        match (c.is_ascii_alphanumeric(), inside) {
            (true, true) => words.last_mut().unwrap().push(c),
            (_, _) if c.is_whitespace() => {}
            (..) => words.push(c.to_string()),
        }
        inside = c.is_ascii_alphanumeric();
    }
    words
}

#[test]
fn the_vocabulary_knows_every_character_of_the_other_files() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let vocabulary: HashSet<String> = read(&root, "vocab.txt").lines().map(String::from).collect();
    let (mut count, mut split) = (0, 0);
    for (path, _) in FILES {
        for word in words(&read(&root, path)) {
            if word.len() > 1 && word.is_ascii() {
                let pieces = pieces(&word, &vocabulary).unwrap_or_else(|| panic!("{path}: `{word}` has no pieces"));
                count += usize::from(path.starts_with("corpus"));
                split += usize::from(path.starts_with("corpus") && pieces.len() > 1);
            } else {
                assert!(vocabulary.contains(&word), "{path}: `{word}` is unknown");
            }
        }
    }
    let share = f64::from(split as u32) / f64::from(count as u32);
    assert!((0.01..0.1).contains(&share), "{share} of the corpus's words are split");
}

#[test]
fn the_other_bounds_agree_with_a_recount() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let bounds = bounds(&root).unwrap();
    let open = asked(&root, "SQuAD2/dev-v2.0.json").iter().filter(|one| one.impossible == Some(true)).count();
    let mut labels = [0; 4];
    for row in swag(&root, "SWAG/val.csv") {
        labels[row[11].parse::<usize>().unwrap()] += 1;
    }
    let most = labels.into_iter().max().unwrap();
    let expected = [
        ("squad1", "f1", "dev-v1.1", 0.0),
        ("squad2", "f1", "dev-v2.0", open as f64 / 200.0),
        ("swag", "accuracy", "val", f64::from(most) / 200.0),
        ("conll2003", "f1", "eng.testa", 0.0),
        ("msra", "f1", "msra_test_bio", 0.0),
    ];
    for (name, metric, split, majority) in expected {
        let bound = &bounds[name];
        assert_eq!((bound.metric.as_str(), bound.split.as_str()), (metric, split), "{name}");
        assert!((bound.majority - majority).abs() < 1e-12, "{name}: {} is not {majority}", bound.majority);
        assert!((0.9..1.0).contains(&bound.ceiling), "{name}: {}", bound.ceiling);
    }
}

/// Distances are counted in words, which are tokens only where none is split.
#[test]
fn words_of_the_probes_are_whole_in_the_vocabulary() {
    let folder = folder(1);
    let root = folder.path().join("mini");
    let vocabulary = read(&root, "vocab.txt");
    let known: HashSet<&str> = vocabulary.lines().collect();
    let probes = ["REACH/", "LOOKUP/", "AGREEMENT/", "SIDES/"];
    for (path, _) in FILES.iter().filter(|(path, _)| probes.iter().any(|probe| path.starts_with(probe))) {
        for sentence in sentences(&root, path) {
            for word in sentence {
                assert!(known.contains(word[0].to_lowercase().as_str()), "{path}: `{}`", word[0]);
            }
        }
    }
}
