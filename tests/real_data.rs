//! Published data, read and tokenised: counts, label sets, lengths, and token ids against Hugging Face's.
//!
//! The data is not part of the project: without `BERTBENCH_REALDATA` these tests say so and pass.

use std::collections::BTreeMap;
use std::time::Instant;

use bertbench::checksum::sha256;
use bertbench::data::{BadRows, Dataset, Label, Split, Verdict, verify};
use bertbench::task::{FeatureSource, Task};
use bertbench::text::{
    CacheOutcome, FeatureCache, FeatureKey, FeatureSet, SkippedRows, TextPair, Tokenizer, Vocabulary,
};
use serde_json::Value;

use super::realdata::real_data;

fn vocabulary(name: &str) -> Option<Vocabulary> {
    let path = real_data(&format!("vocab/bert-base-{name}-vocab.txt"))?;
    Some(Vocabulary::load(&path).unwrap())
}

fn tokenizer(vocabulary_name: &str, lower_case: bool) -> Option<Tokenizer> {
    Some(Tokenizer::new(&vocabulary(vocabulary_name)?, lower_case).unwrap())
}

fn read(dataset: &str, split: &str) -> Option<Split> {
    let dataset = Dataset::find(dataset).unwrap();
    Some(dataset.read(&real_data("glue")?, dataset.split(split).unwrap(), BadRows::Refuse).unwrap())
}

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/tokens/real.json")).unwrap()
}

#[test]
fn every_file_has_the_published_bytes_and_size() {
    let Some(glue) = real_data("glue") else { return };
    let findings = verify(&glue).unwrap();
    let identical: Vec<_> = findings
        .iter()
        .filter(|found| found.verdict == Verdict::Identical)
        .map(|found| (found.dataset, &*found.split, found.published))
        .collect();
    assert_eq!(
        identical,
        [
            ("stsb", "train", 5749),
            ("stsb", "dev", 1500),
            ("stsb", "test", 1379),
            ("qnli", "dev", 5463),
            ("rte", "train", 2490),
            ("rte", "dev", 277),
            ("rte", "test", 3000),
            ("wnli", "train", 635),
            ("wnli", "dev", 71),
            ("wnli", "test", 146),
        ]
    );
    let missing = findings.iter().filter(|found| matches!(found.verdict, Verdict::Missing(_)));
    assert_eq!(
        missing.map(|found| (found.dataset, &*found.split)).collect::<Vec<_>>(),
        [("qnli", "train"), ("qnli", "test")]
    );
    assert_eq!(findings.len(), 12);
}

/// Counted with `cut -f4 FILE | tail -n +2 | sort | uniq -c`.
#[test]
fn labels_are_counted_as_the_files_have_them() {
    for (dataset, split, counts) in [
        ("rte", "train", [1249, 1241]),
        ("rte", "dev", [146, 131]),
        ("wnli", "train", [323, 312]),
        ("wnli", "dev", [40, 31]),
        ("qnli", "dev", [2702, 2761]),
    ] {
        let Some(split) = read(dataset, split) else { return };
        let mut found = [0; 2];
        for example in &split.examples {
            match example.label.unwrap() {
                Label::Class(class) => found[class as usize] += 1,
                Label::Score(_) => panic!("{dataset} has classes"),
            }
        }
        assert_eq!(found, counts, "{dataset} {}", split.name);
    }
    let Some(stsb) = read("stsb", "train") else { return };
    let scores: Vec<f32> = stsb.examples.iter().map(|example| example.label.unwrap().number()).collect();
    assert!(scores.iter().all(|score| (0.0..=5.0).contains(score)));
    // awk -F'\t' 'NR>1 {s+=$10} END {print s/(NR-1)}' STS-B/train.tsv
    let mean = scores.iter().copied().map(f64::from).sum::<f64>() / scores.len() as f64;
    assert!((mean - 2.700_999).abs() < 1e-6, "{mean}");
}

#[test]
fn texts_are_those_of_the_file_byte_for_byte() {
    let Some(glue) = real_data("glue") else { return };
    for (folder, dataset, first, second) in [("RTE", "rte", 1, 2), ("STS-B", "stsb", 7, 8), ("WNLI", "wnli", 1, 2)] {
        let text = std::fs::read_to_string(glue.join(folder).join("train.tsv")).unwrap();
        let split = read(dataset, "train").unwrap();
        assert_eq!(text.lines().count(), split.examples.len() + 1);
        for (line, example) in text.split('\n').skip(1).zip(&split.examples) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert_eq!((columns[0], columns[first]), (&*example.id, &*example.first));
            assert_eq!(Some(columns[second]), example.second.as_deref());
        }
    }
}

#[test]
fn test_splits_have_no_labels() {
    for dataset in ["rte", "stsb", "wnli"] {
        let Some(split) = read(dataset, "test") else { return };
        assert!(split.examples.iter().all(|example| example.label.is_none()));
    }
}

fn features(split: &Split, tokenizer: &Tokenizer, max_length: u32) -> FeatureSet {
    let pairs: Vec<TextPair<'_>> = split
        .examples
        .iter()
        .map(|example| TextPair {
            first: &example.first,
            second: example.second.as_deref(),
            label: example.label.map_or(f32::NAN, Label::number),
        })
        .collect();
    FeatureSet::build(tokenizer, &pairs, max_length, SkippedRows::default()).unwrap()
}

/// The mean lengths that a Hugging Face tokenizer counts, to the one decimal in which they are known.
#[test]
fn training_examples_have_the_known_mean_length() {
    let Some(tokenizer) = tokenizer("uncased", true) else { return };
    for (dataset, mean) in [("stsb", 27.8), ("rte", 66.6)] {
        let set = features(&read(dataset, "train").unwrap(), &tokenizer, 128);
        let found = set.tokens() as f64 / set.len() as f64;
        assert!((found - mean).abs() <= 0.05, "{dataset}: {found}");
    }
}

#[test]
fn stsb_dev_has_hugging_faces_ids_and_segments_also_when_cut() {
    let Some(tokenizer) = tokenizer("uncased", true) else { return };
    let split = read("stsb", "dev").unwrap();
    for case in golden()["pairs"].as_array().unwrap() {
        let max_length = u32::try_from(case["max_length"].as_u64().unwrap()).unwrap();
        let set = features(&split, &tokenizer, max_length);
        let digests: Vec<&str> = case["digests"].as_str().unwrap().split(' ').collect();
        assert_eq!(digests.len(), 1500);
        let mut cut = 0;
        for (i, digest) in digests.iter().enumerate() {
            let example = set.example(i);
            let ids: Vec<String> = example.ids.iter().map(u32::to_string).collect();
            let segments: Vec<String> = example.segments.iter().map(u8::to_string).collect();
            let ours = sha256(format!("{}|{}", ids.join(" "), segments.join(" ")).as_bytes());
            assert_eq!(&ours[..8], *digest, "pair {i} at {max_length}: {:?}", split.examples[i]);
            cut += u64::from(example.ids.len() == max_length as usize);
        }
        // At 15 both the even and the odd split of the room occur often.
        assert!(
            set.parts().truncated <= cut && (max_length > 20 || set.parts().truncated > 500),
            "{}",
            set.parts().truncated
        );
    }
}

#[test]
fn features_come_from_the_cache_unchanged() {
    let (Some(data_root), Some(vocabulary)) = (real_data("glue"), vocabulary("uncased")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = FeatureCache::new(folder.path());
    let task = Task::find("stsb").unwrap();
    let checksums = task.checksums(&data_root).unwrap();
    let source = FeatureSource {
        data_root: &data_root,
        bad_rows: BadRows::Refuse,
        checksums: &checksums,
        vocabulary: &vocabulary,
        lower_case: true,
        max_length: 128,
        options: None,
        cache: &cache,
    };
    let (built, read) = (task.features(&source).unwrap(), task.features(&source).unwrap());
    assert!(built.outcomes.iter().all(|(_, outcome)| *outcome == CacheOutcome::Built));
    assert!(read.outcomes.iter().all(|(_, outcome)| *outcome == CacheOutcome::Hit));
    assert_eq!(built.train.labels(), read.train.labels());
    for i in 0..built.train.len() {
        let (a, b) = (built.train.example(i), read.train.example(i));
        assert_eq!((a.ids, a.segments), (b.ids, b.segments));
    }
}

#[test]
#[ignore = "a measurement: cargo test --release --test integration real_data:: -- --ignored --nocapture"]
fn how_long_features_of_the_size_of_qnlis_training_split_take() {
    let Some(tokenizer) = tokenizer("uncased", true) else { return };
    let dev = read("qnli", "dev").unwrap();
    let examples: Vec<_> = dev.examples.iter().cycle().take(104_743).cloned().collect();
    let split = Split { examples, ..dev };
    let folder = tempfile::tempdir().unwrap();
    let cache = FeatureCache::new(folder.path());
    let key = FeatureKey {
        dataset: "qnli".into(),
        split: "train".into(),
        data_sha256: BTreeMap::new(),
        vocabulary_sha256: String::new(),
        lower_case: true,
        max_length: 128,
        skip_bad_rows: false,
        options: String::new(),
    };
    for _ in 0..4 {
        let start = Instant::now();
        let (set, outcome) = cache.get_or_build(&key, || Ok(features(&split, &tokenizer, 128))).unwrap();
        println!("{outcome:?}: {} examples, {} tokens in {:?}", set.len(), set.tokens(), start.elapsed());
    }
}
