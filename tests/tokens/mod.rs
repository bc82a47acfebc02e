//! Token ids and offsets against Hugging Face's `BertTokenizer` and Google's `FullTokenizer`.
//!
//! On every line ids and offsets are Hugging Face's. Ids are Google's too, but on the lines that the golden file
//! lists because there the two references differ; each of these lines names its classes (`classes.rs`) and
//! holds what makes it one of them. `tests/golden/tokens/tokens.py` makes the golden files.
//!
//! Real text is not part of the project: without `BERTBENCH_REALDATA` its test says so and passes.

mod classes;
mod golden;
mod lines;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use bertbench::text::{FeatureSet, SkippedRows, TextPair, Tokenizer, TokenizerFiles, Vocabulary};
use serde_json::{Value, json};

use super::realdata::real_data;
use classes::{CLASSES, Evidence};
use golden::{codes, differing, digests, number, text};

const MODES: [&str; 3] = ["cased", "uncased", "chinese"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokens")
}

fn golden(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap()
}

fn small(mode: &str) -> Tokenizer {
    let vocabulary = Vocabulary::load(&folder().join(format!("vocab-{mode}.txt"))).unwrap();
    assert_eq!(number(&golden("nasty.json")["modes"][mode]["vocabulary_tokens"]), vocabulary.len());
    Tokenizer::new(&vocabulary, mode != "cased").unwrap()
}

/// The characters whose class is `unicode`, in cased or lower-cased text.
fn unicode(lower_case: bool) -> HashSet<char> {
    let file = golden("code_points.json");
    let mode = &file["modes"][if lower_case { "uncased" } else { "cased" }];
    codes(&mode["differ"]["unicode"]).into_iter().filter_map(char::from_u32).collect()
}

/// Holds `tokenizer` against one mode of a golden file.
fn compare(file: &Value, mode: &str, tokenizer: &Tokenizer, lines: &[String]) {
    let of = &file["modes"][mode];
    assert_eq!(number(&file["lines"]), lines.len());
    assert_eq!(of["lower_case"].as_bool().unwrap(), tokenizer.lower_case());
    let encoded = golden::encode(tokenizer, lines);
    let exact: Vec<String> = encoded.iter().map(golden::exact).collect();
    golden::assert_blocks(
        &exact,
        number(&file["block"]),
        &digests(&of["hugging_face"]),
        &format!("{mode}, Hugging Face"),
    );
    assert_eq!(encoded.iter().map(|(ids, _)| ids.len()).sum::<usize>(), number(&of["tokens"]));

    let listed = differing(&of["differ"]);
    let google: Vec<String> =
        encoded.iter().enumerate().map(|(i, one)| golden::ids_unless(listed.contains_key(&i), one)).collect();
    golden::assert_blocks(&google, number(&file["google_block"]), &digests(&of["google"]), &format!("{mode}, Google"));
    assert_eq!(listed.len(), number(&of["differing"]));
    assert_eq!(count_classes(mode, tokenizer, lines, &listed), counts(&of["of_which"]), "{mode}");
}

/// How many of the listed lines belong to each class, once each line is seen to hold what its classes say.
fn count_classes(
    mode: &str,
    tokenizer: &Tokenizer,
    lines: &[String],
    listed: &BTreeMap<usize, u8>,
) -> BTreeMap<String, usize> {
    let unicode = unicode(tokenizer.lower_case());
    let mut found: BTreeMap<String, usize> = CLASSES.iter().map(|(name, _)| ((*name).to_owned(), 0)).collect();
    for (&line, &bits) in listed {
        let evidence = Evidence { line: &lines[line], lower_case: tokenizer.lower_case(), unicode: &unicode };
        assert!(bits != 0 && bits < 1 << CLASSES.len(), "{mode}, line {line}: no class");
        for (bit, (name, holds)) in CLASSES.iter().enumerate() {
            if bits >> bit & 1 == 1 {
                assert!(holds(&evidence), "{mode}, line {line} is not `{name}`: {:?}", lines[line]);
                *found.get_mut(*name).unwrap() += 1;
            }
        }
    }
    found
}

fn counts(of: &Value) -> BTreeMap<String, usize> {
    of.as_object().unwrap().iter().map(|(name, count)| (name.clone(), number(count))).collect()
}

#[test]
fn nasty_lines_have_hugging_faces_ids_and_offsets_and_googles_ids() {
    let file = golden("nasty.json");
    let lines = lines::nasty();
    assert!(lines.len() >= 100_000);
    for mode in MODES {
        let tokenizer = small(mode);
        compare(&file, mode, &tokenizer, &lines);
        // The fast way, which knows no offsets, gives the same ids.
        for line in &lines[..10_000] {
            assert_eq!(tokenizer.encode(line).unwrap(), tokenizer.encode_with_offsets(line).unwrap().0, "{line:?}");
        }
        // Lines on which the references differ are the lesser part, and every class has its share.
        let of = &file["modes"][mode];
        assert!(number(&of["differing"]) * 5 < lines.len() * 2);
        let sigma_is_none = mode == "cased";
        assert!(
            counts(&of["of_which"]).iter().all(|(name, count)| *count > 1000 || (sigma_is_none && name == "sigma"))
        );
    }
}

#[test]
fn every_character_of_unicode_is_treated_alike() {
    const BLOCK: u32 = 256;
    let file = golden("code_points.json");
    let not_asked: HashSet<u32> = codes(&file["google_not_asked"]).into_iter().collect();
    for mode in ["cased", "uncased"] {
        let of = &file["modes"][mode];
        let differ = of["differ"].as_object().unwrap();
        assert_eq!(differ.keys().map(String::as_str).collect::<Vec<_>>(), ["private", "cjk", "unicode"]);
        let listed: HashSet<u32> = differ.values().flat_map(codes).collect();
        let all_of = |name: &str, class: fn(char) -> bool| {
            let all: Vec<u32> = ('\0'..=char::MAX).filter(|c| class(*c)).map(u32::from).collect();
            assert_eq!(codes(&differ[name]), all, "{mode}, {name}");
        };
        all_of("private", classes::is_private);
        all_of("cjk", classes::is_in_the_hole);

        let tokenizer = small(mode);
        let (mut exact, mut google) = (Vec::new(), Vec::new());
        for first in (0..0x11_0000).step_by(BLOCK as usize) {
            let (characters, lines): (Vec<char>, Vec<String>) =
                lines::code_points(first..first + BLOCK).into_iter().unzip();
            let encoded = golden::encode(&tokenizer, &lines);
            exact.push(encoded.iter().map(golden::exact).collect::<String>());
            let left_out = |c: &char| listed.contains(&u32::from(*c)) || not_asked.contains(&u32::from(*c));
            let ids = characters.iter().zip(&encoded).map(|(c, one)| golden::ids_unless(left_out(c), one));
            google.push(ids.collect::<String>());
        }
        golden::assert_blocks(&exact, 1, &digests(&of["hugging_face"]), &format!("{mode}, Hugging Face"));
        golden::assert_blocks(&google, 1, &digests(&of["google"]), &format!("{mode}, Google"));
    }
}

#[test]
fn real_lines_have_hugging_faces_ids_and_offsets_and_googles_ids() {
    let parts = ["glue", "resume_ner", "squad", "swag", "vocab", "wikitext2"];
    let (Some(root), true) = (real_data("."), parts.iter().all(|part| real_data(part).is_some())) else { return };
    let vocabulary = |name: &str| root.join(format!("vocab/bert-base-{name}-vocab.txt"));
    let file = golden("real.json");
    let lines = lines::real(&root);
    assert!(lines.len() >= 100_000);
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), number(&file["distinct"]));
    let made = tempfile::tempdir().unwrap();
    let cased = made.path().join("vocab.txt");
    std::fs::write(&cased, lines::capitalised(&lines::rows(&vocabulary("uncased"))).join("\n")).unwrap();
    for (mode, path) in [("cased", cased), ("uncased", vocabulary("uncased")), ("chinese", vocabulary("chinese"))] {
        let vocabulary = Vocabulary::load(&path).unwrap();
        assert_eq!(number(&file["modes"][mode]["vocabulary_tokens"]), vocabulary.len());
        let tokenizer = Tokenizer::new(&vocabulary, mode != "cased").unwrap();
        compare(&file, mode, &tokenizer, &lines);
        assert_eq!(number(&file["modes"][mode]["differing"]), 0, "real text meets none of the classes");
    }
}

/// Every fragment alone and with the next one, as [`FeatureSet`] encodes it, beside the tokenizer's files: for
/// `tests/golden/tokens/load_tokenizer.py`, which reads them with Hugging Face's libraries.
#[test]
#[ignore = "writes folders into BERTBENCH_PARITY_OUT, for load_tokenizer.py to read"]
fn write_tokenizer_folders() {
    const LONGEST: u32 = 64;
    let out = PathBuf::from(std::env::var_os("BERTBENCH_PARITY_OUT").expect("BERTBENCH_PARITY_OUT names a folder"));
    let fragments = lines::fragments();
    let pair = |first, second| TextPair { first, second, label: 0.0 };
    let singles = fragments.iter().map(|first| pair(first.as_str(), None));
    let pairs = fragments.windows(2).map(|two| pair(two[0].as_str(), Some(two[1].as_str())));
    let texts: Vec<TextPair<'_>> = singles.chain(pairs).collect();
    for mode in MODES {
        let features = FeatureSet::build(&small(mode), &texts, LONGEST, SkippedRows::default()).unwrap();
        assert!(features.parts().truncated > 10);
        let encoded = texts.iter().enumerate().map(|(i, text)| {
            let example = features.example(i);
            json!({"first": text.first, "second": text.second, "ids": example.ids, "segments": example.segments})
        });
        let encoded = encoded.collect::<Value>().to_string();
        let vocabulary = Vocabulary::load(&folder().join(format!("vocab-{mode}.txt"))).unwrap();
        let files = TokenizerFiles::of(&vocabulary, mode != "cased", LONGEST);
        let written = out.join(mode);
        std::fs::create_dir_all(&written).unwrap();
        for (name, bytes) in files.as_slice().iter().map(|(name, bytes)| (*name, bytes.as_slice())) {
            std::fs::write(written.join(name), bytes).unwrap();
        }
        std::fs::write(written.join("encoded.json"), encoded).unwrap();
    }
}

/// `docs/parity.md` tells how many of the nasty lines each class concerns.
#[test]
fn the_documented_counts_are_those_of_the_golden_file() {
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/parity.md")).unwrap();
    let row = |name: &str| -> Vec<String> {
        let start = format!("| `{name}` |");
        let row = document.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row `{name}`"));
        row.trim_matches('|').split('|').map(|cell| cell.trim().replace(',', "")).collect()
    };
    let file = golden("nasty.json");
    assert_eq!(file["classes"].as_array().unwrap().iter().map(text).collect::<Vec<_>>(), CLASSES.map(|(name, _)| name));
    let expected = |of: fn(&Value) -> &Value| MODES.map(|mode| number(of(&file["modes"][mode])).to_string());
    assert_eq!(row("all")[row("all").len() - 3..], expected(|mode| &mode["differing"]));
    for (name, _) in CLASSES {
        let numbers = MODES.map(|mode| number(&file["modes"][mode]["of_which"][name]).to_string());
        assert_eq!(row(name)[row(name).len() - 3..], numbers, "{name}");
    }
}
