//! Every row of the table, from hand-written files in the official layouts to scores.

use std::path::Path;

use super::{DevSplit, FeatureSource, TASKS, Task};
use crate::data::{BadRows, Label};
use crate::model::Head;
use crate::store::{SpanOptions, TaskOptions};
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
    ("SQuAD-1.1/train-v1.1.json", SQUAD),
    ("SQuAD-1.1/dev-v1.1.json", SQUAD),
    ("SQuAD-2.0/train-v2.0.json", SQUAD2),
    ("SQuAD-2.0/dev-v2.0.json", SQUAD2),
    ("SWAG/train.csv", SWAG),
    ("SWAG/val.csv", SWAG),
    ("CoNLL-2003/eng.train", CONLL),
    ("CoNLL-2003/eng.testa", CONLL),
    ("CoNLL-2003/eng.testb", CONLL),
    ("MSRA/msra_train_bio.txt", "中\tB-LOC\n国\tI-LOC\n\n国\tO\n\n中\tO\n国\tB-LOC\n"),
    ("MSRA/msra_test_bio.txt", "中\tB-LOC\n国\tI-LOC\n\n国\tO\n\n中\tO\n国\tB-LOC\n"),
    ("Weibo/weiboNER_2nd_conll.train", WEIBO),
    ("Weibo/weiboNER_2nd_conll.dev", WEIBO),
    ("Weibo/weiboNER_2nd_conll.test", WEIBO),
    ("ResumeNER/train.char.bmes", RESUME),
    ("ResumeNER/dev.char.bmes", RESUME),
    ("ResumeNER/test.char.bmes", RESUME),
    ("WNLI/dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tFIRST\tSECOND\t1\n1\tthe\tcat\t0\n2\tcat\tthe\t1\n"),
];
/// Longer than a window, with the answer behind characters of several bytes, and at the end.
const SQUAD: &str = r#"{"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "The cat, über the the the the the the the the the the cat 中 the", "qas": [
{"id": "a", "question": "the cat?", "answers": [{"text": "cat", "answer_start": 4}, {"text": "The cat", "answer_start": 0}]},
{"id": "b", "question": "cat", "answers": [{"text": "中", "answer_start": 58}]},
{"id": "c", "question": "the", "answers": [{"text": "cat 中", "answer_start": 54}]}]}]}]}"#;
const SQUAD2: &str = r#"{"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "The cat, über the the cat", "qas": [
{"id": "a", "question": "the cat?", "is_impossible": false, "answers": [{"text": "cat", "answer_start": 4}]},
{"id": "b", "question": "cat", "is_impossible": true, "answers": []},
{"id": "c", "question": "the", "is_impossible": false, "answers": [{"text": "the cat", "answer_start": 18}]}]}]}]}"#;
const SWAG: &str = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n0,v,1,p,\"The cat, the\",The,gold,cat,the,\"\"\"cat\"\"\",the cat,2\n1,v,1,p,the,cat,gold,the,cat,the the,cat cat,0\n2,v,1,p,cat,,gold,the,cat,the the,cat cat,3\n";
const CONLL: &str = "-DOCSTART- -X- -X- O\n\nThe DT I-NP I-LOC\ncat NN I-NP B-LOC\n. . O O\n\ncat NN I-NP I-PER\n\n-DOCSTART- -X- -X- O\n\nthe DT I-NP O\ncat NN I-NP I-PER\n\n\n";
const WEIBO: &str = "中0 B-GPE.NAM\n国1 I-GPE.NAM\n\n中0 O\n\n国0 B-PER.NOM\n";
const RESUME: &str = "中 B-ORG\n国 M-ORG\n中 E-ORG\n\n国 S-LOC\n\n中 O\n";
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
    std::fs::write(&path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\n\"\n,\n'\n中\n国\n").unwrap();
    Vocabulary::load(&path).unwrap()
}

#[test]
fn every_task_goes_from_official_files_to_scores() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let vocabulary = vocabulary(folder.path());
    for task in TASKS {
        let (cache, options) = (FeatureCache::new(folder.path().join("cache")), options(task));
        let checksums = task.checksums(folder.path()).unwrap();
        assert_eq!(checksums.len(), 1 + task.dev().count());
        let source = FeatureSource {
            data_root: folder.path(),
            bad_rows: BadRows::Refuse,
            checksums: &checksums,
            vocabulary: &vocabulary,
            lower_case: true,
            max_length: 16,
            options: options.as_ref(),
            cache: &cache,
        };
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
        let data = task.load(folder.path(), BadRows::Refuse).unwrap();
        for split in std::iter::once(&data.train).chain(&data.dev) {
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
    let (labels, offsets) = (split.features.labels(), split.features.offsets());
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
