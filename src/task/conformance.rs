//! Every row of the table, from hand-written files in the official layouts to scores.

use std::path::Path;

use super::{FeatureSource, HeadKind, TASKS, Task};
use crate::data::{BadRows, Label};
use crate::text::{CacheOutcome, FeatureCache, Vocabulary};

/// Three rows for each file that training and dev scoring read, as their publishers write them. `FIRST` and
/// `SECOND` stand for texts.
const FILES: &[(&str, &str)] = &[
    ("CoLA/train.tsv", "gj04\t1\t\tFIRST\ngj04\t0\t*\tThe \"cat\ngj04\t1\t\tcat the\n"),
    ("CoLA/dev.tsv", "gj04\t1\t\tFIRST\nr-67\t0\t*\tthe\nr-67\t1\t\tcat"),
    ("SST-2/train.tsv", "sentence\tlabel\nFIRST\t1\nthe\t0\ncat \t1\n"),
    ("SST-2/dev.tsv", "sentence\tlabel\nFIRST\t1\nthe\t0\ncat \t1\n"),
    (
        "MRPC/train.tsv",
        "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tFIRST\tSECOND\n0\t7\t9\tthe\tcat\n1\t1\t2\tcat\t\"the\n",
    ),
    (
        "MRPC/dev.tsv",
        "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t7\t8\tFIRST\tSECOND\r\n0\t7\t9\tthe\tcat\r\n1\t1\t2\tcat\tthe\r\n",
    ),
    ("STS-B/train.tsv", STSB),
    ("STS-B/dev.tsv", STSB),
    ("QQP/train.tsv", QQP),
    ("QQP/dev.tsv", QQP),
    (
        "MNLI/train.tsv",
        "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label\n0\tp\tq\tg\t( a )\t( b )\tA\tB\tFIRST\tSECOND\tneutral\tneutral\n1\tp\tq\tg\t( a )\t( b )\tA\tB\tthe\tcat\tneutral\t-\n2\tp\tq\tg\t( a )\t( b )\tA\tB\tthe\tcat\tentailment\tentailment\n3\tp\tq\tg\t( a )\t( b )\tA\tB\tcat\tthe\tcontradiction\tcontradiction\n",
    ),
    ("MNLI/dev_matched.tsv", MNLI_DEV),
    ("MNLI/dev_mismatched.tsv", MNLI_DEV),
    (
        "QNLI/train.tsv",
        "index\tquestion\tsentence\tlabel\n0\tFIRST\tSECOND\tentailment\n1\tthe\tcat\tnot_entailment\n2\tcat\tthe\tentailment\n",
    ),
    (
        "QNLI/dev.tsv",
        "index\tquestion\tsentence\tlabel\n0\tFIRST\tSECOND\tentailment\n1\tthe\tcat\tnot_entailment\n2\tcat\tthe\tentailment\n",
    ),
    (
        "RTE/train.tsv",
        "index\tsentence1\tsentence2\tlabel\n0\tFIRST\tSECOND\tentailment\n1\tthe\tcat\tnot_entailment\n2\tcat\tthe\tentailment\n",
    ),
    (
        "RTE/dev.tsv",
        "index\tsentence1\tsentence2\tlabel\n0\tFIRST\tSECOND\tentailment\n\n1\tthe\tcat\tnot_entailment\n2\tcat\tthe\tentailment",
    ),
    ("WNLI/train.tsv", "index\tsentence1\tsentence2\tlabel\n0\tFIRST\tSECOND\t1\n1\tthe\tcat\t0\n2\tcat\tthe\t1\n"),
    ("WNLI/dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tFIRST\tSECOND\t1\n1\tthe\tcat\t0\n2\tcat\tthe\t1\n"),
];
const STSB: &str = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tmain-news\theadlines\t2015\t0001\tnone\tnone\tFIRST\tSECOND\t5.000\n1\tmain-news\theadlines\t2015\t0002\tnone\tnone\tthe\tcat\t0\n2\tmain-news\theadlines\t2015\t0003\tnone\tnone\tcat\tthe\t2.75\n";
const QQP: &str = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n10\t1\t2\tFIRST\tSECOND\t1\n11\t3\t4\tthe\tcat\t0\n12\t5\t6\tcat\tthe\t1\n";
const MNLI_DEV: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label\n0\tp\tq\tg\t( a )\t( b )\tA\tB\tFIRST\tSECOND\tneutral\tneutral\tneutral\tneutral\tentailment\tneutral\n1\tp\tq\tg\t( a )\t( b )\tA\tB\tthe\tcat\tentailment\tentailment\tentailment\tneutral\tneutral\tentailment\n2\tp\tq\tg\t( a )\t( b )\tA\tB\tcat\tthe\tcontradiction\tneutral\tentailment\tcontradiction\tcontradiction\tcontradiction\n";

/// A text that must come out of the reader as it went in: quotes, spaces at its ends, no ASCII.
const FIRST: &str = " The \"cat, über  cat";
const SECOND: &str = "'' cat\" the ";

fn write_files(root: &Path) {
    for (name, text) in FILES {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("FIRST", FIRST).replace("SECOND", SECOND)).unwrap();
    }
}

fn vocabulary(folder: &Path) -> Vocabulary {
    let path = folder.join("vocab.txt");
    std::fs::write(&path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\n\"\n,\n'\n").unwrap();
    Vocabulary::load(&path).unwrap()
}

#[test]
fn every_task_goes_from_official_files_to_scores() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let vocabulary = vocabulary(folder.path());
    for task in TASKS {
        let data = task.load(folder.path(), BadRows::Refuse).unwrap();
        assert_eq!(data.dev.iter().map(|split| split.name).collect::<Vec<_>>(), task.dev);
        for split in std::iter::once(&data.train).chain(&data.dev) {
            assert_eq!((split.examples.len(), split.skipped), (3, 0), "{} {}", task.name, split.name);
            assert_eq!(split.examples[0].first, FIRST, "{}", task.name);
            assert!(split.examples.iter().all(|example| example.label.is_some()));
        }
        let cache = FeatureCache::new(folder.path().join("cache"));
        let checksums = task.checksums(folder.path()).unwrap();
        assert_eq!(checksums.len(), 1 + task.dev.len());
        let source = FeatureSource {
            data_root: folder.path(),
            bad_rows: BadRows::Refuse,
            checksums: &checksums,
            vocabulary: &vocabulary,
            lower_case: true,
            max_length: 16,
            options: None,
            cache: &cache,
        };
        let features = task.features(&source).unwrap();
        for split in &features.dev {
            let (name, labels) = (split.name, split.features.labels());
            let perfect: Vec<f32> = labels.iter().flat_map(|label| one_row(task, *label)).collect();
            for value in task.values(&perfect, split, &features.tags) {
                assert!((value.value - 1.0).abs() < 1e-12, "{} {name} {}", task.name, value.metric);
            }
            assert_eq!(task.predictions_tsv(&perfect, labels).lines().count(), 4);
            assert!(task.majority(labels) < 1.0);
        }
        let again = task.features(&source).unwrap();
        assert!(again.outcomes.iter().all(|(_, outcome)| *outcome == CacheOutcome::Hit), "{:?}", again.outcomes);
        assert_eq!(again.train.tokens(), features.train.tokens());
    }
}

/// The outputs of a model that knows the answer.
fn one_row(task: &Task, label: f32) -> Vec<f32> {
    match task.head {
        HeadKind::Classes(classes) => {
            (0_u8..).map(f32::from).take(classes.len()).map(|class| -(class - label).abs()).collect()
        }
        HeadKind::Choices(choices) => (0..choices).map(|choice| -(choice as f32 - label).abs()).collect(),
        HeadKind::Regression => vec![label],
        HeadKind::Spans | HeadKind::Tags => Vec::new(),
    }
}

#[test]
fn labels_and_left_out_rows_are_those_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let load = |name: &str| Task::find(name).unwrap().load(folder.path(), BadRows::Refuse).unwrap();
    let mnli = load("mnli");
    assert_eq!(mnli.train.without_gold, 1);
    let labels: Vec<_> = mnli.train.examples.iter().map(|example| example.label.unwrap()).collect();
    assert_eq!(labels, [Label::Class(2), Label::Class(1), Label::Class(0)]);
    assert_eq!(mnli.train.examples[1].id, "2");
    let stsb: Vec<_> = load("stsb").dev[0].examples.iter().map(|example| example.label.unwrap()).collect();
    assert_eq!(stsb, [Label::Score(5.0), Label::Score(0.0), Label::Score(2.75)]);
    let mrpc = load("mrpc");
    assert_eq!(mrpc.dev[0].examples[2].second.as_deref(), Some("the"), "the CR of CRLF is no text");
    assert_eq!(mrpc.train.examples[0].second.as_deref(), Some(SECOND));
    let cola = load("cola");
    assert_eq!((cola.train.examples[1].first.as_str(), cola.train.examples[1].id.as_str()), ("The \"cat", "1"));
    assert_eq!(load("sst2").dev[0].examples[2].first, "cat ");
    assert_eq!(load("qqp").dev[0].examples[0].id, "10");
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
    assert_eq!(mrpc.load(original.path(), BadRows::Refuse).unwrap(), mrpc.load(glue.path(), BadRows::Refuse).unwrap());
    let names: Vec<_> = mrpc.checksums(original.path()).unwrap().into_keys().collect();
    assert_eq!(names, ["MRPC/dev_ids.tsv", "MRPC/msr_paraphrase_train.txt"]);
}

#[test]
fn a_cache_hit_reads_no_text_and_a_changed_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let vocabulary = vocabulary(folder.path());
    let cache = FeatureCache::new(folder.path().join("cache"));
    let task = Task::find("rte").unwrap();
    let checksums = task.checksums(folder.path()).unwrap();
    let source = FeatureSource {
        data_root: folder.path(),
        bad_rows: BadRows::Refuse,
        checksums: &checksums,
        vocabulary: &vocabulary,
        lower_case: true,
        max_length: 16,
        options: None,
        cache: &cache,
    };
    let built = task.features(&source).unwrap();
    // Under the old checksums the cache answers, whatever the file holds by now.
    std::fs::write(
        folder.path().join("RTE/train.tsv"),
        "index\tsentence1\tsentence2\tlabel\n0\tcat\tcat\tentailment\n",
    )
    .unwrap();
    assert_eq!(task.features(&source).unwrap().train.tokens(), built.train.tokens());
    // With nothing cached, the changed file must not pass for the old one.
    let empty = FeatureCache::new(folder.path().join("empty"));
    let found = task.features(&FeatureSource { cache: &empty, ..source }).unwrap_err();
    assert_eq!(found.message, "the file changed while it was in use");
    let fresh = task.checksums(folder.path()).unwrap();
    let features = task.features(&FeatureSource { cache: &empty, checksums: &fresh, ..source }).unwrap();
    assert_eq!(features.train.len(), 1);
}

#[test]
fn skipped_rows_are_counted_on_a_hit_too_and_never_served_to_who_refuses_them() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let broken = "index\tsentence1\tsentence2\tlabel\n0\tcat\tthe\tentailment\n1\tcat\n2\tthe\tcat\tmaybe\n";
    std::fs::write(folder.path().join("RTE/train.tsv"), broken).unwrap();
    let vocabulary = vocabulary(folder.path());
    let cache = FeatureCache::new(folder.path().join("cache"));
    let task = Task::find("rte").unwrap();
    let checksums = task.checksums(folder.path()).unwrap();
    let source = FeatureSource {
        data_root: folder.path(),
        bad_rows: BadRows::Skip,
        checksums: &checksums,
        vocabulary: &vocabulary,
        lower_case: true,
        max_length: 16,
        options: None,
        cache: &cache,
    };
    for _ in 0..2 {
        let features = task.features(&source).unwrap();
        assert_eq!(features.skipped_rows.into_iter().collect::<Vec<_>>(), [("RTE/train.tsv".to_owned(), 2)]);
    }
    assert!(task.features(&FeatureSource { bad_rows: BadRows::Refuse, ..source }).is_err());
}
