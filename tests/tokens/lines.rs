//! The lines that the references were asked about, as `tests/golden/tokens/lines.py` makes them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

pub const NASTY_LINES: usize = 102_400;

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

/// Pieces of text that have gone wrong somewhere, and some that have not.
pub fn fragments() -> Vec<String> {
    serde_json::from_str(include_str!("../golden/tokens/fragments.json")).unwrap()
}

/// Every fragment alone, then 1 to 12 of them with a blank after two of three.
pub fn nasty() -> Vec<String> {
    let fragments = fragments();
    let mut draws = SplitMix(3);
    let mut lines = fragments.clone();
    while lines.len() < NASTY_LINES {
        let mut line = String::new();
        for _ in 0..=draws.below(12) {
            line += &fragments[draws.below(fragments.len())];
            line += if draws.below(3) > 0 { " " } else { "" };
        }
        lines.push(line);
    }
    lines
}

/// Each character inside a word and alone; surrogates are none.
pub fn code_points(codes: std::ops::Range<u32>) -> Vec<(char, String)> {
    codes.filter_map(char::from_u32).map(|c| (c, format!("a{c}b {c}"))).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of a file; only `\n` ends one.
pub fn rows(path: &Path) -> Vec<String> {
    let text = read(path);
    text.strip_suffix('\n').unwrap_or(&text).split('\n').map(str::to_owned).collect()
}

/// Folder in glue/, splits, the columns of its texts.
const GLUE: [(&str, &[&str], [usize; 2]); 4] = [
    ("QNLI", &["dev"], [1, 2]),
    ("RTE", &["train", "dev", "test"], [1, 2]),
    ("STS-B", &["train", "dev", "test"], [7, 8]),
    ("WNLI", &["train", "dev", "test"], [1, 2]),
];

fn glue(root: &Path, into: &mut Vec<String>) {
    for (folder, splits, columns) in GLUE {
        for split in splits {
            for row in rows(&root.join(format!("glue/{folder}/{split}.tsv"))).iter().skip(1) {
                let fields: Vec<&str> = row.split('\t').collect();
                into.extend(columns.map(|column| fields[column].to_owned()));
            }
        }
    }
}

/// Contexts, questions and every reference answer.
fn squad(root: &Path, into: &mut Vec<String>) {
    let list = |of: &Value, key: &str| of[key].as_array().unwrap().clone();
    let text = |of: &Value, key: &str| of[key].as_str().unwrap().to_owned();
    for name in ["halfA", "halfB"] {
        let file: Value = serde_json::from_str(&read(&root.join(format!("squad/{name}.json")))).unwrap();
        for paragraph in list(&file, "data").iter().flat_map(|article| list(article, "paragraphs")) {
            into.push(text(&paragraph, "context"));
            for question in list(&paragraph, "qas") {
                into.push(text(&question, "question"));
                into.extend(list(&question, "answers").iter().map(|answer| text(answer, "text")));
            }
        }
    }
}

fn swag(root: &Path, into: &mut Vec<String>) {
    for row in csv::Reader::from_path(root.join("swag/val.first91.csv")).unwrap().records() {
        let row = row.unwrap();
        into.extend([3, 7, 8, 9, 10].map(|column| row[column].to_owned()));
    }
}

/// The characters of a sentence, joined.
fn resume_ner(root: &Path, into: &mut Vec<String>) {
    for split in ["train", "dev", "test"] {
        let rows = rows(&root.join(format!("resume_ner/{split}.char.bmes")));
        for sentence in rows.split(String::is_empty).filter(|sentence| !sentence.is_empty()) {
            into.push(sentence.iter().map(|row| row.split(' ').next().unwrap()).collect());
        }
    }
}

pub fn real(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for split in ["valid", "test"] {
        lines.extend(rows(&root.join(format!("wikitext2/wiki.{split}.tokens"))));
    }
    for source in [glue, squad, swag, resume_ner] {
        source(root, &mut lines);
    }
    lines.extend(rows(&root.join("plain/google_bert_sample_text.txt")));
    lines
}

/// BERT's uncased tokens, then what begins with an ASCII letter with a capital, then pieces of capitals.
pub fn capitalised(uncased: &[String]) -> Vec<String> {
    let capital = |token: &&String| token.starts_with(|first: char| first.is_ascii_lowercase());
    let capitals = uncased.iter().filter(capital).map(|token| token[..1].to_ascii_uppercase() + &token[1..]);
    let mut seen = BTreeSet::new();
    let all = uncased.iter().cloned().chain(capitals).chain(('A'..='Z').map(|c| format!("##{c}")));
    all.filter(|token| seen.insert(token.clone())).collect()
}
