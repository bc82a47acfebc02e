//! Every row of the table, from hand-written files in the official layouts to scores.

mod files;

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use files::{FIRST, SECOND, write_files};

use super::{DevSplit, FeatureSource, TASKS, Task};
use crate::data::{BadRows, Label, Split};
use crate::model::Head;
use crate::settings::SpanOptions;
use crate::store::TaskOptions;
use crate::text::{CacheOutcome, FeatureCache, Vocabulary};

/// The files of every task, a vocabulary and an empty cache.
struct Place {
    folder: TempDir,
    vocabulary: Vocabulary,
    cache: FeatureCache,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path());
        let path = folder.path().join("vocab.txt");
        std::fs::write(&path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\n\"\n,\n'\n中\n国\n").unwrap();
        let (vocabulary, cache) = (Vocabulary::load(&path).unwrap(), FeatureCache::new(folder.path().join("cache")));
        Self { folder, vocabulary, cache }
    }

    fn source<'a>(&'a self, checksums: &'a BTreeMap<String, String>) -> FeatureSource<'a> {
        FeatureSource {
            data_root: self.folder.path(),
            bad_rows: BadRows::Refuse,
            checksums,
            vocabulary: &self.vocabulary,
            lower_case: true,
            max_length: 16,
            options: None,
            cache: &self.cache,
        }
    }
}

/// The rows of the training split and of each dev split.
fn splits(task: &Task, root: &Path) -> Vec<Split> {
    let splits = task.read_splits().unwrap().into_iter();
    splits.map(|split| task.dataset.read(root, split, BadRows::Refuse).unwrap()).collect()
}

#[test]
fn every_task_goes_from_official_files_to_scores() {
    let place = Place::new();
    for task in TASKS {
        let (checksums, options) = (task.checksums(place.folder.path()).unwrap(), options(task));
        assert_eq!(checksums.len(), 1 + task.dev().count());
        let source = FeatureSource { options: options.as_ref(), ..place.source(&checksums) };
        let features = task.features(&source).unwrap();
        assert_eq!(features.dev.iter().map(|split| split.name).collect::<Vec<_>>(), names(task));
        for split in &features.dev {
            assert_eq!(split.examples(), 3, "{} {}", task.name, split.name);
            let perfect = perfect(task, split, &features.tags);
            let values = task.values(&perfect, split, &features.tags);
            assert!(values.iter().map(|value| value.metric).eq(task.metrics.iter().map(|metric| metric.name)));
            for value in values {
                assert!((value.value - 1.0).abs() < 1e-12, "{} {} {value:?}", task.name, split.name);
            }
            assert_eq!(task.answers_by_example(&perfect, split, &features.tags).examples(), 3, "{}", task.name);
            let files = task.prediction_files(&perfect, split, &features.tags);
            assert!(!files.is_empty() && files.iter().all(|file| file.content.ends_with('\n')), "{}", task.name);
            assert!(task.majority(split.features.labels()) < 1.0);
        }
        let again = task.features(&source).unwrap();
        assert!(again.outcomes.iter().all(|(_, outcome)| *outcome == CacheOutcome::Hit), "{:?}", again.outcomes);
        assert_eq!(again.train.tokens(), features.train.tokens());
    }
}

#[test]
fn texts_come_out_as_they_stand_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    for task in TASKS.iter().filter(|task| matches!(task.head, Head::Classes | Head::Regression)) {
        for split in splits(task, folder.path()) {
            assert_eq!((split.examples.len(), split.skipped), (3, 0), "{} {}", task.name, split.name);
            assert_eq!(split.examples[0].first, FIRST, "{}", task.name);
            assert!(split.examples.iter().all(|example| example.label.is_some()));
        }
    }
}

fn names(task: &Task) -> Vec<&str> {
    task.dev().map(|split| split.name).collect()
}

/// Windows so short that the longer paragraph has several.
fn options(task: &Task) -> Option<TaskOptions> {
    match task.default_options() {
        Some(TaskOptions::Spans(spans)) => {
            Some(TaskOptions::Spans(SpanOptions { doc_stride: 5, max_query_length: 4, ..spans }))
        }
        other => other,
    }
}

/// The outputs of a model that knows the answers.
fn perfect(task: &Task, split: &DevSplit, tags: &[String]) -> Vec<f32> {
    let (labels, offsets) = (split.features.labels(), &split.features.parts().offsets);
    let at = |place: usize, label: f32| -(place as f32 - label).abs();
    match task.head {
        Head::Classes | Head::Choices => {
            labels.iter().flat_map(|label| (0..task.row()).map(move |class| at(class, *label))).collect()
        }
        Head::Regression => labels.to_vec(),
        Head::Spans => labels
            .chunks_exact(2)
            .zip(offsets.windows(2))
            .flat_map(|(span, ends)| {
                // A window without the answer speaks for nothing but its [CLS].
                let sure = if span[1] > 0.0 { 10.0 } else { 1.0 };
                let tokens = 0..(ends[1] - ends[0]) as usize;
                tokens.flat_map(move |token| [0, 1].map(|side| if token == span[side] as usize { sure } else { 0.0 }))
            })
            .collect(),
        Head::Tags => labels
            .iter()
            .flat_map(|label| (0..tags.len()).map(move |class| if label.is_nan() { 0.0 } else { at(class, *label) }))
            .collect(),
    }
}

#[test]
fn labels_and_left_out_rows_are_those_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    // The training split, and the first dev split.
    let load = |name: &str| splits(Task::find(name).unwrap(), folder.path());
    let mnli = &load("mnli")[0];
    assert_eq!(mnli.without_gold, 1);
    let labels: Vec<_> = mnli.examples.iter().map(|example| example.label.unwrap()).collect();
    assert_eq!(labels, [Label::Class(2), Label::Class(1), Label::Class(0)]);
    assert_eq!(mnli.examples[1].id, "2");
    let stsb: Vec<_> = load("stsb")[1].examples.iter().map(|example| example.label.unwrap()).collect();
    assert_eq!(stsb, [Label::Score(5.0), Label::Score(0.0), Label::Score(2.75)]);
    let mrpc = load("mrpc");
    assert_eq!(mrpc[1].examples[2].second.as_deref(), Some("the"), "the CR of CRLF is no text");
    assert_eq!(mrpc[0].examples[0].second.as_deref(), Some(SECOND));
    let cola = &load("cola")[0].examples[1];
    assert_eq!((cola.first.as_str(), cola.id.as_str()), ("The \"cat", "1"));
    assert_eq!(load("sst2")[1].examples[2].first, "cat ");
    assert_eq!(load("qqp")[1].examples[0].id, "10");
}

#[test]
fn mrpc_reads_the_same_from_its_original_files() {
    let glue = tempfile::tempdir().unwrap();
    write_files(glue.path());
    let original = tempfile::tempdir().unwrap();
    let folder = original.path().join("MRPC");
    std::fs::create_dir(&folder).unwrap();
    let rows = |name: &str| {
        let text = std::fs::read_to_string(glue.path().join("MRPC").join(name)).unwrap().replace('\r', "");
        text.split_once('\n').unwrap().1.to_owned()
    };
    // GLUE's train and dev have the same ids in this test; dev's get a prefix here to tell them apart.
    let dev = rows("dev.tsv").replace("\t7\t", "\tdev7\t").replace("\t1\t2", "\tdev1\t2");
    let header = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n";
    std::fs::write(folder.join("msr_paraphrase_train.txt"), format!("{header}{}{dev}", rows("train.tsv"))).unwrap();
    std::fs::write(folder.join("dev_ids.tsv"), "dev7\t8\ndev7\t9\ndev1\t2\n").unwrap();
    let mrpc = Task::find("mrpc").unwrap();
    assert_eq!(splits(mrpc, original.path()), splits(mrpc, glue.path()));
    let names: Vec<_> = mrpc.checksums(original.path()).unwrap().into_keys().collect();
    assert_eq!(names, ["MRPC/dev_ids.tsv", "MRPC/msr_paraphrase_train.txt"]);
}

#[test]
fn a_cache_hit_reads_no_text_and_a_changed_file_is_noticed() {
    let (place, task) = (Place::new(), Task::find("rte").unwrap());
    let root = place.folder.path();
    let checksums = task.checksums(root).unwrap();
    let source = place.source(&checksums);
    let built = task.features(&source).unwrap();
    // Under the old checksums the cache answers, whatever the file holds by now.
    let changed = "index\tsentence1\tsentence2\tlabel\n0\tcat\tcat\tentailment\n";
    std::fs::write(root.join("RTE/train.tsv"), changed).unwrap();
    assert_eq!(task.features(&source).unwrap().train.tokens(), built.train.tokens());
    // With nothing cached, the changed file must not pass for the old one.
    let empty = FeatureCache::new(root.join("empty"));
    let found = task.features(&FeatureSource { cache: &empty, ..source }).unwrap_err();
    assert_eq!(found.message, "the file changed while it was in use");
    let fresh = task.checksums(root).unwrap();
    let features = task.features(&FeatureSource { cache: &empty, checksums: &fresh, ..source }).unwrap();
    assert_eq!(features.train.len(), 1);
}

#[test]
fn skipped_rows_are_counted_on_a_hit_too_and_never_served_to_who_refuses_them() {
    let (place, task) = (Place::new(), Task::find("rte").unwrap());
    let broken = "index\tsentence1\tsentence2\tlabel\n0\tcat\tthe\tentailment\n1\tcat\n2\tthe\tcat\tmaybe\n";
    std::fs::write(place.folder.path().join("RTE/train.tsv"), broken).unwrap();
    let checksums = task.checksums(place.folder.path()).unwrap();
    let source = FeatureSource { bad_rows: BadRows::Skip, ..place.source(&checksums) };
    for _ in 0..2 {
        let features = task.features(&source).unwrap();
        assert_eq!(features.skipped_rows.into_iter().collect::<Vec<_>>(), [("RTE/train.tsv".to_owned(), 2)]);
    }
    assert!(task.features(&FeatureSource { bad_rows: BadRows::Refuse, ..source }).is_err());
}
