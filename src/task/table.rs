//! The table of tasks. Metrics as GLUE's leaderboard reports them (Wang et al. 2018, table 1); where it
//! averages two, the BERT paper's choice judges (Devlin et al. 2018, table 1: F1 for QQP and MRPC, Spearman
//! for STS-B; tables 2 and 3: F1 for SQuAD). Named entities are judged by the F1 of whole entities (Tjong Kim Sang
//! and De Meulder 2003).

use std::borrow::Cow;

use super::Task;
use crate::data::Dataset;
use crate::data::probes::{AGREEMENT, LOOKUP, REACH, SIDES};
use crate::data::table::{
    AX, COLA, CONLL2003, MNLI, MRPC, MSRA, QNLI, QQP, RESUME, RTE, SQUAD1, SQUAD2, SST2, STSB, SWAG, WEIBO, WNLI,
};
use crate::diagnostic::{Diagnostic, suggest};
use crate::metric::{ACCURACY, EXACT_MATCH, F1, MCC, Metric, PEARSON, PRECISION, RECALL, SPEARMAN};
use crate::model::Head;

/// The metrics of answers to questions.
const ANSWERS: &[&Metric] = &[&F1, &EXACT_MATCH];
/// The metrics of named entities.
pub(super) const ENTITIES: &[&Metric] = &[&F1, &PRECISION, &RECALL];

/// Every task: its name, title, benchmark, dataset, head, and metrics, of which the first judges.
pub static TASKS: &[Task] = &[
    task("cola", "CoLA: is the sentence acceptable English?", "GLUE", &COLA, Head::Classes, &[&MCC, &ACCURACY]),
    task("sst2", "SST-2: is the review favourable?", "GLUE", &SST2, Head::Classes, &[&ACCURACY]),
    task("mrpc", "MRPC: do the sentences mean the same?", "GLUE", &MRPC, Head::Classes, &[&F1, &ACCURACY])
        .of_similarity(),
    task(
        "stsb",
        "STS-B: how similar are the sentences, from 0 to 5?",
        "GLUE",
        &STSB,
        Head::Regression,
        &[&SPEARMAN, &PEARSON],
    )
    .of_similarity(),
    task("qqp", "QQP: do the questions ask the same?", "GLUE", &QQP, Head::Classes, &[&F1, &ACCURACY]).of_similarity(),
    task(
        "mnli",
        "MNLI: does the first sentence entail or contradict the second?",
        "GLUE",
        &MNLI,
        Head::Classes,
        &[&ACCURACY],
    )
    .also_predicts(&[&AX]),
    task("qnli", "QNLI: does the sentence answer the question?", "GLUE", &QNLI, Head::Classes, &[&ACCURACY]),
    task("rte", "RTE: does the first text entail the second?", "GLUE", &RTE, Head::Classes, &[&ACCURACY]),
    task("wnli", "WNLI: is the pronoun resolved correctly?", "GLUE", &WNLI, Head::Classes, &[&ACCURACY]),
    questions("squad1", "SQuAD 1.1: which words of the paragraph answer the question?", &SQUAD1),
    questions("squad2", "SQuAD 2.0: which words of the paragraph answer the question, if any?", &SQUAD2),
    task("swag", "SWAG: which of four endings comes next?", "SWAG", &SWAG, Head::Choices, &[&ACCURACY]),
    tags("conll2003", "CoNLL-2003: people, places, organisations and others in English news", "CoNLL-2003", &CONLL2003),
    tags("msra", "MSRA: people, places and organisations in Chinese news", "MSRA", &MSRA),
    tags("weibo", "Weibo: named and nominal entities in Chinese posts", "Weibo", &WEIBO),
    tags("resume", "ResumeNER: names, places, degrees and jobs in Chinese résumés", "ResumeNER", &RESUME),
    tags("reach", "reach: how far back may the word stand that decides?", "probes", &REACH),
    tags("lookup", "lookup: and when many were said, of which any may be asked?", "probes", &LOOKUP),
    tags("agreement", "agreement: how far from its subject may a verb or a pronoun stand?", "probes", &AGREEMENT),
    tags("sides", "sides: does what decides stand to the left, to the right or on both sides?", "probes", &SIDES),
];

const fn task(
    name: &'static str,
    title: &'static str,
    benchmark: &'static str,
    dataset: &'static Dataset,
    head: Head,
    metrics: &'static [&'static Metric],
) -> Task {
    let (name, title, dataset) = (Cow::Borrowed(name), Cow::Borrowed(title), Cow::Borrowed(dataset));
    Task { name, title, benchmark, dataset, head, metrics, also_predicts: &[], similarity: false }
}

/// A task that asks for a span of a paragraph.
const fn questions(name: &'static str, title: &'static str, dataset: &'static Dataset) -> Task {
    task(name, title, "SQuAD", dataset, Head::Spans, ANSWERS)
}

/// A task that asks for the entities among words.
const fn tags(name: &'static str, title: &'static str, benchmark: &'static str, dataset: &'static Dataset) -> Task {
    task(name, title, benchmark, dataset, Head::Tags, ENTITIES)
}

impl Task {
    /// The same task, whose model answers other datasets too.
    const fn also_predicts(mut self, datasets: &'static [&'static Dataset]) -> Self {
        self.also_predicts = datasets;
        self
    }

    /// The same task, as one about the similarity of two texts.
    const fn of_similarity(mut self) -> Self {
        self.similarity = true;
        self
    }

    /// The task called `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn find(name: &str) -> Result<&'static Self, Diagnostic> {
        TASKS.iter().find(|task| task.name == name).ok_or_else(|| {
            Diagnostic::new(format!("unknown task `{name}`")).hint(suggest(name, TASKS.iter().map(|task| &*task.name)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Labels, Reader, SplitRole};
    use crate::metric::Function;

    #[test]
    fn every_row_fits_its_dataset_and_its_metrics() {
        for task in TASKS {
            assert_eq!(Task::find(&task.name).unwrap().title, task.title);
            assert_eq!(TASKS.iter().filter(|other| other.name == task.name).count(), 1);
            let fits = match (task.head, task.dataset.labels, task.dataset.reader) {
                (Head::Classes, Labels::Classes(classes), _) => classes.len() > 1,
                (Head::Regression, Labels::Score { .. }, _)
                | (Head::Choices, Labels::Structured, Reader::Swag)
                | (Head::Spans, Labels::Structured, Reader::Squad { .. })
                | (Head::Tags, Labels::Structured, Reader::Columns(_)) => true,
                _ => false,
            };
            assert!(fits, "{} {:?}", task.name, task.head);
            assert!(task.dev().next().is_some() && task.dataset.split("train").is_ok());
            assert_eq!(task.primary_metric().name, task.metrics[0].name);
            for metric in task.metrics {
                assert!(std::ptr::eq(*metric, Metric::find(metric.name).unwrap()));
                assert_eq!(matches!(metric.function, Function::Scores(_)), task.head == Head::Regression);
            }
            for dataset in task.also_predicts {
                assert!(dataset.splits_of(SplitRole::Test).next().is_some());
            }
        }
    }

    #[test]
    fn an_unknown_task_gets_the_nearest_name() {
        assert_eq!(Task::find("mrcp").unwrap_err().to_string(), "unknown task `mrcp` (did you mean `mrpc`?)");
    }

    #[test]
    fn test_sets_without_labels_are_predicted_and_those_of_other_datasets_too() {
        let predicted = |name: &str| {
            let sets = Task::find(name).unwrap().predicts();
            sets.map(|(dataset, split)| format!("{} {}", dataset.name, split.name)).collect::<Vec<_>>()
        };
        assert_eq!(predicted("mnli"), ["mnli test_matched", "mnli test_mismatched", "ax test"]);
        assert_eq!(predicted("rte"), ["rte test"]);
        assert_eq!(predicted("weibo"), Vec::<String>::new());
    }
}
