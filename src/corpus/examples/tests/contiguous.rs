//! Examples of a GPT: text alone, by its own byte pairs.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::world::Blocks;
use crate::corpus::examples::{
    ExampleSet, ExampleSettings, ExamplesError, Passages, PrepareSummary, Segments, Targets, TokenizedBy, prepare,
};
use crate::text::{ModelTokenizer, Tokenizer};

const TEXTS: [&[&str]; 3] = [
    &["The ferry leaves at nine.", "A naïve café, <unk> and _start_ ; it's 3.14 km off!"],
    &["She said that the Ferry is LATE again and that nobody on the island knows why it is."],
    &["a"],
];

fn vocabulary() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openai_gpt/vocab.json")
}

fn settings() -> ExampleSettings {
    ExampleSettings {
        max_length: 16,
        short_sequence_probability: 0.0,
        dupe_factor: 1,
        segments: Segments::Contiguous,
        targets: Targets::Next,
        ..ExampleSettings::default()
    }
}

fn prepared(settings: &ExampleSettings, out: &std::path::Path) -> Result<PrepareSummary, ExamplesError> {
    let ModelTokenizer { vocabulary, lower_case } = ModelTokenizer::of_text(&vocabulary(), None).unwrap();
    let tokenizer = Tokenizer::new(&vocabulary, lower_case).unwrap();
    let mut block = Passages::default();
    for document in TEXTS {
        for text in document {
            block.push(text);
        }
        block.end_document();
    }
    let by = TokenizedBy { vocabulary: &vocabulary, tokenizer: &tokenizer };
    prepare(&mut Blocks(VecDeque::from([block])), by, settings, out, &|_| ())
}

#[test]
fn examples_are_the_tokens_of_documents_in_a_row_and_no_special_ones() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("corpus");
    prepared(&settings(), &out).unwrap();
    let set = ExampleSet::open(&out).unwrap();
    set.verify().unwrap();
    let whole = ModelTokenizer::read(vocabulary().parent().unwrap(), &vocabulary(), None).unwrap();
    assert_eq!(set.vocabulary_sha256(), whole.vocabulary.sha256());
    assert_eq!((set.vocabulary().len(), whole.vocabulary.len()), (300, 303), "without the tokens of fine-tuning");
    let tokenizer = Tokenizer::new(&whole.vocabulary, true).unwrap();

    let mut found = vec![Vec::new()];
    for example in set.in_order(0..set.len()).unwrap() {
        assert!(example.ids.len() > 1 && example.ids.len() <= 16);
        assert_eq!(example.masked_labels, example.ids[1..]);
        assert!(example.masked_positions.iter().copied().eq(0..example.ids.len() as u32 - 1));
        assert!(example.segments.iter().all(|segment| *segment == 0) && example.next_is_random.is_none());
        let is_last = example.ids.len() < 16;
        found.last_mut().unwrap().extend(example.ids);
        if is_last {
            found.push(Vec::new());
        }
    }
    // The letter alone has no next token, so it is in no example; a remainder of one token would be in none either.
    let documents: Vec<Vec<u32>> = TEXTS[..2]
        .iter()
        .map(|texts| texts.iter().flat_map(|text| tokenizer.encode(text).unwrap()).collect())
        .collect();
    assert!(documents.iter().all(|ids| ids.len() > 16 && ids.len() % 16 > 1), "{documents:?}");
    assert_eq!(found[..2], documents);
    assert_eq!(tokenizer.encode("a").unwrap().len(), 1);
}

#[test]
fn damaged_merges_are_noticed_and_special_tokens_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("corpus");
    for segments in [Segments::Pairs, Segments::Single] {
        let refused = prepared(&ExampleSettings { segments, ..settings() }, &out).unwrap_err();
        assert!(refused.to_string().starts_with("a GPT's vocabulary has no special tokens"), "{refused}");
    }
    prepared(&settings(), &out).unwrap();
    let merges = out.join("merges.txt");
    let whole = std::fs::read_to_string(&merges).unwrap();
    let first = whole.lines().nth(1).unwrap();
    std::fs::write(&merges, whole.replacen(&format!("{first}\n"), "", 1)).unwrap();
    let damaged = ExampleSet::open(&out).unwrap_err().to_string();
    assert!(damaged.contains("merges.txt") && damaged.contains("is damaged"), "{damaged}");
}
