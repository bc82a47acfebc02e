//! Files for every task, as their publishers write them.

use std::path::Path;

use crate::data::{Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
use crate::task::TASKS;

/// A text that must come out of the reader as it went in: quotes, spaces at its ends, no ASCII.
pub(super) const FIRST: &str = " The \"cat, über  cat";
pub(super) const SECOND: &str = "'' cat\" the ";

/// Three rows with the columns of `layout`; for files that [`FILES`] does not have.
fn rows(layout: &Layout, labels: &Labels) -> String {
    let label = |row: usize| match labels {
        Labels::Classes(names) => names[row % names.len()].to_owned(),
        Labels::Score { lowest, highest } => (lowest + (highest - lowest) * row as f32 / 2.0).to_string(),
        Labels::Hidden | Labels::Structured => String::new(),
    };
    let row = |row: usize| {
        let cell = |column: usize| match column {
            _ if layout.label == Some(column) => label(row),
            _ if layout.first == column => ["FIRST", "the", "cat"][row].to_owned(),
            _ if layout.second == Some(column) => ["SECOND", "cat", "the"][row].to_owned(),
            _ => row.to_string(),
        };
        (0..layout.columns.len()).map(cell).collect::<Vec<_>>().join("\t")
    };
    let header = layout.header.then(|| layout.columns.join("\t"));
    header.into_iter().chain((0..3).map(row)).map(|line| line + "\n").collect()
}

/// A file in the format of a dataset, such as it is.
fn file_of(dataset: &Dataset, split: &SplitFile) -> String {
    match dataset.reader {
        Reader::Glue | Reader::GlueOrMsr => rows(&split.layout, &dataset.labels),
        Reader::Swag => SWAG.to_owned(),
        Reader::Squad { .. } => SQUAD.to_owned(),
        Reader::Columns(_) => RESUME.to_owned(),
    }
}

/// Writes the files of every task into the data root `root`.
pub(super) fn write_files(root: &Path) {
    let others = TASKS.iter().flat_map(|task| {
        let read = task.dataset.splits.iter().filter(|split| split.role != SplitRole::Test);
        read.map(|split| (format!("{}/{}", task.dataset.folder, split.file), file_of(&task.dataset, split)))
    });
    let written = FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    for (name, text) in others.chain(written) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("FIRST", FIRST).replace("SECOND", SECOND)).unwrap();
    }
}

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
    ("QNLI/train.tsv", QNLI),
    ("QNLI/dev.tsv", QNLI),
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
const QNLI: &str = "index\tquestion\tsentence\tlabel\n0\tFIRST\tSECOND\tentailment\n1\tthe\tcat\tnot_entailment\n2\tcat\tthe\tentailment\n";
const QQP: &str = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n10\t1\t2\tFIRST\tSECOND\t1\n11\t3\t4\tthe\tcat\t0\n12\t5\t6\tcat\tthe\t1\n";
const MNLI_DEV: &str = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label\n0\tp\tq\tg\t( a )\t( b )\tA\tB\tFIRST\tSECOND\tneutral\tneutral\tneutral\tneutral\tentailment\tneutral\n1\tp\tq\tg\t( a )\t( b )\tA\tB\tthe\tcat\tentailment\tentailment\tentailment\tneutral\tneutral\tentailment\n2\tp\tq\tg\t( a )\t( b )\tA\tB\tcat\tthe\tcontradiction\tneutral\tentailment\tcontradiction\tcontradiction\tcontradiction\n";
