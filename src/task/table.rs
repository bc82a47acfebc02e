//! The table of tasks. Metrics as GLUE's leaderboard reports them (Wang et al. 2018, table 1); where it
//! averages two, the BERT paper's choice judges (Devlin et al. 2018, table 1: F1 for QQP and MRPC, Spearman
//! for STS-B).

use super::{HeadKind, PredictionSet, Task};

const BINARY: HeadKind = HeadKind::Classes(&["0", "1"]);
const TWO_WAY: HeadKind = HeadKind::Classes(&["entailment", "not_entailment"]);
const THREE_WAY: HeadKind = HeadKind::Classes(&["contradiction", "entailment", "neutral"]);

const fn test(dataset: &'static str) -> PredictionSet {
    PredictionSet { dataset, split: "test" }
}

/// What most tasks share.
const GLUE: Task = Task {
    name: "",
    title: "",
    benchmark: "GLUE",
    dataset: "",
    head: BINARY,
    dev: &["dev"],
    metrics: &["accuracy"],
    primary_metric: "accuracy",
    predicts: &[],
    // google-research/bert, run_classifier.py in the README's GLUE commands.
    max_length: 128,
    files: None,
};

/// What both versions of SQuAD share; the BERT paper judges by F1 (tables 2 and 3).
const SPANS: Task = Task {
    head: HeadKind::Spans,
    metrics: &["f1", "exact_match"],
    primary_metric: "f1",
    // google-research/bert, run_squad.py.
    max_length: 384,
    ..GLUE
};

/// What tasks of named entities share; judged by the F1 of whole entities (Tjong Kim Sang and De Meulder 2003).
const TAGS: Task = Task { head: HeadKind::Tags, metrics: &["f1", "precision", "recall"], primary_metric: "f1", ..GLUE };

/// Every task.
pub const TASKS: &[Task] = &[
    Task {
        name: "cola",
        title: "CoLA: is the sentence acceptable English?",
        dataset: "cola",
        metrics: &["mcc", "accuracy"],
        primary_metric: "mcc",
        predicts: &[test("cola")],
        ..GLUE
    },
    Task {
        name: "sst2",
        title: "SST-2: is the review favourable?",
        dataset: "sst2",
        predicts: &[test("sst2")],
        ..GLUE
    },
    Task {
        name: "mrpc",
        title: "MRPC: do the sentences mean the same?",
        dataset: "mrpc",
        metrics: &["f1", "accuracy"],
        primary_metric: "f1",
        predicts: &[test("mrpc")],
        ..GLUE
    },
    Task {
        name: "stsb",
        title: "STS-B: how similar are the sentences, from 0 to 5?",
        dataset: "stsb",
        head: HeadKind::Regression,
        metrics: &["spearman", "pearson"],
        primary_metric: "spearman",
        predicts: &[test("stsb")],
        ..GLUE
    },
    Task {
        name: "qqp",
        title: "QQP: do the questions ask the same?",
        dataset: "qqp",
        metrics: &["f1", "accuracy"],
        primary_metric: "f1",
        predicts: &[test("qqp")],
        ..GLUE
    },
    Task {
        name: "mnli",
        title: "MNLI: does the first sentence entail or contradict the second?",
        dataset: "mnli",
        head: THREE_WAY,
        dev: &["dev_matched", "dev_mismatched"],
        predicts: &[
            PredictionSet { dataset: "mnli", split: "test_matched" },
            PredictionSet { dataset: "mnli", split: "test_mismatched" },
            test("ax"),
        ],
        ..GLUE
    },
    Task {
        name: "qnli",
        title: "QNLI: does the sentence answer the question?",
        dataset: "qnli",
        head: TWO_WAY,
        predicts: &[test("qnli")],
        ..GLUE
    },
    Task {
        name: "rte",
        title: "RTE: does the first text entail the second?",
        dataset: "rte",
        head: TWO_WAY,
        predicts: &[test("rte")],
        ..GLUE
    },
    Task {
        name: "wnli",
        title: "WNLI: is the pronoun resolved correctly?",
        dataset: "wnli",
        predicts: &[test("wnli")],
        ..GLUE
    },
    Task {
        name: "squad1",
        title: "SQuAD 1.1: which words of the paragraph answer the question?",
        benchmark: "SQuAD",
        dataset: "squad1",
        ..SPANS
    },
    Task {
        name: "squad2",
        title: "SQuAD 2.0: which words of the paragraph answer the question, if any?",
        benchmark: "SQuAD",
        dataset: "squad2",
        ..SPANS
    },
    Task {
        name: "swag",
        title: "SWAG: which of four endings comes next?",
        benchmark: "SWAG",
        dataset: "swag",
        head: HeadKind::Choices(4),
        predicts: &[test("swag")],
        ..GLUE
    },
    Task {
        name: "conll2003",
        title: "CoNLL-2003: people, places, organisations and others in English news",
        benchmark: "CoNLL-2003",
        dataset: "conll2003",
        dev: &["dev", "test"],
        ..TAGS
    },
    Task {
        name: "msra",
        title: "MSRA: people, places and organisations in Chinese news",
        benchmark: "MSRA",
        dataset: "msra",
        dev: &["test"],
        ..TAGS
    },
    Task {
        name: "weibo",
        title: "Weibo: named and nominal entities in Chinese posts",
        benchmark: "Weibo",
        dataset: "weibo",
        dev: &["dev", "test"],
        ..TAGS
    },
    Task {
        name: "resume",
        title: "ResumeNER: names, places, degrees and jobs in Chinese résumés",
        benchmark: "ResumeNER",
        dataset: "resume",
        dev: &["dev", "test"],
        ..TAGS
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Labels, Reader, SplitRole};
    use crate::metric::{Function, Metric};

    #[test]
    fn every_row_fits_its_dataset_and_its_metrics() {
        for task in TASKS {
            assert_eq!(Task::find(task.name).unwrap().title, task.title);
            assert_eq!(TASKS.iter().filter(|other| other.name == task.name).count(), 1);
            let dataset = Dataset::find(task.dataset).unwrap();
            match (task.head, dataset.labels) {
                (HeadKind::Classes(outputs), Labels::Classes(classes)) => assert_eq!(outputs, classes),
                (HeadKind::Choices(_), labels) => {
                    assert_eq!((labels, dataset.reader), (Labels::Structured, Reader::Swag));
                }
                (HeadKind::Spans, labels) => assert_eq!((labels, dataset.reader), (Labels::Structured, Reader::Squad)),
                (HeadKind::Tags, labels) => {
                    assert!(labels == Labels::Structured && matches!(dataset.reader, Reader::Columns(_)));
                }
                (head, labels) => assert!(matches!((head, labels), (HeadKind::Regression, Labels::Score { .. }))),
            }
            let dev: Vec<_> = dataset.splits.iter().filter(|s| s.role == SplitRole::Dev).map(|s| s.name).collect();
            assert_eq!(task.dev, dev);
            assert!(task.metrics.contains(&task.primary_metric));
            for name in task.metrics {
                let metric = Metric::find(name).unwrap();
                assert_eq!(matches!(metric.function, Function::Scores(_)), task.head == HeadKind::Regression);
            }
            for set in task.predicts {
                let dataset = Dataset::find(set.dataset).unwrap();
                assert_eq!(dataset.split(set.split).unwrap().role, SplitRole::Test);
            }
        }
    }

    #[test]
    fn an_unknown_task_gets_the_nearest_name() {
        assert_eq!(Task::find("mrcp").unwrap_err().to_string(), "unknown task `mrcp` (did you mean `mrpc`?)");
    }
}
