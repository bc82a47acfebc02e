//! Statistics of examples of real text against those of google-research/bert's algorithm
//! (`tests/golden/pretraining_reference.py`).

use serde_json::Value;

use super::world::Blocks;
use crate::corpus::examples::{Cursor, ExampleSet, ExampleSettings, Passages, TokenizedBy, TrainingInstance, prepare};
use crate::realdata::real_data;
use crate::text::{Tokenizer, Vocabulary};

/// A statistic is the mean over many times that the corpus was gone through, ours and the reference's; the means may
/// differ by so many standard deviations of their difference. One of the 33 comparisons fails by chance once in
/// 50,000 changes of the seed.
const DEVIATIONS: f64 = 5.0;

/// A sentence a line, blank lines between documents.
fn blocks<'a>(lines: impl Iterator<Item = &'a str>) -> Blocks {
    let mut block = Passages::default();
    let mut open = false;
    for line in lines.map(str::trim) {
        if !line.is_empty() {
            block.push(line);
            open = true;
        } else if std::mem::take(&mut open) {
            block.end_document();
        }
    }
    Blocks([block].into())
}

/// As `by_sentence` of the script.
fn by_sentence(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("= ") && line.ends_with(" =") {
            if !line.starts_with("= =") {
                lines.push(String::new());
            }
        } else if !line.is_empty() {
            let parts: Vec<&str> = line.split(" . ").collect();
            let (last, cut) = parts.split_last().unwrap();
            lines.extend(cut.iter().map(|part| format!("{part} .")));
            lines.push((*last).to_owned());
        }
    }
    lines
}

/// A statistic by its name in the golden file, of the examples of one time.
fn statistic(name: &str, examples: &[TrainingInstance], mask: u32) -> f64 {
    let count = examples.len() as f64;
    let mean = |of: &dyn Fn(&TrainingInstance) -> f64| examples.iter().map(of).sum::<f64>() / count;
    let yes = |is: bool| f64::from(u8::from(is));
    let length = |example: &TrainingInstance| example.ids.len();
    let second =
        |example: &TrainingInstance| example.segments.iter().map(|segment| usize::from(*segment)).sum::<usize>();
    let predictions = examples.iter().map(|example| example.masked_positions.len()).sum::<usize>() as f64;
    let share = |is: &dyn Fn(u32, u32) -> bool| {
        let hits = |example: &TrainingInstance| {
            let seen = example.masked_positions.iter().map(|at| example.ids[*at as usize]);
            seen.zip(&example.masked_labels).filter(|(seen, label)| is(*seen, **label)).count()
        };
        examples.iter().map(hits).sum::<usize>() as f64 / predictions
    };
    match name {
        "examples" => count,
        "tokens" => mean(&|example| length(example) as f64),
        "first_segment" => mean(&|example| (length(example) - second(example) - 2) as f64),
        "second_segment" => mean(&|example| (second(example) - 1) as f64),
        "full_length" => mean(&|example| yes(length(example) == 128)),
        "under_half_length" => mean(&|example| yes(length(example) < 64)),
        "random_next" => mean(&|example| yes(example.next_is_random.unwrap())),
        "predictions" => predictions / count,
        "mask" => share(&|seen, _| seen == mask),
        "same" => share(&|seen, label| seen == label),
        "other" => share(&|seen, label| seen != label && seen != mask),
        _ => panic!("no such statistic: {name}"),
    }
}

/// The examples of each time that the corpus was gone through: a new time begins where the document of the first
/// example comes again, which the number of examples a plan has tells.
fn by_time(out: &std::path::Path, set: &ExampleSet) -> Vec<Vec<TrainingInstance>> {
    let mut first = 0;
    let times = 0..set.settings().dupe_factor;
    times
        .map(|time| {
            let file = out.join(format!("examples-{time:05}.bin"));
            let count = std::fs::metadata(file).unwrap().len() / crate::corpus::examples::plan::RECORD as u64;
            first += count;
            (first - count..first).map(|number| set.example(number, 0).unwrap()).collect()
        })
        .collect()
}

fn compare(name: &str, mut source: Blocks, golden: &Value) {
    let Some(vocabulary) = real_data("vocab/bert-base-uncased-vocab.txt") else { return };
    let vocabulary = Vocabulary::load(&vocabulary).unwrap();
    let tokenizer = Tokenizer::new(&vocabulary, true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("corpus");
    let golden = &golden[name];
    let dupe_factor = u32::try_from(golden["times"].as_u64().unwrap()).unwrap();
    let settings = ExampleSettings { dupe_factor, ..ExampleSettings::default() };
    let by = TokenizedBy { vocabulary: &vocabulary, tokenizer: &tokenizer };
    let summary = prepare(&mut source, by, &settings, &out, &|_| ()).unwrap();
    for (found, key) in [
        (summary.counts.documents, "documents"),
        (summary.counts.sentences, "sentences"),
        (summary.counts.tokens, "tokens"),
    ] {
        assert_eq!(Some(found), golden[key].as_u64(), "{name}: {key}");
    }
    let times = by_time(&out, &ExampleSet::open(&out).unwrap());
    let statistics = golden["statistics"].as_object().unwrap();
    assert_eq!(statistics.len(), 11);
    for (key, expected) in statistics {
        let [mean, deviation] = [0, 1].map(|at| expected[at].as_f64().unwrap());
        let ours: Vec<f64> = times.iter().map(|examples| statistic(key, examples, 103)).collect();
        let found = ours.iter().sum::<f64>() / ours.len() as f64;
        let tolerance = DEVIATIONS * deviation * (2.0 / ours.len() as f64).sqrt();
        println!("{name}: {key}: {found:.4}, the reference has {mean:.4} ± {:.4}", tolerance / DEVIATIONS);
        assert!((found - mean).abs() <= tolerance, "{name}: {key}: {found} is not {mean} ± {tolerance}");
    }
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../tests/golden/pretraining_reference.json")).unwrap()
}

#[test]
fn googles_sample_text_gives_what_the_reference_gives() {
    let Some(text) = real_data("plain/google_bert_sample_text.txt") else { return };
    let text = std::fs::read_to_string(text).unwrap();
    compare("sample", blocks(text.split('\n')), &golden());
}

#[test]
fn wikitext_gives_what_the_reference_gives() {
    let Some(text) = real_data("wikitext2/wiki.test.tokens") else { return };
    let text = std::fs::read_to_string(text).unwrap();
    compare("paragraphs", blocks(text.split('\n')), &golden());
    compare("sentences", blocks(by_sentence(&text).iter().map(String::as_str)), &golden());
}

/// Makes every example of a prepared corpus once, in the batches of 256 and in the random order that training takes
/// them in, on one thread. `BERTBENCH_CORPUS` names the folder; nothing else is measured, so that the process's CPU
/// time is that of the examples.
#[test]
#[ignore = "a measurement: BERTBENCH_CORPUS=FOLDER cargo test --release how_fast_examples_are_made -- --ignored --nocapture"]
fn how_fast_examples_are_made() {
    let folder = std::env::var_os("BERTBENCH_CORPUS").expect("BERTBENCH_CORPUS names a prepared corpus");
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| {
        let set = ExampleSet::open(std::path::Path::new(&folder)).unwrap();
        let (order, mut cursor, mut tokens) = (set.order(1), Cursor::default(), 0);
        let start = std::time::Instant::now();
        while cursor.position < set.len() {
            let size = (set.len() - cursor.position).min(256) as usize;
            let (batch, next) = order.batch(cursor, size);
            tokens += set.examples(&batch).unwrap().iter().map(|example| example.ids.len()).sum::<usize>();
            cursor = next;
        }
        println!("{tokens} tokens of {} examples made in {:?}", set.len(), start.elapsed());
    });
}
